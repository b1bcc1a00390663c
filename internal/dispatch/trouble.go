package dispatch

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Trouble is a provider that refuses us, and not one message: a password it does
// not take, an account it suspended, a policy that blocks us, a brake that lasts.
// Nothing leaves by it before somebody calls it.
type Trouble struct {
	// ID is that of the episode.
	ID      uuid.UUID
	Gateway uuid.UUID
	Name    string
	Medium  channels.Medium
	Reason  channels.Reason
	// Detail is what the provider said.
	Detail string
	Since  time.Time
	// Told is when the administrators were told; zero when they were not yet.
	Told time.Time
	// Over tells that the gateway carries messages again.
	Over bool
}

// Watchman is told of each trouble once it has lasted, and of its end, in the
// transaction that notes it: told again with the same ID and Over, it tells
// nobody twice.
type Watchman interface {
	Troubled(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, t Trouble) error
}

// Warn names who is told of troubles; it is called once, before Start. Without
// anybody they are noted in the journal.
func (d *Dispatch) Warn(w Watchman) { d.watchman = w }

const (
	// troubleEvery is how often the gateways are looked at for troubles.
	troubleEvery = 5 * time.Second
	// troubleLasts is how long a refusal lasts before anybody is told: a provider
	// that restarts refuses everybody for some seconds.
	troubleLasts = time.Minute
	// throttledLong is how long a provider may brake everything before it is a trouble.
	throttledLong = 10 * time.Minute
	// policyMany is how many refusals by policy in a row are no matter of one address.
	policyMany = 5
)

// trouble is what is wrong between the gateway and its provider, as this node sees it.
func (k *desk) trouble(now time.Time, upElsewhere bool) (channels.Reason, string, bool) {
	if h := k.health(); !h.Up && !upElsewhere && isTrouble(h.Reason) {
		return h.Reason, h.Detail, true
	}
	return k.pause.lasting(now)
}

func isTrouble(r channels.Reason) bool {
	return slices.Contains([]channels.Reason{channels.ReasonAuth, channels.ReasonSuspended, channels.ReasonPolicy, channels.ReasonRejected}, r)
}

// lookForTroubles notes the troubles that begin and those that end.
func (d *Dispatch) lookForTroubles(ctx context.Context) (more bool, err error) {
	now := d.clock.Now()
	for _, k := range *d.office.list.Load() {
		err = errors.Join(err, k.lookForTrouble(ctx, now))
	}
	return false, err
}

func (k *desk) lookForTrouble(ctx context.Context, now time.Time) error {
	var known Trouble
	var found bool
	var others map[uuid.UUID]elsewhere
	err := k.d.db.Read(ctx, k.scope, func(tx *storage.Tx) (err error) {
		if !k.d.leases.alone {
			if others, err = readElsewhere(ctx, tx, k.scope.Organisation(), k.d.node); err != nil {
				return err
			}
		}
		known, found, err = k.readTrouble(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	reason, detail, troubled := k.trouble(now, others[k.gateway.ID].up)
	carries := k.health().Up && !k.pause.on()
	switch {
	case troubled && (!found || known.Told.IsZero()), found && !troubled && (carries || others[k.gateway.ID].up):
	default:
		return nil
	}
	err = k.d.db.Write(ctx, k.scope, func(tx *storage.Tx) error {
		known, found, err := k.readTrouble(ctx, tx)
		switch {
		case err != nil:
			return err
		case !troubled && found:
			return k.endTrouble(ctx, tx, now, known)
		case troubled && !found:
			return k.beginTrouble(ctx, tx, now, reason, clean(detail, detailMost))
		case troubled && known.Told.IsZero() && now.Sub(known.Since) >= troubleLasts:
			return k.tellTrouble(ctx, tx, now, known)
		}
		return nil
	})
	k.d.office.wake()
	return err
}

func (k *desk) readTrouble(ctx context.Context, tx *storage.Tx) (t Trouble, found bool, err error) {
	list, err := readTroubles(ctx, tx, k.scope, ` AND gateway_id = $2`, k.gateway.ID)
	if err != nil || len(list) == 0 {
		return t, false, err
	}
	t = list[0]
	t.Name, t.Medium = k.gateway.Name, k.gateway.Medium
	return t, true, nil
}

func readTroubles(ctx context.Context, tx *storage.Tx, scope access.Scope, tail string, args ...any) (out []Trouble, err error) {
	err = tx.Query(ctx, `SELECT id, gateway_id, reason, detail, since_us, told_us FROM dispatch_troubles WHERE organisation_id = $1`+tail,
		append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
			var t Trouble
			var since int64
			var told sql.NullInt64
			err := row(&t.ID, &t.Gateway, &t.Reason, &t.Detail, &since, &told)
			t.Since, t.Told = storage.Time(since), storage.NullTime(told)
			out = append(out, t)
			return err
		})
	return out, err
}

func (k *desk) beginTrouble(ctx context.Context, tx *storage.Tx, now time.Time, reason channels.Reason, detail string) error {
	return tx.InsertNewRows(ctx, "dispatch_troubles", []string{"organisation_id", "gateway_id", "id", "reason", "detail", "since_us"},
		[][]any{{k.scope.Organisation(), k.gateway.ID, storage.NewID(now), string(reason), detail, storage.Micros(now)}})
}

// tellTrouble tells the administrators, once: of several nodes the first one.
func (k *desk) tellTrouble(ctx context.Context, tx *storage.Tx, now time.Time, t Trouble) error {
	n, err := tx.Exec(ctx, `UPDATE dispatch_troubles SET told_us = $4 WHERE organisation_id = $1 AND gateway_id = $2 AND id = $3 AND told_us IS NULL`,
		k.scope.Organisation(), k.gateway.ID, t.ID, storage.Micros(now))
	if err != nil || n == 0 {
		return err
	}
	return k.say(ctx, tx, now, "dispatch.trouble.begin", t)
}

// endTrouble tells that it is over to those who were told that it began.
func (k *desk) endTrouble(ctx context.Context, tx *storage.Tx, now time.Time, t Trouble) error {
	n, err := tx.Exec(ctx, `DELETE FROM dispatch_troubles WHERE organisation_id = $1 AND gateway_id = $2 AND id = $3`, k.scope.Organisation(), k.gateway.ID, t.ID)
	if err != nil || n == 0 || t.Told.IsZero() {
		return err
	}
	t.Over = true
	return k.say(ctx, tx, now, "dispatch.trouble.end", t)
}

func (k *desk) say(ctx context.Context, tx *storage.Tx, now time.Time, action string, t Trouble) error {
	if err := journal.Append(ctx, tx, k.scope, now, journal.Entry{
		Action: action, ObjectKind: "gateway", ObjectID: k.gateway.ID.String(), ObjectName: k.gateway.Name, After: map[string]any{"reason": t.Reason, "since": t.Since},
	}); err != nil || k.d.watchman == nil {
		return err
	}
	return k.d.watchman.Troubled(ctx, tx, k.scope, now, t)
}

// Say writes the trouble for an administrator who is not at his desk.
func (t Trouble) Say(loc *i18n.Localizer) (subject, text string) {
	args := []any{"name", t.Name, "medium", loc.T("channels.medium." + string(t.Medium))}
	if t.Over {
		return loc.T("dispatch.trouble.subject.end", args...), loc.T("dispatch.trouble.end", args...)
	}
	return loc.T("dispatch.trouble.subject", args...), loc.T("dispatch.trouble", append(args, "reason", loc.T("channels.reason."+string(t.Reason)))...)
}
