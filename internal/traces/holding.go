package traces

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

// LegalHolds lists them, those that stand first, the latest first. Needs
// access.TracesHold.
func (s *Service) LegalHolds(ctx context.Context, scope access.Scope) (out []LegalHold, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesHold); err != nil {
		return nil, err
	}
	return s.allHolds(ctx, scope)
}

func (s *Service) allHolds(ctx context.Context, scope access.Scope) (out []LegalHold, err error) {
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readHolds(ctx, tx, scope, ` ORDER BY CASE WHEN state = $2 THEN 1 ELSE 0 END, id DESC LIMIT 200`, string(HoldLifted))
		return err
	})
	return out, err
}

// LegalHold gives one. Needs access.TracesHold. Errors: NotFound.
func (s *Service) LegalHold(ctx context.Context, scope access.Scope, id uuid.UUID) (out LegalHold, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesHold); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readHold(ctx, tx, scope, id, "")
		return err
	})
	return out, err
}

// Holdings is what is held, for those who may know that something is.
type Holdings struct {
	// Holds name neither patients nor agents.
	Holds []LegalHold
	// Classes tell how the purge of each class stands, those that ever had one.
	Classes []PurgeState
}

// PurgeState is how the purge of a class stands.
type PurgeState struct {
	Class Class
	// Held is how many events are too old and stay, since they are held.
	Held int64
	// Problem is the fault that kept the last purge from its end, since ProblemAt;
	// empty when none did.
	Problem   string
	ProblemAt time.Time
}

// Holding tells what is held and how the purges stand. Needs access.TracesRead.
func (s *Service) Holding(ctx context.Context, scope access.Scope) (out Holdings, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return out, err
	}
	all, err := s.allHolds(ctx, scope)
	for _, h := range all {
		out.Holds = append(out.Holds, h.WithoutNames())
	}
	if err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT class, held, problem, problem_us FROM traces_purge_state WHERE organisation_id = $1 AND class <> '' ORDER BY class`, []any{scope.Organisation()}, func(row func(...any) error) error {
			var p PurgeState
			var class string
			var at sql.NullInt64
			err := row(&class, &p.Held, &p.Problem, &at)
			p.Class, _ = ParseClass(class)
			p.ProblemAt = storage.NullTime(at)
			out.Classes = append(out.Classes, p)
			return err
		})
	})
	return out, err
}

// WeighHold tells what a hold would keep, before it is placed. It is a look at the
// traces, and traced; without a base it says so by a count of -1. Needs
// access.TracesHold. Errors: Invalid with its field.
func (s *Service) WeighHold(ctx context.Context, scope access.Scope, w HoldWanted) (Weight, error) {
	if err := s.opt.Guard.Check(scope, access.TracesHold); err != nil {
		return Weight{}, err
	}
	if err := s.fits(ctx, scope, &w); err != nil {
		return Weight{}, err
	}
	events, err := s.countHeld(ctx, scope, w, "")
	return weightOf(events), err
}

// fits checks what is wanted, and that its source is of the establishment.
func (s *Service) fits(ctx context.Context, scope access.Scope, w *HoldWanted) error {
	if err := w.check(); err != nil || w.Source == uuid.Nil {
		return err
	}
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		_, err := readSource(ctx, tx, scope, w.Source)
		return err
	})
	if f := fault.As(err); f != nil && f.Kind == fault.NotFound {
		return fault.New(fault.Invalid, "traces.source.unknown").At("source")
	}
	return err
}

// countHeld counts what a hold keeps; -1 when the base cannot be asked: an order of
// a court does not wait for it.
func (s *Service) countHeld(ctx context.Context, scope access.Scope, w HoldWanted, number string) (int64, error) {
	answers, err := s.ask(ctx, scope, Look{Why: w.Reason, Request: number}, w.Question())
	if f := fault.As(err); f != nil && f.Kind == fault.Unavailable {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	return answers[0].Total, nil
}

// PlaceHold keeps what is wanted from every purge, from now on: one person places,
// with a second factor, in the open. What it keeps is counted, which is traced.
// Needs access.TracesHold. Errors: Invalid with its field, Denied to a program,
// TooMany, Conflict while a purge is under way, which may be past what is to be held.
func (s *Service) PlaceHold(ctx context.Context, scope access.Scope, w HoldWanted) (out LegalHold, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesHold); err != nil {
		return out, err
	}
	if err := aPerson(scope); err != nil {
		return out, err
	}
	if err := s.fits(ctx, scope, &w); err != nil {
		return out, err
	}
	now := s.opt.Clock.Now()
	out = LegalHold{ID: storage.NewID(now), HoldWanted: w, State: HoldStands, Found: -1, Placed: actOf(scope, now)}
	// It is held first and counted after: counting may take a minute.
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := lockPurges(ctx, tx, scope); err != nil {
			return err
		}
		list, err := standing(ctx, tx, scope)
		if err != nil {
			return err
		}
		if len(list) >= holdsMost {
			return fault.New(fault.TooMany, "traces.hold.too_many", "most", holdsMost)
		}
		if err := noPurge(ctx, tx, scope, now); err != nil {
			return err
		}
		if err := out.insert(ctx, tx, scope); err != nil {
			return err
		}
		return s.noteHold(ctx, tx, scope, now, "traces.hold.place", out, nil, nil)
	})
	if err != nil {
		return out, err
	}
	events, err := s.countHeld(ctx, scope, w, out.Number())
	if err != nil || events < 0 {
		return out, err
	}
	out.Found, out.Counted = events, now
	return out, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error { return noteCount(ctx, tx, scope, now, out.ID, events) })
}

func noteCount(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, events int64) error {
	_, err := tx.Exec(ctx, `UPDATE traces_holds SET found = $3, counted_us = $4 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, events, storage.Micros(now))
	return err
}

// noteHold writes a step in the journal, with what stood before.
func (s *Service) noteHold(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, action string, h LegalHold, before, more map[string]any) error {
	after := h.noted()
	for k, v := range more {
		after[k] = v
	}
	return journal.Append(ctx, tx, scope, now, journal.Entry{Action: action, ObjectKind: "trace_hold", ObjectID: h.ID.String(), ObjectName: h.Reference, Before: before, After: after})
}

func actOf(scope access.Scope, now time.Time) Act {
	return Act{ID: scope.Actor().ID, Name: scope.Actor().Name, At: now}
}

// aPerson refuses whoever is no account of somebody. Errors: Denied.
func aPerson(scope access.Scope) error {
	if a := scope.Actor(); a.Kind != access.Person || a.ID == uuid.Nil {
		return fault.New(fault.Denied, "traces.hold.person")
	}
	return nil
}

// AskLift asks that a hold be lifted, with the reason: it stands until somebody else
// agrees. Needs access.TracesHold. Errors: Invalid at "raison", NotFound, Conflict.
func (s *Service) AskLift(ctx context.Context, scope access.Scope, id uuid.UUID, reason string) (LegalHold, error) {
	return s.moveHold(ctx, scope, id, "traces.hold.lift.ask", func(h *LegalHold, act Act) error {
		if h.State != HoldStands {
			return fault.New(fault.Conflict, "traces.hold.moved")
		}
		if err := holdText(&reason, "raison", true); err != nil {
			return err
		}
		h.State, h.LiftReason, h.LiftAsked, h.LiftDecided, h.LiftRefusal = HoldLifting, reason, act, Act{}, ""
		return nil
	})
}

// RefuseLift keeps a hold that somebody asked to lift, with the reason; who asked may
// take it back. Needs access.TracesHold. Errors: Invalid at "refus", NotFound, Conflict.
func (s *Service) RefuseLift(ctx context.Context, scope access.Scope, id uuid.UUID, reason string) (LegalHold, error) {
	return s.moveHold(ctx, scope, id, "traces.hold.lift.refuse", func(h *LegalHold, act Act) error {
		if h.State != HoldLifting {
			return fault.New(fault.Conflict, "traces.hold.moved")
		}
		if err := holdText(&reason, "refus", true); err != nil {
			return err
		}
		h.State, h.LiftDecided, h.LiftRefusal = HoldStands, act, reason
		return nil
	})
}

// Lift lifts a hold that somebody else asked to lift: what it alone kept goes at the
// next purge. Needs access.TracesHold. Errors: Denied to who asked, NotFound, Conflict.
func (s *Service) Lift(ctx context.Context, scope access.Scope, id uuid.UUID) (LegalHold, error) {
	return s.moveHold(ctx, scope, id, "traces.hold.lift", func(h *LegalHold, act Act) error {
		switch {
		case h.State != HoldLifting:
			return fault.New(fault.Conflict, "traces.hold.moved")
		case h.LiftAsked.ID == act.ID:
			return fault.New(fault.Denied, "traces.hold.own")
		}
		h.State, h.LiftDecided = HoldLifted, act
		return nil
	})
}

// moveHold does one thing to a hold and notes it.
func (s *Service) moveHold(ctx context.Context, scope access.Scope, id uuid.UUID, action string, do func(*LegalHold, Act) error) (out LegalHold, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesHold); err != nil {
		return out, err
	}
	if err := aPerson(scope); err != nil {
		return out, err
	}
	now := s.opt.Clock.Now()
	return out, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if out, err = readHold(ctx, tx, scope, id, "{{for_update}}"); err != nil {
			return err
		}
		before := out.noted()
		if err := do(&out, actOf(scope, now)); err != nil {
			return err
		}
		if err := out.update(ctx, tx, scope); err != nil {
			return err
		}
		if !out.Standing() {
			if err := s.release(ctx, tx, scope, now, out.ID); err != nil {
				return err
			}
		}
		more := map[string]any{"lift_reason": out.LiftReason}
		if out.LiftRefusal != "" {
			more["refusal"] = out.LiftRefusal
		}
		return s.noteHold(ctx, tx, scope, now, action, out, before, more)
	})
}

// NamedSource is a source of which a hold may be.
type NamedSource struct {
	ID   uuid.UUID
	Name string
}

// HoldSources lists the sources that a hold may name, those retired too. Needs
// access.TracesHold.
func (s *Service) HoldSources(ctx context.Context, scope access.Scope) (out []NamedSource, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesHold); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := readSources(ctx, tx, `organisation_id = $1 ORDER BY name_folded, id`, scope.Organisation())
		for _, p := range list {
			out = append(out, NamedSource{p.ID, p.Name})
		}
		return err
	})
	return out, err
}
