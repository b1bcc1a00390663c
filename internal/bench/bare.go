package bench

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
	"tocsin/internal/channels/sms"
	"tocsin/internal/storage"
	"tocsin/internal/wire/gsm"
	"tocsin/internal/wire/smpp"
)

// bareRequest asks a client without a database for the same messages.
type bareRequest struct {
	Address, Subject, Text string
	People                 int
}

// bareDone is what it took, from the first call to the last answer; peers say
// when they accepted.
type bareDone struct {
	Began   int64
	Seconds float64
	RSS     float64
}

// links writes another code in the link of each message, as the product does.
func links(text string, n int) string {
	tail := fmt.Sprintf("%012d", n)
	if len(text) < len(tail) {
		return text
	}
	return text[:len(text)-len(tail)] + tail
}

// numbers are those of the staff file, as SMPP writes them.
func number(n int) string { return fmt.Sprintf("33601%06d", n) }

// bareSMS sends by our SMPP client alone: same binds, window, texts and
// receipts acknowledged; no database, no rules.
func bareSMS(ctx context.Context, r bareRequest) (out bareDone, err error) {
	var receipts atomic.Int64
	var group sync.WaitGroup
	clients := make([]*sms.Client, binds)
	for i := range clients {
		if clients[i], err = sms.Dial(ctx, sms.ClientOptions{
			Address: r.Address, Mode: smpp.BindTransceiver, Bind: smpp.Bind{SystemID: "nu"}, Window: window,
			Connect: 10 * time.Second, Response: 10 * time.Second, Enquire: 30 * time.Second,
			Deliver: func(d sms.Delivery) {
				if d.Answer(smpp.StatusOK) == nil {
					receipts.Add(1)
				}
			},
		}); err != nil {
			return out, err
		}
	}
	began := time.Now()
	var next, failed atomic.Int64
	for i := range binds * window {
		client := clients[i%binds]
		group.Go(func() {
			for n := int(next.Add(1)) - 1; n < r.People; n = int(next.Add(1)) - 1 {
				_, octets := gsm.Encode(links(r.Text, n))
				answer, err := client.Submit(ctx, &smpp.Message{
					Source: smpp.Address{Number: "38000"}, Destination: smpp.Address{TON: 1, NPI: 1, Number: number(n)},
					RegisteredDelivery: smpp.RegisteredFinal, ShortMessage: string(octets),
				})
				if err != nil || answer.Status != smpp.StatusOK {
					failed.Add(1)
				}
			}
		})
	}
	group.Wait()
	out = bareDone{Began: began.UnixMicro(), Seconds: time.Since(began).Seconds()}
	if n := failed.Load(); n > 0 {
		return out, fmt.Errorf("%d messages of the bare client failed", n)
	}
	err = until(ctx, "receipts", 20*time.Millisecond, func() (bool, error) { return receipts.Load() >= int64(r.People), nil })
	out.RSS = ownPeakMB()
	for _, c := range clients {
		if cerr := c.Close(ctx); cerr != nil && err == nil {
			err = cerr
		}
	}
	return out, err
}

// bareEmail sends by our SMTP client alone, on as many kept connections.
func bareEmail(ctx context.Context, r bareRequest) (out bareDone, err error) {
	given, err := smtpSettings(r.Address)
	if err != nil {
		return out, err
	}
	settings, err := email.Kind{}.Describe().Validate(given)
	if err != nil {
		return out, err
	}
	client, err := email.NewClient(settings, time.Now)
	if err != nil {
		return out, err
	}
	defer client.Close()
	began := time.Now()
	var next, failed atomic.Int64
	var group sync.WaitGroup
	for range pool {
		group.Go(func() {
			for n := int(next.Add(1)) - 1; n < r.People; n = int(next.Add(1)) - 1 {
				text := links(r.Text, n)
				o := client.Send(ctx, channels.Message{
					ID: storage.NewID(began), To: fmt.Sprintf("agent%d@banc.example", n), Subject: r.Subject, Text: text,
					Link: text[max(0, len(text)-linkLength):], Language: "fr", ReplyToken: fmt.Sprintf("%012d", n), ExpiresAt: began.Add(2 * time.Hour),
				})
				if o.State != channels.Accepted {
					failed.Add(1)
				}
			}
		})
	}
	group.Wait()
	if n := failed.Load(); n > 0 {
		return out, fmt.Errorf("%d messages of the bare client failed", n)
	}
	return bareDone{Began: began.UnixMicro(), Seconds: time.Since(began).Seconds(), RSS: ownPeakMB()}, nil
}

// linkLength is that of a personal link at the end of a text.
const linkLength = len(publicURL) + len("/r/") + 12

// reachable tells whether something listens.
func reachable(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
