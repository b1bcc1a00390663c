package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
)

// desk is one gateway at work on this node: its channel, the senders that call
// it, and the clerk that claims for them and writes down what they did.
type desk struct {
	d       *Dispatch
	gateway Gateway
	scope   access.Scope
	channel channels.Channel
	log     *slog.Logger
	pause   *pause
	share   *share
	tray    *tray
	stages  []func(*item) verdict

	// senders is how many Send calls run at once; flight bounds what is claimed and not settled.
	senders, flight int
	// lot is how many deliveries a claim takes at most.
	lot   int
	fares Fares
	// work is what was claimed; paced is what of it may leave by the pace of the
	// share, the same channel where there is none.
	work, paced chan *item
	bell        chan struct{}
	closing     atomic.Bool
	// announced counts the calls that said something may be due; fed is its value
	// when the last claim found the queue empty.
	announced, fed atomic.Int64

	mu   sync.Mutex
	done []*item

	// inFlight counts claimed deliveries; unwritten is what the last pass failed to
	// write. Only the clerk uses them, texts and recent.
	inFlight int
	// holding is inFlight for the others.
	holding   atomic.Int64
	unwritten *settlement
	texts     *texts
	recent    *recent
	// speed is deliveries per second, lately; counted since countedFrom.
	speed       float64
	counted     int
	countedFrom time.Time

	sendCtx              context.Context
	stopSends, stopRest  context.CancelFunc
	sending, working     sync.WaitGroup
	clerkStop, clerkDone chan struct{}
}

// sendGrace is how long a stop waits for the sends under way.
const sendGrace = 5 * time.Second

func newDesk(d *Dispatch, g Gateway, kind channels.Kind, settings channels.Settings) (*desk, error) {
	k := &desk{
		d: d, gateway: g, scope: access.System(g.Organisation, "dispatch"),
		log:   d.log.With("gateway", g.Name, "kind", g.Kind),
		pause: newPause(d.clock), tray: newTray(),
		flight: g.InFlight, bell: make(chan struct{}, 1),
		texts: newTexts(), recent: newRecent(),
		clerkStop: make(chan struct{}), clerkDone: make(chan struct{}),
	}
	k.tray.bell = k.bell
	k.senders = max(1, kind.Describe().Concurrency(settings))
	k.flight, k.lot = max(k.flight, lotSize), lotSizeOf(g.Medium)
	k.work = make(chan *item, k.flight+lotSize)
	k.paced = k.work
	contract := grant{lots: int64(k.flight / k.lot)}
	calls := false
	if limits := kind.Describe().Limits; limits != nil {
		l := limits(settings)
		contract.rate, contract.links = int64(l.PerSecond*1000), int64(l.Links)
		calls = l.Calls
	}
	k.share = newShare(contract, d.elapsed, d.leases.alone)
	k.share.calls = calls
	if contract.rate > 0 {
		k.paced = make(chan *item)
	}
	var err error
	if k.fares, err = ParseFares(g.Fares); err != nil {
		return nil, err
	}
	channel, err := kind.Open(channels.Opening{
		Settings: settings, Inbox: k.tray, Callback: d.callbackOf(g), Log: k.log, Now: d.clock.Now, Links: k.share, Devices: d.devices,
		Switchboard: switchboard{k}, Conferences: conferences{k}, Recordings: recordings{k}, Operator: d.operatorOf(g.Organisation), Codes: codes{k}, Dictations: dictations{k},
	})
	if err != nil {
		return nil, fmt.Errorf("open gateway %s: %w", g.Name, err)
	}
	k.channel = channel
	k.defineStages()
	return k, nil
}

func (k *desk) start(ctx context.Context) {
	k.announced.Add(1)
	sendCtx, stopSends := context.WithCancel(ctx)
	k.sendCtx, k.stopSends = sendCtx, stopSends
	rest, stopRest := context.WithCancel(ctx)
	k.stopRest = stopRest
	k.working.Go(func() { k.keepRunning(rest) })
	k.working.Go(func() { k.probeLoop(rest) })
	if k.share.contract.rate > 0 {
		k.sending.Go(func() { k.paceLoop(sendCtx) })
	}
	for range k.senders {
		k.sending.Go(func() { k.sendLoop(sendCtx) })
	}
	go k.clerk(ctx)
}

// close ends the desk: no new send, the outcomes of those under way are
// written, what was claimed and not sent goes back.
func (k *desk) close() {
	k.closing.Store(true)
	close(k.clerkStop)
	ring(k.bell)
	<-k.clerkDone
	k.stopSends()
	k.sending.Wait()
	k.stopRest()
	k.working.Wait()
	k.tray.shut()
}

// finished hands a delivery back to the clerk.
func (k *desk) finished(it *item) {
	k.mu.Lock()
	k.done = append(k.done, it)
	first := len(k.done) == 1
	k.mu.Unlock()
	if first {
		ring(k.bell)
	}
}

func (k *desk) doneSoFar() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.done)
}

func (k *desk) takeDone() []*item {
	k.mu.Lock()
	defer k.mu.Unlock()
	done := k.done
	k.done = nil
	return done
}

// keepRunning runs the channel, again after a wait if it gives up.
func (k *desk) keepRunning(ctx context.Context) {
	for ctx.Err() == nil {
		if err := k.channel.Run(ctx); err != nil && ctx.Err() == nil {
			k.log.Error("gateway stopped", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-clock.Real().After(pauseFirst):
		}
	}
}

// probeEvery is how often a gateway that is down is looked at; whether a
// connection is tried at that moment is the pause's affair.
const probeEvery = 50 * time.Millisecond

// probeLoop lifts the pause of a gateway that works again.
func (k *desk) probeLoop(ctx context.Context) {
	fell := true
	for ctx.Err() == nil {
		k.share.look()
		up := k.channel.Health().Up
		fell = fell || !up
		switch {
		case k.closing.Load():
		case up && fell:
			// It was seen down and is seen up: no need to wait for a probe.
			fell = false
			k.pause.lift()
			k.wake()
		case k.pause.probeDue():
			k.probe(ctx)
		}
		select {
		case <-ctx.Done():
		case <-clock.Real().After(probeEvery):
		}
	}
}

func (k *desk) probe(ctx context.Context) {
	if !k.channel.Health().Up {
		if k.share.contract.links > 0 { // it connects by itself, and the peer counts the connections
			k.pause.still()
			return
		}
		checking, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := k.channel.Check(checking); err != nil {
			k.pause.still()
			return
		}
	}
	k.pause.lift()
	k.wake()
}

func (k *desk) wake() {
	k.announced.Add(1)
	ring(k.bell)
}

// hungry tells whether there may be something due that is not claimed.
func (k *desk) hungry() bool { return k.announced.Load() != k.fed.Load() }
