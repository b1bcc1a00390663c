package dispatch

import (
	"context"
	"fmt"
	"runtime/debug"

	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// carry takes one delivery through the stages. Every stage may end its way;
// the last one hands it to the peer.
func (k *desk) carry(it *item) {
	for _, stage := range k.stages {
		if v := stage(it); v != 0 {
			it.verdict = v
			break
		}
	}
	it.at = k.d.clock.Now()
}

func (k *desk) defineStages() {
	k.stages = []func(*item) verdict{k.openStage, k.epochStage, k.leaseStage, k.windowStage, k.budgetStage, k.sendStage}
}

// openStage keeps messages while the gateway is paused or closing.
func (k *desk) openStage(*item) verdict {
	if k.closing.Load() || k.pause.on() || !k.canSend() {
		return returned
	}
	return 0
}

// canSend tells whether this node's part of the contract leaves it a way out.
func (k *desk) canSend() bool { return k.d.leases.alone || k.share.canSend() }

// epochStage obeys the kill switch, and does not send while it cannot know.
func (k *desk) epochStage(it *item) verdict {
	if !k.d.watch.fresh(k.sendCtx) {
		return returned
	}
	if it.lot.flag.stopped.Load() {
		return stopped
	}
	return 0
}

// leaseStage stops a node that could not renew its claim in time.
func (k *desk) leaseStage(it *item) verdict {
	if !it.lot.isMine() {
		return abandoned
	}
	return 0
}

// isMine tells, by the machine's monotonic counter, whether no other node can
// have taken the lot.
func (l *lot) isMine() bool {
	until := l.leaseUntil.Load()
	return until == 0 || int64(l.d.elapsed()) < until
}

// MayLeave implements channels.Permit: a channel has waits of its own, and
// what was true before them may not be true after.
func (it *item) MayLeave() bool {
	return !it.lot.flag.stopped.Load() && it.lot.isMine() && it.lot.d.watch.recent()
}

// Recalled implements channels.Permit: a call under way ends when its alert does. What
// merely delays what has not left cuts nobody off.
func (it *item) Recalled() bool { return it.lot.flag.stopped.Load() }

// withheld sorts a delivery that the channel kept because it may not leave.
func (it *item) withheld() verdict {
	switch {
	case it.lot.flag.stopped.Load():
		return stopped
	case !it.lot.isMine():
		return abandoned
	}
	return returned
}

// windowStage never sends after the end of validity.
func (k *desk) windowStage(it *item) verdict {
	if it.lot.expiresUs != 0 && storage.Micros(k.d.clock.Now()) >= it.lot.expiresUs {
		return outdated
	}
	return 0
}

func (k *desk) sendStage(it *item) verdict {
	it.outcome = k.send(it)
	if it.outcome.Withheld && !it.outcome.Uncertain {
		return it.withheld()
	}
	if it.outcome.State == channels.Accepted {
		k.pause.success()
	}
	return tried
}

// send survives a channel that panics: one broken message must not take the
// others down.
func (k *desk) send(it *item) (out channels.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			k.log.Error("channel panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			out = channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Uncertain: true}
		}
	}()
	return k.channel.Send(k.sendCtx, it.message(k.d.watch.isolated(k.gateway.Organisation)))
}

// sendLoop is one of the gateway's senders.
func (k *desk) sendLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case it := <-k.paced:
			k.carry(it)
			k.finished(it)
		}
	}
}
