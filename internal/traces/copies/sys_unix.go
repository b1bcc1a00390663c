//go:build !windows

package copies

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"tocsin/internal/fault"
)

// takeLock makes this process the only one that uses a folder, until the file closes.
func takeLock(dir string) (*os.File, error) {
	file, err := os.Open(filepath.Join(dir, headerName))
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "traces.copy.unreadable", "folder", dir)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fault.Wrap(errors.Join(err, file.Close()), fault.Conflict, "traces.copy.taken", "folder", dir)
	}
	return file, nil
}

// syncFolder makes new names in a folder durable.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync copies: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
