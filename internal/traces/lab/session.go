package lab

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/traces"
)

// Label says what an event is, for whoever examines a detection; nothing of it is
// in the event.
type Label struct {
	Kind Kind
	// Incident is the place in Planted, when Kind is one.
	Incident int
}

type labelled struct {
	traces.Event
	label Label
}

// eventsOfSession is how many events a record opened brings, on the mean.
const eventsOfSession = 2.1

// Next fills an event and gives its label; false when the days are over. The
// original is valid until the next call.
func (h *Hospital) Next(e *traces.Event) (Label, bool) {
	for h.next >= len(h.ready) || h.ready[h.next].At >= h.hourAt.UnixMicro() {
		if !h.hourAt.Before(h.opt.Start.AddDate(0, 0, h.opt.Days)) {
			if h.next >= len(h.ready) {
				return Label{}, false
			}
			break
		}
		h.makeHour()
	}
	x := &h.ready[h.next]
	h.next++
	h.given++
	h.now = x.At
	*e = x.Event
	e.Key = "lab-" + strconv.FormatUint(h.opt.Seed, 36) + "-" + strconv.FormatInt(h.given, 36)
	h.raw = Line(h.raw[:0], e)
	e.Raw = h.raw
	return x.label, true
}

// makeHour makes what happens in the hour that begins at hourAt.
func (h *Hospital) makeHour() {
	h.ready = h.ready[:copy(h.ready, h.ready[h.next:])]
	h.next = 0
	c := h.clockOf(h.hourAt)
	h.flow(c)
	h.duty = h.duty[:0]
	before := len(h.ready)
	for i := range h.people {
		if h.works(i, c) {
			h.duty = append(h.duty, i)
			h.work(i, c)
		}
	}
	h.dozens(c)
	h.programs(c)
	h.debt += float64(len(h.ready)-before) / float64(h.opt.Wrong)
	if c.days >= h.opt.Calm {
		h.plant(c)
	} else {
		h.debt = 0
	}
	slices.SortStableFunc(h.ready, func(a, b labelled) int { return int(a.At - b.At) })
	h.hourAt = h.hourAt.Add(time.Hour)
}

// work is the hour of one person.
func (h *Hospital) work(i int, c clockwork) {
	p := &h.people[i]
	ward := p.service
	switch {
	case p.lent:
		ward = h.lentTo(i, c)
	case p.function.doctor && ward < h.wards && h.onCall(i, c) && h.rng.IntN(2) == 0:
		ward = h.alsoFor(ward)
	}
	for range h.poisson(p.function.pace * load(c.hour) * h.scale) {
		k := h.pick(p, ward, c)
		if k < 0 {
			continue
		}
		at := h.hourAt.UnixMicro() + h.rng.Int64N(hour)
		if h.rng.IntN(200) == 0 { // the patient of the line above
			h.open(i, ward, h.mistaken(k), at-20*second, session{events: 1})
		}
		s := session{events: 1 + h.geometric(), print: 30, update: p.function.writes}
		s.glass = h.glass(p, ward)
		h.open(i, ward, k, at, s)
	}
	if h.rng.IntN(4000) == 0 && p.record >= 0 { // one's own results
		h.open(i, ward, p.record, h.hourAt.UnixMicro()+h.rng.Int64N(hour), session{events: 2})
	}
}

func (h *Hospital) geometric() int {
	n := 0
	for n < 7 && h.rng.IntN(100) < 52 {
		n++
	}
	return n
}

// pick is the patient whom somebody's work is about.
func (h *Hospital) pick(p *person, ward int, c clockwork) int {
	s := &h.services[ward]
	if ward >= h.wards {
		return h.pickAcross(ward - h.wards)
	}
	n := h.rng.IntN(200)
	switch {
	case n == 0 && p.function.doctor: // asked for advice; half is told
		k := h.one(h.services[h.rng.IntN(h.wards)].inside)
		if k >= 0 && h.rng.IntN(2) == 0 {
			at := h.hourAt.UnixMicro()
			h.relate(&h.patients[k], traces.RelationPrescription, "", p.account, at, at+day, at)
		}
		return k
	case n == 1 && p.function.writes && h.rng.IntN(2) == 0: // what became of a patient of long ago
		return h.rng.IntN(len(h.patients))
	}
	n = h.rng.IntN(100)
	switch {
	case p.function.name == "Secrétaire médicale" && n < 45, p.function.doctor && n < 10, n < 4:
		return h.one(s.gone)
	case (p.function.name == "Secrétaire médicale" && n < 80 || p.function.doctor && n < 40) && len(s.booked) > 0:
		return h.one(s.booked)
	}
	return h.one(s.inside)
}

// pickAcross is the patient of a service that works for all.
func (h *Hospital) pickAcross(of int) int {
	ward := &h.services[h.rng.IntN(h.wards)]
	switch of {
	case coding:
		return h.one(ward.gone)
	case archive:
		if h.rng.IntN(2) == 0 {
			return h.one(ward.booked)
		}
		return h.rng.IntN(len(h.patients))
	case admissions:
		return h.one(ward.inside)
	}
	if h.rng.IntN(30) == 0 {
		return h.one(ward.inside)
	}
	return h.one(h.services[h.wards+of].orders)
}

// one draws from a list, −1 from none.
func (h *Hospital) one(list []int) int {
	if len(list) == 0 {
		return -1
	}
	return list[h.rng.IntN(len(list))]
}

// mistaken is another patient, often of the same street: the next line of a list.
func (h *Hospital) mistaken(k int) int {
	if street := h.streets[h.patients[k].home.street]; h.rng.IntN(2) == 0 {
		return h.one(street)
	}
	return h.rng.IntN(len(h.patients))
}

func (h *Hospital) glass(p *person, ward int) glass {
	often := 1000
	if ward == 0 {
		often = 50
	}
	switch {
	case !p.function.writes || h.rng.IntN(often) > 0:
		return noGlass
	case h.rng.IntN(7) == 0:
		return bareGlass
	}
	return saidGlass
}

// dozens are those who open many for their work: an audit of records, letters to
// print, a list for the payers.
func (h *Hospital) dozens(c clockwork) {
	if c.rest || c.hour < 9 || c.hour > 15 {
		return
	}
	for _, i := range h.duty {
		p := &h.people[i]
		s := &h.services[p.service]
		n, list, how := 0, s.gone, session{events: 1}
		switch {
		case p.function.name == "Cadre de santé" && h.rng.IntN(70) == 0:
			n = 15 + h.rng.IntN(16)
		case p.function.name == "Secrétaire médicale" && h.rng.IntN(25) == 0:
			n, how.print = 6+h.rng.IntN(10), 1000
		case p.service == h.wards+coding && h.rng.IntN(60) == 0:
			n, list, how.export = 20+h.rng.IntN(40), h.former, true
		}
		for range n {
			if k := h.one(list); k >= 0 {
				h.open(i, p.service, k, h.hourAt.UnixMicro()+h.rng.Int64N(hour), how)
			}
		}
	}
}

// programs are the account of a program, at all hours, and the one that nurses of
// the emergency ward share.
func (h *Hospital) programs(c clockwork) {
	at := h.hourAt.UnixMicro()
	for range h.poisson(float64(10+h.wards) * h.scale) {
		if k := h.one(h.services[h.rng.IntN(h.wards)].inside); k >= 0 {
			h.put(traces.Event{At: at + h.rng.Int64N(hour), Account: machineAccount, Application: "DxCare", Workstation: "SRV-01", Address: "10.9.0.1", Action: traces.Read}, k, Label{})
		}
	}
	er := &h.services[0]
	for range h.poisson(12 * load(c.hour) * h.scale) {
		if k := h.one(er.inside); k >= 0 {
			station := h.rng.IntN(16)
			h.put(traces.Event{At: at + h.rng.Int64N(hour), Account: sharedAccount, Person: "Infirmiers des urgences", Function: "IDE", Application: "DxCare", Workstation: er.stations[station], Service: er.name, Site: er.site, Action: traces.Read}, k, Label{})
		}
	}
}

type glass uint8

const (
	noGlass glass = iota
	saidGlass
	bareGlass
)

// session is a record opened, and what is done in it.
type session struct {
	events int
	print  int // in a thousand events
	update bool
	export bool
	glass  glass
	odd    bool // from a workstation that is not one's own
	label  Label
}

// open has somebody open a record.
func (h *Hospital) open(i, ward, k int, at int64, s session) {
	p, where := &h.people[i], &h.services[ward]
	station := p.stations[h.rng.IntN(len(p.stations))]
	if s.odd || h.rng.IntN(50) == 0 {
		station = h.rng.IntN(16)
	}
	app := where.application
	if ward < h.wards && h.rng.IntN(6) == 0 {
		app = [...]string{"GLIMS", "Xplore", "Easily"}[h.rng.IntN(3)]
	}
	for n := range s.events {
		e := traces.Event{
			At: at, Account: p.account, Person: p.name, Function: p.function.name, Application: app, Workstation: where.stations[station],
			Address: "10.1." + strconv.Itoa(ward) + "." + strconv.Itoa(10+station), Site: where.site, Service: where.name, Action: traces.Read, Purpose: "TREAT",
		}
		switch d := h.rng.IntN(1000); {
		case s.export:
			e.Action, e.Purpose = traces.Export, ""
		case n == 0 && s.glass != noGlass:
			e.Action, e.Purpose = traces.BreakGlass, "urgence vitale"
			if s.glass == bareGlass {
				e.Purpose = ""
			}
		case d < s.print:
			e.Action = traces.Print
		case s.update && d < s.print+170 && n > 0:
			e.Action = traces.Update
		}
		h.put(e, k, s.label)
		at += 8*second + h.rng.Int64N(100*second)
	}
}

// put adds an event about a patient.
func (h *Hospital) put(e traces.Event, k int, l Label) {
	p := &h.patients[k]
	e.Organisation, e.Source, e.Collector = h.opt.Organisation, h.sources[e.Application], "jsonl"
	e.Received, e.Class, e.Severity, e.Outcome, e.Verb = e.At+h.rng.Int64N(2*second), traces.PatientAccess, -1, traces.Success, e.Action.String()
	e.IPP, e.PatientName = p.ipp, p.name
	if p.ward >= 0 {
		e.Stay = p.stay
	}
	e.Object = objects[h.rng.IntN(len(objects))]
	h.ready = append(h.ready, labelled{e, l})
}

// Line is an event as an application writes it that knows our names: a line of
// JSON, for POST /intake/events.
func Line(dst []byte, e *traces.Event) []byte {
	dst = append(dst, `{"at":"`...)
	dst = time.UnixMicro(e.At).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	for _, f := range [...]struct{ name, value string }{
		{"key", e.Key},
		{"account", e.Account},
		{"person", e.Person},
		{"function", e.Function},
		{"action", e.Action.String()},
		{"ipp", e.IPP},
		{"ins", e.INS},
		{"patient_name", e.PatientName},
		{"stay", e.Stay},
		{"object", e.Object},
		{"application", e.Application},
		{"workstation", e.Workstation},
		{"address", e.Address},
		{"site", e.Site},
		{"service", e.Service},
		{"purpose", e.Purpose},
	} {
		if f.value != "" {
			dst = append(append(append(append(dst, `","`...), f.name...), `":"`...), jsonSafe(f.value)...)
		}
	}
	return append(append(append(dst, `","outcome":"`...), e.Outcome.String()...), `"}`...)
}

// jsonSafe leaves out what would need an escape: no word of the laboratory has it.
func jsonSafe(s string) string {
	if strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '"' || r == '\\' {
			return ' '
		}
		return r
	}, s)
}
