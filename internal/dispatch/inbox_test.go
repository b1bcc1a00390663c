package dispatch_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
)

func TestReceiptBeforeItsAcceptance(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS)
		hold := make(chan struct{})
		h.air.Answer(func(m channels.Message) channels.Outcome { <-hold; return dispatchtest.Accept(m) })
		h.open(nil)
		c, orders := h.post(5)
		h.within("sends under way", func() bool { return h.air.Count() == 5 })
		for _, o := range orders {
			if err := h.air.Receipt(t.Context(), o.ID, true, ""); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(h.sink.Of(dispatch.FactDelivered)); n != 0 {
			t.Errorf("%d delivered before they were accepted", n)
		}
		close(hold)
		h.facts(dispatch.FactDelivered, 5)
		if v := h.view(c); v.Delivered != 5 || v.Accepted != 0 {
			t.Errorf("view %+v", v)
		}
	})
}

func TestAllPartsMustArrive(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS)
		h.air.Answer(func(m channels.Message) channels.Outcome {
			id := dispatchtest.ProviderID(m.ID)
			return channels.Outcome{State: channels.Accepted, ProviderIDs: []string{id, id + "b", id + "c"}}
		})
		h.open(nil)
		_, orders := h.post(2)
		h.facts(dispatch.FactAccepted, 2)
		receipt := func(o dispatch.Order, part string, delivered bool) {
			t.Helper()
			r := channels.Receipt{ProviderID: dispatchtest.ProviderID(o.ID) + part, Delivered: delivered, Final: true, Reason: channels.ReasonNone}
			if err := h.air.Channel("main").Inbox().Receipts(t.Context(), []channels.Receipt{r, {ProviderID: r.ProviderID, Final: false}}); err != nil {
				t.Fatal(err)
			}
		}
		receipt(orders[0], "b", true)
		receipt(orders[0], "b", true) // a receipt that comes twice is one part
		receipt(orders[0], "", true)
		if n := len(h.sink.Of(dispatch.FactDelivered)); n != 0 {
			t.Errorf("delivered with two parts of three")
		}
		receipt(orders[0], "c", true)
		h.facts(dispatch.FactDelivered, 1)
		receipt(orders[1], "c", false)
		if f := h.facts(dispatch.FactFailed, 1); f[0].Delivery != orders[1].ID || f[0].Reason != channels.ReasonRejected {
			t.Errorf("fact %+v", f[0])
		}
		receipt(orders[1], "", true) // too late to change a final truth
		receipt(orders[1], "b", true)
		h.facts(dispatch.FactDelivered, 1)
	})
}

func TestABounceNamesOurOwnID(t *testing.T) {
	h := lite(t, channels.Email).open(nil)
	_, orders := h.post(1)
	h.facts(dispatch.FactAccepted, 1)
	err := h.air.Channel("main").Inbox().Receipts(t.Context(), []channels.Receipt{
		{MessageID: orders[0].ID, Final: true, Reason: channels.ReasonMailboxFull, At: t0.Add(time.Hour)},
		{MessageID: uuid.New(), Final: true},
		{Final: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	if f := h.facts(dispatch.FactFailed, 1); f[0].Reason != channels.ReasonMailboxFull || f[0].At.After(t0) {
		t.Errorf("fact %+v, want no instant in the future", f[0])
	}
}

func TestRepliesFindTheirAuthor(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.Email).open(nil)
		old, _ := h.post(3)
		h.within("the older campaign left", func() bool { return h.view(old).Accepted == 3 })
		h.clock.Advance(time.Minute)
		c, orders := h.post(3)
		h.within("the newer campaign left", func() bool { return h.view(c).Accepted == 3 })
		inbox := h.air.Channel("main").Inbox()
		replies := []channels.Reply{
			{PeerID: "1", From: strings.ToUpper(orders[0].Address), Text: "oui"},
			{PeerID: "2", From: "autre@ailleurs.example", Token: orders[1].Token, Text: "non"},
			{PeerID: "3", From: "personne@ailleurs.example", Text: "?"},
			{PeerID: "1", From: orders[0].Address, Text: "oui"},
		}
		for range 2 { // a peer that saw no acknowledgement sends again
			if err := inbox.Replies(t.Context(), replies); err != nil {
				t.Fatal(err)
			}
		}
		h.within("three replies", func() bool { return len(h.sink.Heard()) >= 3 })
		by := make(map[string]dispatch.Reply)
		for _, r := range h.sink.Heard() {
			by[r.Text] = r
		}
		if len(h.sink.Heard()) != 3 || by["oui"].Subject != orders[0].Subject || by["oui"].Campaign != c.ID || by["non"].Token != orders[1].Token || by["?"].Subject != uuid.Nil {
			t.Errorf("replies %+v", h.sink.Heard())
		}
		lost, err := h.d.Unmatched(t.Context(), h.scope, t0)
		if err != nil || len(lost) != 1 || lost[0].From != "personne@ailleurs.example" {
			t.Errorf("unmatched %+v %v", lost, err)
		}
	})
}

func TestAnSMSReplyWithoutPlus(t *testing.T) {
	h := lite(t, channels.SMS).open(nil)
	c, orders := h.post(1)
	h.facts(dispatch.FactAccepted, 1)
	if err := h.air.Reply(t.Context(), strings.TrimPrefix(orders[0].Address, "+"), "1"); err != nil {
		t.Fatal(err)
	}
	h.within("heard", func() bool { return len(h.sink.Heard()) == 1 })
	if r := h.sink.Heard()[0]; r.Campaign != c.ID || r.Subject != orders[0].Subject {
		t.Errorf("reply %+v", r)
	}
}

func TestHostileInbox(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS).open(nil)
		c, _ := h.post(500)
		inbox := h.air.Channel("main").Inbox()
		nasty := []string{"", "\x00", "\xff\xfe\xfd", strings.Repeat("é", 100_000), "'; DROP TABLE dispatch_replies; --", "\u202e1", "{lien}", "NaN", "1e309", " \n\t"}
		var replies []channels.Reply
		var receipts []channels.Receipt
		for _, s := range nasty {
			replies = append(replies, channels.Reply{PeerID: s, From: s, To: s, Token: s, Text: s, At: time.Unix(1<<40, 0)})
			receipts = append(receipts, channels.Receipt{ProviderID: s, Delivered: true, Final: true, Detail: s, Reason: channels.Reason(s), At: time.Unix(-1<<40, 0)})
		}
		if err := inbox.Replies(t.Context(), replies); err != nil {
			t.Fatal(err)
		}
		if err := inbox.Receipts(t.Context(), receipts); err != nil {
			t.Fatal(err)
		}
		h.within("every reply is heard", func() bool { return len(h.sink.Heard()) == len(nasty) })
		for _, r := range h.sink.Heard() {
			if len(r.Text) > 4096 || r.At.After(t0) {
				t.Errorf("reply of %d bytes at %v", len(r.Text), r.At)
			}
		}
		h.within("the campaign is not disturbed", func() bool { return h.view(c).Accepted == 500 })
	})
}

func TestManyRepliesAtOnce(t *testing.T) {
	h := lite(t, channels.SMS).open(nil)
	_, orders := h.post(2000)
	h.facts(dispatch.FactAccepted, 2000)
	writes := h.db.Writes()
	var all sync.WaitGroup
	for _, o := range orders {
		all.Go(func() {
			if err := h.air.Reply(t.Context(), o.Address, "1"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	h.within("all heard", func() bool { return len(h.sink.Heard()) == 2000 })
	if n := h.db.Writes() - writes; n > 400 {
		t.Errorf("%d commits for 2000 replies: they do not share", n)
	}
	for _, r := range h.sink.Heard() {
		if r.Subject == uuid.Nil {
			t.Fatal("a reply without its author")
		}
	}
}

func TestAClosedGatewayTakesNothing(t *testing.T) {
	h := lite(t, channels.SMS).open(nil)
	h.within("open", func() bool { return h.air.Channel("main") != nil })
	h.d.Stop()
	if err := h.air.Reply(t.Context(), "+33639980000", "1"); err == nil {
		t.Error("a reply was acknowledged by a gateway that is closed")
	}
}
