package bench

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os/exec"
	"time"

	"tocsin/internal/bench/ground"
	"tocsin/internal/channels"
)

// pass waits out the time a network stays cut.
func (b *bench) pass(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(b.Sizes.CutS) * time.Second):
		return nil
	}
}

// cut cuts the road to the SMSC in the middle of an alert, launches by e-mail
// meanwhile, and mends it.
func (b *bench) cut(ctx context.Context) (out []Result, err error) {
	p, err := b.startPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	road, err := ground.NewRoad("127.0.0.1:0", p.smpp)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, road.Close()) }()
	h, err := b.prepareHouse(ctx, "cut", b.Sizes.Crash, prepareRequest{SMPP: road.Address(), SMTP: p.smtp, URL: publicURL, Medium: channels.SMS, Rate: b.spread(20)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	f, err := b.sail(ctx, h, p, 1, nil)
	if err != nil {
		return nil, err
	}
	quiet, l, during, err := f.twoMedia(ctx, road)
	if err != nil {
		return nil, errors.Join(err, f.kill())
	}
	if err := f.ended(ctx); err != nil {
		return nil, err
	}
	lost, _, err := b.compare(ctx, "cut", p, h, l)
	b.note("cut: the mails left in %.2f s without a cut, %.2f s during it", quiet, during)
	return []Result{
		samples{float64(lost)}.result("cut.lost", "people", samples{float64(l.People)}, "people called"),
		samples{max(0, during-quiet)}.result("cut.other_delay_s", "s", samples{quiet}, "the same mails while nothing else happens, s"),
	}, err
}

// twoMedia returns how long the mails take while nothing else happens, and
// while the SMS of another alert are cut off.
func (f *fleet) twoMedia(ctx context.Context, road *ground.Road) (quiet float64, l launched, during float64, err error) {
	if quiet, err = f.mails(ctx); err != nil {
		return 0, l, 0, err
	}
	if l, err = f.nodes[0].launch(ctx); err != nil {
		return 0, l, 0, err
	}
	if err := f.reach(ctx, l.People/2); err != nil {
		return 0, l, 0, err
	}
	road.Cut()
	mend := time.AfterFunc(time.Duration(f.b.Sizes.CutS)*time.Second, road.Mend)
	defer mend.Stop()
	if during, err = f.mails(ctx); err != nil {
		return 0, l, 0, err
	}
	return quiet, l, during, f.reach(ctx, l.People)
}

// mails launches by e-mail and returns the seconds to the last one taken.
func (f *fleet) mails(ctx context.Context) (float64, error) {
	before, err := f.peer.counts(ctx)
	if err != nil {
		return 0, err
	}
	l, err := f.nodes[0].launchOf(ctx, f.house.Mail)
	if err != nil {
		return 0, err
	}
	last := int64(0)
	err = until(ctx, "the mails", 20*time.Millisecond, func() (bool, error) {
		c, err := f.peer.counts(ctx)
		last = c.Mail.Last
		return c.Mail.Accepted >= before.Mail.Accepted+uint64(l.People), err
	})
	if err != nil {
		return 0, err
	}
	// Over: the same scenario may be launched again.
	_, err = f.nodes[0].stopAlert(ctx, l.Launch)
	return float64(last-l.Asked) / 1e6, err
}

// partition cuts one node of three off from everything, then brings it back.
func (b *bench) partition(ctx context.Context) (out []Result, err error) {
	p, err := b.startPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	island, ierr := ground.NewIsland()
	shore := "127.0.0.1"
	if ierr != nil {
		b.note("partition: no network namespace (%v); a relay to the database is cut instead", ierr)
	} else {
		shore = island.Shore
		defer func() { err = errors.Join(err, island.Close()) }()
	}
	toOperator, err := ground.NewRoad(net.JoinHostPort(shore, "0"), p.smpp)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, toOperator.Close()) }()
	h, err := b.newShared(ctx, "partition", b.Sizes.Crash, prepareRequest{SMPP: toOperator.Address(), Rate: b.spread(b.Sizes.CutS + 10)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	database, err := url.Parse(h.database)
	if err != nil {
		return nil, err
	}
	toData, err := ground.NewRoad(net.JoinHostPort(shore, "0"), database.Host)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, toData.Close()) }()
	database.Host = toData.Address()
	f, err := b.sail(ctx, h, p, nodes, func(r *serveRequest) func(*exec.Cmd) error {
		r.Database = database.String()
		if island == nil {
			return nil
		}
		return island.Run
	})
	if err != nil {
		return nil, err
	}
	cut, mend := func() error { toData.Cut(); return nil }, func() error { toData.Mend(); return nil }
	if island != nil {
		cut, mend = island.Cut, island.Mend
	}
	return f.apart(ctx, cut, mend)
}

func (f *fleet) apart(ctx context.Context, cut, mend func() error) ([]Result, error) {
	l, err := f.nodes[0].launch(ctx)
	if err == nil {
		err = f.reach(ctx, max(1, l.People/4))
	}
	if err == nil {
		err = cut()
	}
	if err == nil {
		err = f.b.pass(ctx)
	}
	if err = errors.Join(err, mend()); err == nil {
		err = f.reach(ctx, l.People)
	}
	if err != nil {
		return nil, errors.Join(err, f.kill())
	}
	if err := f.ended(ctx); err != nil {
		return nil, err
	}
	lost, unsaid, err := f.b.compare(ctx, "partition", f.peer, f.house, l)
	people := samples{float64(l.People)}
	return []Result{
		samples{float64(lost)}.result("partition.lost", "people", people, "people called"),
		samples{float64(unsaid)}.result("partition.unflagged_doubles", "people", people, "people called"),
	}, err
}
