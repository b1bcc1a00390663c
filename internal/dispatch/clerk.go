package dispatch

import (
	"context"
	"errors"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/storage"
)

// clerkLook is how often a clerk looks for work nobody told it about.
const clerkLook = 250 * time.Millisecond

// clerk is the one goroutine of the gateway that writes. Each pass is one
// transaction: outcomes of what was sent, receipts and replies, and the claim
// of the next lots. While it commits, the senders work on what was claimed before.
func (k *desk) clerk(ctx context.Context) {
	defer close(k.clerkDone)
	// The next look has its own time: receipts of what other nodes sent may ring the
	// bell without end, and a node that only listened to it would never help them.
	look := clock.Real().After(clerkLook)
	for {
		more, err := k.pass(ctx)
		switch {
		case err != nil:
			k.log.Error("outcomes could not be written; sending waits", "error", err)
		case more:
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-k.clerkStop:
			k.finish(ctx)
			return
		case <-k.bell:
			if err != nil { // the bell rings often; a database that fails is asked again slowly
				<-clock.Real().After(clerkLook)
			}
		case <-look:
			look = clock.Real().After(clerkLook)
			if !k.hungry() && !k.pause.on() && k.anythingDue(ctx) {
				k.announced.Add(1)
			}
		}
	}
}

// finish writes the outcomes of the sends under way, waiting for them a while.
func (k *desk) finish(ctx context.Context) {
	deadline := clock.Real().After(sendGrace)
	last := (<-chan time.Time)(nil)
	for {
		_, err := k.pass(ctx)
		if err != nil {
			k.log.Error("outcomes could not be written", "error", err)
		}
		if k.inFlight == 0 {
			return
		}
		select {
		case <-k.bell:
		case <-clock.Real().After(clerkLook):
		case <-deadline:
			k.stopSends()
			deadline, last = nil, clock.Real().After(time.Second)
		case <-last:
			k.log.Warn("a send did not end; it will be repeated at the next start", "deliveries", k.inFlight)
			return
		}
	}
}

// pass does one transaction, if there is anything to do. more is true when
// another pass should follow at once.
func (k *desk) pass(ctx context.Context) (more bool, err error) {
	k.gather()
	now := k.d.clock.Now()
	s := k.unwritten
	if s == nil {
		s = k.settle(now, k.takeDone())
	}
	calls := k.tray.take()
	announced := k.announced.Load()
	lots := k.appetite(len(s.items))
	if len(s.items)+len(calls) == 0 && lots == 0 {
		return false, nil
	}
	claimed, err := k.commit(ctx, now, s, calls, lots)
	if err != nil && len(calls) > 0 {
		// What a peer sent must never keep our own outcomes from being written.
		answer(calls, err)
		k.log.Error("receipts or replies could not be written", "error", err)
		calls = nil
		claimed, err = k.commit(ctx, now, s, nil, lots)
	}
	if err != nil {
		k.unwritten = s
		return false, err
	}
	k.unwritten = nil
	answer(calls, nil)
	k.settled(now, s)
	k.measure(now, len(s.items))
	k.push(claimed)
	if lots > 0 && len(claimed) < lots {
		k.fed.Store(announced)
	}
	if len(s.released)+len(s.again) > 0 {
		k.d.office.wakeOthers(k)
	}
	return len(claimed) > 0, nil
}

// gatherFor is how long outcomes wait for company while the senders have plenty to do.
const gatherFor = 2 * time.Millisecond

// gather lets a few more outcomes come, when a commit now would carry few of
// them and no sender would be idle meanwhile.
func (k *desk) gather() {
	done := k.doneSoFar()
	if k.unwritten == nil && done > 0 && done < k.flight/4 && k.inFlight-done >= k.flight/2 {
		select {
		case <-clock.Real().After(gatherFor):
		case <-k.clerkStop:
		}
	}
}

// appetite is how many lots may be claimed now. settling is how many
// deliveries are about to leave the flight.
func (k *desk) appetite(settling int) int {
	if !k.hungry() || k.closing.Load() || k.pause.on() || !k.d.office.carries(k) {
		return 0
	}
	reach := k.reach()
	if !k.d.leases.alone {
		if !k.share.canSend() {
			ring(k.d.shares.bell) // the task says when it has a part
			return 0
		}
		reach = min(reach, k.share.lots()*k.lot)
		if links, _ := k.share.links(); k.share.calls { // what waits here for a line could leave by another node's
			reach = min(reach, int(links)+k.lot)
		}
	}
	return max(0, reach-(k.inFlight-settling)) / k.lot
}

// reachAhead is how much work is claimed ahead of the senders.
const reachAhead = 500 * time.Millisecond

// reach is how many deliveries may be in flight now: what the senders hold and
// what they need until the next pass. A slow gateway holds little, so that an
// urgent message overtakes the queue and little can leave twice.
func (k *desk) reach() int {
	return min(k.flight, k.senders+k.lot+int(k.speed*reachAhead.Seconds()))
}

// speedOver is over how long the speed of the gateway is measured.
const speedOver = 500 * time.Millisecond

// measure notes how many deliveries came back from the senders.
func (k *desk) measure(now time.Time, settled int) {
	k.counted += settled
	age := now.Sub(k.countedFrom)
	if age >= speedOver || (k.counted >= k.senders+lotSize && age > 0) {
		k.speed = float64(k.counted) / age.Seconds()
		k.counted, k.countedFrom = 0, now
	}
}

// commit writes everything of one pass in one transaction.
func (k *desk) commit(ctx context.Context, now time.Time, s *settlement, calls []*brought, lots int) (claimed []*claim, err error) {
	claimed, err = k.write(ctx, now, s, calls, lots)
	if errors.Is(err, errOutlived) {
		k.recent.forget()
		claimed, err = k.write(ctx, now, s, calls, lots)
	}
	return claimed, err
}

func (k *desk) write(ctx context.Context, now time.Time, s *settlement, calls []*brought, lots int) (claimed []*claim, err error) {
	var p pen
	begun := k.d.elapsed()
	err = k.d.db.Write(ctx, k.scope, func(tx *storage.Tx) error {
		claimed = nil
		p = pen{k: k, tx: tx, now: now, begun: begun, said: newScribe()}
		if err := p.writeAll(ctx, s, calls); err != nil {
			return err
		}
		if lots > 0 {
			if claimed, err = p.claim(ctx, lots); err != nil {
				return err
			}
		}
		return p.said.write(ctx, tx, k.scope, now, k.d.node)
	})
	if err == nil {
		k.recent.learn(p.known)
	}
	return claimed, err
}

// settled updates the memory after the commit.
func (k *desk) settled(now time.Time, s *settlement) {
	k.d.metrics.inFlight(k.gateway.Medium, -len(s.items))
	for _, it := range s.items {
		k.inFlight--
		it.settleCost()
		it.lot.open--
		if it.lot.open == 0 {
			k.d.watch.release(it.lot.campaign)
		}
		switch {
		case it.verdict != tried:
		case it.outcome.State == channels.Accepted:
			k.d.metrics.sent(k.gateway.Medium, now.Sub(storage.Time(it.lot.queuedUs)))
		case it.outcome.State == channels.Refused:
			k.d.metrics.failed(k.gateway.Medium, it.outcome.Reason)
		}
	}
	k.holding.Store(int64(k.inFlight))
	k.d.leases.forget(s.closedLots())
}

func (k *desk) push(claims []*claim) {
	for _, c := range claims {
		c.lot.flag = k.d.watch.hold(c.lot.campaign)
		if c.budget != nil {
			c.lot.flag.purse.learn(*c.budget)
		}
		k.d.leases.remember(c.lot)
		k.inFlight += len(c.items)
		k.holding.Store(int64(k.inFlight))
		k.d.metrics.inFlight(k.gateway.Medium, len(c.items))
		for _, it := range c.items {
			k.work <- it
		}
	}
}
