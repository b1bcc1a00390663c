package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

const (
	// ScanEvery is the wait between two looks into folders.
	ScanEvery = 10 * time.Second
	// still is for how long a file does not change before it is whole.
	still = 10 * time.Second
	// headBytes is how much of the beginning of a file that is followed tells it
	// from another of its name.
	headBytes = 1024
	// foundMost bounds the files that one look at a folder takes.
	foundMost = 100
)

// seen is how a file was at the last look.
type seen struct {
	size, modified int64
	at             time.Time
}

// Scan looks into every folder that is watched. What is wrong with one is
// written on it, and stops no other.
func (s *Service) Scan(ctx context.Context, now time.Time) (bool, error) {
	if !s.opt.Traces.Ready() {
		return false, nil
	}
	var list []Folder
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		var err error
		list, err = readFolders(ctx, tx, `1 = 1`)
		return err
	})
	if err != nil {
		return false, err
	}
	var errs []error
	for _, f := range list {
		errs = append(errs, s.lookInto(ctx, now, f))
	}
	return false, errors.Join(errs...)
}

func (s *Service) lookInto(ctx context.Context, now time.Time, f Folder) error {
	scope := access.System(f.organisation, "traces")
	from, err := s.opt.Traces.Speaker(ctx, f.organisation, f.Source)
	if fault.Is(err, fault.NotFound) {
		return nil // it was retired
	}
	if err != nil {
		return err
	}
	reason := ""
	if err := s.search(ctx, now, scope, from, f); err != nil {
		if ctx.Err() != nil {
			return err
		}
		s.opt.Log.Warn("a folder of traces cannot be read", "source", f.Source, "error", err)
		if reason = WriteReason(err); fault.As(err) == nil {
			reason = WriteReason(fault.New(fault.Invalid, "traces.folders.open", "path", f.Path))
		}
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE traces_folders SET seen_us = $3, reason = $4 WHERE organisation_id = $1 AND source_id = $2`, f.organisation, f.Source, storage.Micros(now), reason)
		return err
	})
}

// search takes the files of a folder that are new.
func (s *Service) search(ctx context.Context, now time.Time, scope access.Scope, from traces.Speaker, f Folder) (err error) {
	dir, closed, err := s.openFolder(scope, f.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.Close(), closed()) }()
	names, err := regular(dir)
	if err != nil {
		return err
	}
	known, err := s.knownIn(ctx, scope, f)
	if err != nil {
		return err
	}
	if f.Way == Follow {
		if err := s.follow(ctx, dir, f, names, known); err != nil {
			return err
		}
		if known, err = s.knownIn(ctx, scope, f); err != nil { // some have another name now
			return err
		}
	}
	taken := 0
	for _, info := range names {
		if taken >= foundMost || !f.wants(info.Name()) {
			continue
		}
		one := File{Source: f.Source, organisation: f.organisation, Origin: FromFolder, Name: info.Name(), path: filepath.Join(f.Path, info.Name()), Size: info.Size(), modified: info.ModTime().UnixMicro(), Given: now}
		if !s.fresh(now, f, one, known) {
			continue
		}
		if err := s.found(ctx, now, scope, dir, from, f, one); err != nil {
			return err
		}
		taken++
	}
	return nil
}

// regular lists the plain files of a folder: no folder, no link, nothing hidden.
func regular(dir *os.Root) (out []fs.FileInfo, err error) {
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && !strings.HasPrefix(info.Name(), ".") {
			out = append(out, info)
		}
	}
	return out, nil
}

// unfinished are the names under which transfers write before they are done.
var unfinished = []string{".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp"}

func (f Folder) wants(name string) bool {
	return !slices.ContainsFunc(unfinished, func(end string) bool { return strings.HasSuffix(strings.ToLower(name), end) }) &&
		slices.ContainsFunc(f.Patterns, func(p string) bool {
			ok, err := filepath.Match(strings.ToLower(p), strings.ToLower(name))
			return ok && err == nil
		})
}

// knownIn lists the files that were found in a folder.
func (s *Service) knownIn(ctx context.Context, scope access.Scope, f Folder) (out []File, err error) {
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readFiles(ctx, tx, `organisation_id = $1 AND source_id = $2 AND origin = 'folder' ORDER BY id DESC LIMIT 5000`, f.organisation, f.Source)
		return err
	})
	return out, err
}

// fresh tells whether a file is to be taken now: one that nobody took, and that
// has stopped growing unless it is followed.
func (s *Service) fresh(now time.Time, f Folder, one File, known []File) bool {
	for _, k := range known {
		if k.path == one.path && (f.Way == Follow && k.head > 0 && k.State != Done || k.Size == one.Size && k.modified == one.modified) {
			return false
		}
	}
	if one.Size == 0 {
		return false
	}
	if f.Way == Follow {
		return true
	}
	before, ok := s.steady[one.path]
	if !ok || before.size != one.Size || before.modified != one.modified {
		s.steady[one.path] = seen{one.Size, one.modified, now}
		return false
	}
	return now.Sub(before.at) >= still
}

// found writes a file down that is to be read.
func (s *Service) found(ctx context.Context, now time.Time, scope access.Scope, dir *os.Root, from traces.Speaker, f Folder, one File) error {
	delete(s.steady, one.path)
	most := int64(0)
	if f.Way == Follow {
		one.head = min(one.Size, headBytes)
		most = one.head
	}
	sum, err := sumOf(dir, one.Name, most)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was moved meanwhile
	}
	if err != nil {
		return err
	}
	one.ID, one.SHA256 = storage.NewID(now), sum
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		mapping, err := lastMapping(ctx, tx, scope, f.Source)
		if err != nil {
			return err
		}
		if one.State = Waiting; mapping.Version == 0 {
			one.State = Unmapped
		}
		return insertFile(ctx, tx, scope, from.Name, one)
	})
}

// sumOf is the SHA-256 of a file, or of its beginning.
func sumOf(dir *os.Root, name string, most int64) (sum []byte, err error) {
	file, err := dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var in io.Reader = file
	if most > 0 {
		in = io.LimitReader(file, most)
	}
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return nil, fmt.Errorf("read file of traces: %w", err)
	}
	return h.Sum(nil), nil
}

// follow finds the files that are followed, under their name or the one that a
// rotation gave them, and has what was added to them read.
func (s *Service) follow(ctx context.Context, dir *os.Root, f Folder, names []fs.FileInfo, known []File) error {
	for _, k := range known {
		if k.head == 0 || k.State != Growing {
			continue
		}
		info, err := k.where(dir, names)
		if err != nil {
			return err
		}
		if err := s.followed(ctx, dir, f, k, info); err != nil {
			return err
		}
	}
	return nil
}

// where finds a file by its beginning, first under its name.
func (f File) where(dir *os.Root, names []fs.FileInfo) (fs.FileInfo, error) {
	mine := filepath.Base(f.path)
	ordered := slices.Clone(names)
	slices.SortStableFunc(ordered, func(a, b fs.FileInfo) int {
		switch {
		case a.Name() == mine && b.Name() != mine:
			return -1
		case b.Name() == mine && a.Name() != mine:
			return 1
		}
		return 0
	})
	for _, info := range ordered {
		if info.Size() < f.head || info.Size() < f.Read.Offset {
			continue
		}
		sum, err := sumOf(dir, info.Name(), f.head)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil && bytes.Equal(sum, f.SHA256) {
			return info, nil
		}
	}
	return nil, nil
}

// followed notes where a file is now: there is more to read, it was renamed, or
// it is gone, and over.
func (s *Service) followed(ctx context.Context, dir *os.Root, f Folder, k File, info fs.FileInfo) error {
	state, path, size, head, sum := Done, k.path, k.Size, k.head, k.SHA256
	if info != nil {
		path, size, state = filepath.Join(f.Path, info.Name()), info.Size(), Growing
		if size > k.Read.Offset && (size != k.Size || path != k.path) {
			state = Waiting
		}
		if size > head && head < headBytes {
			head = min(size, headBytes)
			var err error
			if sum, err = sumOf(dir, info.Name(), head); err != nil {
				return err
			}
		}
	}
	if state == k.State && path == k.path && size == k.Size && head == k.head {
		return nil
	}
	scope := access.System(f.organisation, "traces")
	ended := storage.NullMicros(time.Time{})
	if state == Done {
		ended = storage.NullMicros(s.opt.Clock.Now())
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE traces_files SET state = $3, path = $4, size = $5, head_bytes = $6, sha256 = $7, ended_us = $8 WHERE organisation_id = $1 AND id = $2 AND state = 'growing'`,
			f.organisation, k.ID, state, path, size, head, sum, ended); err != nil {
			return err
		}
		if state != Done {
			return nil
		}
		return settle(ctx, tx, scope, k.ID)
	})
}

// openInFolder opens a file of a folder, by a name that leads nowhere else.
func (s *Service) openInFolder(f File) (*os.File, error) {
	dir, closed, err := s.openFolder(access.System(f.organisation, "traces"), filepath.Dir(f.path))
	if err != nil {
		return nil, err
	}
	info, err := dir.Lstat(filepath.Base(f.path))
	var file *os.File
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fault.New(fault.NotFound, "traces.files.gone")
	default:
		file, err = dir.Open(filepath.Base(f.path))
	}
	return file, errors.Join(err, dir.Close(), closed())
}

// shelve moves a file of a folder whose files are moved. What cannot be moved is
// said on the folder; the file is remembered where it is.
func (s *Service) shelve(ctx context.Context, f File, name string) error {
	if f.Origin != FromFolder || f.head > 0 {
		return nil
	}
	scope := access.System(f.organisation, "traces")
	folder, err := s.folderOf(ctx, scope, f.Source)
	if err != nil || folder.Way != Move {
		return err
	}
	path, err := s.moved(scope, folder, f, name)
	reason := ""
	if err != nil {
		s.opt.Log.Warn("a file of traces cannot be moved", "file", f.ID, "error", err)
		path, reason = f.path, WriteReason(fault.New(fault.Invalid, "traces.folders.move"))
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE traces_files SET path = $3, reason = CASE WHEN $4 = '' THEN reason ELSE $4 END WHERE organisation_id = $1 AND id = $2`, f.organisation, f.ID, path, reason)
		return err
	})
}

// moved renames a file into a folder of its own, never over another.
func (s *Service) moved(scope access.Scope, folder Folder, f File, name string) (path string, err error) {
	dir, closed, err := s.openFolder(scope, folder.Path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, dir.Close(), closed()) }()
	from, err := filepath.Rel(folder.Path, f.path)
	if err != nil {
		return "", err
	}
	if err := dir.Mkdir(name, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	to := filepath.Join(name, f.Name)
	if _, err := dir.Lstat(to); err == nil {
		to = filepath.Join(name, f.ID.String()+" "+f.Name)
	}
	if err := dir.Rename(from, to); err != nil {
		return "", err
	}
	return filepath.Join(folder.Path, to), nil
}
