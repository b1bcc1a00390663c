package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/lab"
)

// run is one alert of the product, or one run of the bare client, as its peer saw it.
type run struct {
	// first and last are counted from the confirmation to the peer's acceptance
	// of the first and of the last message; news until the last receipt was acknowledged.
	first, last, news time.Duration
	// rate is messages per second, between the first and the last accepted.
	rate float64
	rss  float64
}

func (r run) String() string {
	return fmt.Sprintf("first %d ms, last %.2f s, receipts %.2f s, %.0f messages/s, %.0f MB", r.first.Milliseconds(), r.last.Seconds(), r.news.Seconds(), r.rate, r.rss)
}

func newRun(t lab.Tally, from int64, n int) run {
	r := run{first: time.Duration(t.First-from) * time.Microsecond, last: time.Duration(t.Last-from) * time.Microsecond}
	if t.Last > t.First {
		r.rate = float64(n-1) / (float64(t.Last-t.First) / 1e6)
	}
	return r
}

// tally is what the peer counted of a medium.
func tally(c lab.Counts, m channels.Medium) lab.Tally {
	if m == channels.Email {
		return c.Mail.Tally
	}
	return c.SMS.Tally
}

// alert launches once, on a copy of the house, and follows it to its last receipt.
func (b *bench) alert(ctx context.Context, h *house, p *peer, medium channels.Medium, name string) (r run, err error) {
	mine, err := h.again(name)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, mine.remove()) }()
	if err := p.reset(ctx); err != nil {
		return r, err
	}
	bound, err := p.counts(ctx)
	if err != nil {
		return r, err
	}
	product, err := b.open(ctx, mine, serveRequest{})
	if err != nil {
		return r, err
	}
	if r, err = b.follow(ctx, product, p, medium, bound.SMS.Binds); err != nil {
		return r, errors.Join(err, product.kill())
	}
	r.rss, err = product.close(ctx)
	b.note("product: %.1f s of processor", product.worked().Seconds())
	return r, err
}

// follow waits for the gateway, launches and waits for the peer to have seen all of it.
func (b *bench) follow(ctx context.Context, product *product, p *peer, medium channels.Medium, bound uint64) (r run, err error) {
	if medium == channels.SMS {
		if err := until(ctx, "the binds", 20*time.Millisecond, func() (bool, error) {
			c, err := p.counts(ctx)
			return c.SMS.Binds >= bound+binds, err
		}); err != nil {
			return r, err
		}
	}
	l, err := product.launch(ctx)
	if err != nil {
		return r, err
	}
	c, acknowledged, err := p.took(ctx, medium, l.People)
	if err != nil {
		return r, err
	}
	r = newRun(tally(c, medium), l.Asked, l.People)
	r.news = acknowledged.Sub(time.UnixMicro(l.Asked))
	if d := tally(c, medium).Doubles; d > 0 {
		return r, fmt.Errorf("%d messages came twice", d)
	}
	b.note("launch written in %d ms", (l.Done-l.Asked)/1000)
	return r, nil
}

// took waits until the peer has n messages, and until their receipts are acknowledged.
func (p *peer) took(ctx context.Context, medium channels.Medium, n int) (c lab.Counts, at time.Time, err error) {
	err = until(ctx, fmt.Sprintf("%d messages", n), 100*time.Millisecond, func() (bool, error) {
		c, err = p.counts(ctx)
		return err == nil && tally(c, medium).Accepted >= uint64(n) && c.SMS.Waiting == 0, err
	})
	return c, time.Now(), err
}

// bare runs the client without a database against the same peer.
func (b *bench) bare(ctx context.Context, h *house, p *peer, medium channels.Medium) (r run, err error) {
	if err := p.reset(ctx); err != nil {
		return r, err
	}
	name, address := "bare-sms", p.smpp
	if medium == channels.Email {
		name, address = "bare-email", p.smtp
	}
	var done bareDone
	if err := b.do(ctx, name, bareRequest{Address: address, Subject: h.Subject, Text: h.Text, People: h.Rows}, &done); err != nil {
		return r, err
	}
	c, at, err := p.took(ctx, medium, h.Rows)
	if err != nil {
		return r, err
	}
	r = newRun(tally(c, medium), done.Began, h.Rows)
	r.news, r.rss = at.Sub(time.UnixMicro(done.Began)), done.RSS
	return r, nil
}

// series are the runs of the product and of the bare client, in turns: the
// machine is then the same for both.
type series struct{ firstMs, lastS, rss, ratio, rates, bareFirstMs, bareLastS, bareRSS, bareRates samples }

func (b *bench) series(ctx context.Context, group string, n int, medium channels.Medium) (s series, err error) {
	err = b.stage(ctx, group, n, medium, func(h *house, p *peer) error {
		s, err = b.turns(ctx, group, h, p, medium)
		return err
	})
	return s, err
}

// stage starts the peer, and prepares a house of n people that sends to it.
func (b *bench) stage(ctx context.Context, group string, n int, medium channels.Medium, play func(h *house, p *peer) error) (err error) {
	p, err := b.startPeer(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	h, err := b.newHouse(ctx, group, n, p, medium, publicURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	return play(h, p)
}

func (b *bench) turns(ctx context.Context, group string, h *house, p *peer, medium channels.Medium) (s series, err error) {
	for i := range b.Runs {
		bare, err := b.bare(ctx, h, p, medium)
		if err != nil {
			return s, fmt.Errorf("bare client: %w", err)
		}
		b.note("%s bare client %d/%d: %s", group, i+1, b.Runs, bare)
		product, err := b.alert(ctx, h, p, medium, fmt.Sprintf("%s-%d", group, i+1))
		if err != nil {
			return s, err
		}
		b.note("%s product %d/%d: %s; ratio %.2f", group, i+1, b.Runs, product, product.rate/bare.rate)
		s.add(product, bare)
	}
	return s, nil
}

func (s *series) add(product, bare run) {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	s.firstMs, s.bareFirstMs = append(s.firstMs, ms(product.first)), append(s.bareFirstMs, ms(bare.first))
	s.lastS, s.bareLastS = append(s.lastS, product.last.Seconds()), append(s.bareLastS, bare.last.Seconds())
	s.rss, s.bareRSS = append(s.rss, product.rss), append(s.bareRSS, bare.rss)
	s.rates, s.bareRates = append(s.rates, product.rate), append(s.bareRates, bare.rate)
	s.ratio = append(s.ratio, product.rate/bare.rate)
}

func (b *bench) sms4300(ctx context.Context) ([]Result, error) {
	s, err := b.series(ctx, "sms4300", b.Sizes.Alert, channels.SMS)
	if err != nil {
		return nil, err
	}
	return []Result{
		s.firstMs.result("sms4300.first_ms", "ms", s.bareFirstMs, "bare SMPP client, first accepted, ms"),
		s.lastS.result("sms4300.last_s", "s", s.bareLastS, "bare SMPP client, last accepted, s"),
	}, nil
}

// sms100k is measured against two SMSC: our own, quicker than any gateway, and
// one we did not write. The ratio is that of the second where it can be started.
func (b *bench) sms100k(ctx context.Context) (out []Result, err error) {
	err = b.stage(ctx, "sms100k", b.Sizes.Mass, channels.SMS, func(h *house, p *peer) error {
		quick, err := b.turns(ctx, "sms100k", h, p, channels.SMS)
		if err != nil {
			return err
		}
		out = []Result{
			quick.lastS.result("sms100k.last_s", "s", quick.bareLastS, "bare SMPP client, last accepted, s"),
			quick.rss.result("sms100k.rss_mb", "MB", quick.bareRSS, "bare SMPP client, MB"),
		}
		ratio := func(id string, s series, peer string) {
			out = append(out, s.ratio.result(id, "ratio", s.bareRates, "bare SMPP client, messages/s from first to last accepted, on "+peer))
		}
		// The other SMSC takes the address of ours, which the house knows.
		if err := p.stop(); err != nil {
			return err
		}
		foreign, err := b.startForeign(ctx, p.smpp)
		if errors.Is(err, errNoForeign) {
			b.note("sms100k.ratio is on our own SMSC only: %v", err)
			ratio("sms100k.ratio", quick, "the fast peer")
			return nil
		}
		if err != nil {
			return err
		}
		other, err := b.turns(ctx, "sms100k-npm", h, foreign, channels.SMS)
		ratio("sms100k.ratio", other, "the SMSC of the npm library smpp")
		ratio("sms100k.ratio_fast", quick, "the fast peer")
		return errors.Join(err, foreign.stop())
	})
	return out, err
}

func (b *bench) email4300(ctx context.Context) ([]Result, error) {
	s, err := b.series(ctx, "email4300", b.Sizes.Mail, channels.Email)
	if err != nil {
		return nil, err
	}
	return []Result{s.ratio.result("email4300.ratio", "ratio", s.bareRates, "bare SMTP client, messages/s from first to last accepted")}, nil
}
