package rtp

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// hurry keeps the goroutine that calls it on a thread of its own, ahead of the
// others where the system lets it: a busy machine is heard as holes in the words.
// What it returns lets go.
func hurry() func() {
	runtime.LockOSThread()
	// Without the right to it the sound is as punctual as the machine is free.
	if ahead() != nil {
		return runtime.UnlockOSThread
	}
	// The thread keeps its rank: it ends with the goroutine, still locked.
	return func() {}
}

// ahead ranks the thread with those of the system that must be on time, as exchanges
// do, or else among the first of the ordinary ones. deploy/tocsin.service grants both.
func ahead() error {
	punctual := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Flags: unix.SCHED_FLAG_RESET_ON_FORK, Priority: 10}
	if unix.SchedSetAttr(0, &punctual, 0) == nil {
		return nil
	}
	const early = -11
	return unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), early)
}

// rest lets the time of a beat come. The thread waits for it by itself: a timer of
// the program is looked at by threads that stand behind the others of a busy machine.
func rest(d time.Duration) {
	for end := unix.NsecToTimespec(int64(d)); d > 0; {
		var left unix.Timespec
		if unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &end, &left) != unix.EINTR {
			return
		}
		end = left
	}
}
