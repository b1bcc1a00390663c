package dispatch_test

import (
	"errors"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

var t0 = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// house is an outbox at work with one medium.
type house struct {
	t     *testing.T
	db    *storage.DB
	clock *clock.Fake
	scope access.Scope
	air   *dispatchtest.Air
	sink  *dispatchtest.Sink
	d     *dispatch.Dispatch
}

func newHouse(t *testing.T, db *storage.DB, m channels.Medium) *house {
	h := &house{t: t, db: db, clock: clock.NewFake(t0), scope: access.System(storage.NewID(t0), "test"), air: dispatchtest.NewAir(m), sink: dispatchtest.NewSink()}
	h.d = dispatchtest.Outbox(t, db, h.clock, h.sink, h.air)
	return h
}

func (h *house) open(settings channels.Settings) *house {
	dispatchtest.Gateway(h.t, h.d, h.scope, t0, h.air, 1, settings)
	return h.start()
}

func (h *house) start() *house {
	if err := h.d.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(h.d.Stop)
	return h
}

func (h *house) post(n int, change ...func(*dispatch.Campaign, []dispatch.Order)) (dispatch.Campaign, []dispatch.Order) {
	h.t.Helper()
	c, content, orders := dispatchtest.Mail(h.clock.Now(), h.air.Describe().Medium, n)
	for _, f := range change {
		f(&c, orders)
	}
	dispatchtest.Post(h.t, h.d, h.db, h.scope, h.clock.Now(), c, content, orders)
	return c, orders
}

func (h *house) within(what string, ok func() bool) {
	h.t.Helper()
	storagetest.Eventually(h.t, 20*time.Second, what, ok)
}

func (h *house) facts(kind dispatch.FactKind, n int) []dispatch.Fact {
	h.t.Helper()
	h.within(string(kind)+" facts", func() bool { return len(h.sink.Of(kind)) >= n })
	got := h.sink.Of(kind)
	if len(got) != n {
		h.t.Fatalf("%d %s facts, want %d", len(got), kind, n)
	}
	return got
}

func (h *house) view(c dispatch.Campaign) dispatch.MediumView {
	h.t.Helper()
	v, err := h.d.View(h.t.Context(), h.scope, c.ID, h.clock.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	if len(v.Media) != 1 {
		h.t.Fatalf("view has %d media", len(v.Media))
	}
	return v.Media[0]
}

func each(t *testing.T, suite func(t *testing.T, db *storage.DB)) {
	t.Helper()
	storagetest.Each(t, dispatchtest.Migrations(), suite)
}

func TestSending(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS).open(nil)
		c, orders := h.post(150)
		accepted := h.facts(dispatch.FactAccepted, 150)
		if n := h.air.Count(); n != 150 {
			t.Errorf("%d sends, want 150", n)
		}
		byID := make(map[string]channels.Message)
		for _, m := range h.air.Sent() {
			byID[m.ID.String()] = m
		}
		o := orders[42]
		m := byID[o.ID.String()]
		if m.To != o.Address || m.Text != "TEST. Venez : "+o.Link || m.ReplyToken != o.Token || m.Language != "fr" || !m.ExpiresAt.IsZero() {
			t.Errorf("message %+v", m)
		}
		if f := accepted[0]; f.Campaign != c.ID || f.Medium != channels.SMS || f.Purpose != "call" || f.Wave != 1 || !f.At.Equal(t0) || f.Address == "" {
			t.Errorf("fact %+v", f)
		}
		for _, o := range orders[:100] {
			if err := h.air.Receipt(t.Context(), o.ID, true, ""); err != nil {
				t.Fatal(err)
			}
		}
		for _, o := range orders[100:120] {
			if err := h.air.Receipt(t.Context(), o.ID, false, channels.ReasonInvalidAddress); err != nil {
				t.Fatal(err)
			}
		}
		h.facts(dispatch.FactDelivered, 100)
		if failed := h.facts(dispatch.FactFailed, 20); failed[0].Reason != channels.ReasonInvalidAddress {
			t.Errorf("fact %+v", failed[0])
		}
		v := h.view(c)
		if v.Accepted != 30 || v.Delivered != 100 || v.Failed != 20 || v.Queued != 0 || v.Sending != 0 || v.PerSecond == 0 {
			t.Errorf("view %+v", v)
		}
	})
}

func TestRefusedIsNeverSentAgain(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t, dispatchtest.Migrations()...), channels.SMS)
	h.air.Answer(func(channels.Message) channels.Outcome {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonBlocked, Detail: "ESME_RX \x00 \xff"}
	})
	h.open(nil)
	c, orders := h.post(3)
	if f := h.facts(dispatch.FactFailed, 3); f[0].Reason != channels.ReasonBlocked {
		t.Errorf("fact %+v", f[0])
	}
	h.clock.Advance(time.Hour)
	h.d.Wake()
	tries, err := h.d.Attempts(t.Context(), h.scope, c.ID, orders[0].Subject)
	if err != nil {
		t.Fatal(err)
	}
	if len(tries) != 2 || tries[0].State != dispatch.Failed || tries[1].Detail != "ESME_RX  " || tries[1].Gateway == "" {
		t.Errorf("attempts %+v", tries)
	}
	if h.air.Count() != 3 {
		t.Errorf("%d sends", h.air.Count())
	}
}

func TestRetryWaitsLongerEachTime(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t, dispatchtest.Migrations()...), channels.SMS)
	refusals := 2
	h.air.Answer(func(m channels.Message) channels.Outcome {
		if refusals > 0 {
			refusals--
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError}
		}
		return dispatchtest.Accept(m)
	})
	h.open(channels.Settings{"senders": "1"})
	c, orders := h.post(1)
	// A try counts once its outcome is written: only then does the wait begin.
	sent := func(n int) func() bool {
		return func() bool {
			tries, err := h.d.Attempts(t.Context(), h.scope, c.ID, orders[0].Subject)
			if err != nil {
				t.Fatal(err)
			}
			return len(tries) == 1+n
		}
	}
	h.within("first try", sent(1))
	h.clock.Advance(4 * time.Second) // the wait is at least five seconds
	h.d.Wake()
	h.clock.Advance(3 * time.Second)
	h.d.Wake()
	h.within("second try", sent(2))
	h.clock.Advance(9 * time.Second)
	h.d.Wake()
	if h.air.Count() != 2 {
		t.Error("the second wait is not longer than the first")
	}
	h.clock.Advance(4 * time.Second)
	h.d.Wake()
	h.facts(dispatch.FactAccepted, 1)
	if h.air.Count() != 3 {
		t.Errorf("%d tries", h.air.Count())
	}
	if n := len(h.sink.Of(dispatch.FactDoublePossible)); n != 0 {
		t.Errorf("%d possible doubles for a refusal that is certain", n)
	}
}

func TestExpiredInTheQueue(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS).start() // no gateway at all
		c, _ := h.post(70, func(_ *dispatch.Campaign, orders []dispatch.Order) {
			for i := range orders {
				orders[i].ExpiresAt = t0.Add(10 * time.Minute)
			}
		})
		if v := h.view(c); v.Queued != 70 || v.OldestQueued.IsZero() {
			t.Errorf("view %+v", v)
		}
		h.clock.Advance(10 * time.Minute)
		h.d.Wake()
		if f := h.facts(dispatch.FactExpired, 70); f[0].Reason != channels.ReasonExpired {
			t.Errorf("fact %+v", f[0])
		}
		if v := h.view(c); v.Queued != 0 || v.Expired != 70 {
			t.Errorf("view %+v", v)
		}
	})
}

func TestAFailingSinkDelaysNobody(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t, dispatchtest.Migrations()...), channels.SMS)
	h.sink.Fail(errors.New("the room above is asleep"))
	h.open(nil)
	h.post(1200)
	h.within("all sent", func() bool { return h.air.Count() == 1200 })
	h.sink.Fail(nil)
	h.facts(dispatch.FactAccepted, 1200)
	if n := h.sink.Largest(); n > 1000 {
		t.Errorf("a batch of %d facts", n)
	}
}
