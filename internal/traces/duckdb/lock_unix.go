//go:build cgo && !windows

package duckdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"tocsin/internal/fault"
)

// takeLock makes this process the one that holds a folder until the file closes.
func takeLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "base.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock base of traces: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, fault.Wrap(errors.Join(err, f.Close()), fault.Unavailable, "traces.base.taken")
	}
	return f, nil
}
