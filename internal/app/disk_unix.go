//go:build unix

package app

import "syscall"

// freeSpace is what this account may still write in the folder, in bytes.
func freeSpace(folder string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(folder, &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}
