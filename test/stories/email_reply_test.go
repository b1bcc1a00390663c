package stories_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
	"tocsin/internal/directory"
)

const replyDomain = "reponse.valbrume.example"

// An agent answers the e-mail from his mail program, above the quoted alert: the
// reply is his answer, by the mark of its address, whatever mailbox it left from.
func TestEmailReplyIsAnAnswer(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Courriel", "iade", func(p *directory.Person) { p.Contacts = p.Contacts[1:] })
		l := h.launch(recall(needs(1, "iade")))
		letters := h.mail.received(mailbox(agent))
		count(t, letters, 1, "e-mails")

		h.mailIntake()
		text := "From: Camille <perso@ailleurs.example>\r\nSubject: Re: VENEZ\r\nMIME-Version: 1.0\r\n" +
			"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
			"Oui, j'arrive dans 25 minutes.\r\n\r\n-----Message d'origine-----\r\nDe : Tocsin\r\nEnvoy=E9 : dimanche\r\n\r\n> VENEZ aux urgences. 2 si indisponible\r\n"
		h.deliverMail("reponse+"+letters[0].ReplyToken+"@"+replyDomain, text)
		h.settle()
		who := h.person(l, agent)
		if who.Meaning != alerting.Coming || who.Minutes != 25 || len(who.Answers) != 1 || who.Answers[0].Source != alerting.ByEmail {
			t.Fatalf("%s in %d min, %+v", who.Meaning, who.Minutes, who.Answers)
		}
		h.deliverMail("reponse+"+letters[0].ReplyToken+"@"+replyDomain, "Auto-Submitted: auto-replied\r\nSubject: Absence\r\n\r\nJe suis absent.\r\n")
		h.settle()
		if who := h.person(l, agent); who.Meaning != alerting.Coming {
			t.Errorf("an absence message changed the answer to %s", who.Meaning)
		}
	})
}

// mailIntake is the door by which the mail server of the hospital brings the
// replies; its address is kept in h.intake.
func (h *hospital) mailIntake() {
	h.t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(h.t.Context()))
	done := make(chan error, 1)
	listener := &email.Listener{Domain: replyDomain, Inbox: h.Dispatch.Inbox(channels.Email), Now: h.clock.Now}
	go func() { done <- listener.Serve(ctx, socket) }()
	h.intake = socket.Addr().String()
	h.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			h.t.Errorf("mail intake: %v", err)
		}
	})
}

// deliverMail hands a message over to the intake.
func (h *hospital) deliverMail(to, text string) {
	h.t.Helper()
	client, err := smtp.Dial(h.intake)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := errors.Join(client.SendMail("perso@ailleurs.example", []string{to}, strings.NewReader(text)), client.Quit()); err != nil {
		h.t.Fatalf("mail to %s: %v", to, err)
	}
}
