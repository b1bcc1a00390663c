package email

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/netutil"

	"tocsin/internal/channels"
)

// The limits of the intake. A person's answer is a few lines, a bounce a few
// kilobytes; the rest of a message is received, so that its sender is not sent
// a refusal for a photograph in a signature, and thrown away.
const (
	maxMessageBytes = 10 << 20
	maxKeptBytes    = 512 << 10
	maxLineBytes    = 32 << 10
	maxRecipients   = 10
	maxConnections  = 40
	readTimeout     = 2 * time.Minute
	writeTimeout    = 30 * time.Second
	inboxTimeout    = 30 * time.Second
	stopTimeout     = 5 * time.Second
)

// Listener takes the mail addressed to our reply domain: bounces, absence
// messages and answers. The hospital's mail server hands it over by SMTP or
// LMTP (a transport or a connector for the domain).
type Listener struct {
	// Addr is "host:port".
	Addr string
	// Domain is the reply domain, the only one we take mail for.
	Domain string
	// LMTP speaks RFC 2033 instead of SMTP.
	LMTP bool
	// Inbox makes durable what came back.
	Inbox channels.Inbox
	Log   *slog.Logger
	Now   func() time.Time
}

// Run listens on Addr until ctx ends and returns nil after a clean stop.
func (l *Listener) Run(ctx context.Context) error {
	var lc net.ListenConfig
	listening, err := lc.Listen(ctx, "tcp", l.Addr)
	if err != nil {
		return fmt.Errorf("listen for mail on %s: %w", l.Addr, err)
	}
	return l.Serve(ctx, listening)
}

// Serve does the work of Run on a socket already open, and closes it.
func (l *Listener) Serve(ctx context.Context, listening net.Listener) error {
	domain, err := parseDomain(l.Domain)
	if err != nil || domain == "" || l.Inbox == nil || l.Now == nil {
		return errors.Join(fmt.Errorf("mail intake for domain %q: domain, inbox and clock are needed", l.Domain), err, listening.Close())
	}
	log := l.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	// A message being made durable is not interrupted by the stop: its sender
	// gets its answer, or tries again.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{ctx: work, domain: domain, inbox: l.Inbox, log: log, now: l.Now}, nil
	}))
	server.Domain, server.LMTP = domain, l.LMTP
	server.MaxMessageBytes, server.MaxLineLength, server.MaxRecipients = maxMessageBytes, maxLineBytes, maxRecipients
	server.ReadTimeout, server.WriteTimeout = readTimeout, writeTimeout
	server.EnableSMTPUTF8, server.EnableDSN = true, true
	server.ErrorLog = errorLog{log}

	door := &door{Listener: netutil.LimitListener(listening, maxConnections), open: make(map[*visitor]bool)}
	done := make(chan error, 1)
	go func() { done <- server.Serve(door) }()
	select {
	case err := <-done:
		return errors.Join(fmt.Errorf("mail intake on %s: %w", listening.Addr(), err), server.Close())
	case <-ctx.Done():
	}
	return stop(server, door, done)
}

// stop ends the idle connections, lets a message already received be made
// durable and answered, then returns.
func stop(server *smtp.Server, door *door, done <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	door.shut()
	if err := server.Shutdown(ctx); err != nil {
		door.cut()
	}
	// A stop that comes before the server took the socket leaves it open.
	if err := door.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("close the mail intake: %w", err)
	}
	<-done
	return nil
}

// errorLog passes what the server library says to our log, without addresses.
type errorLog struct{ log *slog.Logger }

func (e errorLog) Printf(format string, v ...any) {
	e.log.Warn("mail intake", "detail", scrub(fmt.Sprintf(format, v...)))
}

func (e errorLog) Println(v ...any) { e.log.Warn("mail intake", "detail", scrub(fmt.Sprint(v...))) }

// session is one connection of a mail server.
type session struct {
	ctx    context.Context
	domain string
	inbox  channels.Inbox
	log    *slog.Logger
	now    func() time.Time

	sender     string
	recipients []inbound
}

var (
	errNotOurs = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such mailbox here"}
	errLater   = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Not recorded, try again later"}
)

// Mail accepts any sender: bounces have none.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.sender = from
	return nil
}

// Rcpt accepts our own addresses only: this is no relay.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	in, ok := parseInbound(to, s.domain)
	if !ok {
		return errNotOurs
	}
	s.recipients = append(s.recipients, in)
	return nil
}

// Data answers nil only once the Inbox has what the message says.
func (s *session) Data(r io.Reader) error {
	kept, err := io.ReadAll(io.LimitReader(r, maxKeptBytes))
	if err != nil {
		return readError(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return readError(err)
	}
	var receipts []channels.Receipt
	var replies []channels.Reply
	for _, to := range s.recipients {
		n := parse(kept, envelope{sender: s.sender, to: to, domain: s.domain, at: s.now()})
		s.log.Info("mail taken in", "sort", string(n.sort))
		if n.receipt != nil {
			receipts = append(receipts, *n.receipt)
		}
		if n.reply != nil {
			replies = append(replies, *n.reply)
		}
	}
	return s.keep(receipts, replies)
}

func (s *session) keep(receipts []channels.Receipt, replies []channels.Reply) error {
	ctx, cancel := context.WithTimeout(s.ctx, inboxTimeout)
	defer cancel()
	if len(receipts) > 0 {
		if err := s.inbox.Receipts(ctx, receipts); err != nil {
			s.log.Error("mail intake: receipts not recorded", "error", err)
			return errLater
		}
	}
	if len(replies) > 0 {
		if err := s.inbox.Replies(ctx, replies); err != nil {
			s.log.Error("mail intake: replies not recorded", "error", err)
			return errLater
		}
	}
	return nil
}

// readError keeps the answers of the library (message too big) and turns the
// rest into "later".
func readError(err error) error {
	if answer, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return answer
	}
	return errLater
}

// Reset forgets the message in progress.
func (s *session) Reset() { s.sender, s.recipients = "", nil }

// Logout has nothing to free.
func (s *session) Logout() error { return nil }
