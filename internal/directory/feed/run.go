package feed

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Check connects to a server with its stored settings and reads one entry; the
// fault is one sentence for the person. Errors: Denied, NotFound, the server's.
func (s *Service) Check(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := s.Guard.Check(scope, access.DirectoryImport); err != nil {
		return err
	}
	f, err := s.one(ctx, scope, id)
	if err != nil {
		return err
	}
	kind, settings, err := s.ready(f)
	if err != nil {
		return err
	}
	return kind.Check(ctx, settings)
}

func (s *Service) ready(f Feed) (Kind, Settings, error) {
	kind, ok := s.kinds[f.Kind]
	if !ok {
		return nil, nil, fault.New(fault.NotFound, "directory.feed.kind")
	}
	settings, err := s.whole(f)
	return kind, settings, err
}

// Read reads a server now. dry compares and waits for a person, whatever the
// share that would leave. Errors: Denied, NotFound, Conflict while an earlier
// reading is not settled, the server's.
func (s *Service) Read(ctx context.Context, scope access.Scope, id uuid.UUID, dry bool) (directory.Import, error) {
	if err := s.Guard.Check(scope, access.DirectoryImport); err != nil {
		return directory.Import{}, err
	}
	f, err := s.one(ctx, scope, id)
	if err != nil {
		return directory.Import{}, err
	}
	return s.read(ctx, scope, f, !dry)
}

func (s *Service) read(ctx context.Context, scope access.Scope, f Feed, auto bool) (i directory.Import, err error) {
	kind, settings, err := s.ready(f)
	if err == nil {
		var rows Rows
		if rows, err = kind.Open(ctx, settings); err == nil {
			h := directory.Handling{Auto: auto, GoneMost: f.GoneMost, Feed: f.ID}
			i, err = s.Directory.Synchronise(ctx, scope, rows, f.Name, f.Name, h)
			rows.Close()
		}
	}
	if err == nil {
		s.Wake()
	}
	return i, s.settle(ctx, scope, f, i, err)
}

// settle notes how a reading went, and when the next one is.
func (s *Service) settle(ctx context.Context, scope access.Scope, f Feed, i directory.Import, trouble error) error {
	now := s.Clock.Now()
	key := ""
	if e := fault.As(trouble); e != nil {
		key = e.Key
	} else if trouble != nil {
		key = "directory.feed.failed"
	}
	next := time.Time{}
	if f.Enabled && f.EveryHours > 0 {
		next = now.Add(time.Duration(f.EveryHours) * time.Hour)
	}
	done := f.LastImport
	if trouble == nil {
		done = i.ID
	}
	err := s.DB.Write(context.WithoutCancel(ctx), scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE directory_feeds SET next_us = $3, last_us = $4, last_import = $5, trouble = $6 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), f.ID, storage.NullMicros(next), storage.Micros(now), storage.NullID(done), key); err != nil {
			return err
		}
		action, after := "directory.feed.read", map[string]any{"rows": i.Total}
		if trouble != nil {
			action, after = "directory.feed.fail", map[string]any{"trouble": key}
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: action, ObjectKind: "feed", ObjectID: f.ID.String(), ObjectName: f.Name, After: after})
	})
	if trouble != nil {
		return trouble
	}
	return err
}

// Tick reads the servers that are due. It suits jobs.Task, under a lease.
func (s *Service) Tick(ctx context.Context, now time.Time) (more bool, err error) {
	instance := access.Instance("directory servers")
	var due []Feed
	if err := s.DB.Read(ctx, instance, func(tx *storage.Tx) error {
		due, err = read(ctx, tx, `enabled AND next_us <= $1 ORDER BY next_us LIMIT 10`, storage.Micros(now))
		return err
	}); err != nil {
		return false, err
	}
	for _, f := range due {
		if _, err := s.read(ctx, instance.Within(f.organisation), f, true); err != nil {
			// It was noted and is shown; the other servers must not wait for this one.
			s.Log.Warn("a directory server was not read", "feed", f.ID, "error", err)
		}
	}
	return false, nil
}
