package lab_test

import (
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/wneessen/go-mail"

	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
	"tocsin/internal/lab"
	"tocsin/internal/storage/storagetest"
)

const replyDomain = "reponse.sainte-aurore.example"

// intake is the mail listener of the product, which keeps what came back.
type intake struct {
	address string
	mu      sync.Mutex
	back    []channels.Receipt
	replies []channels.Reply
}

func (i *intake) Receipts(_ context.Context, items []channels.Receipt) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.back = append(i.back, items...)
	return nil
}

func (i *intake) Replies(_ context.Context, items []channels.Reply) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.replies = append(i.replies, items...)
	return nil
}

func (i *intake) held() (bounces, replies int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.back), len(i.replies)
}

func listenForMail(t *testing.T) *intake {
	t.Helper()
	i := &intake{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	i.address = listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		l := &email.Listener{Addr: i.address, Domain: replyDomain, Inbox: i, Now: time.Now}
		done <- l.Serve(ctx, listener)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return i
}

// post is the e-mail channel of the product, towards the lab.
func post(t *testing.T, r *running) *email.Client {
	t.Helper()
	host, port, err := net.SplitHostPort(r.SMTP)
	if err != nil {
		t.Fatal(err)
	}
	s, err := email.Kind{}.Describe().Validate(channels.Settings{"host": host, "port": port, "tls": "none", "from": "alerte@sainte-aurore.example", "reply_domain": replyDomain})
	if err != nil {
		t.Fatal(err)
	}
	c, err := email.NewClient(s, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func mailbox(t *testing.T, p lab.Population, suits func(lab.Person) bool) string {
	t.Helper()
	for n := range 100_000 {
		if address := "agent" + strconv.Itoa(n) + "@lab.example"; suits(p.Mailbox(address)) {
			return address
		}
	}
	t.Fatal("nobody suits")
	return ""
}

func letterTo(to, token string) channels.Message {
	return channels.Message{
		ID: uuid.New(), To: to, Subject: "PLAN BLANC : votre renfort est demandé", Language: "fr", ReplyToken: token,
		Text: "Bonjour,\n\nLe plan blanc est déclenché. Répondez 1 si vous venez, 2 sinon.\n\nSainte-Aurore",
	}
}

// What the product sends comes back as the product expects it: an answer at the
// plus-address, a bounce at the return address, an absence that is no answer.
func TestMailboxesAnswerAndBounce(t *testing.T) {
	t.Parallel()
	people := hasty()
	people.MailReads = 1
	in := listenForMail(t)
	r := start(t, func(o *lab.Options) { o.People, o.Intake = people, in.address })
	c := post(t, r)
	line := func(l lab.Line, intent lab.Intent) string {
		return mailbox(t, people, func(w lab.Person) bool { return w.Line == l && w.Intent == intent && w.Second == lab.Silent })
	}
	coming, full, away, silent := line(lab.LineOpen, lab.Coming), line(lab.LineFull, lab.Coming), line(lab.LineAway, lab.Coming), line(lab.LineOpen, lab.Silent)
	full1 := letterTo(full, "jetonplein01")
	for _, m := range []channels.Message{letterTo(coming, "jetonvient01"), full1, letterTo(away, "jetonabsent1"), letterTo(silent, "jetonmuet001"), letterTo(coming, "jetonvient01")} {
		if out := c.Send(t.Context(), m); out.State != channels.Accepted {
			t.Fatalf("%+v", out)
		}
	}
	storagetest.Eventually(t, 10*time.Second, "everything came back", func() bool {
		bounces, replies := in.held()
		return bounces == 1 && replies == 1 && r.counts().Mail.Away == 1 && r.counts().Pending == 0
	})
	counts := r.counts().Mail
	if counts.Accepted != 5 || counts.Replies != 1 || counts.Bounces != 1 || counts.Failed != 0 {
		t.Errorf("%+v", counts)
	}
	if got := in.replies[0]; got.Token != "jetonvient01" || got.Text == "" || strings.Contains(got.Text, "plan blanc") || got.From != coming {
		t.Errorf("the answer: %+v", got)
	}
	if got := in.back[0]; got.MessageID != full1.ID || got.Reason != channels.ReasonMailboxFull || !got.Final {
		t.Errorf("the bounce: %+v", got)
	}
}

// Half of the mailboxes that do not exist are refused at once, the others bounce.
func TestMailboxesThatDoNotExist(t *testing.T) {
	t.Parallel()
	people := hasty()
	people.MailDead, people.MailFull, people.MailAway = 1, 0, 0
	in := listenForMail(t)
	r := start(t, func(o *lab.Options) { o.People, o.Intake = people, in.address })
	c := post(t, r)
	refused := 0
	for n := range 40 {
		out := c.Send(t.Context(), letterTo("agent"+strconv.Itoa(n)+"@lab.example", ""))
		if out.State == channels.Refused && out.Reason == channels.ReasonInvalidAddress {
			refused++
		}
	}
	if refused < 8 || refused > 32 {
		t.Errorf("%d refused at once of 40", refused)
	}
	storagetest.Eventually(t, 10*time.Second, "the others bounce", func() bool { bounces, _ := in.held(); return bounces == 40-refused })
	for _, b := range in.back {
		if b.Reason != channels.ReasonInvalidAddress {
			t.Fatalf("%+v", b)
		}
	}
	if got := r.counts().Mail.Refused; got != uint64(refused) {
		t.Errorf("%d refusals counted, %d seen", got, refused)
	}
}

// The fast path takes mail of any client, counts it, and answers nothing.
func TestFastMailIsCounted(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *lab.Options) { o.Fast = true })
	host, port, err := net.SplitHostPort(r.SMTP)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	c, err := mail.NewClient(host, mail.WithPort(n), mail.WithTLSPolicy(mail.NoTLS))
	if err != nil {
		t.Fatal(err)
	}
	var messages []*mail.Msg
	for i := range 6 {
		m := mail.NewMsg()
		if err := m.From("alerte@sainte-aurore.example"); err != nil {
			t.Fatal(err)
		}
		if err := m.To("agent" + strconv.Itoa(i%5) + "@lab.example"); err != nil {
			t.Fatal(err)
		}
		m.SetMessageIDWithValue("m" + strconv.Itoa(i%5) + "@sainte-aurore.example")
		m.Subject("Répondez")
		m.SetBodyString(mail.TypeTextPlain, "Répondez 1")
		messages = append(messages, m)
	}
	if err := c.DialAndSend(messages...); err != nil {
		t.Fatal(err)
	}
	counts := r.counts()
	if counts.Mail.Accepted != 6 || counts.Mail.Doubles != 1 || counts.Pending != 0 {
		t.Errorf("%+v", counts)
	}
	var page []lab.Entry
	r.get("/mails?limit=100", &page)
	if len(page) != 6 || !slices.ContainsFunc(page, func(e lab.Entry) bool { return e.To == "agent0@lab.example" && e.Count == 2 }) {
		t.Errorf("%+v", page)
	}
}
