package storage

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// giveUpAfter makes a connection fail once what was written has not been
// acknowledged for that long; left alone the system tries for a quarter of an hour.
func giveUpAfter(patience time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(network, _ string, c syscall.RawConn) error {
		if network == "unix" {
			return nil
		}
		var set error
		err := c.Control(func(fd uintptr) {
			set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(patience.Milliseconds()))
		})
		if err != nil {
			return err
		}
		return set
	}
}
