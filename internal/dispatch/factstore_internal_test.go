package dispatch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
)

func TestFactsComeBackAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 2, 0, 0, 123000, time.UTC)
	one, other := uuid.New(), uuid.New()
	facts := []Fact{
		{Campaign: one, Subject: uuid.New(), Delivery: uuid.New(), Medium: channels.SMS, Address: "+33639980001", Kind: FactAccepted, Purpose: "alert", At: at},
		{Campaign: one, Subject: uuid.New(), Delivery: uuid.New(), Medium: channels.SMS, Address: "+33639980002", Kind: FactFailed, Reason: channels.ReasonBlocked, Purpose: "alert", At: at},
		{Campaign: other, Subject: uuid.New(), Delivery: uuid.New(), Medium: channels.Email, Address: "a\tb\n\\n\\@x.example", Kind: FactDelivered, Purpose: "ack\t1", Wave: 2001, At: at},
		{Campaign: other, Subject: uuid.New(), Delivery: uuid.New(), Medium: channels.Email, Kind: FactMerged, At: at},
	}
	for i, f := range facts {
		facts[i].ID = factID(f.Delivery, f.Kind)
	}
	got, err := readFacts(writtenFacts(facts))
	if err != nil || !slices.Equal(got, facts) {
		t.Errorf("got %+v, %v", got, err)
	}
	if none, err := readFacts(writtenFacts(nil)); err != nil || len(none) != 0 {
		t.Errorf("nothing gave %v, %v", none, err)
	}
}

// What the first versions left in the outbox, word for word, is still told.
func TestFactsOfTheFirstVersionsAreRead(t *testing.T) {
	t.Parallel()
	const text = `[{"d":"019aa1b4-6c00-7000-8000-000000000001","c":"019aa1b4-6c00-7000-8000-0000000000c1","s":"019aa1b4-6c00-7000-8000-0000000000a1","m":"sms","a":"+33639980001","k":"accepted","p":"alert","t":1763776800123000},` +
		`{"d":"019aa1b4-6c00-7000-8000-000000000002","c":"019aa1b4-6c00-7000-8000-0000000000c1","s":"019aa1b4-6c00-7000-8000-0000000000a2","m":"email","a":"a@x.example","k":"failed","r":"mailbox_full","w":2001,"t":1763776800123000}]`
	at, campaign := time.Date(2025, 11, 22, 2, 0, 0, 123_000_000, time.UTC), uuid.MustParse("019aa1b4-6c00-7000-8000-0000000000c1")
	want := []Fact{
		{
			Delivery: uuid.MustParse("019aa1b4-6c00-7000-8000-000000000001"), Campaign: campaign, Subject: uuid.MustParse("019aa1b4-6c00-7000-8000-0000000000a1"),
			Medium: channels.SMS, Address: "+33639980001", Kind: FactAccepted, Purpose: "alert", At: at,
		},
		{
			Delivery: uuid.MustParse("019aa1b4-6c00-7000-8000-000000000002"), Campaign: campaign, Subject: uuid.MustParse("019aa1b4-6c00-7000-8000-0000000000a2"),
			Medium: channels.Email, Address: "a@x.example", Kind: FactFailed, Reason: channels.ReasonMailboxFull, Wave: 2001, At: at,
		},
	}
	for i, f := range want {
		want[i].ID = factID(f.Delivery, f.Kind)
	}
	if got, err := readFacts(text); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestDamagedFactsAreAnError(t *testing.T) {
	t.Parallel()
	good := writtenFacts([]Fact{{Campaign: uuid.New(), Subject: uuid.New(), Delivery: uuid.New(), Medium: channels.SMS, Kind: FactAccepted, At: time.Unix(1, 0)}})
	for name, text := range map[string]string{
		"cut":        good[:len(good)-8],
		"JSON":       `[{"d":"x"}]`,
		"one more":   strings.Replace(good, "accepted", "accepted\tx", 1),
		"an id less": good[:10] + good[11:],
	} {
		if got, err := readFacts(text); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestWhatAGatewayRemembers(t *testing.T) {
	t.Parallel()
	m, known := newRecent(), newLedger()
	c := &carried{delivery: uuid.New(), state: Accepted, parts: 1}
	known.byProvider["p1"] = partOf{c, 0}
	known.byProvider["long"] = partOf{&carried{delivery: uuid.New(), state: Accepted, parts: 2}, 1}
	m.learn(known)
	receipt := channels.Receipt{ProviderID: "p1", Delivered: true, Final: true}
	got := m.get(receipt)
	if got == nil || got == c || got.delivery != c.delivery || !got.stored {
		t.Fatalf("got %+v", got)
	}
	if m.get(channels.Receipt{ProviderID: "p1", Final: true}) != nil || m.get(channels.Receipt{ProviderID: "long", Delivered: true}) != nil {
		t.Error("a failure and a message of several parts are looked up")
	}
	got.state, got.changed = Delivered, true
	if m.get(receipt) == nil {
		t.Error("a pass that failed has taught nothing")
	}
	m.learn(&ledger{byProvider: map[string]partOf{"p1": {got, 0}}})
	if m.get(receipt) != nil {
		t.Error("what is final is forgotten")
	}
	for i := range recentMost + 10 {
		m.learn(&ledger{byProvider: map[string]partOf{uuid.NewString(): {&carried{state: Accepted, parts: 1, wave: i}, 0}}})
	}
	if n := len(m.byProvider); n != recentMost {
		t.Errorf("%d remembered", n)
	}
	if (*recent)(nil).get(receipt) != nil {
		t.Error("nothing remembers nothing")
	}
}
