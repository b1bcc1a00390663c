package copies

import (
	"os"
	"path/filepath"

	"tocsin/internal/fault"
)

// takeLock opens the header: Windows keeps others from deleting it, and no more.
func takeLock(dir string) (*os.File, error) {
	file, err := os.Open(filepath.Join(dir, headerName))
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "traces.copy.unreadable", "folder", dir)
	}
	return file, nil
}

// syncFolder does nothing: Windows writes names with their files.
func syncFolder(string) error { return nil }
