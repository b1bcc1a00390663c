package email_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
)

const (
	relayUser, relayPassword = "tocsin", "motdepasse-du-relais"
	badBox                   = "inexistant"
)

// switchedInbox passes to the inbox of the channel under test.
type switchedInbox struct {
	mu sync.Mutex
	to channels.Inbox
}

func (s *switchedInbox) join(to channels.Inbox) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
}

func (s *switchedInbox) current() channels.Inbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to
}

func (s *switchedInbox) Receipts(ctx context.Context, items []channels.Receipt) error {
	return s.current().Receipts(ctx, items)
}

func (s *switchedInbox) Replies(ctx context.Context, items []channels.Reply) error {
	return s.current().Replies(ctx, items)
}

// relay is a go-smtp server for the faults that Postfix does not commit:
// silence, a cut at a chosen place, disappearance on demand.
type relay struct {
	t       testing.TB
	address *net.TCPAddr
	intake  string
	stop    context.Context
	tellers sync.WaitGroup

	mu        sync.Mutex
	behaviour channelstest.Behaviour
	server    *smtp.Server
	socket    net.Listener
	served    chan error
	state     channelstest.State
	// silenced ends the sessions that say nothing.
	silenced chan struct{}
}

func startRelay(t *testing.T, in channels.Inbox) *relay {
	t.Helper()
	stop, cancel := context.WithCancel(context.Background())
	r := &relay{t: t, behaviour: channelstest.Accept, intake: listen(t, in, false), stop: stop, silenced: make(chan struct{})}
	r.open("127.0.0.1:0")
	t.Cleanup(func() {
		cancel()
		close(r.silenced)
		r.tellers.Wait()
		r.close()
	})
	return r
}

func (r *relay) open(address string) {
	r.t.Helper()
	socket, err := net.Listen("tcp", address)
	if err != nil {
		r.t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &relaySession{relay: r, conn: c}, nil }))
	server.Domain, server.AllowInsecureAuth = "relais.test", true
	server.ErrorLog = silent{}
	served := make(chan error, 1)
	go func() { served <- server.Serve(socket) }()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.address, r.server, r.served, r.socket = socket.Addr().(*net.TCPAddr), server, served, socket
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

func (r *relay) close() {
	r.mu.Lock()
	server, served, socket := r.server, r.served, r.socket
	r.server = nil
	r.mu.Unlock()
	if server == nil {
		return
	}
	if err := server.Close(); err != nil {
		r.t.Errorf("close the relay: %v", err)
	}
	if err := socket.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		r.t.Errorf("close the relay's socket: %v", err)
	}
	<-served
}

func (r *relay) Settings() channels.Settings {
	return settings(r.t, "127.0.0.1", r.address.Port, "user", relayUser, "password", relayPassword, "timeout", "1")
}

func (r *relay) Behave(b channelstest.Behaviour) {
	r.mu.Lock()
	before := r.behaviour
	r.behaviour = b
	r.mu.Unlock()
	switch {
	case b == channelstest.Down:
		r.close()
	case before == channelstest.Down:
		r.open(r.address.String())
	}
}

func (r *relay) State() channelstest.State {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.state
	s.Received = append([]channelstest.Received{}, s.Received...)
	return s
}

// Tell mails the news to the intake, again and again until it says 250.
func (r *relay) Tell(n channelstest.News) {
	sender, to, text := "", "rebond+"+n.About.Raw+"@"+replyDomain, dsn("failed", "5.1.1", "smtp; 550 5.1.1 User unknown", "")
	if n.Reply != "" {
		sender, to = n.About.To, "reponse+"+n.About.ReplyToken+"@"+replyDomain
		text = "From: <" + n.About.To + ">\r\nSubject: Re: Plan blanc\r\nMessage-ID: <1@hopital.test>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + n.Reply + "\r\n"
	}
	r.mu.Lock()
	r.state.Unacknowledged++
	r.mu.Unlock()
	r.tellers.Go(func() {
		for r.stop.Err() == nil {
			err := post(r.intake, sender, to, text)
			r.mu.Lock()
			if err == nil {
				r.state.Unacknowledged--
				r.mu.Unlock()
				return
			}
			if refusal, ok := errors.AsType[*smtp.SMTPError](err); ok && refusal.Temporary() {
				r.state.Refusals++
			}
			r.mu.Unlock()
		}
	})
}

// post hands one message over by SMTP.
func post(address, sender, to, text string) error {
	c, err := smtp.Dial(address)
	if err != nil {
		return err
	}
	if err := c.SendMail(sender, []string{to}, strings.NewReader(text)); err != nil {
		return errors.Join(err, c.Close())
	}
	return c.Quit()
}

type relaySession struct {
	relay *relay
	conn  *smtp.Conn
	from  string
	to    string
	known bool
}

func (s *relaySession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *relaySession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != relayUser || password != relayPassword {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *relaySession) Mail(from string, _ *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *relaySession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, badBox+"@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<" + to + ">: user unknown"}
	}
	s.to = to
	return nil
}

func (s *relaySession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.relay.mu.Lock()
	behaviour := s.relay.behaviour
	s.relay.mu.Unlock()
	switch behaviour {
	case channelstest.Throttle:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "Slow down"}
	case channelstest.Silent:
		<-s.relay.silenced
		return errors.New("never said")
	case channelstest.Cut:
		return errors.Join(errors.New("cut"), s.conn.Conn().Close())
	}
	got, err := read(raw)
	if err != nil {
		return err
	}
	got.To = s.to
	got.Raw, _, _ = strings.Cut(strings.TrimPrefix(s.from, "rebond+"), "@")
	s.relay.mu.Lock()
	defer s.relay.mu.Unlock()
	s.relay.state.Received = append(s.relay.state.Received, got)
	return nil
}

func (s *relaySession) Reset()        { s.from, s.to = "", "" }
func (s *relaySession) Logout() error { return nil }

// read takes a message apart as a mail program would.
func read(raw []byte) (channelstest.Received, error) {
	entity, err := message.Read(bytes.NewReader(raw))
	if err != nil {
		return channelstest.Received{}, err
	}
	got := channelstest.Received{ProviderID: strings.Trim(entity.Header.Get("Message-Id"), "<>")}
	if got.Subject, err = entity.Header.Text("Subject"); err != nil {
		return got, err
	}
	if reply, err := mail.ParseAddress(entity.Header.Get("Reply-To")); err == nil {
		box, _, _ := strings.Cut(reply.Address, "@")
		got.ReplyToken = strings.TrimPrefix(box, "reponse+")
	}
	if at := entity.Header.Get("Expires"); at != "" {
		if got.ExpiresAt, err = time.Parse(time.RFC1123Z, at); err != nil {
			return got, err
		}
	}
	parts := entity.MultipartReader()
	if parts == nil {
		return got, errors.New("not a multipart message")
	}
	first, err := parts.NextPart()
	if err != nil {
		return got, err
	}
	text, err := io.ReadAll(first.Body)
	got.Text = strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))
	return got, err
}

// dsn is a report as RFC 3464 shapes it.
func dsn(action, code, diagnostic, returned string) string {
	return fmt.Sprintf("From: MAILER-DAEMON@relais.test\r\nSubject: Undelivered Mail\r\nAuto-Submitted: auto-replied\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n"+
		"--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"+
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relais.test\r\n\r\n"+
		"Final-Recipient: rfc822; agent@hopital.test\r\nAction: %s\r\nStatus: %s\r\nDiagnostic-Code: %s\r\n"+
		"%s--b--\r\n", action, code, diagnostic, returned)
}
