package espasim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// StartSerial starts a server that controls a serial line, and names the other end
// of that line; it ends with the test. The line is a pair of terminals of the system:
// it carries the same bytes as a cable, at no speed.
func StartSerial(t testing.TB) (s *Server, device string) {
	t.Helper()
	line, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := line.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	number := 0
	if cerr := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); cerr != nil || err != nil {
		t.Fatal(cerr, err)
	}
	device = fmt.Sprintf("/dev/pts/%d", number)
	// Held open: the line would hang up each time who speaks to us leaves it.
	held, err := os.OpenFile(device, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	// A cable has no echo.
	if err := quiet(held); err != nil {
		t.Fatal(err)
	}
	s = &Server{t: t, Polls: true, conns: map[io.Closer]bool{line: true}}
	s.wait.Go(func() { s.serve(line) })
	t.Cleanup(func() {
		s.Down()
		_ = held.Close() // a terminal of the system, nothing is lost
	})
	return s, device
}

// quiet makes a terminal pass bytes as they are.
func quiet(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	cerr := raw.Control(func(fd uintptr) {
		var now *unix.Termios
		if now, err = unix.IoctlGetTermios(int(fd), unix.TCGETS); err == nil {
			now.Iflag, now.Oflag, now.Lflag = 0, 0, 0
			err = unix.IoctlSetTermios(int(fd), unix.TCSETS, now)
		}
	})
	return errors.Join(cerr, err)
}
