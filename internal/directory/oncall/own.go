package oncall

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// ownMost is how many swaps of one person may wait at once.
const ownMost = 10

// Own is somebody who acts on his own duties, from his own space.
type Own struct {
	Person uuid.UUID
	Name   string
	// As is who the journal names.
	As access.Scope
	// Tell, if set, has the other told, in the transaction of what was done.
	Tell func(ctx context.Context, tx *storage.Tx, x Swap) error
}

func (who Own) told(ctx context.Context, tx *storage.Tx, x Swap) error {
	if who.Tell == nil {
		return nil
	}
	return who.Tell(ctx, tx, x)
}

// ProposeOwn is ProposeSwap by the first of the two: both turns lie ahead. Errors:
// as ProposeSwap, Denied for the turn of another, TooMany when too many wait.
func (s *Service) ProposeOwn(ctx context.Context, scope access.Scope, who Own, x Swap) (Swap, error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return x, err
	}
	now := s.Clock.Now()
	switch {
	case x.Person != who.Person:
		return x, fault.New(fault.Denied, "directory.oncall.swap.not_yours")
	case x.From.Before(now) || x.OtherFrom.Before(now):
		return x, fault.New(fault.Invalid, "directory.oncall.swap.begun")
	}
	x.By = who.Name
	return s.propose(ctx, scope, who.As, x, func(tx *storage.Tx, x Swap) error {
		waiting, err := swaps(ctx, tx, scope, `person_id = $2 AND state = 'proposed' AND to_us > $3`, who.Person, storage.Micros(now))
		if err == nil && len(waiting) >= ownMost {
			err = fault.New(fault.TooMany, "directory.oncall.swap.too_many", "most", ownMost)
		}
		if err != nil {
			return err
		}
		return who.told(ctx, tx, x)
	})
}

// SettleOwn settles a swap by one of its two: the other accepts or refuses, the
// first may only withdraw. Errors: NotFound for anybody else or once a turn has
// begun, as SettleSwap.
func (s *Service) SettleOwn(ctx context.Context, scope access.Scope, who Own, id uuid.UUID, accept bool) error {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return err
	}
	now := s.Clock.Now()
	return s.settle(ctx, scope, who.As, who.Name, id, accept, func(x Swap) bool {
		if !accept {
			return x.Other == who.Person || x.Person == who.Person
		}
		return x.Other == who.Person && x.From.After(now) && x.OtherFrom.After(now)
	}, who.told)
}

// Waiting is a swap that waits for an answer, with the names it needs.
type Waiting struct {
	Swap
	FunctionName, PersonName, OtherName string
}

// Waiting are the swaps of a person that wait and still can be, the oldest first.
func (s *Service) Waiting(ctx context.Context, scope access.Scope, person uuid.UUID, now time.Time) (out []Waiting, err error) {
	if err := s.Guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := swaps(ctx, tx, scope, `(person_id = $2 OR other_id = $2) AND state = 'proposed' AND from_us > $3 AND other_from_us > $3`, person, storage.Micros(now))
		if err != nil {
			return err
		}
		for _, x := range list {
			f, err := function(ctx, tx, scope, x.Function)
			if err != nil {
				return err
			}
			named, err := agents(ctx, tx, scope, []uuid.UUID{x.Person, x.Other})
			if err != nil {
				return err
			}
			out = append(out, Waiting{x, f.Name, named[x.Person].Name, named[x.Other].Name})
		}
		return nil
	})
	return out, err
}
