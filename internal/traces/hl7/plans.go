package hl7

import (
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

func timeOf(us int64) time.Time { return time.UnixMicro(us).UTC() }

const (
	hour = int64(time.Hour / time.Microsecond)
	// orderLasts is how long a prescription that says no end explains that a
	// record is opened by those who carry it out.
	orderLasts = 30 * 24 * hour
)

// schedule reads SIU: S12 to S15, and S17, S24, S26.
func (r reader) schedule(n *traces.News) error {
	cancelled := false
	switch r.trigger {
	case "S12", "S13", "S14", "S26": // a patient who did not come was still awaited
	case "S15", "S17", "S24":
		cancelled = true
	default:
		return nil
	}
	var err error
	if n.Patient, err = r.patient(r.m.Segment("PID")); err != nil {
		return err
	}
	sch := r.m.Segment("SCH")
	d := traces.Date{Kind: traces.RelationAppointment, ID: traces.Cut(or(sch.Field(2).Text(), sch.Field(1).Text()), traces.MaxKey), Cancelled: cancelled}
	if d.ID == "" {
		return fault.New(fault.Invalid, "traces.hl7.no_appointment").At("SCH-2")
	}
	d.From, d.To = r.slot(sch)
	if d.From == 0 && !cancelled {
		return fault.New(fault.Invalid, "traces.hl7.no_time").At("SCH-11")
	}
	d.Services = place(d.Services, r.m.Segment("PV1").Field(3).Part(1).Text())
	for _, s := range r.m.All("AIL") {
		d.Services = place(d.Services, s.Field(3).Part(1).Text(), s.Field(3).Part(9).Text())
	}
	for _, s := range r.m.All("AIG") {
		d.Services = place(d.Services, s.Field(3).Part(1).Text(), s.Field(3).Part(2).Text())
	}
	for _, s := range r.m.All("AIP") {
		d.People = append(d.People, people(s, 3)...)
	}
	d.People = append(d.People[:min(len(d.People), peopleMost)], people(r.m.Segment("PV1"), 7)...)
	n.Dates = append(n.Dates, d)
	return nil
}

// slot is when an appointment is: SCH-11 (components 4 and 5), TQ1-7 and 8, or
// the first resource.
func (r reader) slot(sch Segment) (from, to int64) {
	tq := r.m.Segment("TQ1")
	from, to = moment(sch.Field(11).Part(4).Text(), r.zone), moment(sch.Field(11).Part(5).Text(), r.zone)
	if from == 0 {
		from, to = r.when(tq.Field(7)), r.when(tq.Field(8))
	}
	for _, s := range []struct {
		name string
		at   int
	}{{"AIS", 4}, {"AIL", 6}, {"AIP", 6}, {"AIG", 8}} {
		if from == 0 {
			from = r.when(r.m.Segment(s.name).Field(s.at))
		}
	}
	if from != 0 && to <= from {
		to = from + hour
	}
	return from, to
}

// order reads a prescription: who prescribed, from where, and who carries it out.
func (r reader) order(n *traces.News) error {
	pid := r.m.Segment("PID")
	if pid.Name == "" {
		return nil // an answer to an order names no patient
	}
	var err error
	if n.Patient, err = r.patient(pid); err != nil {
		return err
	}
	for i, orc := range r.m.All("ORC") {
		if d, ok := r.ordered(orc, i); ok && len(n.Dates) < datesMost {
			n.Dates = append(n.Dates, d)
		}
	}
	return nil
}

// datesMost is how many orders of one message are kept.
const datesMost = 50

func (r reader) ordered(orc Segment, i int) (d traces.Date, ok bool) {
	d = traces.Date{Kind: traces.RelationPrescription, ID: traces.Cut(or(orc.Field(2).Text(), orc.Field(3).Text()), traces.MaxKey)}
	switch orc.Field(1).Text() {
	case "NW", "XO", "RO", "SC", "SN", "IP", "OK", "RE":
	case "CA", "OC", "DC", "OD", "CR", "DR":
		d.Cancelled = true
	default:
		return d, false
	}
	if d.ID == "" {
		return d, false
	}
	obr, pv1 := Segment{m: r.m}, r.m.Segment("PV1")
	if all := r.m.All("OBR"); i < len(all) {
		obr = all[i]
	}
	for _, f := range []Field{orc.Field(9), orc.Field(15), obr.Field(6)} {
		if d.From == 0 {
			d.From = r.when(f)
		}
	}
	if d.From == 0 {
		d.From = r.sent
	}
	if d.To = r.when(r.m.Segment("TQ1").Field(8)); d.To <= d.From {
		d.To = d.From + orderLasts
	}
	d.Services = place(nil, pv1.Field(3).Part(1).Text(), orc.Field(13).Part(1).Text(), orc.Field(17).Part(1).Text(), obr.Field(24).Text(), obr.Field(24).Part(2).Text())
	d.People = append(people(orc, 12), people(obr, 16)...)
	return d, true
}
