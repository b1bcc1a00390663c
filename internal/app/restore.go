package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/backup"
	"tocsin/internal/clock"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

type restoreCommand struct {
	config.Server
	File    string `arg:"" type:"existingfile" help:"Backup to restore."`
	Replace bool   `help:"Put aside the data and the keyring that are there. Nothing is deleted."`
	Check   bool   `help:"Only read the whole file and say what it holds."`

	WithoutTraces bool `help:"Leave out the copy of the traces that was made with the backup."`
}

// Run restores into the database that the settings name, whatever the engine of
// the backup was.
func (c *restoreCommand) Run(s *session) error {
	if err := needPassphrase(c.BackupPassphrase); err != nil {
		return err
	}
	return withBackup(s.ctx, c.File, c.BackupPassphrase, func(f *backup.File, held backup.Summary) error { return c.restore(s, f, held) })
}

// withBackup does something with a file that was read whole.
func withBackup(ctx context.Context, path, phrase string, do func(f *backup.File, held backup.Summary) error) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "app.restore.unreadable", "file", path)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "app.restore.unreadable", "file", path)
	}
	f, err := openBackup(ctx, file, info.Size(), phrase)
	if err != nil {
		return err
	}
	held, err := f.Verify(ctx)
	if err != nil {
		return err
	}
	return do(f, held)
}

func (c *restoreCommand) restore(s *session, f *backup.File, held backup.Summary) error {
	s.printf("%s", s.words().T("app.restore.holds", "made", f.Made.Format(time.RFC3339), "program", f.Program, "engine", f.Engine, "tables", held.Tables, "rows", held.Rows))
	if c.Check {
		return nil
	}
	r := restoring{session: s, settings: &c.Server, from: f, path: c.File, replace: c.Replace, without: c.WithoutTraces, stamp: stamp(clock.Real().Now())}
	if err := r.run(); err != nil {
		return err
	}
	s.printf("%s", s.words().T("app.restore.done", "made", f.Made.Format(time.RFC3339)))
	return nil
}

// restoring is one restore.
type restoring struct {
	*session
	settings *config.Server
	from     *backup.File
	path     string
	replace  bool
	// without leaves the traces out.
	without bool
	// stamp names what is put aside.
	stamp string
	// aside is what was put aside, to be put back when the restore fails.
	aside string
}

// run looks at everything that may refuse before it touches anything.
func (r *restoring) run() (err error) {
	copied, err := r.openTraces()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeTraces(copied)) }()
	keyring, err := r.from.Keyring()
	if err != nil {
		return err
	}
	before, err := os.ReadFile(r.settings.KeyFile)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fault.Wrap(err, fault.Unavailable, "vault.keyring_unreadable", "path", r.settings.KeyFile)
	}
	other := err == nil && !bytes.Equal(before, keyring)
	if other && !r.replace {
		return fault.New(fault.Conflict, "app.restore.keyring", "file", r.settings.KeyFile)
	}
	if err := r.data(); err != nil {
		return err
	}
	if other {
		name := r.settings.KeyFile + ".avant-" + r.stamp
		if err := os.Rename(r.settings.KeyFile, name); err != nil {
			return fault.Wrap(err, fault.Unavailable, "vault.keyring_unwritable", "path", r.settings.KeyFile)
		}
		r.printf("%s", r.words().T("app.restore.aside", "name", name))
	}
	if other || before == nil {
		if err := writeKeyring(r.settings.KeyFile, keyring); err != nil {
			return err
		}
	}
	return withHouse(r.session, r.settings, func(h *House) error {
		if err := h.calm(r.ctx, r.from); err != nil {
			return err
		}
		return r.putTraces(h, copied)
	})
}

func writeKeyring(path string, text []byte) error {
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "vault.keyring_unwritable", "path", path)
	}
	return nil
}

// data restores the rows: whole, or what was there is there again.
func (r *restoring) data() (err error) {
	db, err := r.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if others, err := db.Others(r.ctx); err != nil || others > 0 {
		if err == nil {
			err = fault.New(fault.Conflict, "app.restore.served", "n", others)
		}
		return err
	}
	occupied, err := backup.Occupied(r.ctx, db)
	if err != nil {
		return err
	}
	if occupied && r.replace {
		if db, err = r.putAside(db); err != nil {
			return err
		}
	}
	said := r.progress("app.restore.progress")
	if _, err = r.from.Restore(r.ctx, db, Migrations(), func(rows int64) { said(rows, rows) }); err != nil && r.aside != "" {
		db, err = r.putBack(db, err)
	} else if err == nil && r.aside != "" {
		r.printf("%s", r.words().T("app.restore.aside", "name", r.aside))
	}
	return err
}

func (r *restoring) open() (*storage.DB, error) {
	return storage.Open(r.ctx, storage.Options{URL: r.settings.DatabaseURL, Dir: r.settings.Data})
}

// putAside makes room. The base it returns is empty.
func (r *restoring) putAside(db *storage.DB) (*storage.DB, error) {
	if db.Engine() == storage.PostgreSQL {
		r.aside = "avant_" + r.stamp
		return db, backup.PutAside(r.ctx, db, r.aside)
	}
	if err := db.Close(); err != nil {
		return db, err
	}
	name, err := storage.SetAside(r.ctx, r.settings.Data, "avant-"+r.stamp)
	if err != nil {
		return db, err
	}
	r.aside = name
	return r.open()
}

// putBack undoes putAside after a failure, which stays the error that is told.
func (r *restoring) putBack(db *storage.DB, cause error) (*storage.DB, error) {
	// The failure may be that the person interrupted: what was there comes back all the same.
	ctx := context.WithoutCancel(r.ctx)
	if db.Engine() == storage.PostgreSQL {
		return db, errors.Join(cause, backup.PutBack(ctx, db, r.aside))
	}
	if err := db.Close(); err != nil {
		return db, errors.Join(cause, err)
	}
	return db, errors.Join(cause, storage.PutBack(ctx, r.settings.Data, r.aside))
}

// calm is what a restored house needs before it serves: an alert of then must
// not go on now, and nobody who was signed out since is signed in again.
func (h *House) calm(ctx context.Context, f *backup.File) error {
	now := h.Clock.Now()
	houses, err := h.Houses.List(ctx, console())
	if err != nil {
		return err
	}
	for _, house := range houses {
		scope := console().Within(house.ID)
		if err := h.silence(ctx, scope, now); err != nil {
			return fmt.Errorf("stop the alerts of %s: %w", house.Name, err)
		}
	}
	if _, err := h.Accounts.EndAllSessions(ctx, console()); err != nil {
		return err
	}
	return h.noteEverywhere(ctx, now, journal.Entry{
		Action: "instance.restore", ObjectKind: "backup", ObjectName: f.Made.Format(time.RFC3339), After: map[string]any{"program": f.Program, "engine": f.Engine},
	})
}

// silence stops the alerts that ran, and all else that waited to leave.
func (h *House) silence(ctx context.Context, scope access.Scope, now time.Time) error {
	running, err := h.Alerting.Active(ctx, scope)
	if err != nil {
		return err
	}
	for _, l := range running {
		if err := h.Alerting.Kill(ctx, scope, now, l.ID, h.Catalog.For(h.Settings.Lang()).T("app.restore.why")); err != nil {
			return err
		}
	}
	return h.Dispatch.KillAll(ctx, scope, now)
}
