package dispatch

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Isolation tells that the outside cannot open our links: what leaves carries
// none, and asks for an SMS back.
type Isolation struct {
	On    bool
	Since time.Time
	// By is who said so; Automatic tells that the probe did.
	By        string
	Automatic bool
	// Silence tells that it was set because no answer came by a link any more.
	Silence bool
}

// causeSilence is why the mode was set when no answer comes by our links.
const causeSilence = "silence"

// Isolation is the mode of the establishment. Errors: Denied.
func (d *Dispatch) Isolation(ctx context.Context, scope access.Scope) (Isolation, error) {
	if err := d.guard.Check(scope, access.AlertRead); err != nil {
		return Isolation{}, err
	}
	var out Isolation
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		out, err = readIsolation(ctx, tx, scope)
		return err
	})
	return out, err
}

func readIsolation(ctx context.Context, tx *storage.Tx, scope access.Scope) (out Isolation, err error) {
	var since int64
	var cause string
	out.On, err = tx.Row(ctx, `SELECT since_us, set_by, automatic, cause FROM dispatch_isolation WHERE organisation_id = $1`,
		[]any{scope.Organisation()}, &since, &out.By, &out.Automatic, &cause)
	out.Since, out.Silence = storage.Time(since), cause == causeSilence
	return out, err
}

// Isolate sets the isolated mode or ends it; what has not left yet follows,
// whatever alert it belongs to. Saying it twice changes nothing. Who conducts an
// alert may, and who keeps the channels. Errors: Denied.
func (d *Dispatch) Isolate(ctx context.Context, scope access.Scope, now time.Time, on bool) error {
	if err := d.guard.Check(scope, access.AlertConduct); err != nil {
		if err := d.guard.Check(scope, access.ChannelWrite); err != nil {
			return err
		}
	}
	return d.isolate(ctx, scope, now, on, false)
}

// Reachable notes what the probe of our links found. It sets the mode, and ends
// only what it set itself: what a person decided is hers to undo.
func (d *Dispatch) Reachable(ctx context.Context, scope access.Scope, now time.Time, reachable bool) error {
	if err := d.guard.Check(scope, access.ChannelWrite); err != nil {
		return err
	}
	return d.isolate(ctx, scope, now, !reachable, true)
}

// LinksSilent sets the mode because no answer comes by our links, in the caller's
// transaction. A mode that is set already stays as it is.
func (d *Dispatch) LinksSilent(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time) error {
	before, err := readIsolation(ctx, tx, scope)
	if err != nil || before.On {
		return err
	}
	return beginIsolation(ctx, tx, scope, now, true, causeSilence)
}

// LinksHeard ends the mode that silence began, in the caller's transaction:
// somebody has answered by a link. It tells whether it did.
func (d *Dispatch) LinksHeard(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time) (ended bool, err error) {
	before, err := readIsolation(ctx, tx, scope)
	if err != nil || !before.On || !before.Silence {
		return false, err
	}
	d.watch.wake()
	return true, endIsolation(ctx, tx, scope, now)
}

// Isolated tells what this node last knew of the mode of an establishment, at
// most a second old: for who must ask often.
func (d *Dispatch) Isolated(organisation uuid.UUID) bool { return d.watch.isolated(organisation) }

func (d *Dispatch) isolate(ctx context.Context, scope access.Scope, now time.Time, on, automatic bool) error {
	err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		before, err := readIsolation(ctx, tx, scope)
		switch {
		case err != nil, before.On == on, automatic && !on && (!before.Automatic || before.Silence):
			return err
		case on:
			return beginIsolation(ctx, tx, scope, now, automatic, "")
		}
		return endIsolation(ctx, tx, scope, now)
	})
	d.watch.wake()
	return err
}

func beginIsolation(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, automatic bool, cause string) error {
	if err := tx.InsertRows(ctx, "dispatch_isolation", []string{"organisation_id", "since_us", "set_by", "automatic", "cause"},
		[][]any{{scope.Organisation(), storage.Micros(now), scope.Actor().Name, automatic, cause}}); err != nil {
		return err
	}
	e := isolationEntry("dispatch.isolation.on", scope)
	if cause != "" {
		e.After = map[string]string{"cause": cause}
	}
	return journal.Append(ctx, tx, scope, now, e)
}

func endIsolation(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time) error {
	if _, err := tx.Exec(ctx, `DELETE FROM dispatch_isolation WHERE organisation_id = $1`, scope.Organisation()); err != nil {
		return err
	}
	return journal.Append(ctx, tx, scope, now, isolationEntry("dispatch.isolation.off", scope))
}

func isolationEntry(action string, scope access.Scope) journal.Entry {
	return journal.Entry{Action: action, ObjectKind: "establishment", ObjectID: scope.Organisation().String()}
}

// isolated reads which establishments are in isolated mode.
func isolated(ctx context.Context, tx *storage.Tx) (map[uuid.UUID]bool, error) {
	out := make(map[uuid.UUID]bool)
	err := tx.Query(ctx, `SELECT organisation_id FROM dispatch_isolation`, nil, func(row func(...any) error) error {
		var id uuid.UUID
		err := row(&id)
		out[id] = true
		return err
	})
	return out, err
}
