package traces

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// purgeMost is how long one purge of a class lasts at most, the rest is for the next;
// purgeBlocks is how long one that died keeps holds from being placed.
const (
	purgeMost   = 14 * time.Minute
	purgeBlocks = 15 * time.Minute
)

// unknownHeld is for a purge that could not count what is held: it is as many as
// when one last could.
const unknownHeld = -1

// Purge removes what is older than was decided, and keeps a record of it.
func (s *Service) Purge(ctx context.Context, now time.Time) (bool, error) {
	_, base, err := s.connected()
	if err != nil {
		return false, nil // another node may have the base
	}
	type due struct {
		organisation uuid.UUID
		class        Class
		months       int
	}
	var list []due
	err = s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, class, months FROM traces_durations WHERE months > 0`, nil, func(row func(...any) error) error {
			var d due
			var class string
			err := row(&d.organisation, &class, &d.months)
			known := false
			if d.class, known = ParseClass(class); known {
				list = append(list, d)
			}
			return err
		})
	})
	if err != nil {
		return false, err
	}
	var errs []error
	for _, d := range list {
		errs = append(errs, s.purge(ctx, base, now, access.System(d.organisation, "traces"), d.class, now.AddDate(0, -d.months, 0)))
	}
	errs = append(errs, s.recountAll(ctx, base, now))
	return false, errors.Join(errs...)
}

// purge removes what is too old of a class and held by nobody. What was held when it
// began is: a hold waits for the end of a purge that is under way, or for its death.
func (s *Service) purge(ctx context.Context, base Base, now time.Time, scope access.Scope, class Class, before time.Time) error {
	p := Purging{Class: class, Before: storage.Micros(before)}
	var holds []LegalHold
	err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		err := lockPurges(ctx, tx, scope)
		if err == nil {
			holds, err = standing(ctx, tx, scope)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO traces_purge_state (organisation_id, class, began_us, held, problem) VALUES ($1, $2, $3, 0, '')
			ON CONFLICT (organisation_id, class) DO UPDATE SET began_us = excluded.began_us`, scope.Organisation(), class.String(), storage.Micros(now))
		return err
	})
	if err != nil {
		return err
	}
	for _, h := range holds {
		p.Held = append(p.Held, h.Question())
	}
	within, cancel := context.WithTimeout(ctx, purgeMost)
	defer cancel()
	gone, failed := s.remove(within, base, now, scope, p)
	return errors.Join(failed, s.ended(context.WithoutCancel(ctx), now, scope, p, gone, failed))
}

// remove looks what is to go, has the log say so, and has it gone.
func (s *Service) remove(ctx context.Context, base Base, now time.Time, scope access.Scope, p Purging) (Purged, error) {
	try := p
	try.Try = true
	upTo, err := s.sealedUpTo(ctx, scope)
	if err != nil {
		return Purged{Held: unknownHeld}, err
	}
	due, err := base.Purge(ctx, scope.Organisation(), try)
	if err != nil {
		return Purged{Held: unknownHeld}, err
	}
	gone := Purged{Held: due.Held}
	if due.Events > 0 {
		if err := s.announce(ctx, now, scope, p); err != nil {
			return Purged{Held: due.Held}, err
		}
		if upTo, err = s.sealedUpTo(ctx, scope); err != nil {
			return Purged{Held: due.Held}, err
		}
		if gone, err = base.Purge(ctx, scope.Organisation(), p); err != nil {
			return Purged{Held: due.Held}, err
		}
	} else if due.Held == 0 {
		return gone, nil
	}
	return gone, s.settle(ctx, now, scope, p, upTo, gone)
}

// ended writes what a purge removed, what it left, and what kept it from its end.
func (s *Service) ended(ctx context.Context, now time.Time, scope access.Scope, p Purging, gone Purged, failed error) error {
	problem := gone.Problem
	if failed != nil {
		problem = "traces.keep.failed"
		if f := fault.As(failed); f != nil {
			problem = f.Key
		}
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var was string
		if _, err := tx.Row(ctx, `SELECT problem FROM traces_purge_state WHERE organisation_id = $1 AND class = $2`, []any{scope.Organisation(), p.Class.String()}, &was); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE traces_purge_state SET began_us = NULL, held = CASE WHEN $3 < 0 THEN held ELSE $3 END, problem = $4, problem_us = CASE WHEN $4 = '' THEN NULL WHEN problem = '' THEN $5 ELSE problem_us END
			WHERE organisation_id = $1 AND class = $2`, scope.Organisation(), p.Class.String(), gone.Held, problem, storage.Micros(now)); err != nil {
			return err
		}
		note := func(action string, after map[string]any) error {
			return journal.Append(ctx, tx, scope, now, journal.Entry{Action: action, ObjectKind: "trace_class", ObjectID: p.Class.String(), ObjectName: p.Class.String(), After: after})
		}
		if problem != "" && was == "" {
			if err := note("traces.keep.stopped", map[string]any{"events": gone.Events, "problem": problem}); err != nil {
				return err
			}
		}
		if gone.Events == 0 {
			return nil
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_purges (organisation_id, id, class, before_us, events, held, first_us, last_us, done_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			scope.Organisation(), storage.NewID(now), p.Class.String(), p.Before, gone.Events, gone.Held, gone.First, gone.Last, storage.Micros(now)); err != nil {
			return err
		}
		return note("traces.keep.purge", map[string]any{"events": gone.Events, "held": gone.Held, "before": storage.Time(p.Before).UTC().Format(time.DateOnly)})
	})
}

// lockPurges has purges and holds of an establishment take turns: whoever comes
// second sees what the first wrote, on any node.
func lockPurges(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	_, err := tx.Exec(ctx, `INSERT INTO traces_purge_state (organisation_id, class, held, problem) VALUES ($1, '', 0, '')
		ON CONFLICT (organisation_id, class) DO UPDATE SET held = 0`, scope.Organisation())
	return err
}

// noPurge refuses while a purge of any class is under way. Errors: Conflict.
func noPurge(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time) error {
	var n int64
	_, err := tx.Row(ctx, `SELECT COUNT(*) FROM traces_purge_state WHERE organisation_id = $1 AND began_us > $2`, []any{scope.Organisation(), storage.Micros(now.Add(-purgeBlocks))}, &n)
	if err == nil && n > 0 {
		return fault.New(fault.Conflict, "traces.hold.purging")
	}
	return err
}

// recountAll is recount for every establishment that holds something.
func (s *Service) recountAll(ctx context.Context, base Base, now time.Time) error {
	var houses []uuid.UUID
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT DISTINCT organisation_id FROM traces_holds WHERE state <> $1`, []any{string(HoldLifted)}, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			houses = append(houses, id)
			return err
		})
	})
	errs := []error{err}
	for _, id := range houses {
		if err := s.recount(ctx, base, now, access.System(id, "traces")); !baseDown(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// recount counts again what each hold keeps. Nobody sees a trace by it: it is no look.
func (s *Service) recount(ctx context.Context, base Base, now time.Time, scope access.Scope) error {
	var holds []LegalHold
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		var err error
		holds, err = standing(ctx, tx, scope)
		return err
	})
	for _, h := range holds {
		a, err := base.Ask(ctx, scope.Organisation(), h.Question())
		if err != nil {
			return err
		}
		if err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error { return noteCount(ctx, tx, scope, now, h.ID, a.Total) }); err != nil {
			return err
		}
	}
	return err
}
