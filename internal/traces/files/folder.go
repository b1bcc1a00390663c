package files

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// What becomes of the files of a folder.
const (
	// Move puts a file that was read beside the others, in a folder of its own.
	Move = "move"
	// Leave remembers a file by its place, size and time.
	Leave = "leave"
	// Follow reads what an application adds to a file, over its rotations.
	Follow = "follow"
)

// The folders into which files that were read are moved.
const (
	DoneName     = "traités"
	RejectedName = "rejetés"
)

// Ways lists what may become of files.
func Ways() []string { return []string{Move, Leave, Follow} }

// Folder is a folder that is watched for a source.
type Folder struct {
	Source   uuid.UUID
	Path     string
	Patterns []string
	Way      string
	// Seen is when it was looked at last, Reason what was wrong then.
	Seen   time.Time
	Reason *fault.Error

	organisation uuid.UUID
}

const patternsMost = 20

// Roots lists the folders under which one may be watched for an establishment.
func (s *Service) Roots(scope access.Scope) (out []string) {
	for _, r := range s.opt.Roots {
		owner, path, owned := strings.Cut(r, "=")
		switch {
		case !owned:
			out = append(out, filepath.Clean(owner))
		case owner == scope.Organisation().String():
			out = append(out, filepath.Clean(path))
		}
	}
	return out
}

// within gives the allowed folder that a path is under, and the path below it.
func within(roots []string, path string) (root, below string, ok bool) {
	for _, root := range roots {
		below, err := filepath.Rel(root, path)
		if err == nil && filepath.IsLocal(below) {
			return root, below, true
		}
	}
	return "", "", false
}

// Folder gives the folder of a source; an empty Path when it has none. Needs
// access.TracesSource. Errors: NotFound.
func (s *Service) Folder(ctx context.Context, scope access.Scope, source uuid.UUID) (out Folder, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return out, err
	}
	if _, err := s.opt.Traces.Source(ctx, scope, source); err != nil {
		return out, err
	}
	return s.folderOf(ctx, scope, source)
}

func (s *Service) folderOf(ctx context.Context, scope access.Scope, source uuid.UUID) (out Folder, err error) {
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		list, err := readFolders(ctx, tx, `organisation_id = $1 AND source_id = $2`, scope.Organisation(), source)
		if len(list) > 0 {
			out = list[0]
		}
		return err
	})
	return out, err
}

func readFolders(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Folder, err error) {
	err = tx.Query(ctx, `SELECT organisation_id, source_id, path, patterns, way, seen_us, reason FROM traces_folders WHERE `+which, args, func(row func(...any) error) error {
		var f Folder
		var patterns, reason string
		var at sql.NullInt64
		if err := row(&f.organisation, &f.Source, &f.Path, &patterns, &f.Way, &at, &reason); err != nil {
			return err
		}
		f.Patterns, f.Seen, f.Reason = strings.Fields(patterns), storage.NullTime(at), ReadReason(reason)
		out = append(out, f)
		return nil
	})
	return out, err
}

// check refuses a folder that may not be watched. Errors: Invalid with its field.
func (s *Service) check(scope access.Scope, f *Folder) error {
	roots := s.Roots(scope)
	if len(roots) == 0 {
		return fault.New(fault.Invalid, "traces.folders.none").At("path")
	}
	f.Path = filepath.Clean(strings.TrimSpace(f.Path))
	if _, _, ok := within(roots, f.Path); !ok || !filepath.IsAbs(f.Path) {
		return fault.New(fault.Invalid, "traces.folders.root").At("path")
	}
	if len(f.Patterns) == 0 || len(f.Patterns) > patternsMost {
		return fault.New(fault.Invalid, "traces.folders.patterns").At("patterns")
	}
	for _, p := range f.Patterns {
		if _, err := filepath.Match(p, "x"); err != nil || strings.ContainsAny(p, `/\ `) {
			return fault.New(fault.Invalid, "traces.folders.patterns").At("patterns")
		}
	}
	if !slices.Contains(Ways(), f.Way) {
		return fault.New(fault.Invalid, "traces.folders.way").At("way")
	}
	dir, closed, err := s.openFolder(scope, f.Path)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "traces.folders.open", "path", f.Path).At("path")
	}
	return errors.Join(dir.Close(), closed())
}

// openFolder opens a folder below an allowed one: no link leads out of it.
func (s *Service) openFolder(scope access.Scope, path string) (dir *os.Root, closed func() error, err error) {
	root, below, ok := within(s.Roots(scope), path)
	if !ok {
		return nil, nil, fault.New(fault.Invalid, "traces.folders.root").At("path")
	}
	top, err := os.OpenRoot(root)
	if err != nil {
		return nil, nil, err
	}
	dir, err = top.OpenRoot(below)
	if err != nil {
		return nil, nil, errors.Join(err, top.Close())
	}
	return dir, top.Close, nil
}

// Watch has a folder watched for a source; an empty path, none. A folder is of
// one source only. Needs access.TracesSource. Errors: Invalid with its field,
// NotFound, Conflict.
func (s *Service) Watch(ctx context.Context, scope access.Scope, f Folder) error {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return err
	}
	of, err := s.opt.Traces.Source(ctx, scope, f.Source)
	if err != nil {
		return err
	}
	if f.Path != "" {
		if err := s.check(scope, &f); err != nil {
			return err
		}
		if err := s.alone(ctx, scope, f); err != nil {
			return err
		}
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM traces_folders WHERE organisation_id = $1 AND source_id = $2`, scope.Organisation(), f.Source); err != nil {
			return err
		}
		if f.Path != "" {
			if _, err := tx.Exec(ctx, `INSERT INTO traces_folders (organisation_id, source_id, path, patterns, way, reason) VALUES ($1, $2, $3, $4, $5, '')`,
				scope.Organisation(), f.Source, f.Path, strings.Join(f.Patterns, " "), f.Way); err != nil {
				return err
			}
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "traces.folder.set", ObjectKind: "trace_source", ObjectID: f.Source.String(), ObjectName: of.Name,
			After: map[string]any{"path": f.Path, "patterns": strings.Join(f.Patterns, " "), "way": f.Way},
		})
	})
}

// alone refuses a folder that is another source's, of any establishment, or that
// holds one: the same file must never be of two.
func (s *Service) alone(ctx context.Context, scope access.Scope, f Folder) error {
	var list []Folder
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		var err error
		list, err = readFolders(ctx, tx, `source_id <> $1`, f.Source)
		return err
	})
	if err != nil {
		return err
	}
	for _, other := range list {
		if other.Path == f.Path {
			return fault.New(fault.Conflict, "traces.folders.taken").At("path")
		}
	}
	return nil
}
