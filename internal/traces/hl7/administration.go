package hl7

import (
	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// move is what a trigger of ADT does to a stay.
type move struct {
	kind      traces.MoveKind
	cancelled bool
	// plain moves matter without ZBE too; the others only say something in PAM.
	plain bool
}

// moves are the triggers of movements: IHE PAM (ITI-31) and PAM.fr (Z80 to Z99).
// A21, A22, A52 and A53 (leave) change nothing: the service still cares.
func moves() map[string]move {
	in, out, plan := traces.MoveIn, traces.MoveOut, traces.MovePlan
	return map[string]move{
		"A01": {in, false, true}, "A02": {in, false, true}, "A03": {out, false, true}, "A04": {in, false, true}, "A05": {plan, false, true},
		"A06": {in, false, true}, "A07": {in, false, true}, "A11": {in, true, true}, "A12": {in, true, true}, "A13": {out, true, true}, "A38": {plan, true, true},
		"A14": {plan, false, true}, "A27": {plan, true, true}, "A54": {in, false, true}, "A55": {in, true, false},
		"Z80": {in, false, false}, "Z81": {in, true, false}, "Z82": {in, false, false}, "Z83": {in, true, false}, "Z84": {in, false, false}, "Z85": {in, true, false},
		"Z86": {in, false, false}, "Z87": {in, true, false}, "Z88": {in, false, false}, "Z89": {in, true, false},
	}
}

// administration reads ADT.
func (r reader) administration(n *traces.News) error {
	switch r.trigger {
	case "A28", "A31", "A08", "A40", "A47":
	case "Z99":
	default:
		if _, known := moves()[r.trigger]; !known {
			return nil
		}
	}
	var err error
	if n.Patient, err = r.patient(r.m.Segment("PID")); err != nil {
		return err
	}
	switch r.trigger {
	case "A28", "A31":
		return nil
	case "A40", "A47":
		return r.merge(n)
	case "A08":
		return r.update(n)
	}
	return r.movement(n)
}

// merge reads the identities that the patient had before (MRG-1).
func (r reader) merge(n *traces.News) error {
	for _, s := range r.m.All("MRG") {
		if prior := r.numbers(s.Field(1)); len(prior.IPP) > 0 || prior.INS != "" {
			n.Prior = append(n.Prior, prior)
		}
	}
	if len(n.Prior) == 0 {
		return fault.New(fault.Invalid, "traces.hl7.no_prior").At("MRG-1")
	}
	return nil
}

// update reads A08: an identity, and a stay that nothing said before. Those who
// do not speak PAM have no other way to tell.
func (r reader) update(n *traces.News) error {
	pv1 := r.m.Segment("PV1")
	if r.m.Segment("ZBE").Name != "" {
		return r.movement(n)
	}
	services := r.services()
	if r.visit() == "" || len(services) == 0 {
		return nil
	}
	at := r.when(pv1.Field(44))
	if at == 0 {
		at = r.sent
	}
	n.Moves = append(n.Moves, traces.Move{Visit: r.visit(), ID: "A08", Kind: traces.MoveIn, Missing: true, Class: r.class(), At: at, Services: services, People: people(pv1, 7, 8, 9, 17)})
	return nil
}

// movement reads a movement of a stay.
func (r reader) movement(n *traces.News) error {
	zbe, pv1 := r.m.Segment("ZBE"), r.m.Segment("PV1")
	what := moves()[r.trigger]
	if r.trigger == "Z99" { // a movement corrected: ZBE-6 says which kind it is
		corrected, known := moves()[zbe.Field(6).Text()]
		if what = corrected; !known {
			what = move{kind: traces.MoveIn}
		}
	}
	if zbe.Name == "" && !what.plain {
		return nil
	}
	v := traces.Move{Visit: r.visit(), ID: traces.Cut(zbe.Field(1).First().Part(1).Text(), traces.MaxKey), Kind: what.kind, Cancelled: what.cancelled, Class: r.class()}
	if v.Visit == "" {
		return fault.New(fault.Invalid, "traces.hl7.no_visit").At("PV1-19")
	}
	switch zbe.Field(4).Text() {
	case "CANCEL", "DELETE":
		v.Cancelled = true
	case "INSERT", "UPDATE":
		v.Cancelled = false
	}
	v.At = r.moved(v.Kind, zbe, pv1)
	v.Services, v.People = r.services(), people(pv1, 7, 8, 9, 17)
	for _, s := range r.m.All("ROL") {
		v.People = append(v.People, people(s, 4)...)
	}
	v.People = v.People[:min(len(v.People), peopleMost)]
	if v.ID == "" && !v.Cancelled { // no ZBE: the kind and the time are its name
		v.ID = r.trigger + "@" + or(zbe.Field(2).Part(1).Text(), or(r.m.Segment("EVN").Field(6).Part(1).Text(), or(pv1.Field(44).Part(1).Text(), stampOf(v.At))))
	}
	n.Moves = append(n.Moves, v)
	return nil
}

// moved is when a movement happened, or will.
func (r reader) moved(kind traces.MoveKind, zbe, pv1 Segment) int64 {
	evn := r.m.Segment("EVN")
	candidates := []Field{zbe.Field(2), evn.Field(6)}
	switch kind {
	case traces.MoveIn:
		if r.trigger == "A01" || r.trigger == "A04" {
			candidates = append(candidates, pv1.Field(44))
		}
	case traces.MoveOut:
		candidates = append(candidates, pv1.Field(45))
	case traces.MovePlan:
		// When the patient is awaited comes before when somebody wrote so.
		candidates = append([]Field{r.m.Segment("PV2").Field(8), pv1.Field(44)}, candidates...)
	}
	for _, f := range append(candidates, evn.Field(2)) {
		if at := r.when(f); at != 0 {
			return at
		}
	}
	return r.sent
}

// services are the units that answer for the patient: the medical one (ZBE-7),
// the one of care (ZBE-8), and where he lies (PV1-3).
func (r reader) services() (out []string) {
	zbe := r.m.Segment("ZBE")
	for _, n := range []int{7, 8} {
		for _, one := range zbe.Field(n).Each() {
			out = place(out, one.Part(10).Text(), one.Part(1).Text(), one.Part(3).Text())
		}
	}
	return place(out, r.m.Segment("PV1").Field(3).Part(1).Text())
}

func stampOf(us int64) string { return timeOf(us).Format("20060102150405") }
