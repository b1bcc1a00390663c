package dispatch

import (
	"context"
	"time"

	"tocsin/internal/channels"
)

// paceLoop hands claimed deliveries to the senders at the pace of the node's
// share. It stands before the stages: whoever waited for his turn is asked
// afterwards whether he may still leave.
func (k *desk) paceLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case it := <-k.work:
			k.awaitTurn(ctx, it)
			select {
			case <-ctx.Done():
				return
			case k.paced <- it:
			}
		}
	}
}

// awaitTurn returns at once for what will not be sent now.
func (k *desk) awaitTurn(ctx context.Context, it *item) {
	weight := k.weight(it)
	for !k.closing.Load() && !k.pause.on() {
		wait, news := k.share.turn(weight)
		if wait == 0 {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-news:
		case <-k.clerkStop:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// weight is how many messages of the contract a delivery is.
func (k *desk) weight(it *item) int {
	if w, ok := k.channel.(channels.Weigher); ok {
		return max(1, w.Weight(it.message(k.d.watch.isolated(k.gateway.Organisation))))
	}
	return 1
}
