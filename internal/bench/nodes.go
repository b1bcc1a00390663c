package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/lab"
)

// sms100kpg3 compares the processor time of three nodes on PostgreSQL with that
// of one program on SQLite, in turns.
func (b *bench) sms100kpg3(ctx context.Context) (out []Result, err error) {
	p, err := b.startPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	shared, err := b.newShared(ctx, "pg3", b.Sizes.Mass, prepareRequest{SMPP: p.smpp})
	if err != nil {
		return nil, err
	}
	alone, err := b.newHouse(ctx, "pg3-sqlite", b.Sizes.Mass, p, channels.SMS, publicURL)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, alone.remove(), shared.remove()) }()
	var ratio, lite, doubles samples
	for i := range b.Runs {
		mine, err := alone.again(fmt.Sprintf("pg3-sqlite-%d", i+1))
		if err != nil {
			return nil, err
		}
		one, _, err := b.spend(ctx, mine, p, 1)
		if err = errors.Join(err, mine.remove()); err != nil {
			return nil, err
		}
		copied := *shared
		if copied.database, err = b.newDatabase(ctx, fmt.Sprintf("pg3-%d", i+1), shared.database); err != nil {
			return nil, err
		}
		three, twice, err := b.spend(ctx, &copied, p, nodes)
		if err != nil {
			return nil, err
		}
		b.note("pg3 %d/%d: processor per 1,000 messages: SQLite %.0f ms, three nodes %.0f ms", i+1, b.Runs, one*1000, three*1000)
		ratio, lite, doubles = append(ratio, three/max(one, 1e-6)), append(lite, one), append(doubles, float64(twice))
	}
	people := samples{float64(b.Sizes.Mass)}
	return []Result{
		ratio.result("sms100k.pg3_cpu_ratio", "ratio", lite, "one program on SQLite, s of processor per 1,000 messages"),
		doubles.worst("sms100k.pg3_doubles", "people", people, "people called"),
	}, nil
}

// spend is the processor time of one alert on a house, per 1,000 messages.
func (b *bench) spend(ctx context.Context, h *house, p *peer, n int) (perThousand float64, doubles uint64, err error) {
	if err := p.reset(ctx); err != nil {
		return 0, 0, err
	}
	f, err := b.sail(ctx, h, p, n, nil)
	if err != nil {
		return 0, 0, err
	}
	if perThousand, doubles, err = f.effort(ctx); err != nil {
		return 0, 0, errors.Join(err, f.kill())
	}
	return perThousand, doubles, f.close(ctx)
}

// spread is a contract that makes an alert last about that many seconds.
func (b *bench) spread(seconds int) int { return max(50, b.Sizes.Crash/max(seconds, 1)) }

// crashpg3 kills a node drawn at random, again and again, in one alert, and
// starts another as the service manager would.
func (b *bench) crashpg3(ctx context.Context) (out []Result, err error) {
	p, err := b.startPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	h, err := b.newShared(ctx, "crashpg3", b.Sizes.Crash, prepareRequest{SMPP: p.smpp, Rate: b.spread(100)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	f, err := b.sail(ctx, h, p, nodes, nil)
	if err != nil {
		return nil, err
	}
	l, err := f.nodes[0].launch(ctx)
	var resumes samples
	if err == nil {
		resumes, err = f.killRandom(ctx, b.Sizes.Kills)
	}
	if err == nil {
		err = f.reach(ctx, l.People)
	}
	if err != nil {
		return nil, errors.Join(err, f.kill())
	}
	if err := f.ended(ctx); err != nil {
		return nil, err
	}
	lost, unsaid, err := b.compare(ctx, "crashpg3", p, h, l)
	if err == nil && unsaid > 0 {
		err = fmt.Errorf("%d doubles are not flagged in the data", unsaid)
	}
	return []Result{
		samples{float64(lost)}.result("crashpg3.lost", "people", samples{float64(l.People)}, "people called"),
		resumes.worst("crashpg3.resume_s", "s", samples{8}, "the longest a lease lasts for others, s"),
	}, err
}

// killRandom kills at random ranks and returns how long the others took, each
// time, to have taken over all that the dead node held.
func (f *fleet) killRandom(ctx context.Context, kills int) (resumes samples, err error) {
	ranks := make([]int, kills)
	for i := range ranks {
		ranks[i] = 1 + rand.IntN(f.b.Sizes.Crash*9/10)
	}
	slices.Sort(ranks)
	for i, rank := range ranks {
		if err := f.reach(ctx, rank); err != nil {
			return nil, err
		}
		k := rand.IntN(len(f.nodes))
		dead := f.nodes[k]
		if err := dead.kill(); err != nil {
			return nil, err
		}
		began := time.Now()
		if err := f.free(ctx, f.nodes[(k+1)%len(f.nodes)], dead.Node); err != nil {
			return nil, err
		}
		resumes = append(resumes, time.Since(began).Seconds())
		f.b.note("kill %d after %d messages: its work taken over in %.2f s", i+1, rank, resumes[i])
		if f.nodes[k], err = f.b.open(ctx, f.house, serveRequest{}); err != nil {
			f.nodes[k] = dead
			return nil, err
		}
	}
	return resumes, nil
}

// killswitch stops an alert in its middle on three nodes and counts what the
// peer took later than a second after.
func (b *bench) killswitch(ctx context.Context) (out []Result, err error) {
	p, err := b.startPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	h, err := b.newShared(ctx, "killswitch", b.Sizes.Crash, prepareRequest{SMPP: p.smpp, Rate: b.spread(10)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	f, err := b.sail(ctx, h, p, nodes, nil)
	if err != nil {
		return nil, err
	}
	at := int64(0)
	l, err := f.nodes[0].launch(ctx)
	if err == nil {
		err = f.reach(ctx, l.People/2)
	}
	if err == nil {
		at, err = f.nodes[1].stopAlert(ctx, l.Launch)
	}
	if err != nil {
		return nil, errors.Join(err, f.kill())
	}
	if err := f.ended(ctx); err != nil {
		return nil, err
	}
	late, before := 0, 0
	if err := p.each(ctx, func(e lab.Entry) {
		switch {
		case e.At > at+time.Second.Microseconds():
			late++
		case e.At <= at:
			before++
		}
	}); err != nil {
		return nil, err
	}
	b.note("killswitch: %d messages before, %d more than a second after", before, late)
	return []Result{samples{float64(late)}.result("killswitch.late", "messages", samples{float64(before)}, "messages taken before the kill switch")}, nil
}
