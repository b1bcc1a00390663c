//go:build !linux

package rtp

import "time"

// hurry does nothing here: the system's own rank will do.
func hurry() func() { return func() {} }

// rest lets the time of a beat come.
func rest(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}
