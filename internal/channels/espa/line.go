package espa

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"tocsin/internal/clock"
)

// port is what the bytes pass through: a TCP connection, or a serial line.
type port interface {
	io.ReadWriteCloser
	SetDeadline(time.Time) error
}

// line is a connection to the server.
type line struct {
	conn    port
	reader  *bufio.Reader
	timeout time.Duration
	stop    func() bool
}

// dial connects; the end of ctx ends whatever is being waited for.
func (c config) dial(ctx context.Context) (*line, error) {
	conn, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	l := &line{conn: conn, reader: bufio.NewReaderSize(conn, 64), timeout: c.timeout}
	l.stop = context.AfterFunc(ctx, func() { _ = conn.Close() }) // it may be closed already
	return l, nil
}

func (c config) open(ctx context.Context) (port, error) {
	if c.device != "" {
		return openSerial(c.device, c.speed, c.framing)
	}
	dialer := net.Dialer{Timeout: c.timeout}
	conn, err := dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, cause(err)
	}
	return conn, nil
}

func (l *line) close() {
	l.stop()
	_ = l.conn.Close() // nothing more is expected of it
}

// write says something that has no answer.
func (l *line) write(b ...byte) error {
	if err := l.conn.SetDeadline(clock.Real().Now().Add(l.timeout)); err != nil {
		return cause(err)
	}
	_, err := l.conn.Write(b)
	return cause(err)
}

// ask says something and reads its answer.
func (l *line) ask(b []byte) (answer, error) {
	if err := l.write(b...); err != nil {
		return answer{}, err
	}
	a, err := read(l.reader)
	return a, cause(err)
}

// poll asks the server for what it has to say. It says EOT: nothing. When it selects
// us, we are not ready: calls go one way here.
func (l *line) poll(server byte) error {
	a, err := l.ask([]byte{server, enq})
	for range tries {
		if err != nil || a.word == eot {
			return err
		}
		if a.word != enq {
			return errBabble
		}
		a, err = l.ask([]byte{nak})
	}
	if err == nil {
		err = errBabble
	}
	return err
}

// awaitPoll waits to be asked: our digit, then ENQ. What is said to other stations of
// the line passes by.
func (l *line) awaitPoll(own byte) error {
	if err := l.conn.SetDeadline(clock.Real().Now().Add(unpolledMost)); err != nil {
		return cause(err)
	}
	var before byte
	for {
		b, err := l.reader.ReadByte()
		if err != nil {
			return cause(err)
		}
		if b &= 0x7f; b == enq && before == own {
			return nil
		}
		before = b
	}
}

// cause is an error without the address or the path in it.
func cause(err error) error {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
