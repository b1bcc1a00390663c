package audits

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// act does one thing to a request that somebody sees.
func (s *Service) act(ctx context.Context, scope access.Scope, id uuid.UUID, do func(tx *storage.Tx, now time.Time, r Request) (journal.Entry, error)) error {
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		r, err := s.one(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		e, err := do(tx, now, r)
		if err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, e)
	})
}

// Advise records the advice of the DPO or of the DIM, as one of them. Said again, it
// replaces what was said, until somebody decides. Needs access.TracesAuditAdvise and
// the role. Errors: NotFound, Denied, Conflict once decided, Invalid at "avis".
func (s *Service) Advise(ctx context.Context, scope access.Scope, id uuid.UUID, as access.Role, favourable bool, words string) error {
	if err := s.opt.Guard.Check(scope, access.TracesAuditAdvise); err != nil {
		return err
	}
	if !slices.Contains(Advisers(), as) || !scope.Has(as) {
		return fault.New(fault.Denied, "access.denied")
	}
	words, err := text(words, "avis", wordsMost, true)
	if err != nil {
		return err
	}
	return s.act(ctx, scope, id, func(tx *storage.Tx, now time.Time, r Request) (journal.Entry, error) {
		if r.State != Asked {
			return journal.Entry{}, fault.New(fault.Conflict, "traces.audits.decided")
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_request_advice (organisation_id, request_id, role, favourable, words, by_id, by_name, at_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (organisation_id, request_id, role) DO UPDATE SET favourable = excluded.favourable, words = excluded.words, by_id = excluded.by_id, by_name = excluded.by_name, at_us = excluded.at_us`,
			r.organisation, r.ID, string(as), favourable, words, scope.Actor().ID, scope.Actor().Name, storage.Micros(now)); err != nil {
			return journal.Entry{}, err
		}
		already := r.Advised()
		r.Advice = append(r.Advice, Advice{Role: as})
		if r.Advised() && !already {
			if err := s.tell(ctx, tx, now, r, "advised", To{Roles: []access.Role{access.Controller}}); err != nil {
				return journal.Entry{}, err
			}
		}
		return r.entry("traces.audit.advise", map[string]any{"role": string(as), "favourable": favourable}), nil
	})
}

// Verdict is what was decided of a request.
type Verdict struct {
	Accepted bool
	Words    string
	// Extent, Delegate and Ends are those of an accepted one.
	Extent   Extent
	Delegate uuid.UUID
	Ends     time.Time
}

// Decide accepts a request, with its extent, who looks and until when, or refuses
// it. Needs access.TracesAuditDecide. Errors: NotFound; Conflict before both pieces
// of advice, once decided, and for whoever asked or advised; Invalid with its field.
func (s *Service) Decide(ctx context.Context, scope access.Scope, id uuid.UUID, v Verdict) error {
	if err := s.opt.Guard.Check(scope, access.TracesAuditDecide); err != nil {
		return err
	}
	var err error
	if v.Words, err = text(v.Words, "decision", wordsMost, true); err != nil {
		return err
	}
	to, err := s.granted(ctx, scope, &v)
	if err != nil {
		return err
	}
	return s.act(ctx, scope, id, func(tx *storage.Tx, now time.Time, r Request) (journal.Entry, error) {
		if err := r.decidable(scope); err != nil {
			return journal.Entry{}, err
		}
		granted, err := json.Marshal(v.Extent)
		if err != nil {
			return journal.Entry{}, err
		}
		r.State, r.DelegateID = Refused, uuid.Nil
		noted := map[string]any{"accepted": v.Accepted}
		if v.Accepted {
			r.State, r.DelegateID = Accepted, v.Delegate
			noted = v.Extent.noted()
			noted["accepted"], noted["delegate"], noted["ends"] = true, to.Name, v.Ends.UTC().Format(time.DateTime)
		}
		if _, err := tx.Exec(ctx, `UPDATE traces_requests SET state = $3, granted_json = $4, decision = $5, decided_id = $6, decided_name = $7, decided_us = $8, delegate_id = $9, delegate_name = $10, ends_us = $11 WHERE organisation_id = $1 AND id = $2`,
			r.organisation, r.ID, string(r.State), string(granted), v.Words, scope.Actor().ID, scope.Actor().Name, storage.Micros(now), storage.NullID(r.DelegateID), to.Name, storage.NullMicros(v.Ends)); err != nil {
			return journal.Entry{}, err
		}
		if v.Accepted {
			if err := s.tell(ctx, tx, now, r, "delegated", To{Accounts: []uuid.UUID{v.Delegate}}); err != nil {
				return journal.Entry{}, err
			}
		}
		return r.entry("traces.audit.decide", noted), s.tell(ctx, tx, now, r, "decided", To{Accounts: []uuid.UUID{r.AskedID}})
	})
}

// granted checks what an accepted request covers; of a refused one nothing stays.
func (s *Service) granted(ctx context.Context, scope access.Scope, v *Verdict) (to Person, err error) {
	if !v.Accepted {
		v.Extent, v.Ends, v.Delegate = Extent{}, time.Time{}, uuid.Nil
		return to, nil
	}
	if v.Extent, err = v.Extent.check(); err != nil {
		return to, err
	}
	now := s.opt.Clock.Now()
	if !v.Ends.After(now) || v.Ends.Sub(now) > longest {
		return to, fault.New(fault.Invalid, "traces.audits.ends").At("fin")
	}
	people, err := s.Delegates(ctx, scope)
	if err != nil {
		return to, err
	}
	i := slices.IndexFunc(people, func(p Person) bool { return p.ID == v.Delegate })
	if i < 0 || v.Delegate == scope.Actor().ID {
		return to, fault.New(fault.Invalid, "traces.audits.delegate").At("delegue")
	}
	return people[i], nil
}

// decidable tells whether somebody may decide on a request now.
func (r Request) decidable(scope access.Scope) error {
	me := scope.Actor().ID
	switch {
	case r.State != Asked:
		return fault.New(fault.Conflict, "traces.audits.decided")
	case r.AskedID == me || slices.ContainsFunc(r.Advice, func(a Advice) bool { return a.ByID == me }):
		return fault.New(fault.Conflict, "traces.audits.own")
	case !r.Advised():
		return fault.New(fault.Conflict, "traces.audits.unadvised")
	}
	return nil
}

// Decidable tells whether somebody may decide on the request now.
func (s *Service) Decidable(scope access.Scope, r Request) bool {
	return s.opt.Guard.May(scope, access.TracesAuditDecide) && r.decidable(scope) == nil
}

// Withdraw takes back what one asked, before it is decided. Needs
// access.TracesAuditAsk. Errors: NotFound; Conflict once decided, and for whoever did
// not ask.
func (s *Service) Withdraw(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := s.opt.Guard.Check(scope, access.TracesAuditAsk); err != nil {
		return err
	}
	return s.act(ctx, scope, id, func(tx *storage.Tx, now time.Time, r Request) (journal.Entry, error) {
		if r.AskedID != scope.Actor().ID {
			return journal.Entry{}, fault.New(fault.Conflict, "traces.audits.not_yours")
		}
		if r.State != Asked {
			return journal.Entry{}, fault.New(fault.Conflict, "traces.audits.decided")
		}
		_, err := tx.Exec(ctx, `UPDATE traces_requests SET state = 'withdrawn', closed_us = $3 WHERE organisation_id = $1 AND id = $2`, r.organisation, r.ID, storage.Micros(now))
		return r.entry("traces.audit.withdraw", nil), err
	})
}

// Unmask has the answer to the patient name the staff, and writes down why. Needs
// access.TracesAuditDecide. Errors: NotFound, Conflict unless it is open, Invalid at
// "exception".
func (s *Service) Unmask(ctx context.Context, scope access.Scope, id uuid.UUID, why string) error {
	if err := s.opt.Guard.Check(scope, access.TracesAuditDecide); err != nil {
		return err
	}
	why, err := text(why, "exception", wordsMost, true)
	if err != nil {
		return err
	}
	return s.act(ctx, scope, id, func(tx *storage.Tx, now time.Time, r Request) (journal.Entry, error) {
		if !r.Open(now) || r.AskedID == scope.Actor().ID || r.DelegateID == scope.Actor().ID {
			return journal.Entry{}, fault.New(fault.Conflict, "traces.audits.closed")
		}
		_, err := tx.Exec(ctx, `UPDATE traces_requests SET unmasked = $3, unmasked_by = $4 WHERE organisation_id = $1 AND id = $2`, r.organisation, r.ID, why, scope.Actor().Name)
		return r.entry("traces.audit.unmask", nil), err
	})
}

// Conclude is what the delegate found; it closes the request, and nothing can be
// looked at under it any more. Needs access.TracesAuditLook. Errors: NotFound;
// Conflict for all but the delegate, and once closed; Invalid at "conclusion".
func (s *Service) Conclude(ctx context.Context, scope access.Scope, id uuid.UUID, words string) error {
	if err := s.opt.Guard.Check(scope, access.TracesAuditLook); err != nil {
		return err
	}
	words, err := text(words, "conclusion", wordsMost, true)
	if err != nil {
		return err
	}
	return s.act(ctx, scope, id, func(tx *storage.Tx, now time.Time, r Request) (journal.Entry, error) {
		if r.DelegateID != scope.Actor().ID {
			return journal.Entry{}, fault.New(fault.Conflict, "traces.warrant.other")
		}
		if !scope.Strong() {
			return journal.Entry{}, fault.New(fault.Denied, "access.second_factor")
		}
		if r.State != Accepted {
			return journal.Entry{}, fault.New(fault.Conflict, "traces.audits.closed")
		}
		if _, err := tx.Exec(ctx, `UPDATE traces_requests SET state = 'closed', conclusion = $3, closed_us = $4 WHERE organisation_id = $1 AND id = $2`, r.organisation, r.ID, words, storage.Micros(now)); err != nil {
			return journal.Entry{}, err
		}
		to := To{Roles: []access.Role{access.DataProtection, access.Controller}, Accounts: []uuid.UUID{r.AskedID}}
		return r.entry("traces.audit.conclude", nil), s.tell(ctx, tx, now, r, "closed", to)
	})
}

// Look puts a question under a request: it sees what was decided and nothing beside.
// Needs access.TracesAuditLook. Errors: NotFound; Denied for all but the delegate,
// and once it is over; Invalid; Unavailable.
func (s *Service) Look(ctx context.Context, scope access.Scope, id uuid.UUID, l traces.Look, in traces.Inquiry, when traces.Period) (r Request, reply traces.Reply, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAuditLook); err != nil {
		return r, reply, err
	}
	if r, err = s.Find(ctx, scope, id); err != nil {
		return r, reply, err
	}
	if r.State != Accepted {
		return r, reply, fault.New(fault.Denied, "traces.warrant.over")
	}
	reply, err = s.opt.Traces.InquireUnder(ctx, scope, r.warrant(), l, in, when)
	return r, reply, err
}

// Original opens one event with its original under a request, when the decision
// includes them. Needs access.TracesAuditLook. Errors: NotFound; Denied for all but
// the delegate, once it is over, without originals and outside what was decided;
// Unavailable.
func (s *Service) Original(ctx context.Context, scope access.Scope, id uuid.UUID, ref string) (r Request, e traces.Stored, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAuditLook); err != nil {
		return r, e, err
	}
	if r, err = s.Find(ctx, scope, id); err != nil {
		return r, e, err
	}
	if r.State != Accepted {
		return r, e, fault.New(fault.Denied, "traces.warrant.over")
	}
	e, err = s.opt.Traces.FindUnder(ctx, scope, r.warrant(), traces.Look{Why: r.Number}, ref)
	return r, e, err
}
