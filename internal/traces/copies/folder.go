package copies

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/backup"
	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

const (
	headerName  = "tocsin-traces.json"
	objectsName = "objects"
	suffix      = ".copie"
	partial     = ".partiel-"
	form        = 1
	// instant names a copy, and sorts by time.
	instant = "20060102T150405Z"
	idBytes = 32
)

// Folder is a folder of copies, held by this process alone.
type Folder struct {
	dir  string
	key  []byte
	lock *os.File
}

// header is what the folder says without its passphrase.
type header struct {
	Form int         `json:"tocsin_traces"`
	Lock backup.Lock `json:"lock"`
}

// Copy is what one is made of.
type Copy struct {
	Made    time.Time `json:"made"`
	Program string    `json:"program"`
	// Base is the id of the base.
	Base  uuid.UUID `json:"base"`
	Files []File    `json:"files"`
	// Ledger is the log of the seal.
	Ledger File `json:"ledger"`
}

// File is a file of the base and the object that holds it.
type File struct {
	traces.CopiedFile
	Object string `json:"object"`
}

// Bytes is what the files take when they are put back.
func (c Copy) Bytes() (n int64) {
	for _, f := range c.Files {
		n += f.Size
	}
	return n
}

// Name is that of the copy in its folder.
func (c Copy) Name() string { return NameAt(c.Made) }

// NameAt is the name of a copy made at an instant.
func NameAt(made time.Time) string { return made.UTC().Format(instant) }

// Exists tells whether a folder holds copies.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, headerName))
	return err == nil
}

// Open opens a folder of copies. Errors: NotFound, Denied for another passphrase,
// Conflict when another process holds it.
func Open(dir, passphrase string) (*Folder, error) {
	text, err := os.ReadFile(filepath.Join(dir, headerName))
	if err != nil {
		return nil, fault.Wrap(err, fault.NotFound, "traces.copy.no_folder", "folder", dir)
	}
	var h header
	if err := json.Unmarshal(text, &h); err != nil || h.Form != form {
		return nil, fault.Wrap(errors.Join(err, fmt.Errorf("form %d", h.Form)), fault.Invalid, "traces.copy.no_folder", "folder", dir)
	}
	key, err := h.Lock.Open(passphrase)
	if err != nil {
		return nil, fault.Wrap(err, fault.Denied, "traces.copy.passphrase", "folder", dir)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{dir: dir, key: key, lock: lock}, nil
}

// Begin opens a folder of copies and makes it where there is nothing yet. Errors:
// those of Open, Conflict for a folder that holds something else, Unavailable.
func Begin(dir, passphrase string) (*Folder, error) {
	if Exists(dir) {
		f, err := Open(dir, passphrase)
		if err != nil {
			return nil, err
		}
		return f, f.sweep()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unwritable(dir, err)
	}
	inside, err := os.ReadDir(dir)
	if err != nil {
		return nil, unwritable(dir, err)
	}
	if slices.ContainsFunc(inside, func(e os.DirEntry) bool { return e.Name() != objectsName && !strings.HasPrefix(e.Name(), partial) }) {
		return nil, fault.New(fault.Conflict, "traces.copy.not_empty", "folder", dir)
	}
	if err := os.MkdirAll(filepath.Join(dir, objectsName), 0o700); err != nil {
		return nil, unwritable(dir, err)
	}
	lock, key, err := backup.NewLock(passphrase)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(header{Form: form, Lock: lock})
	if err != nil {
		return nil, fmt.Errorf("header of copies: %w", err)
	}
	if err := place(dir, headerName, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return nil, unwritable(dir, err)
	}
	held, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{dir: dir, key: key, lock: held}, nil
}

// Close lets the folder go.
func (f *Folder) Close() error {
	if err := f.lock.Close(); err != nil {
		return fmt.Errorf("close copies: %w", err)
	}
	return nil
}

// sweep removes what an interruption left.
func (f *Folder) sweep() error {
	left, err := filepath.Glob(filepath.Join(f.dir, partial+"*"))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return unwritable(f.dir, err)
}

// Names lists the copies, the oldest first.
func (f *Folder) Names() (out []string, err error) {
	inside, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "traces.copy.unreadable", "folder", f.dir)
	}
	for _, e := range inside {
		if name, ok := strings.CutSuffix(e.Name(), suffix); ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// Read gives a copy; the last when name is empty. Errors: NotFound, Invalid for one
// that is damaged or bears another's name.
func (f *Folder) Read(name string) (c Copy, err error) {
	if name == "" {
		names, err := f.Names()
		if err != nil {
			return c, err
		}
		if len(names) == 0 {
			return c, fault.New(fault.NotFound, "traces.copy.none", "folder", f.dir)
		}
		name = names[len(names)-1]
	}
	file, err := os.Open(filepath.Join(f.dir, filepath.Base(name)+suffix))
	if err != nil {
		return c, fault.Wrap(err, fault.NotFound, "traces.copy.unknown", "name", name)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	from, err := f.unseal(file, "tocsin-traces-copy")
	if err == nil {
		err = json.NewDecoder(from).Decode(&c)
	}
	if err == nil && c.Name() != name {
		err = errors.New("the copy of another instant")
	}
	if err != nil {
		return c, damaged(name, err)
	}
	return c, nil
}

// objectName is that of what has a digest.
func (f *Folder) objectName(sum []byte) string {
	mac := hmac.New(sha256.New, f.key)
	_, _ = mac.Write(sum) // it never fails
	return hex.EncodeToString(mac.Sum(nil))
}

func (f *Folder) objectPath(name string) string {
	return filepath.Join(f.dir, objectsName, filepath.Base(name))
}

// seal writes what do writes, sealed, to w.
func (f *Folder) seal(w io.Writer, label string, do func(io.Writer) error) error {
	id := make([]byte, idBytes)
	_, _ = rand.Read(id) // it never fails: the program stops first
	if _, err := w.Write(id); err != nil {
		return err //nolint:wrapcheck // the caller names the folder
	}
	pieces, err := backup.SealTo(w, f.key, append([]byte(label), id...))
	if err == nil {
		err = do(pieces)
	}
	if err == nil {
		err = pieces.Close()
	}
	return err //nolint:wrapcheck // the caller names the folder
}

// unseal opens what seal wrote.
func (f *Folder) unseal(from io.Reader, label string) (io.Reader, error) {
	id := make([]byte, idBytes)
	if _, err := io.ReadFull(from, id); err != nil {
		return nil, fmt.Errorf("beginning of a copy: %w", err)
	}
	return backup.OpenFrom(from, f.key, append([]byte(label), id...)) //nolint:wrapcheck // the caller names the copy
}

// place writes a file beside its name, and gives it that once it is on the disk.
func place(dir, name string, write func(io.Writer) error) (err error) {
	return placeAs(dir, func() string { return filepath.Join(dir, name) }, write)
}

func placeAs(dir string, path func() string, write func(io.Writer) error) (err error) {
	file, err := os.CreateTemp(dir, partial+"*") // CreateTemp gives 0600
	if err != nil {
		return fmt.Errorf("write a copy: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path()); err != nil {
		return fmt.Errorf("write a copy: %w", err)
	}
	return syncFolder(filepath.Dir(path()))
}

// unwritable is the one sentence for a folder that takes nothing.
func unwritable(dir string, err error) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	return fault.Wrap(err, fault.Unavailable, "traces.copy.unwritable", "folder", dir)
}

// damaged is the one sentence for a copy that cannot be trusted.
func damaged(name string, err error) error {
	return fault.Wrap(err, fault.Invalid, "traces.copy.damaged", "name", name)
}

func sameSum(a, b []byte) bool { return len(a) == sha256.Size && bytes.Equal(a, b) }
