package channelstest

import (
	"log/slog"
	"testing"

	"tocsin/internal/channels"
)

func slogDiscard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// one sends a message and returns it as the peer took it.
func (b *bench) one(n int) (channels.Message, channels.Outcome, Received) {
	b.t.Helper()
	m := b.suite.message(n)
	out := b.accepted(m)
	got := b.peer.State().Received
	if len(got) == 0 {
		b.t.Fatal("the peer took nothing")
	}
	return m, out, got[len(got)-1]
}

// about tells whether the receipt names the message, by the peer's id or by ours.
func about(r channels.Receipt, m channels.Message, out channels.Outcome) bool {
	if r.MessageID == m.ID {
		return true
	}
	return r.ProviderID != "" && len(out.ProviderIDs) > 0 && r.ProviderID == out.ProviderIDs[0]
}

func (s Suite) receipts(t *testing.T) {
	leaks(t)
	b := s.open(t)
	m, out, got := b.one(20)
	b.peer.Tell(News{About: got, Undelivered: !s.OnlyGood})
	Eventually(t, "the receipt arrives", func() bool {
		receipts, _ := b.inbox.Kept()
		return len(receipts) > 0
	})
	receipts, replies := b.inbox.Kept()
	r := receipts[0]
	if len(replies) != 0 || r.Delivered != s.OnlyGood || !r.Final || (r.Reason == channels.ReasonNone) != s.OnlyGood || r.At.IsZero() || !about(r, m, out) {
		t.Errorf("receipts %+v, replies %+v, for %+v", receipts, replies, out)
	}
	Eventually(t, "the peer is acknowledged", func() bool { return b.peer.State().Unacknowledged == 0 })
}

// durable asserts that a peer is acknowledged after the inbox kept the news,
// not before, and that a failing inbox makes it send again.
func (s Suite) durable(t *testing.T) {
	leaks(t)
	b := s.open(t)
	m, out, got := b.one(21)
	b.inbox.FailNext(1)
	b.peer.Tell(News{About: got, Undelivered: !s.OnlyGood})
	Eventually(t, "the inbox failed and the peer was refused", func() bool {
		return b.inbox.Failed() == 1 && b.peer.State().Refusals > 0
	})
	Eventually(t, "the peer sent again and is acknowledged", func() bool { return b.peer.State().Unacknowledged == 0 })
	receipts, _ := b.inbox.Kept()
	if len(receipts) != 1 || !about(receipts[0], m, out) {
		t.Errorf("receipts %+v", receipts)
	}

	release := b.inbox.Hold()
	defer release()
	b.peer.Tell(News{About: got, Undelivered: !s.OnlyGood})
	// Another message makes the round trip meanwhile: a held inbox stops neither
	// the sending nor the peer's patience.
	b.accepted(s.message(22))
	if n := b.peer.State().Unacknowledged; n != 1 {
		t.Errorf("%d news wait for their acknowledgement, want 1: it came before the inbox kept it", n)
	}
	release()
	Eventually(t, "the peer is acknowledged", func() bool { return b.peer.State().Unacknowledged == 0 })
}

func (s Suite) replies(t *testing.T) {
	leaks(t)
	b := s.open(t)
	m, _, got := b.one(23)
	b.inbox.FailNext(1)
	const answer = "OUI j'arrive à 8h, ça ira"
	b.peer.Tell(News{About: got, Reply: answer})
	Eventually(t, "the reply is kept and acknowledged", func() bool {
		_, replies := b.inbox.Kept()
		return len(replies) > 0 && b.peer.State().Unacknowledged == 0
	})
	_, replies := b.inbox.Kept()
	r := replies[0]
	if len(replies) != 1 || r.Text != answer || r.At.IsZero() || !sameAddress(r.From, m.To) {
		t.Errorf("replies %+v", replies)
	}
	if got.ReplyToken != "" && r.Token != got.ReplyToken {
		t.Errorf("token %q, want %q", r.Token, got.ReplyToken)
	}
}

// keys asserts that an answer given during the message is kept before the message
// is settled, although the inbox failed once, and that it proves that a person has it.
func (s Suite) keys(t *testing.T) {
	leaks(t)
	b := s.open(t)
	b.waitUp()
	m := s.message(23)
	m.Answers = []channels.Answer{{Key: "1", Label: "je viens"}, {Key: "2", Label: "je ne peux pas"}}
	b.inbox.FailNext(1)
	out := b.accepted(m)
	_, replies := b.inbox.Kept()
	if !out.Delivered || b.inbox.Failed() != 1 || len(replies) != 1 {
		t.Fatalf("outcome %+v, replies %+v", out, replies)
	}
	if r := replies[0]; r.Text != "2" || r.Token != m.ReplyToken || r.At.IsZero() || !sameAddress(r.From, m.To) {
		t.Errorf("reply %+v", r)
	}
}
