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
	"tocsin/internal/backup"
	"tocsin/internal/clock"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

type backupCommand struct {
	config.Server
	To string `arg:"" placeholder:"FILE" help:"File to write, or a folder in which the file is named by the instant. An existing file is never replaced."`

	WithoutTraces bool `help:"Leave out the embedded base of traces, which is otherwise copied into the folder \"traces\" beside the file."`
	KeepTraces    int  `help:"Copies of the traces to keep there; 0 keeps all." default:"0"`
}

// Run writes a backup beside its final name, reads it again whole, and only
// then gives it the name.
func (c *backupCommand) Run(s *session) error {
	if err := needPassphrase(c.BackupPassphrase); err != nil {
		return err
	}
	return withHouse(s, &c.Server, func(h *House) error {
		now := h.Clock.Now()
		path := backupPath(c.To, now)
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			return fault.New(fault.Conflict, "app.backup.exists", "file", path)
		}
		done, err := h.backUp(s.ctx, path, now, s.progress("app.backup.progress"))
		if err != nil {
			return err
		}
		s.printf("%s", s.words().T("app.backup.done", "file", path, "tables", done.Tables, "rows", done.Rows, "megabytes", (done.Bytes+1<<20-1)>>20))
		s.printf("sha256 %s", done.SHA256)
		if err := h.noteEverywhere(s.ctx, now, journal.Entry{
			Action: "instance.backup", ObjectKind: "backup", ObjectName: filepath.Base(path),
			After: map[string]any{"rows": done.Rows, "sha256": done.SHA256},
		}); err != nil || c.WithoutTraces || !h.holdsTraces() {
			return err
		}
		// After the data, and named as they are: the base then holds all that the log of
		// the seal knows, and the copy brings what that learnt meanwhile.
		return h.copyTraces(s, filepath.Join(filepath.Dir(path), "traces"), c.KeepTraces, now)
	})
}

func needPassphrase(phrase string) error {
	if phrase == "" {
		return fault.New(fault.Invalid, "app.backup.no_passphrase").At("backup-passphrase")
	}
	return nil
}

// backupPath is the file that a person named, or one in the folder named.
func backupPath(to string, now time.Time) string {
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		return filepath.Join(to, "tocsin-"+stamp(now)+".sauvegarde")
	}
	return to
}

// stamp is an instant in a name that sorts by it.
func stamp(now time.Time) string { return now.UTC().Format("20060102T150405Z") }

// backUp writes the file at path.
func (h *House) backUp(ctx context.Context, path string, now time.Time, progress func(done, total int64)) (done backup.Summary, err error) {
	keyring, err := os.ReadFile(h.Settings.KeyFile)
	if err != nil {
		return done, fault.Wrap(err, fault.Unavailable, "vault.keyring_unreadable", "path", h.Settings.KeyFile)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".tocsin-sauvegarde-*") // CreateTemp gives 0600
	if err != nil {
		return done, fault.Wrap(err, fault.Unavailable, "app.backup.unwritable", "file", path)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	done, err = backup.Make(ctx, h.DB, Migrations(), file, backup.Order{
		Now: now, Program: Version, Passphrase: h.Settings.BackupPassphrase, Keyring: keyring, Progress: progress,
	})
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = readBack(ctx, file, h.Settings.BackupPassphrase, done)
	}
	if cerr := file.Close(); err == nil && cerr != nil {
		err = cerr
	}
	if err == nil {
		// A link, not a rename: two backups of one name must not replace each other.
		err = os.Link(file.Name(), path)
	}
	if err != nil {
		return done, unwritable(path, err)
	}
	return done, os.Remove(file.Name())
}

func unwritable(path string, err error) error {
	if fault.As(err) != nil {
		return err
	}
	return fault.Wrap(err, fault.Unavailable, "app.backup.unwritable", "file", path)
}

// readBack opens what was just written as a restore would.
func readBack(ctx context.Context, file io.ReaderAt, phrase string, want backup.Summary) error {
	f, err := openBackup(ctx, file, want.Bytes, phrase)
	if err != nil {
		return err
	}
	got, err := f.Verify(ctx)
	if err != nil {
		return err
	}
	if got.Rows != want.Rows || got.Tables != want.Tables {
		return fault.New(fault.Internal, "backup.differs", "table", "*")
	}
	return nil
}

// openBackup reads the header, checks the sum and unlocks the file.
func openBackup(ctx context.Context, file io.ReaderAt, size int64, phrase string) (*backup.File, error) {
	f, err := backup.Open(file, size)
	if err == nil {
		err = f.Check(ctx)
	}
	if err == nil {
		err = f.Unlock(phrase)
	}
	return f, err
}

// progress says how far a long work is, at most once a second.
func (s *session) progress(key string) func(done, total int64) {
	var said time.Time
	return func(done, total int64) {
		if now := clock.Real().Now(); now.Sub(said) >= time.Second {
			said = now
			writeLine(s.err, s.words().T(key, "done", done, "total", total))
		}
	}
}

// noteEverywhere writes one line in the journal of every establishment.
func (h *House) noteEverywhere(ctx context.Context, now time.Time, e journal.Entry) error {
	houses, err := h.Houses.List(ctx, console())
	if err != nil {
		return err
	}
	for _, house := range houses {
		if err := h.note(ctx, console().Within(house.ID), now, e); err != nil {
			return fmt.Errorf("journal of %s: %w", house.Name, err)
		}
	}
	return nil
}

// note writes one line in the journal, of what changed nothing in the data.
func (h *House) note(ctx context.Context, scope access.Scope, now time.Time, e journal.Entry) error {
	return h.DB.Write(ctx, scope, func(tx *storage.Tx) error { return journal.Append(ctx, tx, scope, now, e) })
}
