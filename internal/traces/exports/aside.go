package exports

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// aside is a file that waits for its turn in the archive, sealed as the archive is.
type aside struct {
	*sealer
	a    *archive
	name string
	file *os.File
}

func (a *archive) aside(name string) (*aside, error) {
	path := a.s.path(a.scope, a.r.ID) + "." + name
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("set a file aside: %w", err)
	}
	return &aside{sealer: newSealer(file, a.s.opt.Vault, sealName(a.scope, a.r.ID, name)), a: a, name: name, file: file}, nil
}

// copyTo ends the file and gives what was written.
func (f *aside) copyTo(w io.Writer) error {
	if err := f.sealer.Close(); err != nil {
		return err
	}
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read a file set aside: %w", err)
	}
	_, err := io.Copy(w, newOpener(bufio.NewReader(f.file), f.vault, f.context))
	return err
}

func (f *aside) remove() error { return errors.Join(f.file.Close(), os.Remove(f.file.Name())) }
