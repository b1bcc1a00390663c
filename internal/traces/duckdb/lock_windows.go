//go:build cgo

package duckdb

import (
	"fmt"
	"os"
	"path/filepath"
)

// takeLock only makes the file: the base locks its own.
func takeLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "base.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock base of traces: %w", err)
	}
	return f, nil
}
