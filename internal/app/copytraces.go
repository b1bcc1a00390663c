package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/child"
	"tocsin/internal/traces/copies"
)

type tracesCopy struct {
	config.Server
	To   string `arg:"" placeholder:"FOLDER" help:"Folder of the copies, made when it is not there. What did not change since the last copy is not written again."`
	Keep int    `help:"Copies to keep, the oldest are deleted; 0 keeps all." default:"0"`
}

// Run copies the base, whether Tocsin serves or not.
func (c *tracesCopy) Run(s *session) error {
	if err := needPassphrase(c.BackupPassphrase); err != nil {
		return err
	}
	return withHouse(s, &c.Server, func(h *House) error {
		root := filepath.Join(h.Settings.Data, "traces")
		if !h.holdsTraces() {
			return fault.New(fault.NotFound, "app.traces.nothing", "folder", root)
		}
		return h.copyTraces(s, c.To, c.Keep, h.Clock.Now())
	})
}

// holdsTraces tells whether the embedded base is in the data folder of this machine.
func (h *House) holdsTraces() bool {
	if h.Settings.TracesURL != "" || h.DB.Engine() != storage.SQLite && h.Settings.TracesOwner != "" {
		return false
	}
	_, err := os.Stat(filepath.Join(h.Settings.Data, "traces", "base"))
	return err == nil
}

// copyTraces makes a copy of the base in a folder of copies.
func (h *House) copyTraces(s *session, dir string, keep int, now time.Time) (err error) {
	folder, err := copies.Begin(dir, h.Settings.BackupPassphrase)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	root := filepath.Join(h.Settings.Data, "traces")
	id, err := nameBase(root)
	if err != nil {
		return err
	}
	base, after, done, err := h.openCopier(s, root)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	loc := s.words()
	made, err := folder.Make(s.ctx, base, copies.Order{
		Now: now, Program: Version, Base: id, After: after,
		Ledger: func(to io.Writer) error { return h.writeLedgers(s.ctx, to) },
		Room: func(files int, total, fresh int64) error {
			s.printf("%s", loc.T("app.traces.copy.holds", "files", files, "megabytes", megabytes(total), "fresh", megabytes(fresh)))
			return enoughRoom(dir, fresh)
		},
		Progress: megabytesDone(s.progress("app.traces.copy.progress")),
	})
	if err != nil {
		return err
	}
	s.printf("%s", loc.T("app.traces.copy.done", "name", copies.NameAt(now), "folder", dir, "files", made.Files, "fresh", made.Fresh, "megabytes", megabytes(made.FreshBytes)))
	if err := h.Traces.NoteCopy(s.ctx, console(), traces.LastCopy{Made: now, Bytes: made.Bytes}); err != nil {
		return err
	}
	if err := h.noteEverywhere(s.ctx, now, journal.Entry{
		Action: "traces.copy", ObjectKind: "traces", ObjectID: id.String(), ObjectName: copies.NameAt(now), After: map[string]any{"files": made.Files, "bytes": made.Bytes},
	}); err != nil {
		return err
	}
	return folder.Prune(keep)
}

// megabytes rounds up: what is there is never nothing.
func megabytes(bytes int64) int64 { return (bytes + 1<<20 - 1) >> 20 }

func megabytesDone(say func(done, total int64)) func(done, total int64) {
	return func(done, total int64) { say(megabytes(done), megabytes(total)) }
}

// enoughRoom refuses what the disk cannot hold before anything is written.
func enoughRoom(dir string, need int64) error {
	free, err := freeSpace(dir)
	if err == nil && free < uint64(need)+uint64(need)/100 {
		return fault.New(fault.Unavailable, "app.traces.copy.room", "folder", dir, "megabytes", megabytes(need), "free", free>>20)
	}
	return nil // a disk that does not say how full it is says it when it is
}

// openCopier gives the base: that of the program that serves or, when none does, the
// files themselves, once they hold what waited. after is a place of the queue behind
// everything that was acknowledged.
func (h *House) openCopier(s *session, root string) (base traces.Copier, after spool.Position, done func() error, err error) {
	dir := filepath.Join(root, "spool")
	if s.openBase != nil {
		engine, err := s.openBase(s.ctx, filepath.Join(root, "base"), h.Log)
		if err == nil {
			copier, able := engine.(traces.Copier)
			if !able {
				return nil, after, nil, errors.Join(fault.New(fault.Unavailable, "traces.copy.unable"), engine.Close())
			}
			after, err := h.storeWaiting(s.ctx, engine, dir)
			if err != nil {
				return nil, after, nil, errors.Join(err, engine.Close())
			}
			return copier, after, engine.Close, nil
		}
		if f := fault.As(err); f == nil || f.Key != "traces.base.taken" {
			return nil, after, nil, err
		}
	}
	socket, err := os.ReadFile(filepath.Join(root, socketFile))
	if err != nil {
		return nil, after, nil, fault.Wrap(err, fault.Unavailable, "traces.error.none")
	}
	if after, err = spool.Laid(dir); err != nil {
		return nil, after, nil, err
	}
	client := child.NewClient(string(socket))
	return client, after, func() error { client.Close(); return nil }, nil
}

// storeWaiting has the base store what waits in the queue of a program that does not
// run, and gives the place after it.
func (h *House) storeWaiting(ctx context.Context, engine traces.Engine, dir string) (after spool.Position, err error) {
	queue, err := spool.Open(dir, spool.Options{First: uint64(h.Clock.Now().Unix())})
	if errors.Is(err, spool.ErrTaken) {
		return after, fault.Wrap(err, fault.Unavailable, "traces.error.down") // it starts, or stops
	}
	if err != nil {
		return after, fmt.Errorf("queue of the traces: %w", err)
	}
	defer func() { err = errors.Join(err, queue.Close()) }()
	after = queue.Durable()
	feeder := child.Server{Engine: engine, Spool: dir, Log: h.Log, Now: h.Clock.Now}
	for at := (spool.Position{}); at.Before(after); {
		if err := ctx.Err(); err != nil {
			return after, fmt.Errorf("store what waits: %w", context.Cause(ctx))
		}
		taken, err := feeder.Take(ctx, after)
		if err != nil {
			return after, err
		}
		at = taken.Applied
	}
	return after, nil
}

// writeLedgers writes the log of the seal of every establishment.
func (h *House) writeLedgers(ctx context.Context, to io.Writer) error {
	houses, err := h.Houses.List(ctx, console())
	for _, e := range houses {
		if err == nil {
			err = h.Traces.WriteLedger(ctx, console().Within(e.ID), to)
		}
	}
	return err
}

// copyAge is how old the last copy may be.
const copyAge = 8 * 24 * time.Hour

// checkCopy looks when the embedded base was copied last.
func (h *House) checkCopy(ctx context.Context, scope access.Scope) administration.Finding {
	if !h.holdsTraces() {
		return finding(administration.Unused, "app.check.copy.elsewhere", "")
	}
	last, found, err := h.Traces.Copied(ctx, access.System(scope.Organisation(), "doctor"))
	switch age := h.Clock.Now().Sub(last.Made); {
	case err != nil:
		return broken(err, "app.check.copy.unread", "")
	case !found:
		return finding(administration.Weak, "app.check.copy.never", "app.check.copy.todo")
	case age > copyAge:
		return finding(administration.Weak, "app.check.copy.old", "app.check.copy.todo", "days", int(age.Hours()/24))
	default:
		return finding(administration.Well, "app.check.copy.well", "", "hours", int(age.Hours()), "megabytes", megabytes(last.Bytes))
	}
}
