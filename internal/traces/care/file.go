package care

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// FileState is where a file stands.
type FileState string

// The states. The values are stored.
const (
	FileReady    FileState = "ready" // checked, to be confirmed
	FileApplying FileState = "applying"
	FileApplied  FileState = "applied"
)

const (
	// LinesMost bounds the lines of one file.
	LinesMost = 100_000
	// filesKept is how long the lines of a file are kept that nobody confirms, or
	// that were: they name patients.
	filesKept  = 7 * 24 * time.Hour
	sampleRows = 200
)

// File is a table that somebody gave.
type File struct {
	ID      uuid.UUID
	Kind    FileKind
	Name    string
	State   FileState
	Header  []string
	Columns []Column
	// Total counts the lines, Refused those kept out, Done those written.
	Total, Refused, Done int
	By                   string
	Created              time.Time
}

// Rows is an open table: *table.Source is one.
type Rows interface {
	Header() []string
	Next() (table.Row, error)
}

// may tells what a kind of file asks of whoever gives it: who is well known is the
// data protection officer's to say, and to see.
func (s *Service) may(scope access.Scope, k FileKind) error {
	if k == WellKnowns {
		return s.opt.Guard.Check(scope, access.TracesAsk)
	}
	return s.opt.Guard.Check(scope, access.TracesSource)
}

// Stage reads a file and checks each line; nothing else changes. Dates that name
// no zone are of the given one. Needs access.TracesSource, or access.TracesAsk
// for well-known patients. Errors: Invalid at "fichier" or "nature".
func (s *Service) Stage(ctx context.Context, scope access.Scope, kind FileKind, name string, rows Rows, zone *time.Location) (f File, err error) {
	if !kind.Known() {
		return f, fault.New(fault.Invalid, "traces.care.file.kind").At("nature")
	}
	if err := s.may(scope, kind); err != nil {
		return f, err
	}
	now := s.opt.Clock.Now()
	f = File{ID: storage.NewID(now), Kind: kind, Name: cut(assist.OneLine(name)), State: FileReady, Header: rows.Header(), By: scope.Actor().Name, Created: now}
	if err := s.forgetFiles(ctx, scope, now); err != nil {
		return f, err
	}
	if err := s.stageLines(ctx, scope, &f, rows, zone); err != nil {
		// Who sent the file may have gone; the clearing must not go with him.
		return f, errors.Join(err, s.clearLines(context.WithoutCancel(ctx), scope, f.ID))
	}
	return f, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error { return writeFile(ctx, tx, scope, f, now) })
}

// stageLines checks lines and keeps them. The first are read ahead: they help to
// tell what the columns are.
func (s *Service) stageLines(ctx context.Context, scope access.Scope, f *File, rows Rows, zone *time.Location) error {
	var ahead []table.Row
	var sample [][]string
	for len(ahead) < sampleRows {
		row, err := rows.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		row.Cells = slices.Clone(row.Cells)
		ahead, sample = append(ahead, row), append(sample, row.Cells)
	}
	var err error
	if f.Columns, err = f.Kind.guessColumns(f.Header, sample); err != nil {
		return err
	}
	var staff map[string]int
	if f.Kind == Accounts {
		if staff, err = s.matricules(ctx, scope); err != nil {
			return err
		}
	}
	next := func() (table.Row, error) {
		if len(ahead) == 0 {
			return rows.Next()
		}
		row := ahead[0]
		ahead = ahead[1:]
		return row, nil
	}
	for more := true; more; {
		var part [][]any
		if part, more, err = f.portion(scope, next, zone, staff); err != nil {
			return err
		}
		if err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
			return tx.InsertRows(ctx, "traces_care_lines", []string{"organisation_id", "file_id", "seq", "line", "cells", "problem", "raw"}, part)
		}); err != nil {
			return err
		}
	}
	return nil
}

// portion checks the next lines of a file.
func (f *File) portion(scope access.Scope, next func() (table.Row, error), zone *time.Location, staff map[string]int) (out [][]any, more bool, err error) {
	for len(out) < chunk {
		row, err := next()
		if errors.Is(err, io.EOF) {
			return out, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if f.Total++; f.Total > LinesMost {
			return nil, false, fault.New(fault.Invalid, "traces.care.file.long", "most", LinesMost).At("fichier")
		}
		if row.Problem == nil {
			l, err := f.Kind.understand(f.Columns, row.Cells, zone)
			if err == nil && l.account != nil && l.account.Matricule != "" {
				err = recognised(l.account.Matricule, staff[cut(fold(l.account.Matricule))])
			}
			if row.Problem = fault.As(err); err != nil && row.Problem == nil {
				return nil, false, err
			}
		}
		if row.Problem != nil {
			f.Refused++
		}
		kept, err := keepRow(row)
		if err != nil {
			return nil, false, err
		}
		out = append(out, []any{scope.Organisation(), f.ID, f.Total, row.Line, kept.Cells, kept.Problem, kept.Raw})
	}
	return out, true, nil
}

// keepRow keeps a row with the column that its problem is about.
func keepRow(row table.Row) (assist.Kept, error) {
	kept, err := assist.Keep(row)
	if err != nil || row.Problem == nil {
		return kept, err
	}
	text, err := json.Marshal(assist.Problem{Column: row.Problem.Field, Key: row.Problem.Key, Args: row.Problem.Args, Error: true})
	kept.Problem = string(text)
	return kept, err
}

const fileColumns = `id, kind, file_name, state, header, columns, total, refused, done, actor_name, created_us`

func writeFile(ctx context.Context, tx *storage.Tx, scope access.Scope, f File, now time.Time) error {
	header, err := json.Marshal(f.Header)
	if err != nil {
		return err
	}
	columns, err := json.Marshal(f.Columns)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO traces_care_files (organisation_id, `+fileColumns+`, updated_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (organisation_id, id) DO UPDATE SET state = excluded.state, refused = excluded.refused, done = excluded.done, updated_us = excluded.updated_us`,
		scope.Organisation(), f.ID, string(f.Kind), f.Name, string(f.State), assist.Clean(string(header)), string(columns), f.Total, f.Refused, f.Done, f.By, storage.Micros(f.Created), storage.Micros(now))
	return err
}

// Confirm writes the lines that were let in, a portion at a time: what a cut
// leaves undone, confirming again goes on with. A line that can be written no
// more is kept out, and counted. Needs what its kind asks for. Errors: NotFound,
// Conflict.
func (s *Service) Confirm(ctx context.Context, scope access.Scope, id uuid.UUID, zone *time.Location) (f File, err error) {
	if f, err = s.File(ctx, scope, id); err != nil {
		return f, err
	}
	if err := s.may(scope, f.Kind); err != nil {
		return f, err
	}
	if f.State == FileApplied {
		return f, fault.New(fault.Conflict, "traces.care.file.state")
	}
	f.State = FileApplying
	for after, more := 0, true; more; {
		if after, more, err = s.applyPortion(ctx, scope, &f, after, zone); err != nil {
			return f, err
		}
	}
	f.State = FileApplied
	now := s.opt.Clock.Now()
	return f, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := writeFile(ctx, tx, scope, f, now); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "traces.care.file", ObjectKind: "trace_care_file", ObjectID: f.ID.String(), ObjectName: f.Name, After: map[string]any{"kind": string(f.Kind), "lines": f.Done, "refused": f.Refused},
		})
	})
}

// staged is one line to be written.
type staged struct {
	seq  int
	kept assist.Kept
}

// applyPortion writes the next lines and takes them out of the waiting room.
func (s *Service) applyPortion(ctx context.Context, scope access.Scope, f *File, after int, zone *time.Location) (last int, more bool, err error) {
	now := s.opt.Clock.Now()
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var list []staged
		if err := tx.Query(ctx, `SELECT seq, cells FROM traces_care_lines WHERE organisation_id = $1 AND file_id = $2 AND problem = '' AND seq > $3 ORDER BY seq LIMIT $4`, []any{scope.Organisation(), f.ID, after, chunk},
			func(row func(...any) error) error {
				var l staged
				err := row(&l.seq, &l.kept.Cells)
				list = append(list, l)
				return err
			}); err != nil {
			return err
		}
		last, more = after, len(list) == chunk
		for _, l := range list {
			last = l.seq
			if err := f.applyLine(ctx, tx, scope, l, storage.Micros(now), zone); err != nil {
				return err
			}
		}
		return writeFile(ctx, tx, scope, *f, now)
	})
	return last, more, err
}

func (f *File) applyLine(ctx context.Context, tx *storage.Tx, scope access.Scope, l staged, now int64, zone *time.Location) error {
	values, err := l.kept.Values()
	if err != nil {
		return err
	}
	understood, err := f.Kind.understand(f.Columns, values, zone)
	if err == nil {
		err = understood.apply(ctx, tx, scope, now)
	}
	problem := fault.As(err)
	switch {
	case err != nil && (problem == nil || problem.Kind != fault.Invalid):
		return err
	case err == nil:
		f.Done++
		_, err = tx.Exec(ctx, `DELETE FROM traces_care_lines WHERE organisation_id = $1 AND file_id = $2 AND seq = $3`, scope.Organisation(), f.ID, l.seq)
		return err
	}
	f.Refused++
	kept, err := keepRow(table.Row{Cells: values, Problem: problem})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE traces_care_lines SET problem = $4 WHERE organisation_id = $1 AND file_id = $2 AND seq = $3`, scope.Organisation(), f.ID, l.seq, kept.Problem)
	return err
}

// Abandon drops a file that was not confirmed. Needs what its kind asks for.
// Errors: NotFound, Conflict.
func (s *Service) Abandon(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	f, err := s.File(ctx, scope, id)
	if err != nil {
		return err
	}
	if err := s.may(scope, f.Kind); err != nil {
		return err
	}
	if f.State != FileReady {
		return fault.New(fault.Conflict, "traces.care.file.state")
	}
	if err := s.clearLines(ctx, scope, id); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM traces_care_files WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id)
		return err
	})
}

func (s *Service) clearLines(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM traces_care_lines WHERE organisation_id = $1 AND file_id = $2`, scope.Organisation(), id)
		return err
	})
}

// forgetFiles drops the lines of old files.
func (s *Service) forgetFiles(ctx context.Context, scope access.Scope, now time.Time) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		before := storage.Micros(now.Add(-filesKept))
		if _, err := tx.Exec(ctx, `DELETE FROM traces_care_lines WHERE organisation_id = $1 AND file_id IN (SELECT id FROM traces_care_files WHERE organisation_id = $1 AND updated_us < $2)`, scope.Organisation(), before); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM traces_care_files WHERE organisation_id = $1 AND updated_us < $2`, scope.Organisation(), before)
		return err
	})
}
