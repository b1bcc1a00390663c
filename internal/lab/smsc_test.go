package lab_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin/internal/channels/sms"
	"tocsin/internal/lab"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/wire/smpp"
)

// pocket is a telephone-side view: what the gateway delivered to a client.
type pocket struct {
	mu       sync.Mutex
	receipts map[string]smpp.Receipt
	replies  map[string][]string
	// refuse answers that many deliveries with "later".
	refuse int
	tb     testing.TB
}

func newPocket(t testing.TB) *pocket {
	return &pocket{receipts: map[string]smpp.Receipt{}, replies: map[string][]string{}, tb: t}
}

func (p *pocket) take(d sms.Delivery) {
	p.mu.Lock()
	defer p.mu.Unlock()
	status := smpp.StatusOK
	if p.refuse > 0 {
		p.refuse--
		status = smpp.StatusReceiverTemporary
	} else if r, ok := smpp.ParseReceipt(&d.Message); ok {
		p.receipts[r.ID] = r
	} else {
		p.replies[d.Message.Source.Number] = append(p.replies[d.Message.Source.Number], d.Message.Octets())
	}
	if err := d.Answer(status); err != nil {
		p.tb.Logf("acknowledgement: %v", err)
	}
}

func (p *pocket) held() (receipts, replies int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.replies {
		replies += len(r)
	}
	return len(p.receipts), replies
}

func submit(t testing.TB, c *sms.Client, m *smpp.Message) sms.Answer {
	t.Helper()
	a, err := c.Submit(context.Background(), m)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	return a
}

func TestFastPathCountsAndGivesReceipts(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *lab.Options) { o.Fast = true; o.Gateway.HexIDs = true })
	p := newPocket(t)
	c := r.transceiver(func(o *sms.ClientOptions) { o.Deliver = p.take })
	ids := map[string]bool{}
	for n := range 50 {
		a := submit(t, c, message(fmt.Sprint(33639980000+n%40), fmt.Sprintf("Texte %d", n%40)))
		if a.Status != smpp.StatusOK || ids[a.ID] {
			t.Fatalf("%d: %v, id %q", n, a.Status, a.ID)
		}
		ids[a.ID] = true
	}
	storagetest.Eventually(t, 5*time.Second, "every receipt", func() bool { n, _ := p.held(); return n == 50 })
	counts := r.counts().SMS
	if counts.Accepted != 50 || counts.Distinct != 40 || counts.Doubles != 10 || counts.First == 0 || counts.Last < counts.First {
		t.Errorf("%+v", counts)
	}
	var page []lab.Entry
	r.get("/messages?since=45", &page)
	if len(page) != 5 || page[0].Seq != 46 || page[0].To != "33639980005" || page[0].Count != 2 {
		t.Errorf("/messages: %+v", page)
	}
	r.get("/doubles", &page)
	if len(page) != 10 || page[0].Count != 2 {
		t.Errorf("/doubles: %+v", page)
	}
	r.post("/reset")
	if counts := r.counts().SMS; counts.Accepted != 0 || counts.Distinct != 0 || counts.First != 0 {
		t.Errorf("after a reset: %+v", counts)
	}
}

func TestAReceiptRefusedOrCutComesAgain(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *lab.Options) { o.Fast = true; o.Gateway.Deliveries = 5 })
	p := newPocket(t)
	p.refuse = 3
	c := r.transceiver(func(o *sms.ClientOptions) { o.Deliver = func(sms.Delivery) {} }) // a client that hangs
	for n := range 20 {
		submit(t, c, message(fmt.Sprint(33639980000+n), "Plan blanc"))
	}
	storagetest.Eventually(t, 5*time.Second, "the window of deliveries is full", func() bool { return r.counts().SMS.Receipts == 5 })
	r.post("/cut")
	<-c.Done()
	again := r.transceiver(func(o *sms.ClientOptions) { o.Deliver = p.take })
	storagetest.Eventually(t, 10*time.Second, "every receipt, to the next session", func() bool { n, _ := p.held(); return n == 20 })
	storagetest.Eventually(t, 5*time.Second, "nothing waits", func() bool { return r.counts().SMS.Waiting == 0 })
	if counts := r.counts().SMS; counts.Acknowledged != 20 || counts.Again != 8 {
		t.Errorf("acknowledged %d, again %d; want 20 and 5 cut + 3 refused", counts.Acknowledged, counts.Again)
	}
	if again.Err() != nil {
		t.Errorf("the second session ended: %v", again.Err())
	}
}

func TestBindsAreChecked(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *lab.Options) {
		o.Fast, o.Gateway.SystemID, o.Gateway.Password, o.Gateway.MaxBinds = true, "hopital", "secret", 1
	})
	refused := func(status smpp.Status, change func(*sms.ClientOptions)) {
		t.Helper()
		_, err := r.bind(smpp.BindTransceiver, change)
		be, ok := errors.AsType[*sms.BindError](err)
		if !ok || be.Status != status {
			t.Errorf("bind: %v, want %v", err, status)
		}
	}
	refused(smpp.StatusInvalidSystemID, func(o *sms.ClientOptions) { o.Bind.SystemID = "autre" })
	refused(smpp.StatusInvalidPassword, func(o *sms.ClientOptions) { o.Bind.Password = "faux" })
	r.transceiver(nil)
	refused(smpp.StatusBindFailed, nil)
}

func TestReceiptsLeaveByTheReceiver(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *lab.Options) { o.Fast = true })
	p := newPocket(t)
	sender, err := r.bind(smpp.BindTransmitter, func(o *sms.ClientOptions) {
		o.Deliver = func(sms.Delivery) { t.Error("a transmitter receives") }
	})
	if err != nil {
		t.Fatal(err)
	}
	submit(t, sender, message("33639980001", "Plan blanc"))
	if _, err := r.bind(smpp.BindReceiver, func(o *sms.ClientOptions) { o.Deliver = p.take }); err != nil {
		t.Fatal(err)
	}
	storagetest.Eventually(t, 5*time.Second, "the receipt", func() bool { n, _ := p.held(); return n == 1 })
	if other, err := r.bind(smpp.BindReceiver, nil); err != nil {
		t.Error(err)
	} else if a := submit(t, other, message("33639980001", "x")); a.Status != smpp.StatusInvalidBindStatus {
		t.Errorf("a receiver submits: %v", a.Status)
	}
}

func TestTheGatewayThrottles(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*lab.Gateway){
		"rate":   func(g *lab.Gateway) { g.Rate = 10 },
		"window": func(g *lab.Gateway) { g.Window = 2; g.ResponseDelay = 300 * time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t, func(o *lab.Options) { o.Fast = true; change(&o.Gateway) })
			c := r.transceiver(nil)
			var mu sync.Mutex
			seen := map[smpp.Status]int{}
			var group sync.WaitGroup
			for n := range 20 {
				group.Go(func() {
					a, err := c.Submit(context.Background(), message(fmt.Sprint(33639980000+n), "Plan blanc"))
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					}
					seen[a.Status]++
				})
			}
			group.Wait()
			counts := r.counts().SMS
			if seen[smpp.StatusOK] == 0 || seen[smpp.StatusThrottled] < 10 || counts.Throttled != uint64(seen[smpp.StatusThrottled]) || counts.Accepted != uint64(seen[smpp.StatusOK]) {
				t.Errorf("%v; %+v", seen, counts)
			}
		})
	}
}

func TestWhatIsNotAMessageIsRefused(t *testing.T) {
	t.Parallel()
	r := start(t, func(o *lab.Options) { o.Fast = true })
	c := r.transceiver(nil)
	for _, to := range []string{"", "4512", "TOCSIN", "0612", "336399800011234567", "00000000000"} {
		if a := submit(t, c, message(to, "x")); a.Status != smpp.StatusInvalidDestination {
			t.Errorf("to %q: %v", to, a.Status)
		}
	}
	conn := dial(t, r.SMPP)
	for _, pdu := range []struct {
		what  string
		write func(dst []byte) ([]byte, error)
		want  smpp.Command
		stat  smpp.Status
	}{
		{"an unknown command", func(dst []byte) ([]byte, error) { return smpp.AppendEmpty(dst, 0x00000103, 0, 7), nil }, smpp.GenericNack, smpp.StatusInvalidCommand},
		{"a submit_sm without body", func(dst []byte) ([]byte, error) { return smpp.AppendEmpty(dst, smpp.SubmitSM, 0, 8), nil }, smpp.SubmitSMResp, smpp.StatusInvalidMsgLength},
		{"an answer to nothing", func(dst []byte) ([]byte, error) {
			return smpp.AppendEmpty(smpp.AppendEmpty(dst, smpp.DeliverSMResp, 0, 99), smpp.EnquireLink, 0, 9), nil
		}, smpp.EnquireLinkResp, smpp.StatusOK},
		{"a second bind", func(dst []byte) ([]byte, error) {
			return smpp.AppendBind(dst, smpp.BindReceiver, 10, &smpp.Bind{SystemID: "x"})
		}, smpp.BindReceiverResp, smpp.StatusAlreadyBound},
	} {
		if err := conn.Write(pdu.write); err != nil {
			t.Fatal(err)
		}
		if f, err := conn.Next(); err != nil || f.Command != pdu.want || f.Status != pdu.stat {
			t.Errorf("%s is answered %v %v %v", pdu.what, f.Command, f.Status, err)
		}
	}
	if counts := r.counts().SMS; counts.Accepted != 0 || counts.Refused != 7 {
		t.Errorf("%+v", counts)
	}
}

// holder finds a number whose person suits.
func holder(t testing.TB, p lab.Population, suits func(lab.Person) bool) string {
	t.Helper()
	for n := range 200_000 {
		if suits(p.Telephone(number(n))) {
			return fmt.Sprint(number(n))
		}
	}
	t.Fatal("nobody suits")
	return ""
}

func open(intent lab.Intent) func(lab.Person) bool {
	return func(who lab.Person) bool {
		return who.Line == lab.LineOpen && who.Intent == intent && who.Second == lab.Silent
	}
}

// hasty people live a day in a few seconds.
func hasty() lab.Population {
	p := lab.DefaultPopulation()
	p.Speed, p.Link = 20_000, 0
	return p
}

func TestEachLineHasItsReceipt(t *testing.T) {
	t.Parallel()
	people := hasty()
	r := start(t, func(o *lab.Options) { o.People = people })
	p := newPocket(t)
	c := r.transceiver(func(o *sms.ClientOptions) { o.Deliver = p.take })
	line := func(l lab.Line) string {
		return holder(t, people, func(w lab.Person) bool { return w.Line == l && w.Receipt > 50*time.Millisecond == (l == lab.LineOff) })
	}
	if a := submit(t, c, message(line(lab.LineUnknown), "Rép 1 oui")); a.Status != smpp.StatusInvalidDestination {
		t.Errorf("a number that is not attributed: %v", a.Status)
	}
	asleep := message(line(lab.LineOff), "Rép 1 oui")
	asleep.ValidityPeriod = smpp.FormatRelative(time.Second)
	brief := message(line(lab.LineOff), "Rép 1 oui")
	brief.ValidityPeriod = "000000000000000R"
	for _, want := range []struct {
		m     *smpp.Message
		state smpp.MessageState
	}{
		{message(line(lab.LineOpen), "Rép 1 oui"), smpp.StateDelivered},
		{message(line(lab.LineDead), "Rép 1 oui"), smpp.StateUndeliverable},
		{asleep, smpp.StateDelivered},
		{brief, smpp.StateExpired},
	} {
		id := submit(t, c, want.m).ID
		storagetest.Eventually(t, 10*time.Second, "a receipt "+want.state.String(), func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.receipts[id].State == want.state
		})
	}
}

func TestPeopleAnswerOnceAndNobodyAnswersThanks(t *testing.T) {
	t.Parallel()
	people := hasty()
	people.Speed = 1_000 // quicker ones forget, on a busy machine, that they answered
	r := start(t, func(o *lab.Options) { o.People = people })
	p := newPocket(t)
	c := r.transceiver(func(o *sms.ClientOptions) { o.Deliver = p.take })
	coming := holder(t, people, open(lab.Coming))
	submit(t, c, message(coming, "CHSA : PLAN BLANC. R\x05p 1 oui 2 non"))
	storagetest.Eventually(t, 10*time.Second, "an answer", func() bool { _, n := p.held(); return n == 1 })
	for _, text := range []string{"CHSA : réponse notée, merci.", "CHSA : PLAN BLANC, rappel. Rep 1 oui 2 non"} {
		submit(t, c, message(coming, strings.ReplaceAll(text, "é", "\x05")))
	}
	storagetest.Eventually(t, 10*time.Second, "nothing is left to do", func() bool {
		counts := r.counts()
		return counts.Pending == 0 && counts.SMS.Receipts == 3 && counts.SMS.Waiting == 0
	})
	if receipts, replies := p.held(); receipts != 3 || replies != 1 {
		t.Errorf("%d receipts, %d answers: want 3 and 1", receipts, replies)
	}
}

func TestStopBarsTheNumber(t *testing.T) {
	t.Parallel()
	people := hasty()
	people.Coming, people.Stop = 0, 0.4
	r := start(t, func(o *lab.Options) { o.People = people })
	p := newPocket(t)
	c := r.transceiver(func(o *sms.ClientOptions) { o.Deliver = p.take })
	to := holder(t, people, open(lab.Stop))
	submit(t, c, message(to, "CHSA : Rep 1 oui 2 non"))
	storagetest.Eventually(t, 10*time.Second, "STOP", func() bool { _, n := p.held(); return n == 1 })
	id := submit(t, c, message(to, "CHSA : second message")).ID
	storagetest.Eventually(t, 10*time.Second, "a refusal", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.receipts[id].State == smpp.StateRejected
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	if got := p.replies[to]; len(got) != 1 || !strings.HasPrefix(strings.ToUpper(got[0]), "STOP") {
		t.Errorf("%q", got)
	}
}
