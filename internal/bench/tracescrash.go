package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// traceBlows is how often the house, or its base, is struck.
const traceBlows = 9

// crashTraces sends events that carry an id while the house is killed, its base
// is killed, and its clock jumps; what is not acknowledged is sent again, as
// every shipper does. Then it counts.
func (b *bench) crashTraces(ctx context.Context) (out []Result, err error) {
	p, err := b.openTraces(ctx, "crash", traceRequest{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.leave(ctx)) }()
	n := b.Sizes.Keyed
	blows := make([]int, traceBlows)
	for i := range blows {
		blows[i] = 1 + rand.IntN(max(n*9/10, 1))
	}
	slices.Sort(blows)
	again, portion := 0, min(perRequest/5, max(1, n/50))
	for from, struck := 0, 0; from < n; {
		size := min(portion, n-from)
		struckNow := struck < len(blows) && blows[struck] < from+size
		var blow chan error
		if struckNow {
			blow = make(chan error, 1)
			// In the middle of the request, whatever that is by then.
			wait := time.Duration(rand.IntN(15_000)) * time.Microsecond
			go func(kind int) {
				time.Sleep(wait)
				blow <- b.strike(ctx, p, kind)
			}(struck % 3)
			struck++
		}
		sent := p.postBulk(ctx, from, size)
		if struckNow {
			if err := <-blow; err != nil {
				return nil, err
			}
			if err := b.revive(ctx, p); err != nil {
				return nil, err
			}
		}
		if sent != nil {
			if !struckNow {
				return nil, sent
			}
			again++
			continue // it was not acknowledged: it is sent again
		}
		from += size
	}
	if err := p.found(ctx, "bulk", n); err != nil {
		b.note("crash: %v", err)
	}
	var a answered
	if err := p.ask(ctx, traceOrder{Count: p.Sources["bulk"]}, &a); err != nil {
		return nil, err
	}
	b.note("crash: %d events acknowledged, %d found; %d requests sent again after %d blows", n, a.Total, again, len(blows))
	told := samples{float64(n)}
	return []Result{
		samples{float64(max(0, int64(n)-a.Total))}.result("crash.missing", "events", told, "events acknowledged"),
		samples{float64(max(0, a.Total-int64(n)))}.result("crash.doubled_idempotent", "events", told, "events acknowledged"),
	}, p.stop(ctx)
}

// strike kills the house, kills its base, or moves its clock.
func (b *bench) strike(ctx context.Context, p *tracesHouse, kind int) error {
	switch kind {
	case 0:
		return p.kill()
	case 1:
		for _, child := range childrenOf(p.cmd.Process.Pid) {
			pid, err := strconv.Atoi(child)
			if err != nil {
				return err
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return err
			}
		}
		return nil
	default:
		// An hour forwards, then two back, as a wrong server of time does.
		var a answered
		if err := p.ask(ctx, traceOrder{JumpS: 3600}, &a); err != nil {
			return err
		}
		return p.ask(ctx, traceOrder{JumpS: -7200}, &a)
	}
}

// revive starts a house that was killed again.
func (b *bench) revive(ctx context.Context, p *tracesHouse) error {
	select {
	case err := <-p.process.ended:
		p.process.ended <- err
	default:
		return nil
	}
	return b.serveTraces(ctx, p, traceRequest{Establishment: p.Establishment})
}
