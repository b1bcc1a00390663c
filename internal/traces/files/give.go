package files

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// MaxFile bounds one file, bytes.
const MaxFile = 20 << 30

// waitingMost is how many files of a source may wait.
const waitingMost = 200

// Give takes a file that a person brings. It returns once the file is on the
// disk; reading it goes on alone. Needs access.TracesSource. Errors: Invalid,
// NotFound, TooMany, Unavailable when the disk takes no more.
func (s *Service) Give(ctx context.Context, scope access.Scope, source uuid.UUID, name string, content io.Reader) (File, error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return File{}, err
	}
	of, err := s.opt.Traces.Source(ctx, scope, source)
	if err != nil {
		return File{}, err
	}
	if !of.Retired.IsZero() {
		return File{}, fault.New(fault.Conflict, "traces.files.retired")
	}
	return s.take(ctx, scope, of, File{Name: name, Origin: FromPage, By: scope.Actor().Name}, content)
}

// GiveAs takes a file that a source brings with its token. Errors: as Give.
func (s *Service) GiveAs(ctx context.Context, from traces.Speaker, name string, content io.Reader) (File, error) {
	return s.take(ctx, access.System(from.Organisation(), "traces"), from.Source, File{Name: name, Origin: FromToken}, content)
}

func (s *Service) take(ctx context.Context, scope access.Scope, of traces.Source, f File, content io.Reader) (File, error) {
	if !s.opt.Traces.Ready() {
		return f, fault.New(fault.Unavailable, "traces.error.none")
	}
	now := s.opt.Clock.Now()
	f.ID, f.Source, f.organisation, f.Given = storage.NewID(now), of.ID, scope.Organisation(), now
	f.Name, f.path = cleanName(f.Name), ""
	var err error
	if f.Size, f.SHA256, err = s.store(f.ID, content); err != nil {
		return f, err
	}
	kept, err := s.enter(ctx, scope, of, f)
	if err != nil || kept.ID != f.ID {
		err = errors.Join(err, os.Remove(s.staged(f.ID)))
	}
	return kept, err
}

// staged is where the content of a file that was given is: its name is ours, so
// that no name of somebody's ever is a path.
func (s *Service) staged(id uuid.UUID) string { return filepath.Join(s.opt.Dir, id.String()) }

// store writes a content to the disk for good. Errors: Invalid, Unavailable.
func (s *Service) store(id uuid.UUID, content io.Reader) (size int64, sum []byte, err error) {
	if err := os.MkdirAll(s.opt.Dir, 0o700); err != nil {
		return 0, nil, fault.Wrap(err, fault.Unavailable, "traces.files.disk")
	}
	path := s.staged(id)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, nil, fault.Wrap(err, fault.Unavailable, "traces.files.disk")
	}
	hash := sha256.New()
	in := &brought{in: content}
	size, err = io.Copy(io.MultiWriter(file, hash), io.LimitReader(in, MaxFile+1))
	switch {
	case in.err != nil:
		err = fault.Wrap(in.err, fault.Invalid, "traces.files.cut")
	case err != nil:
		err = fault.Wrap(err, fault.Unavailable, "traces.files.disk")
	case size == 0:
		err = fault.New(fault.Invalid, "traces.files.empty").At("fichier")
	case size > MaxFile:
		err = fault.New(fault.Invalid, "traces.files.large", "most", MaxFile>>30).At("fichier")
	default:
		if err = file.Sync(); err != nil {
			err = fault.Wrap(err, fault.Unavailable, "traces.files.disk")
		}
	}
	if closed := file.Close(); err == nil && closed != nil {
		err = fault.Wrap(closed, fault.Unavailable, "traces.files.disk")
	}
	if err != nil {
		return 0, nil, errors.Join(err, os.Remove(path))
	}
	return size, hash.Sum(nil), nil
}

// brought remembers that it was who brings that failed, and not our disk.
type brought struct {
	in  io.Reader
	err error
}

func (b *brought) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.err = err
	}
	return n, err
}

// enter writes a file down, or gives the one that has its content already.
func (s *Service) enter(ctx context.Context, scope access.Scope, of traces.Source, f File) (out File, err error) {
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		same, err := readFiles(ctx, tx, `organisation_id = $1 AND source_id = $2 AND sha256 = $3 AND state NOT IN ('refused', 'cancelled') AND head_bytes = 0 ORDER BY id LIMIT 1`, scope.Organisation(), f.Source, f.SHA256)
		if err != nil {
			return err
		}
		if len(same) > 0 {
			out = same[0]
			out.Again = true
			return nil
		}
		var n int
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM traces_files WHERE organisation_id = $1 AND source_id = $2 AND state IN ('unmapped', 'waiting', 'reading')`, []any{scope.Organisation(), f.Source}, &n); err != nil {
			return err
		}
		if n >= waitingMost {
			return fault.New(fault.TooMany, "traces.files.many", "most", waitingMost)
		}
		mapping, err := lastMapping(ctx, tx, scope, f.Source)
		if err != nil {
			return err
		}
		if f.State = Waiting; mapping.Version == 0 {
			f.State = Unmapped
		}
		out = f
		return insertFile(ctx, tx, scope, of.Name, f)
	})
	return out, err
}

func insertFile(ctx context.Context, tx *storage.Tx, scope access.Scope, source string, f File) error {
	if _, err := tx.Exec(ctx, `INSERT INTO traces_files (`+fileColumns+`, holder, held_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, '', 0, 0, 0, 0, 0, 0, $12, $13, NULL, '', 0)`,
		scope.Organisation(), f.ID, f.Source, f.Name, f.Origin, f.path, f.SHA256, f.head, f.Size, f.modified, f.State, f.By, storage.Micros(f.Given)); err != nil {
		return fmt.Errorf("write down file %s: %w", f.ID, err)
	}
	return journal.Append(ctx, tx, scope, f.Given, journal.Entry{
		Action: "traces.file.take", ObjectKind: "trace_source", ObjectID: f.Source.String(), ObjectName: source,
		After: map[string]any{"file": f.Name, "bytes": f.Size, "origin": f.Origin},
	})
}

// Cancel stops the reading of a file: what was taken stays. Needs
// access.TracesSource. Errors: NotFound, Conflict when it is over.
func (s *Service) Cancel(ctx context.Context, scope access.Scope, id uuid.UUID) (File, error) {
	return s.turn(ctx, scope, id, "traces.file.cancel", Cancelled, Unmapped, Waiting, Reading, Growing)
}

// Resume has a file read that was cancelled or refused, from where it was left.
// Needs access.TracesSource. Errors: NotFound, Conflict.
func (s *Service) Resume(ctx context.Context, scope access.Scope, id uuid.UUID) (File, error) {
	return s.turn(ctx, scope, id, "traces.file.resume", Waiting, Unmapped, Refused, Cancelled)
}

// turn brings a file from one of some states into another.
func (s *Service) turn(ctx context.Context, scope access.Scope, id uuid.UUID, action, to string, from ...string) (out File, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return out, err
	}
	now := s.opt.Clock.Now()
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if out, err = oneFile(ctx, tx, scope, id); err != nil {
			return err
		}
		ended := storage.NullMicros(now)
		if to == Waiting {
			ended.Valid = false
		}
		n, err := tx.Exec(ctx, `UPDATE traces_files SET state = $3, reason = '', ended_us = $4 WHERE organisation_id = $1 AND id = $2 AND state IN (`+storage.In(len(from), 5)+`)`,
			storage.Args(from, scope.Organisation(), id, to, ended)...)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "traces.files.turned")
		}
		out.State, out.Reason = to, nil
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: action, ObjectKind: "trace_source", ObjectID: out.Source.String(), After: map[string]any{"file": out.Name}})
	})
	return out, err
}

// MaxSample bounds what a page shows of a file.
const MaxSample = 50

// Content is a file open for reading.
type Content struct {
	*os.File
	Size int64
}

// Open gives the content of a file, for the assistant. Needs access.TracesSource:
// it may name patients. Errors: NotFound.
func (s *Service) Open(ctx context.Context, scope access.Scope, id uuid.UUID) (Content, File, error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return Content{}, File{}, err
	}
	f, err := s.File(ctx, scope, id)
	if err != nil {
		return Content{}, f, err
	}
	c, err := s.content(f)
	return c, f, err
}

// content opens a file where it is. Errors: NotFound.
func (s *Service) content(f File) (Content, error) {
	open := func() (*os.File, error) { return os.Open(s.staged(f.ID)) }
	if f.Origin == FromFolder {
		open = func() (*os.File, error) { return s.openInFolder(f) }
	}
	file, err := open()
	if errors.Is(err, os.ErrNotExist) {
		return Content{}, fault.Wrap(err, fault.NotFound, "traces.files.gone")
	}
	if err != nil {
		return Content{}, fmt.Errorf("open file %s: %w", f.ID, err)
	}
	info, err := file.Stat()
	if err != nil {
		return Content{}, errors.Join(err, file.Close())
	}
	return Content{file, info.Size()}, nil
}
