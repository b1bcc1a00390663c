//go:build cgo && !windows

package duckdb

import (
	"errors"
	"fmt"
	"os"
)

// syncPath has a file, or the names of a folder, on the disk.
func syncPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync traces: %w", err)
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("sync traces: %w", err)
	}
	return nil
}
