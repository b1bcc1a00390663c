//go:build linux

package dispatch_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// peer sends a receipt for every message it accepted, in batches, as an SMSC would.
func peer(ctx context.Context, accepted <-chan channels.Message, inbox func() channels.Inbox) {
	for {
		var batch []channels.Receipt
		select {
		case <-ctx.Done():
			return
		case m := <-accepted:
			batch = append(batch, receiptOf(m))
		}
	more:
		for len(batch) < 200 {
			select {
			case m := <-accepted:
				batch = append(batch, receiptOf(m))
			default:
				break more
			}
		}
		if err := inbox().Receipts(ctx, batch); err != nil && ctx.Err() == nil {
			panic(err)
		}
	}
}

func receiptOf(m channels.Message) channels.Receipt {
	return channels.Receipt{ProviderID: dispatchtest.ProviderID(m.ID), Delivered: true, Final: true}
}

// BenchmarkSend measures the outbox alone: 100,000 messages of one campaign
// through a channel that costs nothing, on a database on disk.
func BenchmarkSend(b *testing.B) {
	for _, receipts := range []bool{false, true} {
		b.Run(fmt.Sprintf("receipts=%v", receipts), func(b *testing.B) {
			for range b.N {
				sendAll(b, storagetest.SQLite(b, dispatchtest.Migrations()...), 100_000, receipts)
			}
		})
	}
}

// BenchmarkLaunch measures what a launch of 4,300 waits for: the rows and the first message.
func BenchmarkLaunch(b *testing.B) {
	for range b.N {
		sendAll(b, storagetest.SQLite(b, dispatchtest.Migrations()...), 4_300, true)
	}
}

// BenchmarkSendPostgreSQL is BenchmarkSend on the other engine, smaller.
func BenchmarkSendPostgreSQL(b *testing.B) {
	for range b.N {
		sendAll(b, storagetest.PostgreSQL(b, dispatchtest.Migrations()...), 20_000, true)
	}
}

// cpu is what the process has worked so far: unlike the rate, it does not
// depend on what else the machine does.
func cpu(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func sendAll(b *testing.B, db *storage.DB, n int, receipts bool) {
	c := clock.Real()
	scope := access.System(storage.NewID(c.Now()), "bench")
	air := dispatchtest.NewAir(channels.SMS).Forgetful()
	d := dispatchtest.Outbox(b, db, c, dispatchtest.NewSink(), air)
	dispatchtest.Gateway(b, d, scope, c.Now(), air, 1, channels.Settings{"senders": "64"})
	accepted := make(chan channels.Message, n)
	first := make(chan time.Time, 1)
	air.Answer(func(m channels.Message) channels.Outcome {
		select {
		case first <- c.Now():
		default:
		}
		if receipts {
			accepted <- m
		}
		return dispatchtest.Accept(m)
	})
	if err := d.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer d.Stop()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	for range 4 {
		go peer(ctx, accepted, func() channels.Inbox { return air.Channel("main").Inbox() })
	}
	campaign, content, orders := dispatchtest.Mail(c.Now(), channels.SMS, n)
	writes, begin := db.Writes(), c.Now()
	dispatchtest.Post(b, d, db, scope, c.Now(), campaign, content, orders)
	queued := c.Now()
	before := cpu(b)
	done := func() bool {
		v, err := d.View(b.Context(), scope, campaign.ID, c.Now())
		if err != nil {
			b.Fatal(err)
		}
		m := v.Media[0]
		if receipts {
			return m.Delivered == int64(n)
		}
		return m.Accepted == int64(n)
	}
	for deadline := c.Now().Add(5 * time.Minute); !done(); <-c.After(50 * time.Millisecond) {
		if c.Now().After(deadline) {
			v, err := d.View(b.Context(), scope, campaign.ID, c.Now())
			b.Fatalf("not everything was settled: %+v %v", v, err)
		}
	}
	end, worked := c.Now(), cpu(b)-before
	b.ReportMetric(float64(queued.Sub(begin).Milliseconds()), "enqueue-ms")
	b.ReportMetric(float64((<-first).Sub(queued).Milliseconds()), "first-ms")
	b.ReportMetric(float64(n)/end.Sub(queued).Seconds(), "messages/s")
	b.ReportMetric(float64(worked.Microseconds())/float64(n), "cpu-µs/message")
	b.ReportMetric(float64(db.Writes()-writes), "commits")
}
