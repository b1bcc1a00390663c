package cases

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// wordsMost bounds what is written of a case, characters.
const wordsMost = 2000

// words checks what somebody wrote. It may name people: it stays with the case,
// and never goes to the journal.
func words(text, field string, needed bool) (string, error) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	if needed && text == "" || utf8.RuneCountInString(text) > wordsMost {
		return "", fault.New(fault.Invalid, "traces.cases.words", "most", wordsMost).At(field)
	}
	return text, nil
}

// change is one act on a case: what it makes of it, in its transaction.
type change struct {
	act, said string
	// noted is what the journal keeps beside the act: no words, no names.
	noted map[string]any
	make  func(ctx context.Context, tx *storage.Tx, now time.Time, c *Case) error
}

// act does something to a case that somebody may see.
func (s *Service) act(ctx context.Context, scope access.Scope, id uuid.UUID, ch change) error {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		c, err := s.seen(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		before := c.State
		if err := ch.make(ctx, tx, now, &c); err != nil {
			return err
		}
		c.Changed = now
		if err := c.settle(ctx, tx); err != nil {
			return err
		}
		if err := c.step(ctx, tx, now, scope.Actor().Name, ch.act, ch.said); err != nil {
			return err
		}
		after := map[string]any{"state": string(c.State), "kind": string(c.Kind), "rule": c.Rule}
		for name, value := range ch.noted {
			after[name] = value
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "traces.case." + ch.act, ObjectKind: "trace_case", ObjectID: id.String(), ObjectName: id.String(), Before: map[string]any{"state": string(before)}, After: after,
		})
	})
}

func closed() error { return fault.New(fault.Conflict, "traces.cases.closed") }

// Assign gives an open case to somebody who answers for its kind. Errors:
// NotFound, Conflict when it is closed, Invalid at "to".
func (s *Service) Assign(ctx context.Context, scope access.Scope, id, to uuid.UUID) error {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return err
	}
	var c Case
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		c, err = s.seen(ctx, tx, scope, id)
		return err
	})
	if err != nil {
		return err
	}
	people, err := s.holders(ctx, scope, c.Kind)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(people, func(p Person) bool { return p.ID == to })
	if at < 0 {
		return fault.New(fault.Invalid, "traces.cases.nobody").At("to")
	}
	return s.act(ctx, scope, id, change{act: "assign", said: people[at].Name, noted: map[string]any{"to": to.String()}, make: func(_ context.Context, _ *storage.Tx, _ time.Time, c *Case) error {
		if !c.State.Open() {
			return closed()
		}
		c.State, c.AssignedID, c.AssignedName = Assigned, people[at].ID, people[at].Name
		return nil
	}})
}

// Note adds words to a case, whatever its state. Errors: NotFound, Invalid at "note".
func (s *Service) Note(ctx context.Context, scope access.Scope, id uuid.UUID, text string) error {
	said, err := words(text, "note", true)
	if err != nil {
		return err
	}
	return s.act(ctx, scope, id, change{act: "note", said: said, make: func(context.Context, *storage.Tx, time.Time, *Case) error { return nil }})
}

// Verdict is what somebody says that a case was.
type Verdict struct {
	// State is Justified, Confirmed or Dismissed.
	State State
	// Reason is needed, Followed too when it is confirmed: what comes of it.
	Reason, Followed string
}

// Decide closes an open case. What was justified or dismissed weighs less when it
// comes again, for six months. Errors: NotFound, Conflict when it is closed,
// Invalid at "state", "reason" or "followed".
func (s *Service) Decide(ctx context.Context, scope access.Scope, id uuid.UUID, v Verdict) error {
	if v.State.Open() || !slices.Contains(States(), v.State) {
		return fault.New(fault.Invalid, "traces.cases.verdict").At("state")
	}
	reason, err := words(v.Reason, "reason", true)
	if err != nil {
		return err
	}
	followed, err := words(v.Followed, "followed", v.State == Confirmed)
	if err != nil {
		return err
	}
	said := reason
	if v.State != Confirmed {
		followed = ""
	} else {
		said += "\n" + followed
	}
	return s.act(ctx, scope, id, change{act: string(v.State), said: said, make: func(ctx context.Context, tx *storage.Tx, now time.Time, c *Case) error {
		if !c.State.Open() {
			return closed()
		}
		if c.AssignedID == uuid.Nil {
			c.AssignedID, c.AssignedName = scope.Actor().ID, scope.Actor().Name
		}
		c.State, c.Closed, c.ClosedBy, c.Reason, c.Followed = v.State, now, scope.Actor().Name, reason, followed
		if v.State == Confirmed {
			// What was confirmed weighs whole again, whatever was said before.
			return c.weighAgain(ctx, tx)
		}
		return c.remember(ctx, tx, now, v.State)
	}})
}

// weighAgain forgets what was said of the same rule, account and patient.
func (c *Case) weighAgain(ctx context.Context, tx *storage.Tx) error {
	h := c.hit()
	for _, rule := range c.Rules {
		if _, err := tx.Exec(ctx, `DELETE FROM traces_case_memory WHERE organisation_id = $1 AND rule = $2 AND account = $3 AND about = $4`, c.organisation, rule, actor(&h), subject(&h)); err != nil {
			return err
		}
	}
	return nil
}

// Reopen takes a verdict back, with a reason. Errors: NotFound, Conflict when it is
// open, Invalid at "reason".
func (s *Service) Reopen(ctx context.Context, scope access.Scope, id uuid.UUID, why string) error {
	said, err := words(why, "reason", true)
	if err != nil {
		return err
	}
	return s.act(ctx, scope, id, change{act: "reopen", said: said, make: func(ctx context.Context, tx *storage.Tx, _ time.Time, c *Case) error {
		if c.State.Open() {
			return fault.New(fault.Conflict, "traces.cases.open")
		}
		c.State, c.Closed, c.ClosedBy, c.Reason, c.Followed = Assigned, time.Time{}, "", "", ""
		return c.forget(ctx, tx)
	}})
}
