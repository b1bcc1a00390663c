package dispatch_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// exchange is a trunk in memory, that counts the calls under way from every node.
type exchange struct {
	lines int

	mu          sync.Mutex
	under, most int
	reached     map[string]int
	outcome     func(channels.Message) channels.Outcome
}

func (e *exchange) Describe() channels.Description {
	return channels.Description{
		Kind: "exchange", Medium: channels.Voice, Concurrency: func(channels.Settings) int { return e.lines },
		Limits: func(channels.Settings) channels.Limits { return channels.Limits{Links: e.lines, Calls: true} },
	}
}

func (e *exchange) Open(o channels.Opening) (channels.Channel, error) {
	return &exchangeLine{exchange: e, opening: o}, nil
}

// exchangeLine is the exchange as one node sees it.
type exchangeLine struct {
	exchange *exchange
	opening  channels.Opening
}

func (l *exchangeLine) Check(context.Context) error { return nil }
func (l *exchangeLine) Health() channels.Health     { return channels.Health{Up: true} }
func (l *exchangeLine) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func (l *exchangeLine) Send(ctx context.Context, m channels.Message) channels.Outcome {
	line, giveBack, err := l.opening.Links.Take(ctx)
	if err != nil {
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonThrottled}
	}
	defer giveBack()
	if !m.MayLeave() {
		return channels.Withheld()
	}
	e := l.exchange
	e.mu.Lock()
	e.under++
	e.most = max(e.most, e.under)
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.under--
	}()
	select {
	case <-clock.Real().After(time.Duration(20+rand.IntN(60)) * time.Millisecond):
	case <-line.Done():
		return channels.Outcome{State: channels.Retry, Reason: channels.ReasonTimeout, Uncertain: true}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reached[m.To]++
	if e.outcome != nil {
		return e.outcome(m)
	}
	return channels.Outcome{State: channels.Accepted, Delivered: true, ProviderIDs: []string{m.ID.String()}}
}

func exchangeOutbox(t *testing.T, db *storage.DB, c clock.Clock, sink dispatch.Sink, ex *exchange) *dispatch.Dispatch {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	d := dispatch.New(dispatch.Options{DB: db, Guard: guard, Vault: dispatchtest.OpenVault{}, Registry: channels.NewRegistry(ex), Clock: c})
	if sink != nil {
		d.Tell(sink)
	}
	return d
}

// Three nodes share the channels of one trunk, and one of them leaves in the middle:
// never more calls at once than channels, and everybody is called.
func TestThreeNodesNeverExceedTheChannels(t *testing.T) {
	t.Parallel()
	const lines, people = 12, 600
	db := storagetest.PostgreSQL(t, dispatchtest.Migrations()...)
	ex := &exchange{lines: lines, reached: map[string]int{}}
	scope := access.System(storage.NewID(t0), "test")
	nodes := make([]*dispatch.Dispatch, 3)
	for i := range nodes {
		nodes[i] = exchangeOutbox(t, db, clock.Real(), nil, ex)
	}
	now := clock.Real().Now()
	if _, err := nodes[0].CreateGateway(t.Context(), scope, now, dispatch.GatewayInput{Kind: "exchange", Name: "ligne", Priority: 1, Enabled: true}); err != nil {
		t.Fatal(err)
	}
	for _, d := range nodes {
		if err := d.Start(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Stop)
	}
	c, content, orders := dispatchtest.Mail(now, channels.Voice, people)
	dispatchtest.Post(t, nodes[0], db, scope, now, c, content, orders)
	called := func() int {
		ex.mu.Lock()
		defer ex.mu.Unlock()
		return len(ex.reached)
	}
	storagetest.Eventually(t, time.Minute, "a third is called", func() bool { return called() >= people/3 })
	// Whoever follows the alert on any node sees the calls of all, and their end.
	storagetest.Eventually(t, time.Minute, "the lines are seen busy", func() bool {
		v, err := nodes[0].View(t.Context(), scope, c.ID, clock.Real().Now())
		if err != nil || len(v.Media) != 1 || v.Media[0].Lines != lines || v.Media[0].Busy > lines {
			t.Fatalf("%+v %v", v.Media, err)
		}
		left := v.Media[0].EstimatedEnd.Sub(clock.Real().Now())
		return v.Media[0].Busy > lines/3 && left > 0 && left < 5*time.Minute || called() == people
	})
	nodes[1].Stop()
	storagetest.Eventually(t, time.Minute, "everybody is called", func() bool { return called() == people })
	ex.mu.Lock()
	defer ex.mu.Unlock()
	if ex.most > lines {
		t.Errorf("%d calls at once over %d channels", ex.most, lines)
	}
	if ex.most < lines*2/3 {
		t.Errorf("only %d calls at once over %d channels", ex.most, lines)
	}
}

// A key pressed during the call is a delivery; a busy line is tried three times, a
// minute apart, and a telephone that nobody picks up twice.
func TestCallsHaveTheirOwnRules(t *testing.T) {
	tries := map[string]int{}
	ex := &exchange{lines: 4, reached: tries, outcome: func(m channels.Message) channels.Outcome {
		switch m.To[len(m.To)-1] {
		case '0':
			return channels.Outcome{State: channels.Accepted, Delivered: true, ProviderIDs: []string{m.ID.String()}}
		case '1':
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonBusy}
		case '2':
			return channels.Outcome{State: channels.Retry, Reason: channels.ReasonNoAnswer}
		}
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonNoKey}
	}}
	db := storagetest.SQLite(t, dispatchtest.Migrations()...)
	c := clock.NewFake(t0)
	sink := dispatchtest.NewSink()
	d := exchangeOutbox(t, db, c, sink, ex)
	scope := access.System(storage.NewID(t0), "test")
	if _, err := d.CreateGateway(t.Context(), scope, t0, dispatch.GatewayInput{Kind: "exchange", Name: "ligne", Priority: 1, Enabled: true}); err != nil {
		t.Fatal(err)
	}
	if err := d.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Stop)
	campaign, content, orders := dispatchtest.Mail(t0, channels.Voice, 4)
	dispatchtest.Post(t, d, db, scope, t0, campaign, content, orders)
	number := func(n int) int {
		ex.mu.Lock()
		defer ex.mu.Unlock()
		return tries[orders[n].Address]
	}
	for minute := range 4 {
		storagetest.Eventually(t, time.Minute, "the calls of the minute", func() bool {
			d.Wake()
			// The time of the next call counts from the moment this one is written down.
			v, err := d.View(t.Context(), scope, campaign.ID, c.Now())
			return err == nil && len(v.Media) == 1 && v.Media[0].Sending == 0 && number(0) == 1 && number(1) == min(minute+1, 3) && number(2) == min(minute+1, 2) && number(3) == 1
		})
		c.Advance(75 * time.Second)
	}
	want := map[string]dispatch.FactKind{orders[0].Address: dispatch.FactDelivered, orders[1].Address: dispatch.FactFailed, orders[2].Address: dispatch.FactFailed, orders[3].Address: dispatch.FactFailed}
	storagetest.Eventually(t, time.Minute, "every fate is told", func() bool {
		last := map[string]dispatch.FactKind{}
		for _, kind := range []dispatch.FactKind{dispatch.FactDelivered, dispatch.FactFailed} {
			for _, f := range sink.Of(kind) {
				last[f.Address] = f.Kind
			}
		}
		for address, kind := range want {
			if last[address] != kind {
				return false
			}
		}
		return true
	})
}
