package email_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"tocsin/internal/channels/email"
	"tocsin/internal/clock"
)

const answerAddress = "reponse+" + token + "@" + replyDomain

// code is the SMTP code of an answer, 0 for none.
func code(err error) int {
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return e.Code
	}
	return 0
}

func TestListenerRelaysNothing(t *testing.T) {
	t.Parallel()
	address := listen(t, newInbox(), false)
	for _, to := range []string{
		"agent@hopital.test", "postmaster@" + replyDomain, "reponse@" + replyDomain, "reponse+court@" + replyDomain,
		"reponse+" + token + "@autre.test", "rebond+nothexadecimalnothexadecimal00@" + replyDomain,
		"reponse+" + token + "%autre.test@" + replyDomain, "reponse+" + token + "@" + replyDomain + ".autre.test",
	} {
		if err := post(address, "a@b.test", to, personal+"\r\noui\r\n"); code(err) != 550 {
			t.Errorf("%s: %v, want 550", to, err)
		}
	}
}

func TestListenerAnswersOnlyOnceDurable(t *testing.T) {
	t.Parallel()
	b := newInbox()
	address := listen(t, b, false)
	b.setBroken(errDisk)
	if err := post(address, "a@b.test", answerAddress, personal+"\r\noui\r\n"); code(err) != 451 {
		t.Fatalf("%v, want 451", err)
	}
	b.setBroken(nil)
	// Mail programs change the case of what they answer to.
	if err := post(address, "a@b.test", strings.ToUpper(answerAddress), personal+"\r\noui\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, replies, _ := b.all(); len(replies) != 1 || replies[0].Token != token || replies[0].Text != "oui" {
		t.Errorf("replies %+v", replies)
	}
}

func TestListenerTakesManyRecipients(t *testing.T) {
	t.Parallel()
	b := newInbox()
	c, err := smtp.Dial(listen(t, b, false))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	to := []string{answerAddress, strings.Replace(answerAddress, token, "autretoken1", 1)}
	if err := c.SendMail("a@b.test", to, strings.NewReader(personal+"\r\noui\r\n")); err != nil {
		t.Fatal(err)
	}
	_, replies, _ := b.all()
	if len(replies) != 2 || replies[0].Token == replies[1].Token || replies[0].PeerID == replies[1].PeerID {
		t.Errorf("replies %+v", replies)
	}
	var many []string
	for i := range 11 {
		many = append(many, fmt.Sprintf("reponse+jeton%07d@%s", i, replyDomain))
	}
	if err := c.SendMail("a@b.test", many, strings.NewReader(personal)); code(err)/100 != 4 {
		t.Errorf("11 recipients: %v, want a refusal for now", err)
	}
}

func TestListenerSurvivesHostileMail(t *testing.T) {
	t.Parallel()
	b := newInbox()
	address := listen(t, b, false)
	nested := "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", 20_000)
	for name, c := range map[string]struct {
		text     string
		accepted bool
	}{
		"a line of 10 MB":       {personal + "\r\n" + strings.Repeat("x", 10<<20) + "\r\n", false},
		"11 MB":                 {personal + "\r\noui\r\n" + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 11<<10), false},
		"a photograph":          {personal + "\r\noui\r\n-- \r\n" + strings.Repeat(strings.Repeat("x", 998)+"\r\n", 5<<10), true},
		"nested parts":          {personal + nested, true},
		"a header without end":  {personal + strings.Repeat("X-A: "+strings.Repeat("y", 900)+"\r\n", 2000), true},
		"deep HTML":             {personal + "Content-Type: text/html\r\n\r\n" + strings.Repeat("<div><blockquote>\r\n", 30_000), true},
		"unclosed quoted mark":  {personal + "Content-Type: text/html\r\n\r\n<a href=\"" + strings.Repeat("z\r\n", 100_000), true},
		"zeros":                 {personal + "\r\n" + strings.Repeat("\x00\xff\r\n", 10_000), true},
		"base64 that lies":      {personal + "Content-Transfer-Encoding: base64\r\n\r\n!!!!\r\n", true},
		"an encoding of nobody": {personal + "Content-Transfer-Encoding: x-uue\r\n\r\noui\r\n", true},
	} {
		if err := post(address, "a@b.test", answerAddress, c.text); (err == nil) != c.accepted {
			t.Errorf("%s: %v, want accepted=%v", name, err, c.accepted)
		}
	}
	if err := post(address, "a@b.test", answerAddress, personal+"\r\nencore là\r\n"); err != nil {
		t.Errorf("after all that: %v", err)
	}
}

func TestListenerStopsWithIdleConnections(t *testing.T) {
	t.Parallel()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	l := &email.Listener{Domain: replyDomain, Inbox: newInbox(), Now: clock.Real().Now}
	go func() { done <- l.Serve(ctx, socket) }()
	conn, err := net.Dial("tcp", socket.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(line, "220") {
		t.Fatalf("greeting %q %v", line, err)
	}
	cancel()
	limit := time.NewTimer(4 * time.Second)
	defer limit.Stop()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-limit.C:
		t.Fatal("an idle connection holds the stop up")
	}
}

func TestListenerNeedsItsSettings(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*email.Listener{
		"no domain": {Addr: "127.0.0.1:0", Inbox: newInbox(), Now: clock.Real().Now},
		"no inbox":  {Addr: "127.0.0.1:0", Domain: replyDomain, Now: clock.Real().Now},
		"bad port":  {Addr: "127.0.0.1:99999", Domain: replyDomain, Inbox: newInbox(), Now: clock.Real().Now},
	} {
		if err := l.Run(t.Context()); err == nil {
			t.Errorf("%s: runs", name)
		}
	}
}
