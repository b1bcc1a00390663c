package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

type importCommand struct {
	place
	File   string `arg:"" type:"existingfile" help:"CSV or XLSX file."`
	Source string `default:"RH" help:"Owner of these rows: people of the same source who are no longer in the file are marked departed."`
	Go     bool   `help:"Apply. Without it, only show what would change."`
	Force  bool   `help:"With --go, apply even when many people would disappear."`
	Key    string `help:"With --remote: idempotency key. The same file under the same key is given once." placeholder:"KEY"`
	Roster bool   `help:"The file is a roster: who works when. It replaces the roster in use of its source."`
}

// Run stages the file, shows the difference and, with --go, applies it.
func (c *importCommand) Run(s *session) error {
	if c.Remote != "" {
		return c.far(s)
	}
	return c.enter(s, func(h *House, scope access.Scope) error {
		if c.Roster {
			return c.roster(s, h, scope)
		}
		var id directory.Import
		err := withTable(c.File, func(rows *table.Source, file directory.File) (err error) {
			file.Source = c.Source
			id, err = h.Directory.Stage(s.ctx, scope, rows, file)
			return err
		})
		if err != nil {
			return err
		}
		i, err := h.Directory.Preview(s.ctx, scope, id.ID)
		if err != nil {
			return err
		}
		s.printImport(i)
		if !c.Go {
			s.printf("%s", s.words().T("app.import.add_go"))
			return h.Directory.Abandon(s.ctx, scope, i.ID)
		}
		// Nobody reads a caution when a task of the machine runs the command.
		if !c.Force && i.Summary.Emptying() {
			return errors.Join(fault.New(fault.Conflict, "app.import.many_gone"), h.Directory.Abandon(s.ctx, scope, i.ID))
		}
		if i, err = h.Directory.Confirm(s.ctx, scope, i.ID); err != nil {
			return err
		}
		s.printf("%s", s.words().N("app.import.done", i.Summary.New+i.Summary.Changed+i.Summary.Gone))
		return nil
	})
}

// roster reads a planning and, with --go, puts it in use.
func (c *importCommand) roster(s *session, h *House, scope access.Scope) error {
	var r directory.Roster
	err := withTable(c.File, func(rows *table.Source, file directory.File) (err error) {
		file.Source = c.Source
		r, err = h.Directory.StageRoster(s.ctx, scope, rows, file)
		return err
	})
	if err != nil {
		return err
	}
	loc := s.words()
	s.printf("%s", loc.T("app.import.roster", "rows", r.Rows, "people", r.People, "shifts", r.Shifts, "refused", r.Refused))
	for _, p := range r.Problems {
		s.printf("  %s", loc.T("app.import.roster.line", "line", p.Line, "why", p.Sentence(loc)))
	}
	if !c.Go {
		s.printf("%s", loc.T("app.import.add_go"))
	}
	if !c.Go || r.Same {
		return h.Directory.AbandonRoster(s.ctx, scope, r.ID)
	}
	return h.Directory.ConfirmRoster(s.ctx, scope, r.ID)
}

// withTable opens a file of the disk as a table, and closes it after.
func withTable(path string, read func(*table.Source, directory.File) error) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	rows, err := table.Open(f, info.Size(), filepath.Base(path), table.DefaultLimits())
	if err != nil {
		return err
	}
	return errors.Join(read(rows, directory.File{Name: filepath.Base(path)}), rows.Close())
}

// printImport says what an import would change, and every problem of the file as a whole.
func (s *session) printImport(i directory.Import) {
	loc := s.words()
	sum := i.Summary
	s.printf("%s", loc.T("app.import.summary", "rows", sum.Rows, "new", sum.New, "changed", sum.Changed, "same", sum.Same,
		"gone", sum.Gone, "refused", sum.Refused, "warnings", sum.Warnings))
	for _, p := range sum.Cautions {
		s.printf("  %s", sentence(loc, p))
	}
}

func sentence(loc *i18n.Localizer, p directory.Problem) string {
	text := loc.T(p.Key, p.Args...)
	if p.Column == "" {
		return text
	}
	return p.Column + ": " + text
}
