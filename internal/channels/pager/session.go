package pager

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"tocsin/internal/clock"
)

// replyMost bounds one line of the server, and linesMost how many a reply has.
const (
	replyMost = 1024
	linesMost = 32
)

// session is a connection to the server, identified.
type session struct {
	conn    net.Conn
	reader  *bufio.Reader
	timeout time.Duration
	stop    func() bool
}

// refusal is a server that answers and does not let us in.
type refusal struct{ reply }

func (r refusal) Error() string { return "refused: " + r.String() }

// reply is one answer: three digits, and a text for the log.
type reply struct{ code int }

func (r reply) String() string { return strconv.Itoa(r.code) }

// dial connects, reads the greeting and identifies. The error is a refusal when the
// server answered that we may not.
func (c config) dial(ctx context.Context) (*session, error) {
	dialer := net.Dialer{Timeout: c.timeout}
	conn, err := dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, withoutAddress(err)
	}
	s := &session{conn: conn, reader: bufio.NewReaderSize(conn, replyMost), timeout: c.timeout}
	// The end of the right to the connection ends whatever is being waited for.
	s.stop = context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // a closed connection has none to set
	r, err := s.read()
	if err == nil && r.code/100 != 2 {
		err = fmt.Errorf("greeting %s", r)
	}
	if err == nil && c.login != "" {
		if r, err = s.ask(c.login); err == nil && r.code/100 != 2 {
			err = refusal{r}
		}
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// ask writes one command and reads its reply.
func (s *session) ask(command string) (reply, error) {
	if err := s.conn.SetDeadline(clock.Real().Now().Add(s.timeout)); err != nil {
		return reply{}, withoutAddress(err)
	}
	if _, err := io.WriteString(s.conn, command+"\r\n"); err != nil {
		return reply{}, withoutAddress(err)
	}
	return s.read()
}

var errReply = errors.New("the server does not speak SNPP")

// read reads one reply; "ddd-" announces another line.
func (s *session) read() (reply, error) {
	if err := s.conn.SetDeadline(clock.Real().Now().Add(s.timeout)); err != nil {
		return reply{}, withoutAddress(err)
	}
	for range linesMost {
		line, err := s.reader.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return reply{}, errReply
		}
		if err != nil {
			return reply{}, withoutAddress(err)
		}
		if len(line) < 4 {
			return reply{}, errReply
		}
		code, err := strconv.Atoi(string(line[:3]))
		if err != nil || code < 100 {
			return reply{}, errReply
		}
		if line[3] != '-' {
			return reply{code}, nil
		}
	}
	return reply{}, errReply
}

// quit says good-bye; its answer changes nothing any more.
func (s *session) quit() {
	_ = s.conn.SetDeadline(clock.Real().Now().Add(time.Second)) // the connection ends in any case
	_, _ = io.WriteString(s.conn, "QUIT\r\n")
	s.close()
}

func (s *session) close() {
	s.stop()
	_ = s.conn.Close() // nothing more is expected of it
}

// withoutAddress is the cause alone.
func withoutAddress(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
