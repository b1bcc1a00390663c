//go:build !linux

package rtp

// hurry does nothing here: the system's own rank will do.
func hurry() func() { return func() {} }
