package detect

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// An incident is what one account does with the record of one patient that the
// care does not explain, until it stops for a while.
type incident struct {
	actor *actor
	key   incidentKey
	ids   patientKey

	person, function, service, name string
	application, workstation, ward  string
	source                          uuid.UUID
	first, last, touched            int64
	turned                          int64 // when it came to the end of the queue
	events                          int64
	prints, exports, glass, bare    int64
	left, alone                     bool
	oddHour, oddPlace               float64
	// told is the score it was told with, rule the name; zero before.
	told int
	rule string
}

type incidentKey struct {
	account string
	patient uint64
}

const (
	// quiet is how long nothing must come for a session to be over, longest how
	// long it may last.
	quiet   = 10 * minute
	longest = 2 * hour
	// incidentsMost bounds those open at once.
	incidentsMost = 50_000
	// again is by how much a score must rise to be told once more.
	again = 10
)

// open notes an access that stands alone, and tells at once what cannot wait.
func (d *Detector) open(ctx context.Context, h *house, a *actor, p *facts, e *traces.Event, s slot, left, alone bool) {
	k := incidentKey{a.account, p.id}
	in, turned := h.incidents[k], d.clock
	if in != nil && (e.At-in.last > longest/4 || e.At-in.first > longest) {
		d.judge(ctx, h, in, true)
		in, turned = nil, in.turned // its place in the queue is kept
	}
	if in == nil {
		if len(h.incidents) >= incidentsMost && len(h.queue) > 0 {
			d.close(ctx, h, h.queue[0])
			h.queue = h.queue[1:]
		}
		in = d.begin(ctx, h, a, p, e, s, k)
		in.turned = turned
		if h.incidents[k] == nil {
			h.queue = append(h.queue, k)
		}
		h.incidents[k] = in
	}
	in.add(e, d.clock)
	in.left, in.alone = in.left || left, in.alone || alone
	if in.told == 0 && (left || p.wellKnown) {
		d.judge(ctx, h, in, false)
	}
}

func (d *Detector) begin(ctx context.Context, h *house, a *actor, p *facts, e *traces.Event, s slot, k incidentKey) *incident {
	in := &incident{
		actor: a, key: k, ids: p.key, first: e.At, last: e.At,
		person: a.member.Name, function: clone(e.Function), service: clone(e.Service), name: clone(e.PatientName),
		application: clone(e.Application), workstation: clone(e.Workstation), source: e.Source, ward: d.ward(a, e),
		oddHour: a.profile.oddHour(h.role(d.function(a, e)), s), oddPlace: a.profile.oddPlace(digest(e.Workstation)),
	}
	if in.oddHour >= least && d.onDuty(ctx, h, a, e.At) {
		in.oddHour = 0
	}
	if in.person == "" {
		in.person = clone(e.Person)
	}
	if in.function == "" {
		in.function = a.member.Function
	}
	return in
}

// onDuty tells whether a roster has the person at work at an hour that is not
// usual: an hour of on-call is no reason. A roster that cannot be read is none
// either.
func (d *Detector) onDuty(ctx context.Context, h *house, a *actor, at int64) bool {
	if a.member.Person == uuid.Nil {
		return false
	}
	for _, s := range a.member.Services {
		if on, err := d.oncall(ctx, h, a, s, at); on || err != nil {
			return true
		}
	}
	return false
}

func (in *incident) add(e *traces.Event, clock int64) {
	in.events++
	in.first, in.last, in.touched = min(in.first, e.At), max(in.last, e.At), clock
	switch e.Action {
	case traces.Print:
		in.prints++
	case traces.Export:
		in.exports++
	case traces.BreakGlass:
		in.glass++
		if e.Purpose == "" {
			in.bare++
		}
	}
}

// settle judges the incidents whose session is over, and the hours that are. The
// queue is in the order of opening: one that lives on goes back to its end.
func (d *Detector) settle(ctx context.Context) {
	for _, h := range d.houses {
		for len(h.queue) > 0 {
			k := h.queue[0]
			in := h.incidents[k]
			if in != nil && in.turned+quiet > d.clock {
				break // whoever comes after came to the queue later
			}
			if in != nil && in.touched+quiet > d.clock && in.last-in.first < longest {
				in.turned = d.clock
				h.queue = append(h.queue[1:], k)
				continue
			}
			h.queue = h.queue[1:]
			d.close(ctx, h, k)
		}
		d.sweep(h)
		h.community.turn(h, d.clock)
	}
}

func (d *Detector) close(ctx context.Context, h *house, k incidentKey) {
	if in := h.incidents[k]; in != nil {
		d.judge(ctx, h, in, true)
		delete(h.incidents, k)
	}
}

// judge weighs an incident and tells it when it is worth it. Before, the care is
// asked anew: the message that explains may have come after the access. over says
// that the session is: only then is it known to have been a short one.
func (d *Detector) judge(ctx context.Context, h *house, in *incident, over bool) {
	p, known := h.patients.get(in.ids)
	if !known {
		p = &facts{key: in.ids, id: in.key.patient, asked: -patientFor}
	}
	score, _, _ := d.weigh(h, in, p, over)
	if !d.worth(in, score) {
		return
	}
	if p.asked != d.clock {
		if err := d.ask(ctx, h, p, in.first); err != nil {
			h.cost.Unread++
			return
		}
	}
	why, err := d.explain(ctx, h, in.actor, p, &traces.Event{At: in.first, Service: in.service})
	switch {
	case err != nil:
		h.cost.Unread++
		return
	case why != nothing && !in.left:
		return
	}
	score, rule, evidence := d.weigh(h, in, p, over)
	if !d.worth(in, score) {
		return
	}
	if in.told == 0 {
		in.rule = rule
		h.cost.Hits++
	}
	in.told = score
	d.hits = append(d.hits, traces.Hit{
		Organisation: h.id, Rule: in.rule, Score: score, Account: in.key.account, Person: in.person, Function: in.function, Service: in.service,
		IPP: in.ids.ipp, INS: in.ids.ins, PatientName: in.name, Application: in.application, Workstation: in.workstation, Source: in.source,
		First: in.first, Last: in.last, Events: in.events, Evidence: evidence,
	})
}

func (d *Detector) worth(in *incident, score int) bool {
	return score >= d.opt.Threshold && (in.told == 0 || score >= in.told+again)
}
