package sms_test

import (
	"strings"
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
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
