package ground

import (
	"errors"
	"fmt"
	"syscall"
)

// Disk is a small one, in memory, that is full when told to be: the system itself
// answers that there is no room, to whoever writes.
type Disk struct {
	folder string
	room   int64
}

// NewDisk mounts a disk on a folder that is there. Only root may, and not on every
// machine.
func NewDisk(folder string, room int64) (*Disk, error) {
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, size(room)); err != nil {
		return nil, fmt.Errorf("mount a small disk: %w", err)
	}
	return &Disk{folder, room}, nil
}

func size(bytes int64) string { return fmt.Sprintf("size=%d,mode=0755", bytes) }

// Fill leaves no room: the disk is as large as what lies on it. What is deleted makes
// room again.
func (d *Disk) Fill() error {
	for range 10 { // whoever writes meanwhile makes it larger
		var is syscall.Statfs_t
		if err := syscall.Statfs(d.folder, &is); err != nil {
			return fmt.Errorf("look at the small disk: %w", err)
		}
		err := d.resize(int64(is.Blocks-is.Bfree) * is.Bsize)
		if !errors.Is(err, syscall.EINVAL) {
			return err
		}
	}
	return errors.New("the small disk grows faster than it is filled")
}

// Free gives the room back.
func (d *Disk) Free() error { return d.resize(d.room) }

func (d *Disk) resize(bytes int64) error {
	if err := syscall.Mount("tmpfs", d.folder, "tmpfs", syscall.MS_REMOUNT, size(bytes)); err != nil {
		return fmt.Errorf("resize the small disk: %w", err)
	}
	return nil
}

// Close takes the disk away, with all that lies on it.
func (d *Disk) Close() error {
	if err := syscall.Unmount(d.folder, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount the small disk: %w", err)
	}
	return nil
}
