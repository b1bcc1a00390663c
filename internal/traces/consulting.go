package traces

import (
	"context"
	"errors"
	"strings"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// What one consumer may ask: a program that goes round and round must not keep
// those who look for somebody waiting.
const (
	consultPace   = time.Minute
	consultMost   = 60 // in consultPace
	consultAtOnce = 4
	// consultFor leaves room, within the half minute of a page, to say that it was cut.
	consultFor = 25 * time.Second
	// lastWritten is how precisely its last search is known.
	lastWritten = time.Minute
)

// Inquirer is a consumer that was recognised and may search.
type Inquirer struct {
	Consumer
	scope access.Scope
}

// pace is what a consumer asked since a time, and what it is asking.
type pace struct {
	since    time.Time
	asked    int
	underway int
}

// ByConsumerToken recognises a consumer that asks from an address. Errors:
// Unauthenticated, whatever is wrong with the token; Denied from elsewhere.
func (s *Service) ByConsumerToken(ctx context.Context, token, from string) (Inquirer, error) {
	if strings.HasPrefix(token, sourceToken) {
		return Inquirer{}, fault.New(fault.Unauthenticated, "traces.consumer.is_source")
	}
	refused := fault.New(fault.Unauthenticated, "traces.consumer.token")
	if token == "" || len(token) > 200 {
		return Inquirer{}, refused
	}
	var found []lodged
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) (err error) {
		found, err = readConsumers(ctx, tx, `token_hash = $1`, vault.Digest(token))
		return err
	})
	if err != nil {
		return Inquirer{}, err
	}
	if len(found) == 0 || !found[0].Serves(s.opt.Clock.Now()) {
		return Inquirer{}, refused
	}
	c := found[0]
	if !c.admits(from) {
		return Inquirer{}, fault.New(fault.Denied, "traces.consumer.from", "address", from)
	}
	// It asks under the role of who admitted it, and does nothing else of it.
	actor := access.Actor{Kind: access.Program, ID: c.ID, Name: c.Name, From: from}
	return Inquirer{c.Consumer, access.ForProgram(c.organisation, actor, []access.Action{access.TracesConsume}, access.DataProtection)}, nil
}

// look is what the trace of its looks says beside its name.
func (q Inquirer) look() Look { return Look{Why: q.Reason, For: q.By} }

// Consult is Ask for a consumer: one question, traced as a look in its name
// before it is asked. Needs access.TracesConsume. Errors: Invalid, TooMany,
// Unavailable, also when the answer takes longer than consultFor.
func (s *Service) Consult(ctx context.Context, who Inquirer, q Question) (out Answer, err error) {
	return out, s.consult(ctx, who, func(ctx context.Context) error {
		answers, err := s.ask(ctx, who.scope, who.look(), q)
		if err == nil {
			out = answers[0]
		}
		return err
	})
}

// ConsultOne is Find for a consumer. Needs access.TracesConsume. Errors:
// NotFound, TooMany, Unavailable.
func (s *Service) ConsultOne(ctx context.Context, who Inquirer, ref string) (out Stored, err error) {
	return out, s.consult(ctx, who, func(ctx context.Context) (err error) {
		out, err = s.find(ctx, who.scope, who.look(), ref)
		return err
	})
}

func (s *Service) consult(ctx context.Context, who Inquirer, do func(context.Context) error) error {
	if err := s.opt.Guard.Check(who.scope, access.TracesConsume); err != nil {
		return err
	}
	if err := s.pace(who); err != nil {
		return err
	}
	defer s.paced(who)
	if err := s.used(ctx, who); err != nil {
		return err
	}
	inner, cancel := context.WithTimeout(ctx, consultFor)
	defer cancel()
	err := do(inner)
	if err != nil && errors.Is(inner.Err(), context.DeadlineExceeded) {
		return fault.Wrap(err, fault.Unavailable, "traces.consumer.slow", "seconds", int(consultFor/time.Second))
	}
	return err
}

// pace lets a consumer ask once more. Errors: TooMany.
func (s *Service) pace(who Inquirer) error {
	now := s.opt.Clock.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.paces[who.ID]
	if p == nil {
		p = &pace{since: now}
		s.paces[who.ID] = p
	}
	if now.Sub(p.since) >= consultPace {
		p.since, p.asked = now, 0
	}
	if p.asked >= consultMost || p.underway >= consultAtOnce {
		return fault.New(fault.TooMany, "traces.consumer.pace", "most", consultMost, "at_once", consultAtOnce)
	}
	p.asked++
	p.underway++
	return nil
}

func (s *Service) paced(who Inquirer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paces[who.ID].underway--
}

// used notes that a consumer asks, once a minute at most.
func (s *Service) used(ctx context.Context, who Inquirer) error {
	now := s.opt.Clock.Now()
	if now.Sub(who.Last) < lastWritten {
		return nil
	}
	return s.opt.DB.Write(ctx, who.scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE traces_consumers SET last_us = $3 WHERE organisation_id = $1 AND id = $2`, who.scope.Organisation(), who.ID, storage.Micros(now))
		return err
	})
}
