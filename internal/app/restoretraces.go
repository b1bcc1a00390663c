package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/clock"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/spool"
	"tocsin/internal/traces/copies"
)

type tracesRestore struct {
	config.Server
	From    string `arg:"" type:"existingdir" placeholder:"FOLDER" help:"Folder of the copies."`
	Copy    string `help:"Copy to put back, by its name; the last when it is not said." placeholder:"20261201T020000Z"`
	Replace bool   `help:"Put aside the base that is there. Nothing is deleted."`
	Check   bool   `help:"Only read the whole copy and say what it holds."`
}

// Run puts a copy back while Tocsin does not serve.
func (c *tracesRestore) Run(s *session) (err error) {
	if err := needPassphrase(c.BackupPassphrase); err != nil {
		return err
	}
	folder, err := copies.Open(c.From, c.BackupPassphrase)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	copied, err := folder.Read(c.Copy)
	if err != nil {
		return err
	}
	p := puttingTraces{session: s, settings: &c.Server, folder: folder, copy: copied, replace: c.Replace, stamp: stamp(clock.Real().Now())}
	if c.Check {
		if err := folder.Check(s.ctx, copied, megabytesDone(s.progress("app.traces.copy.progress"))); err != nil {
			return err
		}
		p.sayHeld("app.traces.restore.sound")
		return nil
	}
	if err := p.look(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	return withHouse(s, &c.Server, p.run)
}

// puttingTraces is a copy that is put back.
type puttingTraces struct {
	*session
	settings *config.Server
	folder   *copies.Folder
	copy     copies.Copy
	replace  bool
	// stamp names what is put aside.
	stamp string
	// queue is held so that no program takes traces meanwhile.
	queue    *spool.Spool
	occupied bool
}

func (p *puttingTraces) root() string { return filepath.Join(p.settings.Data, "traces") }
func (p *puttingTraces) base() string { return filepath.Join(p.root(), "base") }

func (p *puttingTraces) sayHeld(key string) {
	p.printf("%s", p.words().T(key, "name", p.copy.Name(), "made", p.copy.Made.Format(time.RFC3339), "program", p.copy.Program, "files", len(p.copy.Files), "megabytes", megabytes(p.copy.Bytes())))
}

// look refuses what must be refused before anything is touched, and keeps programs
// that take traces out until close.
func (p *puttingTraces) look() (err error) {
	p.queue, err = spool.Open(filepath.Join(p.root(), "spool"), spool.Options{First: uint64(clock.Real().Now().Unix())})
	if errors.Is(err, spool.ErrTaken) {
		return fault.Wrap(err, fault.Conflict, "app.traces.restore.running")
	}
	if err != nil {
		return fmt.Errorf("queue of the traces: %w", err)
	}
	if err := p.mayReplace(); err != nil {
		return errors.Join(err, p.close())
	}
	return nil
}

func (p *puttingTraces) mayReplace() error {
	id, err := baseID(p.root())
	if err != nil {
		return err
	}
	// Places of another queue say nothing of what this base holds.
	if id != uuid.Nil && id != p.copy.Base && p.queue.Held() > 0 {
		return fault.New(fault.Conflict, "app.traces.restore.queue", "megabytes", megabytes(p.queue.Held()))
	}
	files, bytes, err := heldFiles(p.base())
	if err != nil {
		return err
	}
	if p.occupied = files > 0; p.occupied && !p.replace {
		return fault.New(fault.Conflict, "app.traces.restore.occupied", "folder", p.base(), "files", files, "megabytes", megabytes(bytes), "copied", megabytes(p.copy.Bytes()), "made", p.copy.Made.Format(time.RFC3339))
	}
	return enoughRoom(p.root(), p.copy.Bytes())
}

// heldFiles counts the files of events of a base, none where there is no base.
func heldFiles(dir string) (files int, bytes int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".duckdb") {
			return err
		}
		info, err := d.Info()
		if err == nil {
			files++
			bytes += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, 0, fault.Wrap(err, fault.Unavailable, "traces.copy.unreadable", "folder", dir)
	}
	return files, bytes, nil
}

func (p *puttingTraces) close() error { return p.queue.Close() }

// run writes the copy beside the base, has the log of the seal know all that it
// holds, and only then gives it the place.
func (p *puttingTraces) run(h *House) error {
	fresh := filepath.Join(p.root(), "base.nouvelle-"+p.stamp)
	if err := p.folder.Put(p.ctx, p.copy, fresh, megabytesDone(p.progress("app.traces.copy.progress"))); err != nil {
		return err
	}
	if err := p.joinLedger(h); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	aside := p.base() + ".avant-" + p.stamp
	if _, err := os.Stat(p.base()); err == nil {
		if err := os.Rename(p.base(), aside); err != nil {
			return errors.Join(fault.Wrap(err, fault.Unavailable, "traces.copy.unwritable", "folder", p.root()), os.RemoveAll(fresh))
		}
	}
	if err := os.Rename(fresh, p.base()); err != nil {
		return errors.Join(fault.Wrap(err, fault.Unavailable, "traces.copy.unwritable", "folder", p.root()), os.Rename(aside, p.base()), os.RemoveAll(fresh))
	}
	if err := p.nameBase(); err != nil {
		return err
	}
	if p.occupied {
		p.printf("%s", p.words().T("app.restore.aside", "name", aside))
	} else if err := os.RemoveAll(aside); err != nil { // it held nothing
		return err
	}
	p.sayHeld("app.traces.restore.done")
	return h.noteEverywhere(p.ctx, h.Clock.Now(), journal.Entry{
		Action: "traces.restore", ObjectKind: "traces", ObjectID: p.copy.Base.String(), ObjectName: p.copy.Name(), After: map[string]any{"files": len(p.copy.Files), "bytes": p.copy.Bytes()},
	})
}

// nameBase gives the base the id that it had.
func (p *puttingTraces) nameBase() error {
	path := filepath.Join(p.root(), "base-id")
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(err, fault.Unavailable, "traces.copy.unwritable", "folder", p.root())
	}
	_, err := nameBaseAs(p.root(), p.copy.Base)
	return err
}

// joinLedger adds to the log of the seal what the copy knows of it. Where the
// database has another log, what the copy holds will be told as lost and as added:
// that is done only when told to replace.
func (p *puttingTraces) joinLedger(h *House) error {
	return p.folder.Ledger(p.copy, func(from io.Reader) error {
		added, err := h.Traces.ReadLedger(p.ctx, console(), from)
		if f := fault.As(err); f != nil && f.Key == "traces.copy.other_ledger" && p.replace {
			p.printf("%s", p.words().Fault(err))
			_, err = io.Copy(io.Discard, from)
			return err
		}
		if err == nil && added > 0 {
			p.printf("%s", p.words().T("app.traces.restore.ledger", "entries", added))
		}
		return err
	})
}

// openTraces finds the copy that was made with the backup; nil when there is none.
func (r *restoring) openTraces() (*puttingTraces, error) {
	dir := filepath.Join(filepath.Dir(r.path), "traces")
	alone := r.settings.DatabaseURL == ""
	switch {
	case r.without || !copies.Exists(dir):
		return nil, nil //nolint:nilnil // there is none
	case r.settings.TracesURL != "" || !alone && r.settings.TracesOwner != "":
		r.printf("%s", r.words().T("app.restore.traces_elsewhere", "folder", dir))
		return nil, nil //nolint:nilnil // it is for another machine
	}
	folder, err := copies.Open(dir, r.settings.BackupPassphrase)
	if err != nil {
		return nil, err
	}
	copied, err := folder.Read(copies.NameAt(r.from.Made))
	if f := fault.As(err); f != nil && f.Kind == fault.NotFound {
		r.printf("%s", r.words().T("app.restore.no_traces", "folder", dir))
		return nil, folder.Close()
	}
	if err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	p := &puttingTraces{session: r.session, settings: r.settings, folder: folder, copy: copied, replace: r.replace, stamp: r.stamp}
	if err := p.look(); err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	return p, nil
}

// putTraces puts the copy back into the house that was restored.
func (r *restoring) putTraces(h *House, p *puttingTraces) error {
	if p == nil {
		return nil
	}
	if err := p.run(h); err != nil {
		return errors.Join(fault.New(fault.Unavailable, "app.restore.traces_failed", "folder", filepath.Join(filepath.Dir(r.path), "traces")), err)
	}
	return nil
}

// closeTraces lets the queue and the copies go.
func closeTraces(p *puttingTraces) error {
	if p == nil {
		return nil
	}
	return errors.Join(p.close(), p.folder.Close())
}
