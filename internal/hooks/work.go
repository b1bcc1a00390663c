package hooks

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/jobs"
	"tocsin/internal/storage"
)

// Carrier takes a message to its receiver. It bounds what it reads and how long it waits.
type Carrier interface {
	// Carry sends one message. status is 0 when nobody answered; err then says why, without a secret.
	Carry(ctx context.Context, p Parcel) (status int, err error)
}

// Parcel is a message ready to leave.
type Parcel struct {
	URL string
	// Inside lets the address be one of the inside.
	Inside bool
	Header map[string]string
	Body   []byte
}

// The figures of telling.
const (
	batch     = 16
	atOnce    = 8
	leaseLife = 60 * time.Second
	sendLimit = 15 * time.Second
	keepTold  = 30 * 24 * time.Hour
)

// held is a message this node holds.
type held struct {
	organisation, id, subscription uuid.UUID
	kind                           Kind
	body                           string
	attempts                       int
	until                          int64
	doubled                        bool
	url                            string
	inside                         bool
	secrets                        []string
}

// Task tells what waits, on every node.
func (s *Service) Task() jobs.Task {
	return jobs.Task{Name: "hooks.tell", Every: time.Second, Wake: s.wake, Run: s.Tell}
}

// Tell tells what is due now, at most one batch; more when others may wait.
func (s *Service) Tell(ctx context.Context, now time.Time) (more bool, err error) {
	list, err := s.claim(ctx, now)
	if err != nil || len(list) == 0 {
		return false, err
	}
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	errs := make([]error, len(list))
	for i := range list {
		wait.Add(1)
		slots <- struct{}{}
		go func() {
			defer func() { <-slots; wait.Done() }()
			errs[i] = s.send(ctx, now, list[i])
		}()
	}
	wait.Wait()
	return len(list) == batch, errors.Join(errs...)
}

// claim takes what is due: this is the intent, committed before anything leaves.
// What a node held when it died comes back marked as a possible double.
func (s *Service) claim(ctx context.Context, now time.Time) (out []held, err error) {
	us := storage.Micros(now)
	scope := access.Instance("hooks")
	due := false
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		due, err = tx.Row(ctx, `SELECT 1 FROM hooks_deliveries WHERE state = 'waiting' AND due_us <= $1 LIMIT 1`, []any{us}, new(int))
		return err
	})
	if err != nil || !due {
		return nil, err
	}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		out = nil
		if err := tx.Query(ctx, `SELECT organisation_id, id, subscription_id, kind, body, attempts, until_us, doubled, holder IS NOT NULL FROM hooks_deliveries
			WHERE state = 'waiting' AND due_us <= $1 AND (holder IS NULL OR lease_us <= $1) ORDER BY due_us LIMIT $2 {{skip_locked}}`, []any{us, batch}, func(row func(...any) error) error {
			var h held
			var died bool
			err := row(&h.organisation, &h.id, &h.subscription, &h.kind, &h.body, &h.attempts, &h.until, &h.doubled, &died)
			h.doubled = h.doubled || died
			out = append(out, h)
			return err
		}); err != nil {
			return err
		}
		kept := out[:0]
		for _, h := range out {
			ready, err := s.ready(ctx, tx, now, &h)
			if err != nil {
				return err
			}
			if ready {
				kept = append(kept, h)
			}
		}
		out = kept
		return nil
	})
	return out, err
}

// ready marks a message as held, with what it takes to send it. What has no
// subscription any more is dropped, what is paused waits.
func (s *Service) ready(ctx context.Context, tx *storage.Tx, now time.Time, h *held) (bool, error) {
	var sealed, old []byte
	var oldUntil int64
	var paused bool
	found, err := tx.Row(ctx, `SELECT url, inside, paused, secret, old_secret, old_until_us FROM hooks_subscriptions WHERE organisation_id = $1 AND id = $2 AND deleted_us IS NULL`,
		[]any{h.organisation, h.subscription}, &h.url, &h.inside, &paused, &sealed, &old, &oldUntil)
	if err != nil {
		return false, err
	}
	if !found {
		_, err = tx.Exec(ctx, `DELETE FROM hooks_deliveries WHERE organisation_id = $1 AND id = $2`, h.organisation, h.id)
		return false, err
	}
	if paused {
		_, err = tx.Exec(ctx, `UPDATE hooks_deliveries SET due_us = $3 WHERE organisation_id = $1 AND id = $2`, h.organisation, h.id, storage.Micros(now.Add(time.Minute)))
		return false, err
	}
	if h.secrets, err = s.secrets(h.subscription, sealed, old, oldUntil, now); err != nil {
		return false, err
	}
	h.attempts++
	_, err = tx.Exec(ctx, `UPDATE hooks_deliveries SET holder = $3, lease_us = $4, attempts = $5, doubled = $6 WHERE organisation_id = $1 AND id = $2`,
		h.organisation, h.id, s.opt.Node, storage.Micros(now.Add(leaseLife)), h.attempts, h.doubled)
	return true, err
}

// send tells one message and writes what was answered.
func (s *Service) send(ctx context.Context, now time.Time, h held) error {
	bounded, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	header := map[string]string{
		"Content-Type": "application/json", "User-Agent": "Tocsin/" + s.opt.Version, "Webhook-Id": h.id.String(), "Webhook-Timestamp": strconv.FormatInt(now.Unix(), 10),
		"Webhook-Signature": Sign(h.secrets, h.id.String(), now, []byte(h.body)), "Tocsin-Attempt": strconv.Itoa(h.attempts),
	}
	if h.doubled {
		header["Tocsin-Possible-Double"] = "true"
	}
	status, failure := s.opt.Carrier.Carry(bounded, Parcel{URL: h.url, Inside: h.inside, Header: header, Body: []byte(h.body)})
	if failure != nil && ctx.Err() != nil {
		return nil // we are stopping: the lease runs out and the message comes back, marked
	}
	return s.settle(ctx, now, h, status, failure)
}

func (s *Service) settle(ctx context.Context, now time.Time, h held, status int, failure error) error {
	state, why := Waiting, ""
	if failure != nil {
		why = failure.Error()
	}
	switch next := now.Add(backoff(h.attempts)); {
	case failure == nil && status >= 200 && status < 300:
		state = Told
	case status == 410, storage.Micros(next) >= h.until:
		state = Dead // gone for good (RFC 9110 § 15.5.11), or nobody answered in time
	}
	err := s.opt.DB.Write(context.WithoutCancel(ctx), access.Instance("hooks"), func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE hooks_deliveries SET state = $3, due_us = $4, last_us = $5, last_status = $6, last_error = $7, holder = NULL, lease_us = NULL
			WHERE organisation_id = $1 AND id = $2 AND holder = $8`, h.organisation, h.id, string(state), storage.Micros(now.Add(backoff(h.attempts))), storage.Micros(now), status, why, s.opt.Node)
		return err
	})
	if err != nil {
		return fmt.Errorf("message %s: %w", h.id, err)
	}
	s.opt.Log.Info("webhook", "message", h.id.String(), "kind", string(h.kind), "attempt", h.attempts, "status", status, "state", string(state), "error", why)
	return nil
}

// Sweep forgets what was told, or lost, a month ago, and what came by the doors.
func (s *Service) Sweep(ctx context.Context, now time.Time) error {
	limit := storage.Micros(now.Add(-keepTold))
	return s.opt.DB.Write(ctx, access.Instance("hooks"), func(tx *storage.Tx) error {
		for _, query := range []string{
			`DELETE FROM hooks_deliveries WHERE state <> 'waiting' AND at_us <= $1`, `DELETE FROM hooks_calls WHERE at_us <= $1`, `DELETE FROM hooks_seen WHERE at_us <= $1`, `DELETE FROM hooks_heard WHERE at_us <= $1`,
			`DELETE FROM hooks_messages WHERE sent_us <= $1`,
		} {
			if _, err := tx.Exec(ctx, query, limit); err != nil {
				return err
			}
		}
		return nil
	})
}
