package email_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"tocsin/internal/channels"
	"tocsin/test/peers/smtp"
)

// TestSinkTakesAll sends from more goroutines than there are connections, and
// more messages than one connection carries; every one is accepted.
func TestSinkTakesAll(t *testing.T) {
	t.Parallel()
	sink := smtp.StartSink(t)
	client := newClient(t, settings(t, sink.Host, sink.Port))
	const messages = 450
	if got := sendMany(t, client, messages, 8); got != messages {
		t.Fatalf("%d of %d messages accepted", got, messages)
	}
}

// TestSinkRefuses: the options of smtp-sink make the commands fail as a relay would.
func TestSinkRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		options     []string
		state       channels.State
		gatewayDown bool
		uncertain   bool
	}{
		{[]string{"-f", "rcpt"}, channels.Refused, false, false}, // 500: never
		{[]string{"-r", "rcpt"}, channels.Retry, false, false},   // 450: later
		{[]string{"-f", "data"}, channels.Refused, false, false},
		{[]string{"-r", "data"}, channels.Retry, false, false},
		{[]string{"-f", "mail"}, channels.Retry, true, false}, // our sender: every message
		{[]string{"-f", "."}, channels.Refused, false, false},
		{[]string{"-q", "rcpt"}, channels.Retry, false, false}, // connection dropped
		{[]string{"-q", "data"}, channels.Retry, false, false},
		{[]string{"-q", "."}, channels.Retry, false, true},  // dropped instead of the answer to the final dot
		{[]string{"-Q", "."}, channels.Retry, false, false}, // 421 instead of it: an answer, so no doubt
	} {
		t.Run(c.options[0]+c.options[1], func(t *testing.T) {
			t.Parallel()
			sink := smtp.StartSink(t, c.options...)
			client := newClient(t, settings(t, sink.Host, sink.Port))
			for range 2 { // the second time on what is left of the connection
				out := client.Send(within(t), newMessage(t, "agent@hopital.test"))
				if out.State != c.state || out.GatewayDown != c.gatewayDown || out.Uncertain != c.uncertain {
					t.Errorf("outcome %+v, want %s gatewayDown=%v uncertain=%v", out, c.state, c.gatewayDown, c.uncertain)
				}
			}
		})
	}
}

// BenchmarkBareClient measures the bare client on kept connections against
// smtp-sink: the raw limit that the product is compared with.
func BenchmarkBareClient(b *testing.B) {
	for _, pool := range []int{1, 4, 8, 16} {
		b.Run("pool="+strconv.Itoa(pool), func(b *testing.B) {
			sink := smtp.StartSink(b)
			client := newClient(b, settings(b, sink.Host, sink.Port, "pool", strconv.Itoa(pool)))
			b.ResetTimer()
			if got := sendMany(b, client, b.N, pool); got != b.N {
				b.Fatalf("%d of %d messages accepted", got, b.N)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// sendMany sends n messages from so many workers and returns how many were accepted.
func sendMany(t testing.TB, client interface {
	Send(ctx context.Context, m channels.Message) channels.Outcome
}, n, workers int,
) int {
	t.Helper()
	model := newMessage(t, "agent@hopital.test")
	var next, accepted atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for {
				i := next.Add(1)
				if i > int64(n) {
					return
				}
				m := model
				m.ID[15], m.ID[14] = byte(i), byte(i>>8)
				if out := client.Send(t.Context(), m); out.State == channels.Accepted {
					accepted.Add(1)
				}
			}
		})
	}
	all.Wait()
	return int(accepted.Load())
}
