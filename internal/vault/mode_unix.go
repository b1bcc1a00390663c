//go:build !windows

package vault

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// exposed tells whether anyone but the owner may read or change the file.
func exposed(mode fs.FileMode) bool { return mode.Perm()&0o077 != 0 }

// lock waits until this process alone may change the keyring in folder;
// closing the file gives the lock back.
func lock(folder string) (*os.File, error) {
	file, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
