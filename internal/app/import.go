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
}

// Run stages the file, shows the difference and, with --go, applies it.
func (c *importCommand) Run(s *session) (err error) {
	return c.enter(s, func(h *House, scope access.Scope) error {
		id, err := h.stage(s, scope, c.File, c.Source)
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

// stage reads a file from the disk into the directory's staging area.
func (h *House) stage(s *session, scope access.Scope, path, source string) (i directory.Import, err error) {
	f, err := os.Open(path)
	if err != nil {
		return i, fmt.Errorf("open %s: %w", path, err)
	}
	defer func() {
		if cerr := f.Close(); err == nil && cerr != nil {
			err = cerr
		}
	}()
	info, err := f.Stat()
	if err != nil {
		return i, fmt.Errorf("read %s: %w", path, err)
	}
	rows, err := table.Open(f, info.Size(), filepath.Base(path), table.DefaultLimits())
	if err != nil {
		return i, err
	}
	defer func() {
		if cerr := rows.Close(); err == nil && cerr != nil {
			err = cerr
		}
	}()
	return h.Directory.Stage(s.ctx, scope, rows, directory.File{Name: filepath.Base(path), Source: source})
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
