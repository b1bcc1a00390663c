package hl7

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// Read gives what a message says of the care of a patient. News without a
// patient are of a message that concerns no care: it is well formed, and nothing
// is done. Times that say no zone are of the given one. Errors: Invalid.
func Read(m *Message, zone *time.Location, received int64) (traces.News, error) {
	head := m.Segment("MSH")
	code, trigger := head.Field(9).Part(1).Text(), head.Field(9).Part(2).Text()
	n := traces.News{Control: traces.Cut(head.Field(10).Text(), traces.MaxKey), What: traces.Cut(strings.Trim(code+"^"+trigger, "^"), traces.MaxKey)}
	if code == "" {
		return n, fault.New(fault.Invalid, "traces.hl7.no_kind").At("MSH-9")
	}
	r := reader{m: m, zone: zone, trigger: trigger}
	if n.Sent = moment(head.Field(7).Part(1).Text(), zone); n.Sent == 0 {
		n.Sent = received
	}
	r.sent = n.Sent
	kinds := map[string]func(*traces.News) error{"ADT": r.administration, "SIU": r.schedule, "ORM": r.order, "OMG": r.order, "OMP": r.order, "OML": r.order, "OMI": r.order, "RDE": r.order}
	read, known := kinds[code]
	if !known {
		return n, nil
	}
	return n, read(&n)
}

// reader reads one message.
type reader struct {
	m       *Message
	zone    *time.Location
	trigger string
	sent    int64
}

func (r reader) when(f Field) int64 { return moment(f.Part(1).Text(), r.zone) }

// identities of the patient that the kinds of messages give.
func (r reader) patient(pid Segment) (traces.Identity, error) {
	out := r.numbers(pid.Field(3))
	if len(out.IPP) == 0 && out.INS == "" {
		if old := pid.Field(2).Text(); old != "" { // before 2.4, the one number
			out.IPP = []string{old}
		}
	}
	if len(out.IPP) == 0 && out.INS == "" {
		return out, fault.New(fault.Invalid, "traces.hl7.no_patient").At("PID-3")
	}
	r.names(&out, pid.Field(5))
	r.address(&out, pid.Field(11))
	return out, nil
}

// insLength is a NIR or NIA of 13 characters with its key of two.
const insLength = 15

// numbersMost is how many numbers of one patient are kept.
const numbersMost = 10

// numbers reads a list of CX: the numbers of the establishment (PI, MR, PT, or no
// kind) and the national identity, which is known by its authority or its kind.
func (r reader) numbers(list Field) (out traces.Identity) {
	for _, one := range list.Each() {
		number, kind := one.Part(1).Text(), one.Part(5).Text()
		var e traces.Event
		e.Patient(number, "^"+one.Part(4).text)
		switch {
		case number == "":
		case e.INS != "" || kind == "INS" || kind == "NH":
			// INS-C (NH) is no identity any more; an INS without its key neither. What
			// has the authority of the INS is one, as in the traces.
			if out.INS == "" && kind != "NH" && len(e.INS) == insLength {
				out.INS = e.INS
			}
		case slices.Contains([]string{"PI", "MR", "PT", "PN", "IPP", ""}, kind):
			if len(out.IPP) < numbersMost && !slices.Contains(out.IPP, number) {
				out.IPP = append(out.IPP, number)
			}
		}
	}
	return out
}

// names reads PID-5: the name at birth is of type L, the name used of type D
// (PAM.fr); a sender that has one name gives it alone.
func (r reader) names(out *traces.Identity, list Field) {
	for _, one := range list.Each() {
		surname, given := one.Part(1).Text(), one.Part(2).Text()
		switch one.Part(7).Text() {
		case "D", "B", "M":
			out.Surname = or(out.Surname, surname)
		case "L", "":
			out.BirthName = or(out.BirthName, surname)
		default: // pseudonyms, names of the anonymous
			continue
		}
		out.Given = or(out.Given, given)
	}
	out.Surname = or(out.Surname, out.BirthName)
}

// address reads PID-11: where the patient lives, not where he was born.
func (r reader) address(out *traces.Identity, list Field) {
	for _, one := range list.Each() {
		kind := one.Part(7).Text()
		if street := one.Part(1).Text(); street != "" && slices.Contains([]string{"H", "L", "M", "P", "C", ""}, kind) {
			out.Address, out.Postal = street, one.Part(5).Text()
			return
		}
	}
}

// visit is the number of the stay: PV1-19, else the account (PID-18), else the
// number before admission (PV1-5).
func (r reader) visit() string {
	pv1 := r.m.Segment("PV1")
	return traces.Cut(or(or(pv1.Field(19).Text(), r.m.Segment("PID").Field(18).Text()), pv1.Field(5).Text()), traces.MaxKey)
}

// class is PV1-2; what is of no known class stays until somebody says otherwise.
func (r reader) class() traces.StayClass {
	switch c := r.m.Segment("PV1").Field(2).Text(); c {
	case "O", "E", "R":
		return traces.StayClass(c)
	}
	return traces.Inpatient
}

// people are the professionals of fields of a segment; one person may be named
// under several numbers.
func people(s Segment, fields ...int) (out []traces.Professional) {
	for _, n := range fields {
		for _, one := range s.Field(n).Each() {
			p := professional(one)
			if p != (traces.Professional{}) && !slices.Contains(out, p) && len(out) < peopleMost {
				out = append(out, p)
			}
		}
	}
	return out
}

// peopleMost is how many professionals of one movement are kept.
const peopleMost = 20

// professional reads an XCN: the kind of number is in component 13.
func professional(f Field) traces.Professional {
	number, kind := f.Part(1).Text(), f.Part(13).Text()
	switch {
	case kind == "RPPS" || kind == "" && len(number) == 11 && strings.Trim(number, "0123456789") == "":
		return traces.Professional{RPPS: number}
	case kind == "ADELI" || kind == "FINEG" || number == "":
		return traces.Professional{} // a number that nobody signs in with
	}
	return traces.Professional{ID: number}
}

// place adds the code and the name of a unit: XON 10 or 1 of ZBE, PL 1 of PV1-3.
func place(list []string, texts ...string) []string {
	for _, t := range texts {
		if t != "" && !slices.Contains(list, t) && len(list) < placesMost {
			list = append(list, t)
		}
	}
	return list
}

// placesMost is how many codes and names of services of one movement are kept.
const placesMost = 12
