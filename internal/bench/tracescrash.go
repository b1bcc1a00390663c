package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"tocsin/internal/bench/ground"
)

// blowsEach is how often each blow is struck.
const blowsEach = 3

// The ways to strike.
const (
	killHouse = iota
	killBase
	moveClock
	fullDisk
	blowKinds
)

// keyedBytes is what an event with an id takes at most on the disk, queue, base and
// journals of both; keyedRoom what the house takes before the first.
const (
	keyedBytes = 1 << 10
	keyedRoom  = 256 << 20
)

// crashTraces sends events that carry an id while the house is killed, its base
// is killed, its clock jumps, and its disk is full; what is not acknowledged is sent
// again, as every shipper does. Then it counts.
func (b *bench) crashTraces(ctx context.Context) (out []Result, err error) {
	c := traceCrash{bench: b, n: b.Sizes.Keyed, kinds: blowKinds, reference: "events acknowledged"}
	folder := filepath.Join(b.folder, "crash")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if c.disk, err = ground.NewDisk(folder, keyedRoom+int64(c.n)*keyedBytes); err != nil {
		// A figure that says less must say so.
		c.kinds, c.reference = fullDisk, "events acknowledged; the full disk was not tried: this machine makes no small one"
		b.note("crash: no full disk: %v", err)
	} else {
		defer func() { err = errors.Join(err, c.disk.Close()) }()
	}
	if c.house, err = b.openTraces(ctx, "crash", traceRequest{}); err != nil {
		return nil, err
	}
	// What lies on the disk goes with it.
	defer func() { err = errors.Join(err, c.house.end()) }()
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	if err := c.house.found(ctx, "bulk", c.n); err != nil {
		b.note("crash: %v", err)
	}
	var a answered
	if err := c.house.ask(ctx, traceOrder{Count: c.house.Sources["bulk"]}, &a); err != nil {
		return nil, err
	}
	b.note("crash: %d events acknowledged, %d found; %d requests sent again after %d blows, %d of them a full disk", c.n, a.Total, c.again, c.struck, c.full)
	told := samples{float64(c.n)}
	return []Result{
		samples{float64(max(0, int64(c.n)-a.Total))}.result("crash.missing", "events", told, c.reference),
		samples{float64(max(0, a.Total-int64(c.n)))}.result("crash.doubled_idempotent", "events", told, c.reference),
	}, c.house.stop(ctx)
}

// traceCrash is the measurement under way.
type traceCrash struct {
	*bench
	house     *tracesHouse
	disk      *ground.Disk
	n, kinds  int
	reference string
	// struck counts the blows, full those of a full disk, again the requests that
	// were sent a second time.
	struck, full, again int
}

// run sends until all is acknowledged.
func (c *traceCrash) run(ctx context.Context) error {
	blows := make([]int, c.kinds*blowsEach)
	for i := range blows {
		blows[i] = 1 + rand.IntN(max(c.n*9/10, 1))
	}
	slices.Sort(blows)
	portion := min(perRequest/5, max(1, c.n/50))
	for from := 0; from < c.n; {
		size := min(portion, c.n-from)
		if c.struck >= len(blows) || blows[c.struck] >= from+size {
			if err := c.house.postBulk(ctx, from, size); err != nil {
				return err
			}
			from += size
			continue
		}
		kind := c.struck % c.kinds
		c.struck++
		taken, err := c.under(ctx, kind, from, size)
		if err != nil {
			return err
		}
		from += taken
	}
	return nil
}

// under sends while a blow falls, and tells how many events were acknowledged.
func (c *traceCrash) under(ctx context.Context, kind, from, size int) (int, error) {
	if kind == fullDisk {
		return c.underFull(ctx, from, size)
	}
	blow := make(chan error, 1)
	// In the middle of the request, whatever that is by then.
	wait := time.Duration(rand.IntN(15_000)) * time.Microsecond
	go func() {
		time.Sleep(wait)
		blow <- c.strike(ctx, c.house, kind)
	}()
	sent := c.house.postBulk(ctx, from, size)
	if err := <-blow; err != nil {
		return 0, err
	}
	if err := c.revive(ctx, c.house); err != nil {
		return 0, err
	}
	if sent != nil {
		c.again++
		return 0, nil // it was not acknowledged: it is sent again
	}
	return size, nil
}

// fullFor is how long a disk stays full once it refuses: the base fails on it too.
const fullFor = 500 * time.Millisecond

// underFull sends until the full disk refuses, then makes room.
func (c *traceCrash) underFull(ctx context.Context, from, size int) (taken int, err error) {
	if err := c.disk.Fill(); err != nil {
		return 0, err
	}
	for err == nil && from+taken < c.n {
		n := min(size, c.n-from-taken)
		if err = c.house.postBulk(ctx, from+taken, n); err == nil {
			taken += n
		}
	}
	if err != nil {
		c.full++
		c.again++
		c.note("crash: the full disk refused: %v", err)
	}
	select {
	case <-time.After(fullFor):
	case <-ctx.Done():
	}
	if err := errors.Join(ctx.Err(), c.disk.Free()); err != nil {
		return taken, err
	}
	// Sent again until it is taken: that there is room again is noticed by itself.
	return taken, c.house.until(ctx, "the disk takes events again", 100*time.Millisecond, func() (bool, error) {
		n := min(size, c.n-from-taken)
		if n == 0 || c.house.postBulk(ctx, from+taken, n) == nil {
			taken += n
			return true, nil
		}
		return false, nil
	})
}

// strike kills the house, kills its base, or moves its clock.
func (b *bench) strike(ctx context.Context, p *tracesHouse, kind int) error {
	switch kind {
	case killHouse:
		return p.kill()
	case killBase:
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
