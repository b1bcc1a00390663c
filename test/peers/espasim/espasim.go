// Package espasim is « Le serveur DECT simulé »: our own double of a server that
// speaks ESPA 4.4.4, written from the standard. No Debian package and no module
// speaks it: this is a simulator, and is called so.
//
// It promises to check what the standard checks (the exclusive or of a block, its
// records, the addresses of the line) and to answer as it says, as the station that is
// selected or as the one that polls.
//
// It never proves that a maker's server reads the standard the same way.
package espasim

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The control characters, written here a second time.
const (
	soh, stx, etx, eot, enq, ack, nak, rs, us = 1, 2, 3, 4, 5, 6, 0x15, "\x1e", "\x1f"
)

// Manner is how the server treats calls.
type Manner int

// The manners. A server starts with Accept.
const (
	Accept Manner = iota
	Busy          // never ready
	Silent        // takes the block and says nothing
	Cut           // takes the block and hangs up
	Damage        // says of the first block that it was damaged
)

// Call is a call as the server took it, by record.
type Call struct {
	To, Text string
	Records  map[string]string
}

// Server is a server on this machine.
type Server struct {
	Port int
	// Polls makes it the station that controls the line and asks.
	Polls bool

	t        testing.TB
	mu       sync.Mutex
	manner   Manner
	calls    []Call
	bad      int
	listener net.Listener
	conns    map[io.Closer]bool
	wait     sync.WaitGroup

	// device names a serial line, and held keeps its other end open.
	device string
	held   *os.File
}

// Start starts a server; it ends with the test. Numbers that begin by 9 are unknown.
func Start(t testing.TB, polls bool) *Server {
	t.Helper()
	s := &Server{t: t, Polls: polls, conns: map[io.Closer]bool{}}
	s.Up()
	t.Cleanup(s.Down)
	return s
}

// Up listens, on the port of before.
func (s *Server) Up() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(s.Port))
	if err != nil {
		s.t.Fatal(err)
	}
	s.listener, s.Port = l, l.Addr().(*net.TCPAddr).Port
	s.wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[conn] = true
			s.mu.Unlock()
			s.wait.Go(func() { s.serve(conn) })
		}
	})
}

// Down hangs up, and listens no more.
func (s *Server) Down() {
	s.mu.Lock()
	if s.listener != nil {
		_ = s.listener.Close() // it may be closed already
		s.listener = nil
	}
	for conn := range s.conns {
		_ = conn.Close() // the other side may have hung up
	}
	s.mu.Unlock()
	s.wait.Wait()
}

// Behave chooses the manner from now on.
func (s *Server) Behave(m Manner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manner = m
}

// Calls are those taken, in order; Faults counts what the standard does not allow.
func (s *Server) Calls() (calls []Call, faults int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...), s.bad
}

func (s *Server) now() Manner {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.manner
}

func (s *Server) fault() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad++
}

func (s *Server) serve(conn io.ReadWriteCloser) {
	defer func() {
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
		_ = conn.Close() // the other side may have hung up
	}()
	r := bufio.NewReader(conn)
	if s.Polls {
		s.control(conn, r)
		return
	}
	said := ""
	for {
		b, err := r.ReadByte()
		if err != nil {
			return
		}
		said += string(rune(b))
		goOn := true
		switch {
		case b == eot:
			said = ""
		case said == "1\x05": // the master polls itself, then selects
		case said == "2\x05":
			_, err = conn.Write([]byte{eot})
			goOn, said = err == nil, ""
		case said == "1\x052\x05" && s.now() == Busy:
			_, err = conn.Write([]byte{nak})
			goOn, said = err == nil, ""
		case said == "1\x052\x05":
			goOn, said = s.take(conn, r), ""
		case len(said) > 4:
			s.fault()
			return
		}
		if !goOn {
			return
		}
	}
}

// take acknowledges a selection and reads the block.
func (s *Server) take(conn io.ReadWriteCloser, r *bufio.Reader) bool {
	if _, err := conn.Write([]byte{ack}); err != nil {
		return false
	}
	for {
		block, ok := s.block(r)
		if !ok {
			return block != nil // EOT in the place of a block: withheld
		}
		answer := s.judge(block)
		if answer == nil {
			return s.now() == Silent
		}
		if _, err := conn.Write(answer); err != nil {
			return false
		}
		if len(answer) == 1 || answer[0] != '1' {
			return true
		}
	}
}

// block reads SOH … ETX BCC. It gives an empty block, false for EOT, and nil, false for a cut.
func (s *Server) block(r *bufio.Reader) ([]byte, bool) {
	first, err := r.ReadByte()
	if err != nil {
		return nil, false
	}
	if first != soh {
		if first != eot {
			s.fault()
		}
		return []byte{}, false
	}
	block, err := r.ReadBytes(etx)
	if err != nil {
		return nil, false
	}
	bcc, err := r.ReadByte()
	if err != nil {
		return nil, false
	}
	for _, b := range block {
		bcc ^= b
	}
	if bcc != 0 {
		s.fault()
	}
	return block, true
}

// judge answers a block; nil says nothing.
func (s *Server) judge(block []byte) []byte {
	switch s.now() {
	case Silent, Cut:
		return nil
	case Damage:
		s.Behave(Accept)
		return []byte{'1', nak}
	case Accept, Busy:
	}
	text := string(block[:len(block)-1])
	if !strings.HasPrefix(text, "1\x02") {
		s.fault()
		return []byte{'3', nak}
	}
	call := Call{Records: map[string]string{}}
	for record := range strings.SplitSeq(text[2:], rs) {
		id, data, found := strings.Cut(record, us)
		if !found || len(id) != 1 || strings.ContainsFunc(data, func(x rune) bool { return x < ' ' || x > '~' }) {
			s.fault()
			return []byte{'3', nak}
		}
		call.Records[id] = data
	}
	call.To, call.Text = call.Records["1"], call.Records["2"]
	if call.To == "" || len(call.To) > 16 || len(call.Text) > 128 || call.To[0] == '9' {
		return []byte{'3', nak}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, call)
	return []byte{ack}
}

// control polls the station 1, as a server that controls the line does.
func (s *Server) control(conn io.ReadWriteCloser, r *bufio.Reader) {
	for {
		if _, err := conn.Write([]byte{eot, '3', enq, '1', enq}); err != nil { // the station 3 is another one
			return
		}
		b, err := answered(conn, r)
		if errors.Is(err, os.ErrDeadlineExceeded) { // nobody there yet: asked again
			continue
		}
		if err != nil {
			return
		}
		switch b {
		case eot:
			time.Sleep(5 * time.Millisecond)
			continue
		case '2':
		default:
			s.fault()
			return
		}
		if b, err = r.ReadByte(); err != nil || b != enq {
			s.fault()
			return
		}
		if !s.take(conn, r) {
			return
		}
		if b, err = r.ReadByte(); err == nil && b != eot {
			s.fault()
		}
	}
}

// answered reads one byte, within a second: a station that listens answers at once.
func answered(conn io.ReadWriteCloser, r *bufio.Reader) (byte, error) {
	d, ok := conn.(interface{ SetReadDeadline(time.Time) error })
	if !ok {
		return r.ReadByte()
	}
	if err := d.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return 0, err
	}
	b, err := r.ReadByte()
	return b, errors.Join(err, d.SetReadDeadline(time.Time{}))
}
