package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"tocsin/internal/channels"
)

// answers lets everybody answer by SMS, with viewers on the follow-up: all at the
// same instant, to know how many are taken in a second and how long the last of
// such a rush waits; then at the pace that the first bar names, to know how long
// an answer takes to be seen.
func (b *bench) answers(ctx context.Context) ([]Result, error) {
	burst, rate, people, err := b.rush(ctx, "answers", 0)
	if err != nil {
		return nil, err
	}
	paced, _, _, err := b.rush(ctx, "answers-paced", pacedSpread)
	if err != nil {
		return nil, err
	}
	seen := func(id string, d samples) Result {
		r := d.result(id, "ms", samples{pageEvery}, "the shortest time between two readings of the follow-up, ms")
		r.Value = round(d.percentile(95))
		return r
	}
	return []Result{
		samples{rate}.result("answers.rate", "answers/s", samples{float64(people)}, "answers"),
		seen("answers.visible_p95_ms", paced),
		seen("answers.burst_visible_p95_ms", burst),
	}, nil
}

const (
	// pacedSpread makes 4,300 people answer within ten seconds, a thousand of them
	// in the fullest one: the peak of a log-normal of median 8 s is 4,300 × 0.4 / (8 s × 0.2).
	pacedSpread = 0.2
	// pageEvery is the shortest time between two readings of the follow-up, in ms.
	pageEvery = 500
)

// rush launches, lets everybody answer, and tells how long each answer took to be
// seen and how many were absorbed a second.
func (b *bench) rush(ctx context.Context, name string, spread float64) (d samples, rate float64, people int, err error) {
	p, err := b.startPeerAs(ctx, answering(spread)...)
	if err != nil {
		return nil, 0, 0, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	h, err := b.newHouse(ctx, name, b.Sizes.Alert, p, channels.SMS, publicURL)
	if err != nil {
		return nil, 0, 0, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	product, err := b.open(ctx, h, serveRequest{Doors: true})
	if err != nil {
		return nil, 0, 0, err
	}
	l, err := product.launch(ctx)
	var came []seen
	var v *viewers
	if err == nil {
		v, err = b.watch(ctx, product, b.Sizes.Viewers, l.Launch.String())
	}
	if err == nil {
		came, rate, err = b.absorb(ctx, p, l.People)
	}
	if err == nil {
		err = b.shows(ctx, v, l.People)
	}
	if err != nil {
		return nil, 0, 0, errors.Join(err, product.kill())
	}
	shown, events, err := v.leave()
	if _, cerr := product.close(ctx); err != nil || cerr != nil {
		return nil, 0, 0, errors.Join(err, cerr)
	}
	b.note("%s: %d events reached %d viewers", name, events, b.Sizes.Viewers)
	return delays(came, shown), rate, l.People, nil
}

// answering makes everybody come, and say so by SMS, about eight seconds after.
func answering(spread float64) []string {
	out := []string{"--people-coming=1", "--people-median=8s", fmt.Sprintf("--people-spread=%g", spread), "--people-receipt=0s"}
	for _, nobody := range []string{"unknown", "dead", "off", "on-site", "unavailable", "call-me", "unclear", "stop", "link", "second", "reminded", "exercise"} {
		out = append(out, "--people-"+nobody+"=0")
	}
	return out
}

// absorb follows the answers from the first to the last acknowledged, and
// returns when they came and how many a second were absorbed.
func (b *bench) absorb(ctx context.Context, p *peer, people int) (came []seen, rate float64, err error) {
	var first, last time.Time
	err = until(ctx, "the answers", 10*time.Millisecond, func() (bool, error) {
		c, err := p.counts(ctx)
		last = time.Now()
		n := min(int(c.SMS.Replies), people)
		if n > 0 && first.IsZero() {
			first = last
		}
		if len(came) == 0 || n > came[len(came)-1].count {
			came = append(came, seen{last, n})
		}
		return n >= people && c.SMS.Waiting == 0, err
	})
	return came, float64(people) / max(last.Sub(first).Seconds(), 0.001), err
}

// shows waits until every reader sees that everybody answered.
func (b *bench) shows(ctx context.Context, v *viewers, people int) error {
	return until(ctx, "the figures", 50*time.Millisecond, func() (bool, error) {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, s := range v.shown {
			if len(s) == 0 || s[len(s)-1].count < people {
				return false, v.errs
			}
		}
		return true, v.errs
	})
}

// contract is the operator's, in SMS per second, of the busy house.
const contract = 100

// busy launches while a large file is imported, a backup is made and viewers
// watch another alert.
func (b *bench) busy(ctx context.Context) (out []Result, err error) {
	p, err := b.startPeer(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	h, err := b.prepareHouse(ctx, "busy", b.Sizes.Alert, prepareRequest{SMPP: p.smpp, SMTP: p.smtp, URL: publicURL, Medium: channels.SMS, Rate: contract})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.remove()) }()
	file := filepath.Join(h.folder, "grand.csv")
	if err := writeStaff(file, b.Sizes.Import, true); err != nil {
		return nil, err
	}
	calm, err := b.underLoad(ctx, h, p, "busy-calm", "")
	if err != nil {
		return nil, err
	}
	loaded, err := b.underLoad(ctx, h, p, "busy-loaded", file)
	if err != nil {
		return nil, err
	}
	ms := func(r run) samples { return samples{float64(r.first.Microseconds()) / 1000} }
	kept := func(r run) samples { return samples{min(100, r.rate/contract*100)} }
	return []Result{
		ms(loaded).result("busy.first_ms", "ms", ms(calm), "the same launch while nothing else happens, ms"),
		kept(loaded).result("busy.contract_pct", "%", kept(calm), "the same launch while nothing else happens, %"),
	}, nil
}

// underLoad launches on a copy of the house; with a file, while it is imported,
// a backup is made and viewers watch.
func (b *bench) underLoad(ctx context.Context, h *house, p *peer, name, file string) (r run, err error) {
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
	product, err := b.open(ctx, mine, serveRequest{Doors: true})
	if err != nil {
		return r, err
	}
	leave := func() error { return nil }
	if file != "" {
		leave, err = b.burden(ctx, product, file)
	}
	if err == nil {
		r, err = b.follow(ctx, product, p, channels.SMS, bound.SMS.Binds)
	}
	if err = errors.Join(err, leave()); err != nil {
		return r, errors.Join(err, product.kill())
	}
	_, err = product.close(ctx)
	b.note("%s: %s", name, r)
	return r, err
}

// burden starts the import and the backup in the product, and the viewers of an
// alert by e-mail.
func (b *bench) burden(ctx context.Context, p *product, file string) (leave func() error, err error) {
	leave = func() error { return nil }
	l, err := p.launchOf(ctx, p.house.Mail)
	if err != nil {
		return leave, err
	}
	v, err := b.watch(ctx, p, b.Sizes.Viewers, l.Launch.String())
	if v != nil {
		leave = func() error {
			_, events, err := v.leave()
			b.note("busy: %d events reached %d viewers", events, b.Sizes.Viewers)
			return err
		}
	}
	if err != nil {
		return leave, err
	}
	if err := p.say(order{Load: file}); err != nil {
		return leave, err
	}
	if err := p.wait(ctx, "loading", nil); err != nil {
		return leave, fmt.Errorf("import and backup: %w", err)
	}
	return leave, nil
}
