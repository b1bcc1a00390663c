package traces

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// A Warrant lets one person who may not ask the traces ask them of a part: what
// an accepted request for audit covers, and nothing beside. Its conditions are
// added to every question; nothing that is asked can take them away.
type Warrant struct {
	// Number is that of the request: it stands in the trace of every look.
	Number string
	// Organisation is where it holds, Delegate the only account that may use it.
	Organisation, Delegate uuid.UUID
	// From and To bound the events, UTC microseconds, To excluded.
	From, To int64
	// Opens and Ends bound the looks.
	Opens, Ends time.Time
	// Patients (IPP or INS), Services and Accounts bound the events; those that are
	// given hold together, and one at least is.
	Patients, Services, Accounts []string
	// Originals lets the delegate open an event with its original.
	Originals bool
}

// holds tells why somebody may not look under a warrant at a time.
func (w Warrant) holds(scope access.Scope, now time.Time) error {
	switch {
	case !scope.Strong():
		return fault.New(fault.Denied, "access.second_factor")
	case w.Organisation != scope.Organisation(), w.Delegate == uuid.Nil, w.Delegate != scope.Actor().ID:
		return fault.New(fault.Denied, "traces.warrant.other")
	case now.Before(w.Opens) || !now.Before(w.Ends):
		return fault.New(fault.Denied, "traces.warrant.over")
	case w.Number == "", len(w.Patients)+len(w.Services)+len(w.Accounts) == 0, w.From >= w.To:
		return fault.New(fault.Denied, "traces.warrant.empty")
	}
	return nil
}

// conditions are what every question is bound by. Our own looks are left out:
// they tell what others ask.
func (w Warrant) conditions() []Condition {
	out := []Condition{notOurs}
	for _, c := range []Condition{{FieldPatient, Is, w.Patients}, {FieldService, Is, w.Services}, {FieldAccount, Is, w.Accounts}} {
		if len(c.Values) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// bind adds what a warrant demands to all that a phrase asks.
func (p Phrase) bind(w Warrant) Phrase {
	where := p.where
	p.where = func(f Filling) []Condition { return append(slices.Clone(where(f)), w.conditions()...) }
	return p
}

// clip cuts a period to that of a warrant. Errors: Invalid at "periode" when
// nothing is left.
func (w Warrant) clip(when Period) (Period, error) {
	if from := storage.Time(w.From); when.From.Before(from) {
		when.From = from
	}
	if to := storage.Time(w.To); when.To.After(to) {
		when.To = to
	}
	if !when.From.Before(when.To) {
		return when, fault.New(fault.Invalid, "traces.warrant.period").At("periode")
	}
	return when, nil
}

// InquireUnder asks within a warrant: the period is cut to its own, its
// conditions bind every question, and the look carries its number. Needs
// access.TracesAuditLook. Errors: Denied when the warrant is another's, or over;
// Invalid; Unavailable.
func (s *Service) InquireUnder(ctx context.Context, scope access.Scope, w Warrant, l Look, in Inquiry, when Period) (Reply, error) {
	if err := s.opt.Guard.Check(scope, access.TracesAuditLook); err != nil {
		return Reply{}, err
	}
	if err := w.holds(scope, s.opt.Clock.Now()); err != nil {
		return Reply{}, err
	}
	p, filling, err := in.Check()
	if err != nil {
		return Reply{}, err
	}
	if when, err = w.clip(when); err != nil {
		return Reply{}, err
	}
	l = in.look(l)
	l.Request = w.Number
	return s.pose(ctx, scope, l, p.bind(w), filling, when)
}

// sameMoment bounds what is compared of one instant: sources that stamp by the
// second say many events of one.
const sameMoment = 1000

// covers asks the base whether an event is of a warrant, so that a patient is one
// under all numbers, here as in every question. That is our question, and no look:
// nothing of its answer is shown.
func (w Warrant) covers(ctx context.Context, base Base, e Stored) (bool, error) {
	if e.At < w.From || e.At >= w.To {
		return false, nil
	}
	q := Question{From: e.At, To: e.At + 1, Zone: "UTC", Where: w.conditions(), Limit: sameMoment}
	for _, c := range []Condition{{FieldAccount, Is, []string{e.Account}}, {FieldPatient, Is, []string{cmp.Or(e.IPP, e.INS)}}} {
		if c.Values[0] != "" {
			q.Where = append(q.Where, c)
		}
	}
	a, err := base.Ask(ctx, w.Organisation, q)
	return err == nil && slices.ContainsFunc(a.Events, func(x Stored) bool { return x.Ref == e.Ref }), err
}

// FindUnder gives one event with its original, within a warrant that opens them.
// It is traced as a look that bears the number of the warrant. Needs
// access.TracesAuditLook. Errors: Denied when the warrant is another's, is over,
// opens no original or does not cover the event; NotFound; Unavailable.
func (s *Service) FindUnder(ctx context.Context, scope access.Scope, w Warrant, l Look, ref string) (Stored, error) {
	if err := s.opt.Guard.Check(scope, access.TracesAuditLook); err != nil {
		return Stored{}, err
	}
	if err := w.holds(scope, s.opt.Clock.Now()); err != nil {
		return Stored{}, err
	}
	if !w.Originals {
		return Stored{}, fault.New(fault.Denied, "traces.warrant.originals")
	}
	l.Request, l.within = w.Number, &w
	return s.find(ctx, scope, l, ref)
}

// Masked hides who acted: each account becomes what name gives for its number,
// in the order of the table; persons, workstations and addresses are left out,
// and so are the events themselves.
func (r Reply) Masked(name func(n int) string) Reply {
	numbers := map[string]string{}
	hidden := func(f Field, v string) string {
		switch {
		case v == "":
			return v
		case f == FieldAccount || f == FieldPerson || f == FieldDelegate:
			if numbers[v] == "" {
				numbers[v] = name(len(numbers) + 1)
			}
			return numbers[v]
		case f == FieldWorkstation || f == FieldAddress:
			return ""
		}
		return v
	}
	mask := func(a Answer, fields []Field) Answer {
		groups := make([]Group, len(a.Groups))
		for i, g := range a.Groups {
			g.Keys = slices.Clone(g.Keys)
			person := slices.Index(fields, FieldPerson)
			for k := range g.Keys {
				if k == person && slices.Contains(fields, FieldAccount) {
					g.Keys[k] = ""
					continue
				}
				g.Keys[k] = hidden(fields[k], g.Keys[k])
			}
			groups[i] = g
		}
		a.Groups, a.Events = groups, nil
		return a
	}
	r.Table, r.Subjects = mask(r.Table, r.Phrase.Group), mask(r.Subjects, []Field{r.Phrase.Counted()})
	r.Events.Events = nil
	return r
}
