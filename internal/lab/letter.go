package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"
)

// letter is a mail as it arrived for one mailbox.
type letter struct {
	sender, to string
	raw        []byte
}

// reading is what a person sees of it.
type reading struct {
	subject, replyTo, id, text string
}

func readLetter(l letter) (reading, error) {
	r, err := mail.CreateReader(bytes.NewReader(l.raw))
	if err != nil {
		return reading{}, err
	}
	defer closeQuietly(r)
	out := reading{id: messageID(l.raw)}
	if out.subject, err = r.Header.Subject(); err != nil {
		return reading{}, err
	}
	// Without a Reply-To nobody reads the answers: people do not write.
	replies, err := r.Header.AddressList("Reply-To")
	if err != nil {
		return reading{}, err
	}
	if len(replies) > 0 {
		out.replyTo = replies[0].Address
	}
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return reading{}, err
		}
		h, inline := part.Header.(*mail.InlineHeader)
		if !inline || out.text != "" {
			continue
		}
		if kind, _, err := h.ContentType(); err != nil || kind != "text/plain" {
			continue
		}
		text, err := io.ReadAll(part.Body)
		if err != nil {
			return reading{}, err
		}
		out.text = string(text)
	}
}

// reply writes an answer as mail programs do, the original quoted below.
func (p *post) reply(ctx context.Context, l letter, m reading, words string) {
	quoted := "> " + strings.ReplaceAll(strings.TrimSpace(strings.ReplaceAll(m.text, "\r\n", "\n")), "\n", "\n> ")
	body := words + "\n\nLe " + p.options.Clock.Now().Format("02/01/2006 15:04") + ", l'établissement a écrit :\n" + quoted + "\n"
	text := p.header(l.to, m.replyTo, "Re: "+m.subject, "In-Reply-To: "+m.id, "References: "+m.id) + crlf(body)
	if p.send(ctx, l.to, m.replyTo, text) {
		p.replies.Add(1)
	}
}

// absent is an absence message: no answer of a person, and it must not be taken for one.
func (p *post) absent(ctx context.Context, l letter) {
	m, err := readLetter(l)
	if err != nil || m.replyTo == "" || !p.first("away "+l.to) {
		return
	}
	text := p.header(l.to, m.replyTo, "Réponse automatique : "+m.subject, "In-Reply-To: "+m.id, "Auto-Submitted: auto-replied") +
		crlf("Bonjour,\n\nJe suis absent(e) jusqu'à lundi. En cas d'urgence, contactez le standard.\n")
	if p.send(ctx, "", m.replyTo, text) {
		p.away.Add(1)
	}
}

// bounce is the report of RFC 3464 for a mailbox full or gone, to the envelope sender.
func (p *post) bounce(ctx context.Context, l letter, line Line) {
	if l.sender == "" {
		return // a bounce never bounces
	}
	status, words := "5.1.1", "550 5.1.1 User unknown"
	if line == LineFull {
		status, words = "5.2.2", "552 5.2.2 Mailbox full"
	}
	const boundary = "lab-report-boundary"
	headers, _, _ := bytes.Cut(l.raw, []byte("\r\n\r\n"))
	text := p.header("mailer-daemon@lab.example", l.sender, "Undelivered Mail Returned to Sender", "Auto-Submitted: auto-replied",
		`Content-Type: multipart/report; report-type=delivery-status; boundary="`+boundary+`"`) +
		crlf("--"+boundary+"\nContent-Type: text/plain; charset=us-ascii\n\nYour message could not be delivered: "+words+"\n\n"+
			"--"+boundary+"\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; lab.example\n\n"+
			"Final-Recipient: rfc822; "+l.to+"\nAction: failed\nStatus: "+status+"\nDiagnostic-Code: smtp; "+words+"\n\n"+
			"--"+boundary+"\nContent-Type: text/rfc822-headers\n\n") + string(headers) + crlf("\n\n--"+boundary+"--\n")
	if p.send(ctx, "", l.sender, text) {
		p.bounces.Add(1)
	}
}

// header writes the head of a mail; more may replace the content type.
func (p *post) header(from, to, subject string, more ...string) string {
	now := p.options.Clock.Now()
	var h mail.Header
	h.SetAddressList("From", []*mail.Address{{Address: from}})
	h.SetAddressList("To", []*mail.Address{{Address: to}})
	h.SetSubject(subject)
	h.SetDate(now)
	h.SetMessageID(fmt.Sprintf("%d.%s@lab.example", now.UnixNano(), fingerprint(spread(from+to))))
	h.Set("MIME-Version", "1.0")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Transfer-Encoding", "8bit")
	for _, field := range more {
		name, value, _ := strings.Cut(field, ": ")
		h.Set(name, value)
	}
	var b strings.Builder
	for fields := h.Fields(); fields.Next(); {
		b.WriteString(fields.Key() + ": " + fields.Value() + "\r\n")
	}
	return b.String() + "\r\n"
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// intakePatience bounds a mail given to Tocsin, tries included.
const (
	intakePatience = 2 * time.Minute
	intakeTries    = 4
)

// send gives a mail to Tocsin's intake, again after a while when it says "later".
func (p *post) send(ctx context.Context, from, to, text string) bool {
	if p.options.Intake == "" {
		return false
	}
	for try := range intakeTries {
		err := p.hand(ctx, from, to, text)
		if err == nil {
			return true
		}
		if answer, final := errors.AsType[*smtp.SMTPError](err); final && answer.Code >= 500 || try == intakeTries-1 {
			p.failed.Add(1)
			p.options.Log.Warn("lab: a mail was not taken", "final", final)
			return false
		}
		select {
		case <-p.options.Clock.After(time.Duration(try+1) * time.Second):
		case <-ctx.Done():
			return false
		}
	}
	return false
}

func (p *post) hand(ctx context.Context, from, to, text string) error {
	ctx, cancel := context.WithTimeout(ctx, intakePatience)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", p.options.Intake)
	if err != nil {
		return err
	}
	c := smtp.NewClient(conn)
	defer closeQuietly(c)
	stop := context.AfterFunc(ctx, func() { closeQuietly(conn) })
	defer stop()
	if err := c.Hello("lab.example"); err != nil {
		return err
	}
	if err := c.SendMail(from, []string{to}, strings.NewReader(text)); err != nil {
		return err
	}
	return c.Quit()
}
