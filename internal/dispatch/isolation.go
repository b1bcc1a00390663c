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
}

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
	out.On, err = tx.Row(ctx, `SELECT since_us, set_by, automatic FROM dispatch_isolation WHERE organisation_id = $1`,
		[]any{scope.Organisation()}, &since, &out.By, &out.Automatic)
	out.Since = storage.Time(since)
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

func (d *Dispatch) isolate(ctx context.Context, scope access.Scope, now time.Time, on, automatic bool) error {
	by := scope.Actor().Name
	err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		before, err := readIsolation(ctx, tx, scope)
		if err != nil || before.On == on || automatic && !on && !before.Automatic {
			return err
		}
		action := "dispatch.isolation.on"
		if on {
			err = tx.InsertRows(ctx, "dispatch_isolation", []string{"organisation_id", "since_us", "set_by", "automatic"},
				[][]any{{scope.Organisation(), storage.Micros(now), by, automatic}})
		} else {
			action = "dispatch.isolation.off"
			_, err = tx.Exec(ctx, `DELETE FROM dispatch_isolation WHERE organisation_id = $1`, scope.Organisation())
		}
		if err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: action, ObjectKind: "establishment", ObjectID: scope.Organisation().String()})
	})
	d.watch.wake()
	return err
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
