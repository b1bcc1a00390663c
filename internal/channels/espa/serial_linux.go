package espa

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// speeds are those of the standard and the two that came after it, in bits per second.
var speeds = map[string]uint32{
	"300": unix.B300, "600": unix.B600, "1200": unix.B1200, "2400": unix.B2400, "4800": unix.B4800, "9600": unix.B9600, "19200": unix.B19200,
}

// errNoLine is said of a file that is no serial line.
var errNoLine = errors.New("not a serial line")

// openSerial takes a serial line for itself, raw, at the speed and in the framing of
// the settings. It creates no file, and writes to nothing that is not a line.
func openSerial(path, speed, framing string) (port, error) {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, cause(err)
	}
	raw, err := f.SyscallConn()
	if err == nil {
		err = errors.Join(raw.Control(func(fd uintptr) { err = tune(int(fd), speeds[speed], framing) }), err)
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}

func tune(fd int, speed uint32, framing string) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return errNoLine
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		return err
	}
	// Raw: no echo, no line, no flow control, no character that means anything.
	t.Iflag, t.Oflag, t.Lflag = unix.IGNBRK, 0, 0
	t.Cflag = speed | unix.CREAD | unix.CLOCAL
	t.Ispeed, t.Ospeed = speed, speed
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if strings.HasPrefix(framing, "7") {
		t.Cflag |= unix.CS7
	} else {
		t.Cflag |= unix.CS8
	}
	if strings.Contains(framing, "e") {
		t.Cflag |= unix.PARENB
	}
	if strings.HasSuffix(framing, "2") {
		t.Cflag |= unix.CSTOPB
	}
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return err
	}
	// What the line said before we listened answers nothing of ours.
	return unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIOFLUSH)
}
