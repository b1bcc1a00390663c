package email

import (
	"bytes"
	"errors"
	"net/textproto"
	"strings"

	"github.com/wneessen/go-mail"
)

// step is a part of the dialogue that carries one message.
type step string

// The steps (RFC 5321 §3.3).
const (
	stepWrite     step = "the message"   // ours: it cannot be written
	stepSender    step = "MAIL"          // the relay judges the sender
	stepRecipient step = "RCPT"          // the relay judges the recipient
	stepData      step = "DATA"          // the relay says whether it wants the text
	stepContent   step = "the text"      // the text, before its final dot
	stepEnd       step = "the final dot" // the relay takes charge
)

// passError is why a message did not pass, and at which step.
type passError struct {
	step step
	err  error
}

func (e *passError) Error() string { return string(e.step) + ": " + e.err.Error() }

func (e *passError) Unwrap() error { return e.err }

// answer is what the relay said; nil when it said nothing.
func (e *passError) answer() *textproto.Error {
	a, _ := errors.AsType[*textproto.Error](e.err)
	return a
}

// command is one line of the dialogue and the answer that lets it go on.
type command struct {
	step step
	line string
	want int
}

// envelopeOf are the commands before the text of the message.
func (k *connection) envelopeOf(msg *mail.Msg) ([]command, error) {
	from, err := msg.GetSender(false)
	if err != nil {
		return nil, &passError{stepWrite, err}
	}
	to, err := msg.GetRecipients()
	if err != nil {
		return nil, &passError{stepWrite, err}
	}
	sender, wish := "MAIL FROM:"+from, ""
	if k.offers("8BITMIME") {
		sender += " BODY=8BITMIME"
	}
	if k.offers("DSN") { // RFC 3461: a report when it fails or is late, with the head of the message
		sender += " RET=HDRS"
		wish = " NOTIFY=FAILURE,DELAY"
	}
	out := []command{{stepSender, sender, 250}}
	for _, address := range to {
		out = append(out, command{stepRecipient, "RCPT TO:" + address + wish, 25})
	}
	for _, c := range out {
		if strings.ContainsAny(c.line, "\r\n") {
			return nil, &passError{stepWrite, errors.New("an address has a line break")}
		}
	}
	return append(out, command{stepData, "DATA", 354}), nil
}

func (k *connection) offers(extension string) bool {
	ok, _ := k.smtp.Extension(extension)
	return ok
}

// pass carries one message. The relay that takes commands in a group (RFC 2920)
// has the message in two exchanges, another one in four. An error leaves the
// connection ready for the next message, or lost.
func (k *connection) pass(msg *mail.Msg) error {
	commands, err := k.envelopeOf(msg)
	if err != nil {
		return err
	}
	var content bytes.Buffer
	if _, err := msg.WriteTo(&content); err != nil {
		return &passError{stepWrite, err}
	}
	group := len(commands)
	if !k.offers("PIPELINING") {
		group = 1
	}
	for len(commands) > 0 {
		n := min(group, len(commands))
		if err := k.ask(commands[:n]); err != nil {
			return err
		}
		commands = commands[n:]
	}
	return k.hand(content.Bytes())
}

// ask writes commands together and reads all their answers. The first that is
// not the wanted one tells why the message does not pass.
func (k *connection) ask(commands []command) error {
	text := k.smtp.Text
	for _, c := range commands {
		if _, err := text.W.WriteString(c.line + "\r\n"); err != nil {
			return &passError{c.step, err}
		}
	}
	if err := text.W.Flush(); err != nil {
		return &passError{commands[0].step, err}
	}
	var first *passError
	invited := false
	for _, c := range commands {
		_, _, err := text.ReadResponse(c.want)
		if err == nil {
			invited = invited || c.step == stepData
			continue
		}
		if first == nil {
			first = &passError{c.step, err}
		}
		if answer, ok := errors.AsType[*textproto.Error](err); !ok || answer.Code == 421 {
			return first // the connection is lost: no other answer comes
		}
	}
	if first == nil {
		return nil
	}
	k.forget(invited)
	return first
}

// forget ends a transaction that shall not be. A relay that refused the recipient
// may ask for the text all the same: it gets none (RFC 2920 §3.1).
func (k *connection) forget(invited bool) {
	text := k.smtp.Text
	if invited {
		if err := text.PrintfLine("."); err != nil {
			k.drop()
			return
		}
		if _, _, err := text.ReadResponse(0); err != nil {
			k.drop()
			return
		}
	}
	if err := k.smtp.Reset(); err != nil {
		k.drop()
	}
}

// hand gives the text over. Only what breaks after the final dot leaves a doubt.
func (k *connection) hand(content []byte) error {
	text := k.smtp.Text
	w := text.DotWriter()
	if _, err := w.Write(content); err != nil {
		return &passError{stepContent, err}
	}
	if err := w.Close(); err != nil {
		return &passError{stepEnd, err}
	}
	_, _, err := text.ReadResponse(250)
	if err == nil {
		return nil
	}
	refused := &passError{stepEnd, err}
	if a := refused.answer(); a != nil && a.Code != 421 {
		k.forget(false)
	}
	return refused
}
