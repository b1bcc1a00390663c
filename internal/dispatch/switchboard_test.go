package dispatch_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// callable is an exchange whose gateways let the test be somebody who calls.
type callable struct {
	exchange
	openings chan channels.Opening
}

func (c *callable) Open(o channels.Opening) (channels.Channel, error) {
	c.openings <- o
	return c.exchange.Open(o)
}

// standing says what it is told to say.
type standing struct{ over atomic.Bool }

func (s *standing) Stands(context.Context, access.Scope, uuid.UUID, string) (bool, error) {
	return !s.over.Load(), nil
}

// Who was called and did not answer is known by his number as long as the call
// stands, in his establishment only; that he called back is proven by a receipt,
// once, although the call had failed.
func TestWhoCallsBackIsKnownByHisNumber(t *testing.T) {
	storagetest.Each(t, dispatchtest.Migrations(), func(t *testing.T, db *storage.DB) {
		ex := &callable{exchange{lines: 2, reached: map[string]int{}, outcome: func(channels.Message) channels.Outcome {
			return channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey}
		}}, make(chan channels.Opening, 4)}
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		c, sink, stands := clock.NewFake(t0), dispatchtest.NewSink(), &standing{}
		d := dispatch.New(dispatch.Options{DB: db, Guard: guard, Vault: dispatchtest.OpenVault{}, Registry: channels.NewRegistry(ex), Clock: c})
		d.Tell(sink)
		d.Consult(stands)
		lines := func(scope access.Scope) channels.Opening {
			t.Helper()
			if _, err := d.CreateGateway(t.Context(), scope, t0, dispatch.GatewayInput{Kind: "exchange", Name: "ligne", Priority: 1, Enabled: true}); err != nil {
				t.Fatal(err)
			}
			d.Wake()
			return <-ex.openings
		}
		if err := d.Start(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Stop)
		here, there := access.System(storage.NewID(t0), "test"), access.System(storage.NewID(t0), "test")
		ours, theirs := lines(here), lines(there)
		campaign, content, orders := dispatchtest.Mail(t0, channels.Voice, 2)
		dispatchtest.Post(t, d, db, here, t0, campaign, content, orders)
		storagetest.Eventually(t, time.Minute, "both calls have failed", func() bool {
			d.Wake()
			return len(sink.Of(dispatch.FactFailed)) == 2
		})
		missed := func(o channels.Opening, addresses ...string) (channels.Message, bool) {
			t.Helper()
			m, ok, err := o.Switchboard.Missed(t.Context(), addresses)
			if err != nil {
				t.Fatal(err)
			}
			return m, ok
		}
		m, ok := missed(ours, "+262639980000", orders[0].Address)
		if !ok || m.ID != orders[0].ID || m.To != orders[0].Address || m.ReplyToken != orders[0].Token || m.Recalled() {
			t.Fatalf("%v %+v", ok, m)
		}
		if _, ok := missed(theirs, orders[0].Address); ok {
			t.Error("another establishment knows the number")
		}
		if _, ok := missed(ours, "+33799999999"); ok {
			t.Error("a stranger is known")
		}
		stands.over.Store(true)
		if _, ok := missed(ours, orders[0].Address); ok {
			t.Error("what no longer stands is told")
		}
		stands.over.Store(false)
		for range 2 {
			if err := ours.Inbox.Receipts(t.Context(), []channels.Receipt{{MessageID: m.ID, Delivered: true, Final: true, At: t0}}); err != nil {
				t.Fatal(err)
			}
		}
		storagetest.Eventually(t, time.Minute, "the call back is told", func() bool {
			d.Wake()
			return len(sink.Of(dispatch.FactDelivered)) == 1
		})
		v, err := d.View(t.Context(), here, campaign.ID, c.Now())
		if err != nil || v.Media[0].Delivered != 1 || v.Media[0].Failed != 1 {
			t.Errorf("%+v %v", v.Media, err)
		}
		if err := db.Write(t.Context(), here, func(tx *storage.Tx) error {
			_, err := d.Kill(t.Context(), tx, here, t0, campaign.ID)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		storagetest.Eventually(t, time.Minute, "who is on the line is told that it is over", m.Recalled)
		if _, ok := missed(ours, orders[1].Address); ok {
			t.Error("a stopped alert is told")
		}
	})
}
