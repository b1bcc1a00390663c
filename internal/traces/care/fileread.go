package care

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Files lists the files of the last days that the reader may see, the latest
// first. Needs access.TracesRead.
func (s *Service) Files(ctx context.Context, scope access.Scope) (out []File, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT `+fileColumns+` FROM traces_care_files WHERE organisation_id = $1 ORDER BY created_us DESC, id DESC LIMIT 50`, []any{scope.Organisation()}, func(row func(...any) error) error {
			f, err := scanFile(row)
			if s.may(scope, f.Kind) == nil {
				out = append(out, f)
			}
			return err
		})
	})
	return out, err
}

func scanFile(row func(...any) error) (f File, err error) {
	var header, columns string
	var created int64
	if err := row(&f.ID, &f.Kind, &f.Name, &f.State, &header, &columns, &f.Total, &f.Refused, &f.Done, &f.By, &created); err != nil {
		return f, err
	}
	f.Created = storage.Time(created)
	return f, errors.Join(json.Unmarshal([]byte(header), &f.Header), json.Unmarshal([]byte(columns), &f.Columns))
}

// File gives one. Needs what its kind asks for. Errors: NotFound.
func (s *Service) File(ctx context.Context, scope access.Scope, id uuid.UUID) (f File, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return f, err
	}
	found := false
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT `+fileColumns+` FROM traces_care_files WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), id}, func(row func(...any) error) error {
			found = true
			f, err = scanFile(row)
			return err
		})
	})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "traces.care.file.unknown")
	}
	if err != nil {
		return f, err
	}
	return f, s.may(scope, f.Kind)
}

// Line is one line of a file as it was given.
type Line struct {
	Line  int
	Cells []string
	// Problem is why it is kept out; found is false for one that is let in.
	Problem assist.Problem
	Refused bool
}

// Lines gives the first lines of a file: those kept out, or those let in. Needs
// what its kind asks for. Errors: NotFound.
func (s *Service) Lines(ctx context.Context, scope access.Scope, id uuid.UUID, refused bool, limit int) (out []Line, err error) {
	if _, err := s.File(ctx, scope, id); err != nil {
		return nil, err
	}
	which := `problem = ''`
	if refused {
		which = `problem <> ''`
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT line, cells, problem, raw FROM traces_care_lines WHERE organisation_id = $1 AND file_id = $2 AND `+which+` ORDER BY seq LIMIT $3`, []any{scope.Organisation(), id, limit}, func(row func(...any) error) error {
			var l Line
			var k assist.Kept
			if err := row(&l.Line, &k.Cells, &k.Problem, &k.Raw); err != nil {
				return err
			}
			l.Problem, l.Refused = k.Trouble()
			if k.Raw != "" {
				l.Cells = []string{k.Raw}
				out = append(out, l)
				return nil
			}
			l.Cells, err = k.Values()
			out = append(out, l)
			return err
		})
	})
	return out, err
}
