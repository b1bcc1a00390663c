package hooks

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Options are what the room rests on.
type Options struct {
	DB       *storage.DB
	Guard    *access.Guard
	Vault    *vault.Vault
	Alerting *alerting.Service
	Dispatch *dispatch.Dispatch
	Carrier  Carrier
	Fetcher  Fetcher
	Log      *slog.Logger
	// Node names this process in leases.
	Node string
	// Version is said to receivers.
	Version string
	// Host ends the name under which alerts are published: "tocsin.hopital.fr".
	Host string
	// Space is the address of the personal space, where the members of a room answer.
	Space   string
	Catalog *i18n.Catalog
}

// Service is what can be done with subscriptions and doors.
type Service struct {
	opt  Options
	wake chan struct{}
}

// New returns the operations of the room.
func New(o Options) *Service { return &Service{opt: o, wake: make(chan struct{}, 1)} }

// most is how many subscriptions, and how many doors, an establishment may have.
const most = 50

// Subscriptions lists those of the scope's establishment, by name. Needs access.ChannelRead.
func (s *Service) Subscriptions(ctx context.Context, scope access.Scope) ([]Subscription, error) {
	if err := s.opt.Guard.Check(scope, access.ChannelRead); err != nil {
		return nil, err
	}
	return s.counted(ctx, scope)
}

// Health is Subscriptions without what may be a secret: the addresses. Needs access.HealthRead.
func (s *Service) Health(ctx context.Context, scope access.Scope) ([]Subscription, error) {
	if err := s.opt.Guard.Check(scope, access.HealthRead); err != nil {
		return nil, err
	}
	out, err := s.counted(ctx, scope)
	for i := range out {
		out[i].URL = ""
	}
	return out, err
}

func (s *Service) counted(ctx context.Context, scope access.Scope) (out []Subscription, err error) {
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readSubscriptions(ctx, tx, scope, `ORDER BY name, id`)
		if err != nil {
			return err
		}
		at := map[uuid.UUID]int{}
		for i, sub := range out {
			at[sub.ID] = i
		}
		return tx.Query(ctx, `SELECT subscription_id, state, COUNT(*) FROM hooks_deliveries WHERE organisation_id = $1 AND state IN ('waiting', 'dead') GROUP BY subscription_id, state`,
			[]any{scope.Organisation()}, func(row func(...any) error) error {
				var id uuid.UUID
				var state string
				var n int
				if err := row(&id, &state, &n); err != nil {
					return err
				}
				if i, known := at[id]; known && state == string(Waiting) {
					out[i].Waiting = n
				} else if known {
					out[i].Lost = n
				}
				return nil
			})
	})
	return out, err
}

// Subscription gives one. Needs access.ChannelRead. Errors: NotFound.
func (s *Service) Subscription(ctx context.Context, scope access.Scope, id uuid.UUID) (Subscription, error) {
	list, err := s.Subscriptions(ctx, scope)
	if err != nil {
		return Subscription{}, err
	}
	for _, sub := range list {
		if sub.ID == id {
			return sub, nil
		}
	}
	return Subscription{}, fault.New(fault.NotFound, "hooks.unknown")
}

func readSubscriptions(ctx context.Context, tx *storage.Tx, scope access.Scope, tail string, args ...any) (out []Subscription, err error) {
	err = tx.Query(ctx, `SELECT id, name, url, events, inside, paused, old_until_us, created_by, created_us FROM hooks_subscriptions
		WHERE organisation_id = $1 AND deleted_us IS NULL `+tail, append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
		var sub Subscription
		var events string
		var old, created int64
		err := row(&sub.ID, &sub.Name, &sub.URL, &events, &sub.Inside, &sub.Paused, &old, &sub.CreatedBy, &created)
		for k := range strings.FieldsSeq(events) {
			sub.Events = append(sub.Events, Kind(k))
		}
		sub.Created = storage.Time(created)
		if old > 0 {
			sub.OldUntil = storage.Time(old)
		}
		out = append(out, sub)
		return err
	})
	return out, err
}

// Subscribe adds a subscription and gives its secret, which nothing shows again.
// Needs access.ChannelWrite. Errors: Invalid at a field, Conflict when there are too many.
func (s *Service) Subscribe(ctx context.Context, scope access.Scope, now time.Time, in SubscriptionInput) (Subscription, string, error) {
	if err := s.opt.Guard.Check(scope, access.ChannelWrite); err != nil {
		return Subscription{}, "", err
	}
	in, err := in.tidied()
	if err != nil {
		return Subscription{}, "", err
	}
	secret := newSecret()
	sub := Subscription{ID: storage.NewID(now), Name: in.Name, URL: in.URL, Events: in.Events, Inside: in.Inside, CreatedBy: scope.Actor().Name, Created: now}
	sealed, err := s.opt.Vault.Seal([]byte(secret), secretOf(sub.ID))
	if err != nil {
		return sub, "", err
	}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var n int
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM hooks_subscriptions WHERE organisation_id = $1 AND deleted_us IS NULL`, []any{scope.Organisation()}, &n); err != nil {
			return err
		}
		if n >= most {
			return fault.New(fault.Conflict, "hooks.too_many", "most", most)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO hooks_subscriptions (organisation_id, id, name, url, events, inside, paused, secret, old_until_us, created_by, created_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, $10)`, scope.Organisation(), sub.ID, sub.Name, sub.URL, kindWords(sub.Events), sub.Inside, false, sealed,
			sub.CreatedBy, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, entry("hooks.subscription.create", "subscription", sub.ID, sub.Name,
			map[string]any{"url": sub.URL, "events": sub.Events, "inside": sub.Inside}))
	})
	return sub, secret, err
}

func secretOf(id uuid.UUID) string { return "hooks.secret:" + id.String() }

func kindWords(kinds []Kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return strings.Join(words, " ")
}

func entry(action, kind string, id uuid.UUID, name string, after any) journal.Entry {
	return journal.Entry{Action: action, ObjectKind: kind, ObjectID: id.String(), ObjectName: name, After: after}
}

// Pause stops telling, or goes on; what waited meanwhile then leaves. Needs access.ChannelWrite.
func (s *Service) Pause(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, paused bool) error {
	return s.change(ctx, scope, now, id, "hooks.subscription."+map[bool]string{true: "pause", false: "resume"}[paused],
		`paused = $3`, paused)
}

// Unsubscribe takes a subscription away, with what it waits for. Needs access.ChannelWrite.
func (s *Service) Unsubscribe(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) error {
	return s.change(ctx, scope, now, id, "hooks.subscription.delete", `deleted_us = $3`, storage.Micros(now))
}

// Rotate makes a new secret; the one before signs too for RotationLife. Needs access.ChannelWrite.
func (s *Service) Rotate(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) (string, error) {
	secret := newSecret()
	sealed, err := s.opt.Vault.Seal([]byte(secret), secretOf(id))
	if err != nil {
		return "", err
	}
	err = s.change(ctx, scope, now, id, "hooks.subscription.rotate", `old_secret = secret, old_until_us = $4, secret = $3`, sealed, storage.Micros(now.Add(RotationLife)))
	return secret, err
}

// change writes one subscription and says so in the journal. Errors: NotFound.
func (s *Service) change(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, action, set string, args ...any) error {
	if err := s.opt.Guard.Check(scope, access.ChannelWrite); err != nil {
		return err
	}
	err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readSubscriptions(ctx, tx, scope, `AND id = $2`, id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fault.New(fault.NotFound, "hooks.unknown")
		}
		if _, err := tx.Exec(ctx, `UPDATE hooks_subscriptions SET `+set+` WHERE organisation_id = $1 AND id = $2`, append([]any{scope.Organisation(), id}, args...)...); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, entry(action, "subscription", id, list[0].Name, nil))
	})
	s.nudge()
	return err
}

// secrets opens the secrets in force of a row: the present one first.
func (s *Service) secrets(id uuid.UUID, sealed, old []byte, oldUntil int64, now time.Time) ([]string, error) {
	plain, err := s.opt.Vault.Open(sealed, secretOf(id))
	if err != nil {
		return nil, err
	}
	out := []string{string(plain)}
	if len(old) > 0 && storage.Micros(now) < oldUntil {
		if plain, err = s.opt.Vault.Open(old, secretOf(id)); err != nil {
			return nil, err
		}
		out = append(out, string(plain))
	}
	return out, nil
}

func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // it is told already
	}
}

// null is a time that may not have come.
func null(us sql.NullInt64) time.Time { return storage.NullTime(us) }
