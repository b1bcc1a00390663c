package lab_test

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/voice"
	"tocsin/internal/lab"
	"tocsin/internal/storage/storagetest"
)

// A wave of calls through the product's own channel: people who pick up, are
// busy, refuse, let it ring, have a voicemail, and numbers nobody has.
func TestAWaveOfCallsThroughTheProductsChannel(t *testing.T) {
	t.Parallel()
	people := lab.DefaultPopulation()
	people.Speed = 25
	r := start(t, func(o *lab.Options) { o.People, o.SIP = people, "127.0.0.1:0" })
	host, port, err := net.SplitHostPort(r.SIP)
	if err != nil {
		t.Fatal(err)
	}
	kind := voice.New()
	settings, err := kind.Describe().Validate(channels.Settings{
		"host": host, "port": port, "caller": "0142000000", "channels": "40", "rate": "0", "ring": "5", "repeats": "1", "speed": "300", "format": "{national}",
	})
	if err != nil {
		t.Fatal(err)
	}
	in := &intake{}
	channel, err := kind.Open(channels.Opening{Settings: settings, Inbox: in, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- channel.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	storagetest.Eventually(t, 10*time.Second, "the channel is up", func() bool { return channel.Health().Up })
	const called = 40
	want, got := map[channels.Reason]int{}, map[channels.Reason]int{}
	outcomes := make(chan channels.Outcome, called)
	answers := 0
	for n := range called {
		who := people.Rings(uint64(33_639_980_000+n), 0)
		if who.Pickup == lab.PicksUp && who.Keys != "" && who.Line == lab.LineOpen {
			answers++
		}
		want[reason(who)]++
		go func() {
			outcomes <- channel.Send(ctx, channels.Message{
				ID: uuid.New(), To: "+" + lab.FormatNumber(uint64(33_639_980_000+n)), Text: "Venez.", Language: "fr", ReplyToken: "abcdefghij",
				Answers: []channels.Answer{{Key: "1", Label: "je viens", Delays: []int{15, 30, 60, 90}}, {Key: "2", Label: "non"}, {Key: "3", Label: "ici"}, {Key: "4", Label: "rappel"}},
			})
		}()
	}
	for range called {
		got[(<-outcomes).Reason]++
	}
	for reason, n := range want {
		if got[reason] != n {
			t.Errorf("%q: %d, want %d (%v)", reason, got[reason], n, got)
		}
	}
	if _, replies := in.held(); replies != answers {
		t.Errorf("%d answers, want %d", replies, answers)
	}
	storagetest.Eventually(t, 5*time.Second, "every line is given back", func() bool { return r.counts().Calls.Under == 0 })
	if c := r.counts().Calls; c.Begun != called || c.Confirmed != answers {
		t.Errorf("the telephones counted %+v", c)
	}
}

// reason is what a caller must make of a call.
func reason(who lab.Callee) channels.Reason {
	switch {
	case who.Line == lab.LineUnknown || who.Line == lab.LineDead:
		return channels.ReasonInvalidAddress
	case who.Pickup == lab.IsBusy:
		return channels.ReasonBusy
	case who.Pickup == lab.Declines:
		return channels.ReasonDeclined
	case who.Pickup == lab.NoAnswer:
		return channels.ReasonNoAnswer
	case who.Keys == "":
		return channels.ReasonNoKey
	}
	return channels.ReasonNone
}
