package espasim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// StartSerial starts a server that controls a serial line, and names the other end
// of that line; it ends with the test. The line is a pair of terminals of the system:
// it carries the same bytes as a cable, at no speed. Its name stays when the cable is
// pulled out and comes back, as a rule of the system gives it to an adapter.
func StartSerial(t testing.TB) (s *Server, device string) {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "line-")
	if err != nil {
		t.Skip("there is no folder below /dev to name a line in")
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) }) // in memory
	s = &Server{t: t, Polls: true, conns: map[io.Closer]bool{}, device: filepath.Join(folder, "line")}
	s.PlugIn()
	t.Cleanup(s.PullOut)
	return s, s.device
}

// PlugIn gives the line its cable.
func (s *Server) PlugIn() {
	s.t.Helper()
	line, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := line.SyscallConn()
	if err != nil {
		s.t.Fatal(err)
	}
	number := 0
	if cerr := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); cerr != nil || err != nil {
		s.t.Fatal(cerr, err)
	}
	end := fmt.Sprintf("/dev/pts/%d", number)
	// Held open: the line would hang up each time who speaks to us leaves it.
	if s.held, err = os.OpenFile(end, os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		s.t.Fatal(err)
	}
	// A cable has no echo.
	if err := errors.Join(quiet(s.held), os.Symlink(end, s.device)); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	s.conns[line] = true
	s.mu.Unlock()
	s.wait.Go(func() { s.serve(line) })
}

// PullOut takes the cable away, and the name of the line with it.
func (s *Server) PullOut() {
	_ = os.Remove(s.device) // it may be gone already
	s.Down()
	_ = s.held.Close() // a terminal of the system, nothing is lost
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
