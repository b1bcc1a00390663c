package files

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces/columns"
)

// Saved is a version of the mapping of a source.
type Saved struct {
	Version int
	Mapping columns.Mapping
	By      string
	At      time.Time
}

// Mapping gives the mapping in force of a source; version 0 when none was saved.
// Needs access.TracesSource. Errors: NotFound.
func (s *Service) Mapping(ctx context.Context, scope access.Scope, source uuid.UUID) (out Saved, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return out, err
	}
	if _, err := s.opt.Traces.Source(ctx, scope, source); err != nil {
		return out, err
	}
	return s.InForce(ctx, scope, source)
}

// InForce gives the mapping in force to the work that reads by it.
func (s *Service) InForce(ctx context.Context, scope access.Scope, source uuid.UUID) (out Saved, err error) {
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = lastMapping(ctx, tx, scope, source)
		return err
	})
	return out, err
}

func lastMapping(ctx context.Context, tx *storage.Tx, scope access.Scope, source uuid.UUID) (out Saved, err error) {
	var content string
	var at int64
	found, err := tx.Row(ctx, `SELECT version, content, made_by, made_us FROM traces_mappings WHERE organisation_id = $1 AND source_id = $2 ORDER BY version DESC LIMIT 1`,
		[]any{scope.Organisation(), source}, &out.Version, &content, &out.By, &at)
	if err != nil || !found {
		return Saved{}, err
	}
	out.At = storage.Time(at)
	out.Mapping, err = columns.Decode([]byte(content))
	return out, err
}

// Versions lists the mappings of a source, the last first. Needs access.TracesSource.
func (s *Service) Versions(ctx context.Context, scope access.Scope, source uuid.UUID) (out []Saved, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT version, made_by, made_us FROM traces_mappings WHERE organisation_id = $1 AND source_id = $2 ORDER BY version DESC LIMIT 50`,
			[]any{scope.Organisation(), source}, func(row func(...any) error) error {
				var v Saved
				var at int64
				if err := row(&v.Version, &v.By, &at); err != nil {
					return err
				}
				v.At = storage.Time(at)
				out = append(out, v)
				return nil
			})
	})
	return out, err
}

// Save makes a mapping the one in force; those before stay. A mapping that says
// what the last one says is no new version. Needs access.TracesSource. Errors:
// Invalid, NotFound.
func (s *Service) Save(ctx context.Context, scope access.Scope, source uuid.UUID, m columns.Mapping) (out Saved, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return out, err
	}
	if err := m.Check(); err != nil {
		return out, err
	}
	if len(m.Rules) == 0 {
		return out, fault.New(fault.Invalid, "traces.files.mapping.empty").At("rules")
	}
	of, err := s.opt.Traces.Source(ctx, scope, source)
	if err != nil {
		return out, err
	}
	content, err := m.Encode()
	if err != nil {
		return out, err
	}
	now := s.opt.Clock.Now()
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		before, err := lastMapping(ctx, tx, scope, source)
		if err != nil && !fault.Is(err, fault.Invalid) {
			return err
		}
		if old, err := before.Mapping.Encode(); err == nil && before.Version > 0 && string(old) == string(content) {
			out = before
			return nil
		}
		out = Saved{Version: before.Version + 1, Mapping: m, By: scope.Actor().Name, At: now}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_mappings (organisation_id, source_id, version, content, made_by, made_us) VALUES ($1, $2, $3, $4, $5, $6)`,
			scope.Organisation(), source, out.Version, string(content), out.By, storage.Micros(now)); err != nil {
			return err
		}
		// What waited for it is read now.
		if _, err := tx.Exec(ctx, `UPDATE traces_files SET state = 'waiting' WHERE organisation_id = $1 AND source_id = $2 AND state = 'unmapped'`, scope.Organisation(), source); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "traces.mapping.save", ObjectKind: "trace_source", ObjectID: source.String(), ObjectName: of.Name,
			After: map[string]any{"version": out.Version, "kind": m.Cut.Kind, "fields": len(m.Rules)},
		})
	})
	return out, err
}
