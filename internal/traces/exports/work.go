package exports

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
)

// WorkEvery is how often approved requests are looked for, and SweepEvery what has
// had its time.
const (
	WorkEvery  = 5 * time.Second
	SweepEvery = time.Hour
)

// Work makes the archive of one approved request, or again of one that was broken
// off; it tells whether there may be more. One node at a time calls it.
func (s *Service) Work(ctx context.Context, _ time.Time) (bool, error) {
	if !s.opt.Traces.Ready() {
		return false, nil // another node may have the base
	}
	scope, id, found, err := s.next(ctx)
	if err != nil || !found {
		return false, err
	}
	r, begun, err := s.begin(ctx, scope, id)
	if err != nil || !begun {
		return err == nil, err
	}
	err = s.produce(ctx, scope, &r)
	if ctx.Err() != nil {
		return false, err // the house stops: it is made again
	}
	return err == nil, errors.Join(err, s.end(context.WithoutCancel(ctx), scope, r, err))
}

func (s *Service) next(ctx context.Context) (scope access.Scope, id uuid.UUID, found bool, err error) {
	var organisation uuid.UUID
	err = s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		found, err = tx.Row(ctx, `SELECT organisation_id, id FROM traces_exports WHERE state IN ('approved', 'making') ORDER BY id LIMIT 1`, nil, &organisation, &id)
		return err
	})
	return access.System(organisation, "traces"), id, found, err
}

// begin counts the try before it begins: what brings the machine down three times
// is not tried a fourth.
func (s *Service) begin(ctx context.Context, scope access.Scope, id uuid.UUID) (r Request, begun bool, err error) {
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if r, err = one(ctx, tx, scope, id); err != nil {
			return err
		}
		if r.tries >= triesMost {
			r.State, r.Problem = Failed, "traces.exports.broken"
			if err := r.update(ctx, tx, scope); err != nil {
				return err
			}
			return s.note(ctx, tx, scope, r, "traces.export.fail", map[string]any{"tries": r.tries})
		}
		r.State, r.tries, begun = Making, r.tries+1, true
		return r.update(ctx, tx, scope)
	})
	return r, begun, err
}

// end offers the archive, or says why there is none.
func (s *Service) end(ctx context.Context, scope access.Scope, r Request, failed error) error {
	now := s.opt.Clock.Now()
	action, after := "traces.export.ready", map[string]any{"events": r.Events, "sha256": r.SHA256}
	switch e := fault.As(failed); {
	case failed == nil:
		r.State, r.Done, r.Until, r.Problem = Ready, now, now.Add(KeptFor), ""
	case e != nil && e.Kind == fault.Invalid:
		r.State, r.Problem, action, after = Failed, "traces.exports.changed", "traces.export.fail", nil
	case r.tries < triesMost:
		return nil // it is tried again
	default:
		r.State, r.Problem, action, after = Failed, "traces.exports.broken", "traces.export.fail", map[string]any{"tries": r.tries}
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := r.update(ctx, tx, scope); err != nil {
			return err
		}
		return s.note(ctx, tx, scope, r, action, after)
	})
}

// Sweep ends requests that nobody decided, removes archives that had their time,
// and seals again what a rotation of the keys could not: an archive that was being
// made, or that lies on another node.
func (s *Service) Sweep(ctx context.Context, now time.Time) (bool, error) {
	type due struct{ organisation, id uuid.UUID }
	var list []due
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, id FROM traces_exports WHERE (state = 'asked' AND expires_us <= $1) OR (state = 'ready' AND until_us <= $1)`, []any{storage.Micros(now)}, func(row func(...any) error) error {
			var d due
			err := row(&d.organisation, &d.id)
			list = append(list, d)
			return err
		})
	})
	errs := []error{err}
	for _, d := range list {
		errs = append(errs, s.lapse(ctx, access.System(d.organisation, "traces"), d.id))
	}
	_, err = s.Reseal(ctx, access.Instance("traces"))
	errs = append(errs, err)
	return false, errors.Join(errs...)
}

// lapse removes the file first: what is said to be gone is gone.
func (s *Service) lapse(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		r, err := one(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		action := "traces.export.expire"
		if r.State == Asked {
			r.State = Expired
		} else {
			if err := s.erase(scope, id); err != nil {
				return err
			}
			r.State, action = Removed, "traces.export.remove"
		}
		if err := r.update(ctx, tx, scope); err != nil {
			return err
		}
		return s.note(ctx, tx, scope, r, action, nil)
	})
}

// erase removes the archive and what was set aside for it.
func (s *Service) erase(scope access.Scope, id uuid.UUID) error {
	place := s.path(scope, id)
	found, err := os.ReadDir(filepath.Dir(place))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	errs := []error{err}
	for _, f := range found {
		if strings.HasPrefix(f.Name(), filepath.Base(place)) {
			errs = append(errs, os.Remove(filepath.Join(filepath.Dir(place), f.Name())))
		}
	}
	return errors.Join(errs...)
}

// Say tells a selection in words.
func Say(loc *i18n.Localizer, sel Selection) string {
	zone, err := time.LoadLocation(sel.Zone)
	if err != nil {
		zone = time.UTC
	}
	period := loc.T("traces.exports.words.period", "from", loc.DateTime(sel.From, zone), "to", loc.DateTime(sel.To, zone))
	out := loc.T("traces.exports.words.both", "patient", sel.Patient, "account", sel.Account, "period", period)
	switch {
	case sel.Account == "":
		out = loc.T("traces.exports.words.patient", "patient", sel.Patient, "period", period)
	case sel.Patient == "":
		out = loc.T("traces.exports.words.account", "account", sel.Account, "period", period)
	}
	if n := len(sel.Where); n > 0 {
		out += " " + loc.N("traces.exports.words.more", n)
	}
	return out
}
