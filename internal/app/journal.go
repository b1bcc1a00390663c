package app

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/config"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
)

type journalCommand struct {
	Verify journalVerify `cmd:"" help:"Read the whole chain of each establishment and say whether it holds."`
	Export journalExport `cmd:"" help:"Write the sealed journal of an establishment, to be verified without Tocsin."`
	Erase  journalErase  `cmd:"" help:"Erase the words of one entry, for the person they are about; the chain holds."`
}

// recent is how many entries the health page verifies; the command line reads all.
const recent = 5_000

// sealLate is from when entries should have been sealed.
const sealLate = time.Minute

func (h *House) checkJournal(ctx context.Context, scope access.Scope) administration.Finding {
	last := int64(recent)
	if scope.IsSystem() {
		last = 0
	}
	// The health page is read by people who may not read the journal; that it
	// holds is no secret.
	v, err := h.Journal.Verify(ctx, access.System(scope.Organisation(), "doctor"), h.Vault, last)
	if err != nil {
		f := finding(administration.Broken, "app.check.journal.unread", "")
		f.Err = err
		return f
	}
	switch {
	case v.Break != "":
		return finding(administration.Broken, "app.check.journal."+string(v.Break), "app.check.journal.todo", "number", v.Number)
	case v.Waiting > 0 && h.Clock.Now().Sub(v.OldestWaiting) > sealLate:
		return finding(administration.Weak, "app.check.journal.late", "app.check.journal.late.todo", "waiting", v.Waiting)
	}
	return finding(administration.Well, "app.check.journal.well", "", "sealed", v.Sealed, "erased", v.Erased)
}

// exportJournal writes the sealed journal and the line that says so.
func (h *House) exportJournal(ctx context.Context, scope access.Scope, now time.Time, to io.Writer) error {
	n, err := h.Journal.Export(ctx, scope, h.Vault, now, to)
	if err != nil {
		return err
	}
	return h.note(ctx, scope, now, journal.Entry{Action: "journal.export", ObjectKind: "journal", After: map[string]any{"entries": n}})
}

type journalVerify struct{ config.Server }

// Run verifies every establishment. The status is 1 when a chain does not hold.
func (c *journalVerify) Run(s *session) error {
	return withHouse(s, &c.Server, func(h *House) error {
		houses, err := h.Houses.List(s.ctx, console())
		if err != nil {
			return err
		}
		var broken error
		for _, house := range houses {
			f := h.checkJournal(s.ctx, console().Within(house.ID))
			s.printf("%s: %s %s", house.Name, f.What.In(s.words()), f.ToDo.In(s.words()))
			if f.State == administration.Broken {
				broken = errors.Join(broken, f.Err, fault.New(fault.Conflict, "app.journal.broken", "house", house.Name))
			}
		}
		return broken
	})
}

type journalExport struct {
	place
	To string `arg:"" placeholder:"FILE" help:"File to write (JSON lines). An existing file is never replaced."`
}

// Run writes the export.
func (c *journalExport) Run(s *session) error {
	return c.enter(s, func(h *House, scope access.Scope) error {
		file, err := os.OpenFile(c.To, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			return fault.New(fault.Conflict, "app.backup.exists", "file", c.To)
		}
		if err != nil {
			return unwritable(c.To, err)
		}
		now := h.Clock.Now()
		n, err := h.Journal.Export(s.ctx, scope, h.Vault, now, file)
		if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
			return unwritable(c.To, err)
		}
		s.printf("%s", s.words().T("app.journal.exported", "n", n))
		return h.note(s.ctx, scope, now, journal.Entry{Action: "journal.export", ObjectKind: "journal", After: map[string]any{"entries": n}})
	})
}

type journalErase struct {
	place
	ID     string `arg:"" help:"Id of the entry, as the export shows it."`
	Reason string `required:"" help:"Why, such as a request under article 17 of the GDPR." placeholder:"TEXT"`
}

// Run erases the words of an entry.
func (c *journalErase) Run(s *session) error {
	return c.enter(s, func(h *House, scope access.Scope) error {
		id, err := uuid.Parse(c.ID)
		if err != nil {
			return fault.New(fault.NotFound, "journal.erase.unknown")
		}
		if err := h.Journal.Erase(s.ctx, scope, h.Clock.Now(), id, c.Reason); err != nil {
			return err
		}
		s.printf("%s", s.words().T("app.journal.erased"))
		return nil
	})
}
