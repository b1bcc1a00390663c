package copies

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

// Order says what a copy is made of and with.
type Order struct {
	Now     time.Time
	Program string
	// Base is the id of the base, After the place of the spool that it must hold.
	Base  uuid.UUID
	After spool.Position
	// Ledger writes the log of the seal; it is called once nothing is purged any more.
	Ledger func(io.Writer) error
	// Room is told before anything is written how many bytes there are, and how many
	// of them are to be written; its error ends the copy.
	Room func(files int, total, fresh int64) error
	// Progress is told how many bytes were looked at, of how many.
	Progress func(done, total int64)
}

// Summary is what was written.
type Summary struct {
	Files, Fresh      int
	Bytes, FreshBytes int64
}

// Make copies a base. Nothing of a copy that fails has a name; what of it was
// written whole serves the next. Errors: those of the base and of Order,
// Unavailable for a folder that cannot be written, Conflict for a name that is taken.
func (f *Folder) Make(ctx context.Context, base traces.Copier, o Order) (s Summary, err error) {
	m := making{folder: f, order: o, copy: Copy{Made: o.Now.UTC().Truncate(time.Second), Program: o.Program, Base: o.Base}}
	if _, err := os.Lstat(filepath.Join(f.dir, m.copy.Name()+suffix)); !errors.Is(err, fs.ErrNotExist) {
		return s, fault.Wrap(err, fault.Conflict, "traces.copy.exists", "name", m.copy.Name())
	}
	if err := m.remember(); err != nil {
		return s, err
	}
	known := map[string]traces.CopiedFile{}
	for name, k := range m.known {
		known[name] = k.CopiedFile
	}
	if err := base.Copy(ctx, traces.CopyQuery{After: o.After, Known: known}, &m); err != nil {
		return s, err
	}
	if err := ctx.Err(); err != nil {
		return s, fmt.Errorf("copy the traces: %w", context.Cause(ctx))
	}
	if err := os.Chtimes(filepath.Join(f.dir, headerName), time.Time{}, o.Now); err != nil {
		return s, unwritable(f.dir, err)
	}
	return m.summary, unwritable(f.dir, place(f.dir, m.copy.Name()+suffix, func(w io.Writer) error {
		return f.seal(w, "tocsin-traces-copy", func(w io.Writer) error { return json.NewEncoder(w).Encode(m.copy) })
	}))
}

// making is a copy under way. It implements traces.CopySink.
type making struct {
	folder      *Folder
	order       Order
	known       map[string]File
	copy        Copy
	summary     Summary
	done, total int64
}

// remember finds what the last copy holds and the folder has still. A copy that
// cannot be read any more is no help, and no hindrance.
func (m *making) remember() error {
	m.known = map[string]File{}
	names, err := m.folder.Names()
	if err != nil || len(names) == 0 {
		return err
	}
	last, err := m.folder.Read(names[len(names)-1])
	if err != nil {
		return nil //nolint:nilerr // all is copied anew
	}
	for _, file := range last.Files {
		if m.folder.has(file) {
			m.known[file.Name] = file
		}
	}
	return nil
}

// has tells whether an object is there, in the length that it must have.
func (f *Folder) has(file File) bool {
	info, err := os.Stat(f.objectPath(file.Object))
	return err == nil && info.Size() == sealedSize(file.Size)
}

// sealedSize is what a file takes once sealed.
func sealedSize(n int64) int64 {
	const piece, tag = 64 << 10, 16
	return idBytes + n + tag*max(1, (n+piece-1)/piece)
}

// Begin implements traces.CopySink.
func (m *making) Begin(files []traces.CopiedFile) error {
	fresh := int64(0)
	for _, file := range files {
		m.total += file.Size
		if k, ok := m.known[file.Name]; !ok || k.Size != file.Size || k.Modified != file.Modified {
			fresh += sealedSize(file.Size)
		}
	}
	if err := m.order.Room(len(files), m.total, fresh); err != nil {
		return err
	}
	read, write := io.Pipe()
	go func() { write.CloseWithError(m.order.Ledger(write)) }()
	ledger, err := m.folder.keep(traces.CopiedFile{Name: "ledger.jsonl"}, read)
	if err = errors.Join(err, read.Close()); err != nil {
		return unwritable(m.folder.dir, err)
	}
	m.copy.Ledger = ledger
	return nil
}

// Take implements traces.CopySink.
func (m *making) Take(file traces.CopiedFile, content io.Reader) (err error) {
	kept := m.known[file.Name]
	if content == nil {
		if !sameSum(kept.SHA256, file.SHA256) {
			return fault.New(fault.Internal, "traces.copy.cut")
		}
		// Young again: see the package.
		err = os.Chtimes(m.folder.objectPath(kept.Object), time.Time{}, m.order.Now)
	} else {
		from := &trusted{from: content}
		if kept, err = m.folder.keep(file, from); from.err != nil {
			return fault.Wrap(from.err, fault.Unavailable, "traces.copy.cut")
		}
		m.summary.Fresh++
		m.summary.FreshBytes += file.Size
	}
	if err != nil {
		return unwritable(m.folder.dir, err)
	}
	m.copy.Files = append(m.copy.Files, kept)
	m.summary.Files++
	m.summary.Bytes += file.Size
	if m.done += file.Size; m.order.Progress != nil {
		m.order.Progress(m.done, max(m.total, m.done))
	}
	return nil
}

// keep writes an object.
func (f *Folder) keep(file traces.CopiedFile, content io.Reader) (File, error) {
	sum, size := sha256.New(), int64(0)
	path := func() string { return f.objectPath(f.objectName(sum.Sum(nil))) }
	err := placeAs(f.dir, path, func(w io.Writer) error {
		return f.seal(w, "tocsin-traces-object", func(w io.Writer) (err error) {
			size, err = io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(w, sum)}, content, make([]byte, 1<<20))
			return err //nolint:wrapcheck // the caller names the folder
		})
	})
	file.SHA256, file.Size = sum.Sum(nil), size
	return File{file, filepath.Base(path())}, err
}

// Prune deletes the oldest copies but the last keep, all kept when zero, and what
// no copy needs any more. A copy that cannot be read has nothing deleted: nobody
// knows what it needs.
func (f *Folder) Prune(keep int) error {
	names, err := f.Names()
	if err != nil {
		return err
	}
	old := 0
	if keep > 0 {
		old = max(0, len(names)-keep)
	}
	needed := map[string]bool{}
	for _, name := range names[old:] {
		c, err := f.Read(name)
		if err != nil {
			return err
		}
		needed[c.Ledger.Object] = true
		for _, file := range c.Files {
			needed[file.Object] = true
		}
	}
	for _, name := range names[:old] {
		if err := os.Remove(filepath.Join(f.dir, name+suffix)); err != nil {
			return unwritable(f.dir, err)
		}
	}
	objects, err := os.ReadDir(filepath.Join(f.dir, objectsName))
	for _, o := range objects {
		if err == nil && !needed[o.Name()] {
			err = os.Remove(f.objectPath(o.Name()))
		}
	}
	return unwritable(f.dir, err)
}
