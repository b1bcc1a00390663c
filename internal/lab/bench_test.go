package lab_test

import (
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tocsin/internal/channels/sms"
	"tocsin/internal/lab"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/wire/smpp"
)

// BenchmarkFastPath is our bare client against the lab, receipts included, in
// one process: the limit that the bars of alerting are held against.
func BenchmarkFastPath(b *testing.B) {
	var receipts atomic.Int64
	r := start(b, func(o *lab.Options) { o.Fast = true })
	var clients []*sms.Client
	for range 2 {
		clients = append(clients, r.transceiver(func(o *sms.ClientOptions) {
			o.Deliver = func(d sms.Delivery) {
				receipts.Add(1)
				if err := d.Answer(smpp.StatusOK); err != nil {
					b.Error(err)
				}
			}
		}))
	}
	var next atomic.Int64
	b.ResetTimer()
	var group sync.WaitGroup
	for w := range 1000 {
		group.Go(func() {
			for {
				n := next.Add(1)
				if n > int64(b.N) {
					return
				}
				answer, err := clients[w%2].Submit(context.Background(), message(strconv.FormatInt(33639980000+n, 10), "EXERCICE Plan blanc: rejoignez votre service. Repondez 1=je viens 2=non"))
				if err != nil || answer.Status != smpp.StatusOK {
					b.Errorf("%v %v", answer.Status, err)
					return
				}
			}
		})
	}
	group.Wait()
	storagetest.Eventually(b, time.Minute, "every receipt", func() bool { return receipts.Load() == int64(b.N) })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkServerAlone writes submit_sm by the window and reads what comes
// back without a client's tables: what the lab itself costs.
func BenchmarkServerAlone(b *testing.B) {
	r := start(b, func(o *lab.Options) { o.Fast = true; o.Gateway.NoReceipts = true })
	conn := dial(b, r.SMPP)
	m := message("33639980001", "EXERCICE Plan blanc: rejoignez votre service. Repondez 1=je viens 2=non")
	window := make(chan struct{}, 1000)
	var group sync.WaitGroup
	group.Go(func() {
		for range b.N {
			if _, err := conn.Next(); err != nil {
				b.Error(err)
				return
			}
			<-window
		}
	})
	b.ResetTimer()
	for n := range b.N {
		window <- struct{}{}
		m.Destination.Number = strconv.Itoa(33639980000 + n%100000)
		if err := conn.Write(func(dst []byte) ([]byte, error) { return smpp.AppendMessage(dst, smpp.SubmitSM, uint32(n+2), m) }); err != nil {
			b.Fatal(err)
		}
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
