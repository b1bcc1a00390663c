package hooks

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// State is what became of a message.
type State string

// The states. The values are stored.
const (
	Waiting State = "waiting" // to be told, or told again
	Told    State = "told"    // answered by a 2xx
	Dead    State = "dead"    // not answered in Patience: shown, and can be sent again
)

// Patience is how long a message is told again before it is lost.
const Patience = 72 * time.Hour

// backoff is the wait after each attempt that failed; the last one repeats.
func backoff(attempts int) time.Duration {
	waits := []time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour}
	return waits[min(max(attempts, 1), len(waits))-1]
}

// Delivery is one message to one subscription.
type Delivery struct {
	ID   uuid.UUID
	Kind Kind
	At   time.Time
	// Body is what is sent, word for word.
	Body     string
	State    State
	Attempts int
	// Due is when it is told next; Last is the last attempt, zero before the first.
	Due, Last time.Time
	// Status is the last answer, 0 without one; Error says why there was none.
	Status int
	Error  string
	// Doubled tells that it may have been heard twice.
	Doubled bool
}

// envelope is the form of every message. No person is in it.
type envelope struct {
	ID            uuid.UUID `json:"id"`
	Type          Kind      `json:"type"`
	Timestamp     time.Time `json:"timestamp"`
	Establishment uuid.UUID `json:"establishment"`
	Data          any       `json:"data"`
}

// alertData is what is said of an alert.
type alertData struct {
	Alert    uuid.UUID          `json:"alert"`
	Scenario uuid.UUID          `json:"scenario"`
	Title    alerting.Localized `json:"title"`
	Mode     alerting.Mode      `json:"mode"`
	Wave     int                `json:"wave,omitempty"`
	People   int                `json:"people,omitempty"`
	Figures  *figures           `json:"figures,omitempty"`
}

// figures are people, not messages.
type figures struct {
	People      int `json:"people"`
	Reached     int `json:"reached"`
	Answered    int `json:"answered"`
	Coming      int `json:"coming"`
	OnSite      int `json:"on_site"`
	Unavailable int `json:"unavailable"`
	Arrived     int `json:"arrived"`
}

// Herald hears from alerting what happened, inside the transaction that makes it
// true: the message is written with it or not at all.
func (s *Service) Herald(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, l alerting.Launch, e alerting.Event) error {
	if kind := capKind(e.Kind); kind != "" {
		if err := s.publish(ctx, tx, scope, now, l, kind); err != nil {
			return err
		}
	}
	if err := s.tellRooms(ctx, tx, scope, now, l, e); err != nil {
		return err
	}
	kind := told(e.Kind)
	if kind == "" {
		return nil
	}
	err := s.enqueue(ctx, tx, scope, now, kind, alertData{Alert: l.ID, Scenario: l.Scenario, Title: l.Title, Mode: l.Mode, Wave: e.Wave, People: e.People})
	if err != nil {
		return fmt.Errorf("tell %s: %w", kind, err)
	}
	s.nudge()
	return nil
}

// enqueue writes a message for each subscription to the kind.
func (s *Service) enqueue(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, kind Kind, data any) error {
	list, err := readSubscriptions(ctx, tx, scope, ``)
	if err != nil {
		return err
	}
	for _, sub := range list {
		if !slices.Contains(sub.Events, kind) {
			continue
		}
		if err := insertDelivery(ctx, tx, scope, now, sub.ID, kind, data); err != nil {
			return err
		}
	}
	return nil
}

func insertDelivery(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, subscription uuid.UUID, kind Kind, data any) error {
	id := storage.NewID(now)
	body, err := json.Marshal(envelope{id, kind, now.UTC(), scope.Organisation(), data})
	if err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO hooks_deliveries (organisation_id, id, subscription_id, kind, body, at_us, state, attempts, due_us, until_us, doubled, last_status, last_error)
		VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 0, $6, $7, $8, 0, '')`, scope.Organisation(), id, subscription, string(kind), string(body),
		storage.Micros(now), storage.Micros(now.Add(Patience)), false)
	return err
}

// Try sends a message of trial to one subscription. Needs access.ChannelWrite. Errors: NotFound.
func (s *Service) Try(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) error {
	if err := s.opt.Guard.Check(scope, access.ChannelWrite); err != nil {
		return err
	}
	err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readSubscriptions(ctx, tx, scope, `AND id = $2`, id)
		if err == nil && len(list) == 0 {
			err = fault.New(fault.NotFound, "hooks.unknown")
		}
		if err != nil {
			return err
		}
		if err := insertDelivery(ctx, tx, scope, now, id, Trial, struct{}{}); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, entry("hooks.subscription.try", "subscription", id, list[0].Name, nil))
	})
	s.nudge()
	return err
}

// Deliveries lists the messages of a subscription, the newest first, before an
// id; at most 50. Needs access.ChannelRead.
func (s *Service) Deliveries(ctx context.Context, scope access.Scope, subscription, before uuid.UUID) (out []Delivery, err error) {
	if err := s.opt.Guard.Check(scope, access.ChannelRead); err != nil {
		return nil, err
	}
	if before == uuid.Nil {
		before = uuid.Max
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out = nil
		return tx.Query(ctx, `SELECT id, kind, body, at_us, state, attempts, due_us, last_us, last_status, last_error, doubled FROM hooks_deliveries
			WHERE organisation_id = $1 AND subscription_id = $2 AND id < $3 ORDER BY id DESC LIMIT 50`, []any{scope.Organisation(), subscription, before}, func(row func(...any) error) error {
			var d Delivery
			var at, due int64
			var last sql.NullInt64
			err := row(&d.ID, &d.Kind, &d.Body, &at, &d.State, &d.Attempts, &due, &last, &d.Status, &d.Error, &d.Doubled)
			d.At, d.Due, d.Last = storage.Time(at), storage.Time(due), null(last)
			out = append(out, d)
			return err
		})
	})
	return out, err
}

// Resend tells a message again, or at once, unless a node holds it right now. Needs access.ChannelWrite. Errors: NotFound.
func (s *Service) Resend(ctx context.Context, scope access.Scope, now time.Time, subscription, id uuid.UUID) error {
	if err := s.opt.Guard.Check(scope, access.ChannelWrite); err != nil {
		return err
	}
	err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readSubscriptions(ctx, tx, scope, `AND id = $2`, subscription)
		if err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE hooks_deliveries SET state = 'waiting', attempts = 0, due_us = $4, until_us = $5, doubled = doubled OR state = 'told'
			WHERE organisation_id = $1 AND subscription_id = $2 AND id = $3 AND holder IS NULL`,
			scope.Organisation(), subscription, id, storage.Micros(now), storage.Micros(now.Add(Patience)))
		if err == nil && (n == 0 || len(list) == 0) {
			err = fault.New(fault.NotFound, "hooks.unknown")
		}
		if err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, entry("hooks.subscription.resend", "subscription", subscription, list[0].Name, map[string]any{"message": id}))
	})
	s.nudge()
	return err
}
