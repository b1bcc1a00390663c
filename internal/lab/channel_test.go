package lab_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/sms"
	"tocsin/internal/lab"
	"tocsin/internal/storage/storagetest"
)

// A whole night in a few seconds: the product's own channel, long messages in
// parts, five hundred people with the behaviour of the demonstration.
func TestANightThroughTheProductsChannel(t *testing.T) {
	t.Parallel()
	people := lab.DefaultPopulation()
	people.Speed, people.Link = 5_000, 0
	r := start(t, func(o *lab.Options) { o.People = people })
	host, port, err := net.SplitHostPort(r.SMPP)
	if err != nil {
		t.Fatal(err)
	}
	settings, err := sms.Kind{}.Describe().Validate(channels.Settings{"host": host, "port": port, "system_id": "hopital", "source": "CHSA", "binds": "2", "bind_mode": "separate"})
	if err != nil {
		t.Fatal(err)
	}
	in := &intake{}
	channel, err := sms.Kind{}.Open(channels.Opening{Settings: settings, Inbox: in, Log: slog.New(slog.DiscardHandler), Now: time.Now})
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
	const alerted = 500
	accepted, refused := sendAll(t, channel, alerted)
	want := expected(people, alerted)
	if refused != want.unknown || accepted != alerted-want.unknown {
		t.Errorf("%d accepted, %d refused; %d numbers are unknown to the gateway", accepted, refused, want.unknown)
	}
	storagetest.Eventually(t, 30*time.Second, "every receipt and answer", func() bool {
		receipts, replies := in.held()
		return receipts >= 2*accepted && replies >= want.replies && r.counts().Pending == 0 && r.counts().SMS.Waiting == 0
	})
	receipts, replies := in.held()
	delivered := 0
	for _, receipt := range in.back {
		if receipt.Delivered {
			delivered++
		}
	}
	if receipts != 2*accepted || replies != want.replies || delivered != 2*(accepted-want.dead) {
		t.Errorf("%d receipts (%d delivered), %d answers; want %d, %d, %d", receipts, delivered, replies, 2*accepted, 2*(accepted-want.dead), want.replies)
	}
}

// sendAll sends a message of two parts to each.
func sendAll(t *testing.T, channel channels.Channel, n int) (accepted, refused int) {
	t.Helper()
	text := "CHSA : PLAN BLANC. " + strings.Repeat("Rejoignez votre service habituel. ", 4) + "Répondez 1 oui 2 non"
	var mu sync.Mutex
	var group sync.WaitGroup
	slots := make(chan struct{}, 40)
	for i := range n {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			out := channel.Send(context.Background(), channels.Message{ID: uuid.New(), To: fmt.Sprintf("+%d", number(i)), Text: text, Language: "fr", ExpiresAt: time.Now().Add(time.Hour)})
			mu.Lock()
			defer mu.Unlock()
			switch out.State {
			case channels.Accepted:
				accepted++
			case channels.Refused:
				refused++
			default:
				t.Errorf("%+v", out)
			}
		})
	}
	group.Wait()
	return accepted, refused
}

type night struct{ unknown, dead, replies int }

// expected counts what the same people do, without any network.
func expected(p lab.Population, n int) (e night) {
	asked := lab.ReadNotice("CHSA : PLAN BLANC. Répondez 1 oui 2 non")
	for i := range n {
		switch who := p.Telephone(number(i)); who.Line {
		case lab.LineUnknown:
			e.unknown++
		case lab.LineDead:
			e.dead++
		default:
			e.replies += len(who.First(asked))
		}
	}
	return e
}
