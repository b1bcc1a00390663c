package sms_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"tocsin/internal/channels/sms"
	"tocsin/internal/wire/smpp"
)

// scripted is an SMSC whose every answer a test writes: for the misbehaviours
// that a real gateway cannot be asked for. The conformance suite runs against
// gateways we did not write.
type scripted struct {
	t        testing.TB
	listener net.Listener
	handle   func(s *scripted, conn *smpp.Conn, f smpp.Frame)
	group    sync.WaitGroup

	mu    sync.Mutex
	conns []*smpp.Conn
	seen  []smpp.Frame // bodies dropped
}

// listen starts a server; handle receives everything after the bind.
func listen(t testing.TB, handle func(s *scripted, conn *smpp.Conn, f smpp.Frame)) *scripted {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{t: t, listener: listener, handle: handle}
	s.group.Go(s.accept)
	t.Cleanup(s.close)
	return s
}

func (s *scripted) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		c := smpp.NewConn(conn, smpp.Limits{Write: 5 * time.Second})
		s.mu.Lock()
		s.conns = append(s.conns, c)
		s.mu.Unlock()
		s.group.Go(func() { s.serve(c) })
	}
}

func (s *scripted) serve(c *smpp.Conn) {
	for {
		f, err := c.Next()
		if err != nil {
			if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				s.t.Log(err)
			}
			return
		}
		s.mu.Lock()
		s.seen = append(s.seen, smpp.Frame{Command: f.Command, Status: f.Status, Sequence: f.Sequence})
		s.mu.Unlock()
		switch f.Command {
		case smpp.BindTransceiver, smpp.BindReceiver, smpp.BindTransmitter:
			s.respond(c, f, smpp.StatusOK, "peer")
		case smpp.Unbind:
			s.empty(c, smpp.UnbindResp, smpp.StatusOK, f.Sequence)
		default:
			s.handle(s, c, f)
		}
	}
}

// respond answers with an id.
func (s *scripted) respond(c *smpp.Conn, f smpp.Frame, status smpp.Status, id string) {
	command, sequence := f.Command.Response(), f.Sequence
	err := c.Write(func(dst []byte) ([]byte, error) {
		return smpp.AppendResponse(dst, command, status, sequence, smpp.Response{ID: id})
	})
	if err != nil {
		s.t.Logf("respond: %v", err)
	}
}

func (s *scripted) empty(c *smpp.Conn, command smpp.Command, status smpp.Status, sequence uint32) {
	if err := c.Empty(command, status, sequence); err != nil {
		s.t.Logf("write: %v", err)
	}
}

// request sends a deliver_sm or a submit_sm of its own.
func (s *scripted) request(c *smpp.Conn, command smpp.Command, sequence uint32, m smpp.Message) {
	if err := c.Write(func(dst []byte) ([]byte, error) { return smpp.AppendMessage(dst, command, sequence, &m) }); err != nil {
		s.t.Logf("write: %v", err)
	}
}

// saw returns the frames received of that command.
func (s *scripted) saw(command smpp.Command) []smpp.Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []smpp.Frame
	for _, f := range s.seen {
		if f.Command == command {
			out = append(out, f)
		}
	}
	return out
}

func (s *scripted) cut() {
	s.mu.Lock()
	conns := s.conns
	s.conns = nil
	s.mu.Unlock()
	for _, c := range conns {
		if err := c.Abort(); err != nil {
			s.t.Log(err)
		}
	}
}

func (s *scripted) close() {
	if err := s.listener.Close(); err != nil {
		s.t.Error(err)
	}
	s.cut()
	s.group.Wait()
}

// options of a client of the server.
func (s *scripted) options() sms.ClientOptions {
	return sms.ClientOptions{
		Address: s.listener.Addr().String(), Mode: smpp.BindTransceiver,
		Bind: smpp.Bind{SystemID: "hopital", Password: "secret"}, Window: 10,
		Connect: 5 * time.Second, Response: 5 * time.Second, Enquire: time.Minute,
	}
}

// client dials the server; it ends with the test.
func (s *scripted) client(o sms.ClientOptions) *sms.Client {
	s.t.Helper()
	c, err := sms.Dial(context.Background(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := c.Abort(); err != nil {
			s.t.Error(err)
		}
	})
	return c
}

// plain is a message of one part.
func plain() *smpp.Message {
	return &smpp.Message{
		Destination:  smpp.Address{TON: smpp.TONInternational, NPI: smpp.NPIISDN, Number: "33639980001"},
		ShortMessage: "Plan blanc", RegisteredDelivery: smpp.RegisteredFinal,
	}
}
