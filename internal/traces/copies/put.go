package copies

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Check reads a copy whole and writes nothing. Errors: Invalid for one that is
// damaged or lacks a file.
func (f *Folder) Check(ctx context.Context, c Copy, progress func(done, total int64)) error {
	return f.each(ctx, c, progress, func(_ File, content io.Reader) error {
		_, err := io.Copy(io.Discard, content)
		return err //nolint:wrapcheck // the caller does
	})
}

// Put writes the files of a copy into a folder that is not there yet, and has them
// on the disk. After an error the folder is gone again. Errors: those of Check,
// Unavailable when the disk does not take them.
func (f *Folder) Put(ctx context.Context, c Copy, dir string, progress func(done, total int64)) (err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return unwritable(dir, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	folders := map[string]bool{dir: true}
	err = f.each(ctx, c, progress, func(file File, content io.Reader) error {
		path := filepath.Join(dir, filepath.FromSlash(file.Name))
		folders[filepath.Dir(path)] = true
		return unwritable(dir, writeFile(path, content))
	})
	for folder := range folders {
		if err == nil {
			err = unwritable(dir, syncFolder(folder))
		}
	}
	return err
}

func writeFile(path string, content io.Reader) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("put traces back: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("put traces back: %w", err)
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{file}, content, make([]byte, 1<<20))
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// each gives the content of every file and holds it against its digest.
func (f *Folder) each(ctx context.Context, c Copy, progress func(done, total int64), do func(File, io.Reader) error) error {
	total, done := c.Bytes(), int64(0)
	for _, file := range append([]File{c.Ledger}, c.Files...) {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read a copy: %w", context.Cause(ctx))
		}
		use := do
		if file.Name == c.Ledger.Name {
			use = func(_ File, content io.Reader) error { _, err := io.Copy(io.Discard, content); return err }
		}
		if err := f.content(c, file, func(content io.Reader) error { return use(file, content) }); err != nil {
			return err
		}
		if done += file.Size; progress != nil {
			progress(min(done, total), total)
		}
	}
	return nil
}

// Ledger gives the log of the seal that a copy holds, once it was read whole.
func (f *Folder) Ledger(c Copy, do func(io.Reader) error) error {
	return f.content(c, c.Ledger, do)
}

// content opens an object. What do reads to its end is what was copied, or Invalid.
func (f *Folder) content(c Copy, file File, do func(io.Reader) error) (err error) {
	if !filepath.IsLocal(filepath.FromSlash(file.Name)) {
		return damaged(c.Name(), fmt.Errorf("a file named %q", file.Name))
	}
	object, err := os.Open(f.objectPath(file.Object))
	if err != nil {
		return damaged(c.Name(), err)
	}
	defer func() { err = errors.Join(err, object.Close()) }()
	from, err := f.unseal(object, "tocsin-traces-object")
	if err != nil {
		return damaged(c.Name(), err)
	}
	sum := sha256.New()
	watched := &trusted{from: io.TeeReader(from, sum)}
	if err := do(watched); err != nil {
		if watched.err != nil {
			return damaged(c.Name(), watched.err)
		}
		return err
	}
	if !sameSum(file.SHA256, sum.Sum(nil)) {
		return damaged(c.Name(), fmt.Errorf("%s is not what was copied", file.Name))
	}
	return nil
}

// trusted tells an error of where bytes come from from one of where they go.
type trusted struct {
	from io.Reader
	err  error
}

func (t *trusted) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		t.err = err
	}
	return n, err //nolint:wrapcheck // it is a reader
}
