package sms_test

import (
	"net"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/wire/smpp"
	peer "tocsin/test/peers/smpp"
)

func TestReceiptsByTheThousand(t *testing.T) {
	t.Parallel()
	const total = 2000
	node := peer.StartNode(t, peer.Options{})
	node.Behave(peer.Behaviour{Receipts: ptr(true)})
	r := run(t, settings(node, channels.Settings{"window": "200", "response_timeout": "10"}))
	r.up()
	many(r, total)
	seen := make(map[string]int)
	for _, got := range r.receipts(total) {
		seen[got.ProviderID]++
	}
	if len(seen) != total {
		t.Errorf("%d messages have a receipt, want %d", len(seen), total)
	}
	channelstest.Eventually(t, "all are acknowledged", func() bool { return node.State().Unacknowledged == 0 })
}

func TestLongRepliesAreJoined(t *testing.T) {
	t.Parallel()
	parts := []string{"OUI j’arrive ", "dans trente minutes ", "avec mon collègue ☎"}
	for name, news := range map[string]peer.News{
		"together": {Parts: parts},
		"reversed": {Parts: parts, Reverse: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := peer.StartNode(t, peer.Options{})
			r := run(t, settings(node, nil))
			r.accepted(1, "Plan blanc")
			node.Tell(news)
			channelstest.Eventually(t, "the reply arrives", func() bool {
				_, replies := r.inbox.Kept()
				return len(replies) > 0 && node.State().Unacknowledged == 0
			})
			_, replies := r.inbox.Kept()
			if len(replies) != 1 || replies[0].Text != strings.Join(parts, "") || replies[0].From != number(1) || replies[0].To != "+33639980000" {
				t.Errorf("replies %+v", replies)
			}
		})
	}
}

// A gateway that waits for each acknowledgement never has two parts on their
// way: the beginning is kept alone, then the whole.
func TestLongReplyFromAGatewayThatWaits(t *testing.T) {
	t.Parallel()
	node := peer.StartNode(t, peer.Options{})
	r := run(t, settings(node, nil))
	r.accepted(1, "Plan blanc")
	node.Tell(peer.News{Parts: []string{"OUI j’arrive ", "à 8 h"}, Sequential: true})
	channelstest.Eventually(t, "the whole reply arrives", func() bool {
		_, replies := r.inbox.Kept()
		return len(replies) == 2 && replies[1].Text == "OUI j’arrive à 8 h"
	})
	_, replies := r.inbox.Kept()
	if replies[0].Text != "OUI j’arrive …" {
		t.Errorf("the beginning was kept as %q", replies[0].Text)
	}
}

// held is a scripted gateway that has sent its deliveries to a channel whose
// inbox keeps nothing for now.
func held(t *testing.T, deliveries []smpp.Message) (*scripted, running, func()) {
	t.Helper()
	s := listen(t, func(s *scripted, c *smpp.Conn, f smpp.Frame) {
		if f.Command != smpp.SubmitSM {
			return
		}
		for n, m := range deliveries {
			s.request(c, smpp.DeliverSM, uint32(n+1), m)
		}
		s.respond(c, f, smpp.StatusOK, "1")
	})
	host, port, err := net.SplitHostPort(s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	inbox := channelstest.NewInbox()
	release := inbox.Hold()
	r := runWith(t, channels.Settings{"host": host, "port": port, "system_id": "x"}, inbox)
	// Cleanups run last first: a test that fails still lets the channel stop.
	t.Cleanup(release)
	return s, r, release
}

// What does not fit in the bounded queue is refused for now; it never holds the
// responses to what we send.
func TestTooManyRepliesAreRefusedForNow(t *testing.T) {
	t.Parallel()
	const total = 3000
	s, r, release := held(t, slices.Repeat([]smpp.Message{{ShortMessage: "1"}}, total))
	r.accepted(1, "Plan blanc")
	channelstest.Eventually(t, "the overflow is refused", func() bool { return len(s.saw(smpp.DeliverSMResp)) > 0 })
	for _, f := range s.saw(smpp.DeliverSMResp) {
		if f.Status != smpp.StatusReceiverTemporary {
			t.Fatalf("acknowledged before it was kept: %+v", f)
		}
	}
	release()
	channelstest.Eventually(t, "every delivery is answered once", func() bool { return len(s.saw(smpp.DeliverSMResp)) == total })
	kept := 0
	for _, f := range s.saw(smpp.DeliverSMResp) {
		if f.Status == smpp.StatusOK {
			kept++
		}
	}
	if _, replies := r.inbox.Kept(); len(replies) != kept || kept == 0 || kept == total {
		t.Errorf("%d replies kept, %d acknowledged of %d", len(replies), kept, total)
	}
}

func TestStopAcknowledgesWhatIsKept(t *testing.T) {
	t.Parallel()
	s, r, release := held(t, []smpp.Message{{ShortMessage: "1"}, {ESMClass: smpp.ESMReceipt, ShortMessage: "id:1 stat:DELIVRD"}})
	r.accepted(1, "Plan blanc")
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r.stop()
	}()
	channelstest.Eventually(t, "the channel is stopping", func() bool { return !r.Health().Up })
	release()
	<-stopped
	receipts, replies := r.inbox.Kept()
	if len(receipts) != 1 || len(replies) != 1 || len(s.saw(smpp.Unbind)) != 1 {
		t.Errorf("receipts %+v, replies %+v, %d unbind", receipts, replies, len(s.saw(smpp.Unbind)))
	}
	for _, f := range s.saw(smpp.DeliverSMResp) {
		if f.Status != smpp.StatusOK {
			t.Errorf("kept, and yet refused: %+v", f)
		}
	}
	if n := len(s.saw(smpp.DeliverSMResp)); n != 2 {
		t.Errorf("%d deliveries answered before the end, want 2", n)
	}
}

func TestUnreadableReceiptsAreNoReplies(t *testing.T) {
	t.Parallel()
	s, r, release := held(t, []smpp.Message{
		{ESMClass: smpp.ESMReceipt, ShortMessage: "delivered"},
		{ESMClass: smpp.ESMDeliveryAck, ShortMessage: "x"},
		{ESMClass: smpp.ESMUserAck, ShortMessage: "OUI"},
	})
	release()
	r.accepted(1, "Plan blanc")
	channelstest.Eventually(t, "all are answered", func() bool { return len(s.saw(smpp.DeliverSMResp)) == 3 })
	receipts, replies := r.inbox.Kept()
	if len(receipts) != 0 || len(replies) != 1 || replies[0].Text != "OUI" {
		t.Errorf("receipts %+v, replies %+v", receipts, replies)
	}
}
