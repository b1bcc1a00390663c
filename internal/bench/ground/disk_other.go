//go:build !linux

package ground

import "errors"

// Disk is a small one that is full when told to be; there is none here.
type Disk struct{}

var errNoDisk = errors.New("no small disk can be made on this system")

// NewDisk fails.
func NewDisk(string, int64) (*Disk, error) { return nil, errNoDisk }

// Fill fails.
func (*Disk) Fill() error { return errNoDisk }

// Free fails.
func (*Disk) Free() error { return errNoDisk }

// Close does nothing.
func (*Disk) Close() error { return nil }
