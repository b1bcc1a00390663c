package email_test

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
)

// script is a relay that says what a test wants, in the order it wants.
type script struct {
	t      *testing.T
	greets []string
	socket net.Listener
	play   func(s *scene)
	heard  chan string
}

// scene is one connection to it.
type scene struct {
	script *script
	conn   net.Conn
	read   *bufio.Reader
}

func startScript(t *testing.T, extensions []string, play func(s *scene)) *script {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, greets: extensions, socket: socket, play: play, heard: make(chan string, 1000)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			c := &scene{s, conn, bufio.NewReader(conn)}
			c.say("220 script")
			c.line() // EHLO
			c.say("250-script")
			for _, e := range s.greets {
				c.say("250-" + e)
			}
			c.say("250 SIZE 1000000")
			play(c)
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		}
	}()
	t.Cleanup(func() {
		if err := socket.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return s
}

func (s *script) client() *email.Client {
	s.t.Helper()
	return newClient(s.t, settings(s.t, "127.0.0.1", s.socket.Addr().(*net.TCPAddr).Port, "timeout", "5", "pool", "1"))
}

// said are the lines heard until now, each by its first word.
func (s *script) said() (out []string) {
	for {
		select {
		case line := <-s.heard:
			out = append(out, strings.ToUpper(strings.FieldsFunc(line+" ", func(r rune) bool { return r == ' ' || r == ':' })[0]))
		default:
			return out
		}
	}
}

func (c *scene) say(text string) {
	if _, err := fmt.Fprintf(c.conn, "%s\r\n", text); err != nil {
		c.script.t.Logf("the client has left: %v", err)
	}
}

// line waits for one line, "" at the end of the connection.
func (c *scene) line() string {
	text, err := c.read.ReadString('\n')
	if err != nil {
		return ""
	}
	text = strings.TrimRight(text, "\r\n")
	c.script.heard <- text
	return text
}

// text waits for a whole message.
func (c *scene) text() {
	for {
		text, err := c.read.ReadString('\n')
		if err != nil || text == ".\r\n" {
			return
		}
	}
}

// alone tells that nothing more comes before we answer.
func (c *scene) alone() bool {
	if err := c.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		c.script.t.Error(err)
	}
	_, err := c.read.Peek(1)
	if err := c.conn.SetReadDeadline(time.Time{}); err != nil {
		c.script.t.Error(err)
	}
	return err != nil
}

func mailTo(address string) channels.Message {
	return channels.Message{ID: uuid.New(), To: address, Subject: "Plan blanc", Text: "Venez aux urgences.", Language: "fr"}
}

func accepted(t *testing.T, out channels.Outcome) {
	t.Helper()
	if out.State != channels.Accepted {
		t.Errorf("%+v", out)
	}
}

// A relay that takes commands in a group has them in one; it answers only when it
// has all three, and would wait for ever for a client that waits for it.
func TestCommandsLeaveTogether(t *testing.T) {
	s := startScript(t, []string{"PIPELINING", "8BITMIME", "DSN"}, func(c *scene) {
		for c.line() != "" { // MAIL
			c.line()
			c.line()
			c.say("250 ok")
			c.say("250 ok")
			c.say("354 go on")
			c.text()
			c.say("250 taken")
		}
	})
	client := s.client()
	accepted(t, client.Send(t.Context(), mailTo("a@hopital.test")))
	accepted(t, client.Send(t.Context(), mailTo("b@hopital.test")))
	if got := s.said(); !slices.Equal(got, []string{"EHLO", "MAIL", "RCPT", "DATA", "MAIL", "RCPT", "DATA"}) {
		t.Errorf("heard %v", got)
	}
}

// A relay that does not say so has one command at a time.
func TestCommandsLeaveOneByOne(t *testing.T) {
	s := startScript(t, nil, func(c *scene) {
		for {
			line := c.line()
			if line == "" {
				return
			}
			if strings.Contains(line, "NOTIFY") || strings.Contains(line, "8BITMIME") {
				c.script.t.Errorf("asked for what was not offered: %s", line)
			}
			if !c.alone() {
				c.script.t.Errorf("more than %q at once", line)
			}
			if line == "DATA" {
				c.say("354 go on")
				c.text()
			}
			c.say("250 ok")
		}
	})
	accepted(t, s.client().Send(t.Context(), mailTo("a@hopital.test")))
}

// The recipient is refused and the text asked for all the same: none is given, and
// the connection carries the next message.
func TestARefusedRecipientHasNoText(t *testing.T) {
	refuse := true
	var given []string
	s := startScript(t, []string{"PIPELINING"}, func(c *scene) {
		for line := c.line(); line != ""; line = c.line() {
			switch {
			case line == "RSET":
				c.say("250 forgotten")
			case strings.HasPrefix(line, "MAIL"):
				c.line()
				c.line()
				c.say("250 ok")
				if refuse {
					c.say("550 5.1.1 no such person")
				} else {
					c.say("250 ok")
				}
				c.say("354 go on")
				if !refuse {
					c.text()
					c.say("250 taken")
					continue
				}
				refuse = false
				given = append(given, c.line())
				c.say("554 no valid recipients")
			}
		}
	})
	client := s.client()
	out := client.Send(t.Context(), mailTo("inconnu@hopital.test"))
	if out.State != channels.Refused || out.Reason != channels.ReasonInvalidAddress || out.GatewayDown {
		t.Errorf("%+v", out)
	}
	accepted(t, client.Send(t.Context(), mailTo("a@hopital.test")))
	if !slices.Equal(given, []string{"."}) {
		t.Errorf("given to a recipient that was refused: %q", given)
	}
	if got := s.said(); !slices.Equal(got, []string{"EHLO", "MAIL", "RCPT", "DATA", ".", "RSET", "MAIL", "RCPT", "DATA"}) {
		t.Errorf("heard %v", got)
	}
}

// A sender that is refused shuts the gateway, whatever the answers that follow.
func TestARefusedSenderIsTheReason(t *testing.T) {
	s := startScript(t, []string{"PIPELINING"}, func(c *scene) {
		c.line()
		c.line()
		c.line()
		c.say("550 5.7.1 not from you")
		c.say("503 MAIL first")
		c.say("503 RCPT first")
		if c.line() == "RSET" {
			c.say("250 ok")
		}
		c.line()
	})
	out := s.client().Send(t.Context(), mailTo("a@hopital.test"))
	if out.State != channels.Retry || out.Reason != channels.ReasonPolicy || !out.GatewayDown {
		t.Errorf("%+v", out)
	}
}

// A goodbye on a kept connection, or an end in the middle of the group: the message
// leaves by a new one, once.
func TestAKeptConnectionThatEndsCostsNothing(t *testing.T) {
	for name, goodbye := range map[string]string{"said": "421 4.3.2 closing", "unsaid": ""} {
		t.Run(name, func(t *testing.T) {
			texts, closes := 0, true
			s := startScript(t, []string{"PIPELINING"}, func(c *scene) {
				for n := 0; c.line() != ""; n++ {
					c.line()
					c.line()
					if n == 1 && closes {
						closes = false
						if goodbye != "" {
							c.say(goodbye)
						}
						return
					}
					c.say("250 ok")
					c.say("250 ok")
					c.say("354 go on")
					c.text()
					texts++
					c.say("250 taken")
				}
			})
			client := s.client()
			accepted(t, client.Send(t.Context(), mailTo("a@hopital.test")))
			accepted(t, client.Send(t.Context(), mailTo("b@hopital.test")))
			if texts != 2 {
				t.Errorf("%d texts were taken", texts)
			}
		})
	}
}

// Only a break after the final dot leaves a doubt.
func TestOnlyTheFinalDotLeavesADoubt(t *testing.T) {
	for name, c := range map[string]struct {
		until string
		doubt bool
	}{"before the text": {"DATA", false}, "after the final dot": {"dot", true}} {
		t.Run(name, func(t *testing.T) {
			s := startScript(t, []string{"PIPELINING"}, func(at *scene) {
				at.line()
				at.line()
				at.line()
				at.say("250 ok")
				at.say("250 ok")
				if c.until == "dot" {
					at.say("354 go on")
					at.text()
				}
			})
			out := s.client().Send(t.Context(), mailTo("a@hopital.test"))
			if out.State != channels.Retry || out.Uncertain != c.doubt {
				t.Errorf("%+v", out)
			}
		})
	}
}
