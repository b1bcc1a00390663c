package oncall

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Replace puts somebody in the place of whoever would hold a function. Errors:
// Denied, NotFound, Invalid with its field.
func (s *Service) Replace(ctx context.Context, scope access.Scope, r Replacement) (Replacement, error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return r, err
	}
	if err := r.check(); err != nil {
		return r, err
	}
	now := s.Clock.Now()
	r.ID, r.By, r.Created, r.Import, r.Swap = storage.NewID(now), scope.Actor().Name, now, uuid.Nil, uuid.Nil
	return r, s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		f, err := function(ctx, tx, scope, r.Function)
		if err != nil {
			return err
		}
		who, err := working(ctx, tx, scope, r.Person, r.To)
		if err != nil {
			return err
		}
		if err := s.sweep(ctx, tx, scope, now); err != nil {
			return err
		}
		if err := insertReplacements(ctx, tx, scope, []Replacement{r}); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "directory.oncall.replace", ObjectKind: "oncall", ObjectID: f.ID.String(), ObjectName: f.Name,
			After: map[string]any{"person": who.Name, "from": r.From, "to": r.To},
		})
	})
}

// working gives somebody who works here until an instant. Errors: Invalid at "person".
func working(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, until time.Time) (Agent, error) {
	found, err := agents(ctx, tx, scope, []uuid.UUID{id})
	if err != nil {
		return Agent{}, err
	}
	a, known := found[id]
	switch {
	case !known:
		return a, fault.New(fault.Invalid, "directory.oncall.person_unknown").At("person")
	case !a.Left.IsZero() && a.Left.Before(until):
		return a, fault.New(fault.Invalid, "directory.oncall.person_left", "name", a.Name).At("person")
	}
	return a, nil
}

// Withdraw takes a replacement back. Errors: Denied, NotFound.
func (s *Service) Withdraw(ctx context.Context, scope access.Scope, function, id uuid.UUID) error {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return err
	}
	return s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		found, err := replacements(ctx, tx, scope, `id = $2 AND function_id = $3`, id, function)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.New(fault.NotFound, "directory.oncall.replacement.not_found")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM directory_oncall_replacements WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id); err != nil {
			return err
		}
		return s.note(ctx, tx, scope, "directory.oncall.withdraw", found[0].Function, map[string]any{"person": found[0].Person, "from": found[0].From, "to": found[0].To})
	})
}

// note writes in the journal what happened to a function.
func (s *Service) note(ctx context.Context, tx *storage.Tx, scope access.Scope, action string, id uuid.UUID, after any) error {
	f, err := function(ctx, tx, scope, id)
	if err != nil {
		return err
	}
	return journal.Append(ctx, tx, scope, s.Clock.Now(), journal.Entry{Action: action, ObjectKind: "oncall", ObjectID: id.String(), ObjectName: f.Name, After: after})
}

// noteCalendar writes in the journal that an address was opened or closed.
func (s *Service) noteCalendar(ctx context.Context, tx *storage.Tx, scope access.Scope, action string, l Link) error {
	return journal.Append(ctx, tx, scope, s.Clock.Now(), journal.Entry{Action: action, ObjectKind: "oncall_calendar", ObjectID: l.ID.String(), After: map[string]any{"subject": l.Subject, "of": l.Of}})
}

// sweep erases what ended long ago.
func (s *Service) sweep(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time) error {
	limit := storage.Micros(now.Add(-keptFor))
	if _, err := tx.Exec(ctx, `DELETE FROM directory_oncall_replacements WHERE organisation_id = $1 AND to_us < $2`, scope.Organisation(), limit); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM directory_oncall_swaps WHERE organisation_id = $1 AND to_us < $2 AND other_to_us < $2`, scope.Organisation(), limit)
	return err
}

// SwapState is where a swap stands. The values are stored.
type SwapState string

// The states of a swap.
const (
	Proposed SwapState = "proposed"
	Accepted SwapState = "accepted"
	Refused  SwapState = "refused"
)

// Swap is two people who change places: Other takes From–To of Person, who
// takes OtherFrom–OtherTo in return.
type Swap struct {
	ID, Function       uuid.UUID
	Person, Other      uuid.UUID
	From, To           time.Time
	OtherFrom, OtherTo time.Time
	State              SwapState
	By, SettledBy      string
	Created, Settled   time.Time
}

// ProposeSwap notes that two people want to change places: nothing moves before
// AcceptSwap. Each must hold all of what he gives. Errors: Denied, NotFound,
// Invalid with its field.
func (s *Service) ProposeSwap(ctx context.Context, scope access.Scope, x Swap) (Swap, error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return x, err
	}
	x.By = scope.Actor().Name
	return s.propose(ctx, scope, scope, x, func(*storage.Tx, Swap) error { return nil })
}

// propose writes a swap that passes a last check; as is who the journal names.
func (s *Service) propose(ctx context.Context, scope, as access.Scope, x Swap, last func(*storage.Tx, Swap) error) (Swap, error) {
	for _, half := range []Replacement{{From: x.From, To: x.To}, {From: x.OtherFrom, To: x.OtherTo}} {
		if err := half.check(); err != nil {
			return x, err
		}
	}
	if x.Person == x.Other {
		return x, fault.New(fault.Invalid, "directory.oncall.swap.himself").At("other")
	}
	now := s.Clock.Now()
	x.ID, x.State, x.Created = storage.NewID(now), Proposed, now
	return x, s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if _, err := function(ctx, tx, scope, x.Function); err != nil {
			return err
		}
		if err := s.checkSwap(ctx, tx, scope, x); err != nil {
			return err
		}
		if err := last(tx, x); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO directory_oncall_swaps (organisation_id, `+swapColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			scope.Organisation(), x.ID, x.Function, x.Person, storage.Micros(x.From), storage.Micros(x.To), x.Other, storage.Micros(x.OtherFrom), storage.Micros(x.OtherTo),
			string(x.State), x.By, "", storage.Micros(now), sql.NullInt64{}); err != nil {
			return err
		}
		return s.note(ctx, tx, as, "directory.oncall.swap.propose", x.Function, x.journal())
	})
}

func (x Swap) journal() any {
	return map[string]any{"person": x.Person, "from": x.From, "to": x.To, "other": x.Other, "other_from": x.OtherFrom, "other_to": x.OtherTo}
}

// checkSwap holds each of the two to what he gives.
func (s *Service) checkSwap(ctx context.Context, tx *storage.Tx, scope access.Scope, x Swap) error {
	r, err := s.open(ctx, tx, scope, s.Clock.Now().Add(-keptFor))
	if err != nil {
		return err
	}
	for _, half := range []struct {
		person   uuid.UUID
		from, to time.Time
		field    string
	}{{x.Person, x.From, x.To, "person"}, {x.Other, x.OtherFrom, x.OtherTo, "other"}} {
		who, err := working(ctx, tx, scope, half.person, half.to)
		if err != nil {
			return err
		}
		for _, span := range r.Book.Spans(x.Function, half.from, half.to) {
			if span.Held() && span.Person != half.person {
				return fault.New(fault.Invalid, "directory.oncall.swap.not_his", "name", who.Name, "holder", r.People[span.Person].Name).At(half.field)
			}
			if !span.Held() && span.Via == Gap {
				return fault.New(fault.Invalid, "directory.oncall.swap.nobody", "name", who.Name).At(half.field)
			}
		}
	}
	return nil
}

// SettleSwap accepts or refuses a swap that is proposed; accepted, each holds
// what the other gave. Errors: Denied, NotFound, Conflict when it was settled, Invalid
// when the roster changed meanwhile.
func (s *Service) SettleSwap(ctx context.Context, scope access.Scope, function, id uuid.UUID, accept bool) error {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return err
	}
	return s.settle(ctx, scope, scope, scope.Actor().Name, id, accept, func(x Swap) bool { return x.Function == function }, Own{}.told)
}

// settle settles a swap that may be; as is who the journal names, by what the
// roster says of who did it; last is told of what was settled.
func (s *Service) settle(ctx context.Context, scope, as access.Scope, by string, id uuid.UUID, accept bool, may func(Swap) bool, last func(context.Context, *storage.Tx, Swap) error) error {
	now := s.Clock.Now()
	return s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		found, err := swaps(ctx, tx, scope, `id = $2`, id)
		if err != nil {
			return err
		}
		switch {
		case len(found) == 0 || !may(found[0]):
			return fault.New(fault.NotFound, "directory.oncall.swap.not_found")
		case found[0].State != Proposed:
			return fault.New(fault.Conflict, "directory.oncall.swap.settled")
		}
		x, state, action := found[0], Refused, "directory.oncall.swap.refuse"
		if accept {
			state, action = Accepted, "directory.oncall.swap.accept"
			if err := s.exchange(ctx, tx, scope, x, by, now); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE directory_oncall_swaps SET state = $3, settled_by = $4, settled_us = $5 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), id, string(state), by, storage.Micros(now)); err != nil {
			return err
		}
		x.State = state
		if err := last(ctx, tx, x); err != nil {
			return err
		}
		return s.note(ctx, tx, as, action, x.Function, x.journal())
	})
}

// exchange puts each in the place of the other.
func (s *Service) exchange(ctx context.Context, tx *storage.Tx, scope access.Scope, x Swap, by string, now time.Time) error {
	if err := s.checkSwap(ctx, tx, scope, x); err != nil {
		return err
	}
	return insertReplacements(ctx, tx, scope, []Replacement{
		{ID: storage.NewID(now), Function: x.Function, Person: x.Other, From: x.From, To: x.To, Swap: x.ID, By: by, Created: now},
		{ID: storage.NewID(now), Function: x.Function, Person: x.Person, From: x.OtherFrom, To: x.OtherTo, Swap: x.ID, By: by, Created: now},
	})
}

const swapColumns = `id, function_id, person_id, from_us, to_us, other_id, other_from_us, other_to_us, state, actor_name, settled_by, created_us, settled_us`

func swaps(ctx context.Context, tx *storage.Tx, scope access.Scope, which string, args ...any) (out []Swap, err error) {
	err = tx.Query(ctx, `SELECT `+swapColumns+` FROM directory_oncall_swaps WHERE organisation_id = $1 AND `+which+` ORDER BY id`, append([]any{scope.Organisation()}, args...),
		func(row func(...any) error) error {
			var x Swap
			var from, to, otherFrom, otherTo, created int64
			var settled sql.NullInt64
			err := row(&x.ID, &x.Function, &x.Person, &from, &to, &x.Other, &otherFrom, &otherTo, &x.State, &x.By, &x.SettledBy, &created, &settled)
			x.From, x.To, x.OtherFrom, x.OtherTo = storage.Time(from), storage.Time(to), storage.Time(otherFrom), storage.Time(otherTo)
			x.Created, x.Settled = storage.Time(created), storage.NullTime(settled)
			out = append(out, x)
			return err
		})
	return out, err
}
