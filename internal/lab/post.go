package lab

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// post is the mail server and the mailboxes behind it.
type post struct {
	options Options
	ledger  *ledger
	agenda  *agenda
	crew    *crew
	// walker and town are nil on the fast path.
	walker *walker
	town   *town

	mu     sync.Mutex
	opened map[string]bool // what a mailbox has answered already

	refused, replies, bounces, away, failed atomic.Uint64
}

func newPost(o Options, a *agenda, c *crew) *post {
	return &post{options: o, ledger: newLedger(), agenda: a, crew: c, opened: map[string]bool{}}
}

func (p *post) counts() MailCounts {
	return MailCounts{
		Tally: p.ledger.tally(), Refused: p.refused.Load(), Replies: p.replies.Load(),
		Bounces: p.bounces.Load(), Away: p.away.Load(), Failed: p.failed.Load(),
	}
}

// Bounds of the mail server.
const (
	maxMail       = 1 << 20
	maxRecipients = 100
)

// serve takes mail until ctx ends.
func (p *post) serve(ctx context.Context, listener net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &visit{post: p}, nil
	}))
	server.Domain, server.MaxMessageBytes, server.MaxRecipients = "lab.example", maxMail, maxRecipients
	server.ReadTimeout, server.WriteTimeout = 5*time.Minute, 30*time.Second
	server.EnableSMTPUTF8 = true
	server.ErrorLog = quiet{p.options}
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		closeQuietly(server)
		closeQuietly(listener) // when the server has not taken it yet
		close(closed)
	})
	err := server.Serve(listener)
	if !stop() {
		<-closed
		return nil
	}
	return err
}

// quiet keeps the library's words to the debug level: they may hold addresses.
type quiet struct{ options Options }

func (q quiet) Printf(string, ...any) { q.options.Log.Debug("lab: mail server") }
func (q quiet) Println(...any)        { q.options.Log.Debug("lab: mail server") }

// visit is one message being handed over.
type visit struct {
	post   *post
	sender string
	to     []string
}

// Mail takes any sender.
func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	v.sender = from
	return nil
}

// Rcpt refuses half of the mailboxes that do not exist; the others bounce later.
func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	p := v.post
	if p.walker != nil {
		who := p.options.People.Mailbox(to)
		if who.Line == LineDead && who.dice.roll("refused at once") < 0.5 {
			p.refused.Add(1)
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user"}
		}
	}
	v.to = append(v.to, to)
	return nil
}

// Data counts the message for each mailbox, then gives it to its reader.
func (v *visit) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	p := v.post
	now := p.options.Clock.Now()
	id := messageID(text)
	for _, to := range v.to {
		to = strings.ToLower(to)
		p.ledger.add(p.ledger.named(to), id, 0, now)
		if p.walker != nil {
			p.deliver(letter{sender: v.sender, to: to, raw: text})
		}
	}
	return nil
}

// Reset forgets the message in progress.
func (v *visit) Reset() { v.sender, v.to = "", nil }

// Logout has nothing to free.
func (v *visit) Logout() error { return nil }

// messageID finds the id of a message without reading it all: it is what makes
// two messages the same one.
func messageID(raw []byte) string {
	for line := range bytes.Lines(raw) {
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && strings.EqualFold(string(name), "Message-ID") {
			return string(bytes.TrimSpace(value))
		}
	}
	return string(raw)
}

// deliver gives a letter to the person, at the pace of the person.
func (p *post) deliver(l letter) {
	who := p.options.People.Mailbox(l.to)
	switch who.Line {
	case LineFull, LineDead:
		p.later(who.Receipt, func(ctx context.Context) { p.bounce(ctx, l, who.Line) })
		return
	case LineAway:
		p.later(who.Receipt, func(ctx context.Context) { p.absent(ctx, l) })
		return
	}
	m, err := readLetter(l)
	if err != nil {
		p.options.Log.Warn("lab: a mail cannot be read", "error", err)
		return
	}
	n := readNotice(m.subject + "\n" + m.text)
	n.exercise = n.exercise || exercisePattern.MatchString(m.text)
	about := n.link
	if about == "" {
		about = m.subject
	}
	if !n.asks || !p.first(l.to+" "+about) {
		return
	}
	heard := heardFirst
	if number, known := p.town.holder(n.link); known {
		// The same alert came by SMS: this is the same person, who answers once.
		who, heard = p.options.People.Telephone(number), heardAgain
	}
	for _, s := range who.steps(n, heard) {
		if s.link {
			p.later(s.after, p.walker.visit(n.link, s.intent, s.minutes, p.options.Log))
		} else if m.replyTo != "" {
			p.later(s.after, func(ctx context.Context) { p.reply(ctx, l, m, who.words(n, s)) })
		}
	}
}

// first tells whether a mailbox reads of this alert for the first time.
func (p *post) first(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opened[key] {
		return false
	}
	p.opened[key] = true
	return true
}

func (p *post) later(after time.Duration, do func(context.Context)) {
	p.agenda.after(after, func() { p.crew.give(do) })
}
