package detect

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// reason is why an access is explained; nothing is what is left to look at.
type reason = traces.RelationKind

const nothing reason = ""

// grace is how long before and after a relation the record is still opened for
// it: a stay is prepared, a letter is written, the stay is coded and paid. Thirty
// days is also how far the care is asked.
type grace struct{ before, after int64 }

func graceOf(k traces.RelationKind) grace {
	switch k {
	case traces.RelationStay, traces.RelationTeam:
		return grace{3 * day, 30 * day}
	case traces.RelationAppointment:
		return grace{7 * day, 30 * day}
	case traces.RelationPrescription:
		return grace{day, 30 * day}
	case traces.RelationOnCall:
		return grace{2 * hour, 12 * hour}
	}
	return grace{}
}

func (g grace) holds(r *traces.Relation, at int64) bool {
	return at >= r.From-g.before && (r.To == 0 || at <= r.To+g.after)
}

// explain tells which relation explains that an account opened a record: one to
// the person, one to a service where the person works, or a service for which
// the person was on call.
//
// The service that the event names counts only for an account that is tied to
// nobody: many applications write the service of the patient there, and it would
// explain everything.
func (d *Detector) explain(ctx context.Context, h *house, a *actor, p *facts, e *traces.Event) (reason, error) {
	services := a.member.Services
	var told [1]string
	if len(services) == 0 && e.Service != "" {
		told[0] = d.fold(e.Service)
		services = told[:]
	}
	for i := range p.relations {
		r := &p.relations[i]
		if !graceOf(r.Kind).holds(r, e.At) {
			continue
		}
		if r.Account != "" && digest(r.Account) == a.id || r.Service != "" && slices.Contains(services, r.Service) {
			return r.Kind, nil
		}
	}
	return d.onCallFor(ctx, h, a, p, e.At)
}

// onCallFor tells whether the person was on call for a service that had the
// patient at that time.
func (d *Detector) onCallFor(ctx context.Context, h *house, a *actor, p *facts, at int64) (reason, error) {
	if a.member.Person == uuid.Nil {
		return nothing, nil
	}
	for i := range p.relations {
		r := &p.relations[i]
		if r.Service == "" || !graceOf(traces.RelationOnCall).holds(r, at) {
			continue
		}
		on, err := d.oncall(ctx, h, a, r.Service, at)
		if err != nil {
			return nothing, err
		}
		if on {
			return traces.RelationOnCall, nil
		}
	}
	return nothing, nil
}
