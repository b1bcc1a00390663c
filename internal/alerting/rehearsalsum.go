package alerting

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tocsin/internal/channels"
)

// Band is a figure over the draws: nine in ten are between Low and High, half
// below Middle.
type Band struct {
	Low    float64 `json:"low"`
	Middle float64 `json:"middle"`
	High   float64 `json:"high"`
}

// BandPoint is the state of the rehearsed alert at a minute.
type BandPoint struct {
	Minute  int  `json:"minute"`
	Reached Band `json:"reached"`
	Coming  Band `json:"coming"`
	Arrived Band `json:"arrived"`
}

// Moment is a time from the launch over the draws, in seconds. Never is the share
// of draws in which it did not come; the bands are of the others.
type Moment struct {
	Band
	Never float64 `json:"never"`
}

// Limit is what holds an alert back.
type Limit string

// The limits.
const (
	LimitSMS       Limit = "sms"       // the rate of the SMS gateway
	LimitVoice     Limit = "voice"     // the lines of the trunk
	LimitDirectory Limit = "directory" // people without an address that works
	LimitPeople    Limit = "people"    // too few come, whatever is called
	LimitNone      Limit = "none"      // what there is is enough
)

// Change is what the alert would gain.
type Change struct {
	// Limit is what would be lifted; More how many: SMS a second, lines, people.
	Limit Limit `json:"limit"`
	More  int   `json:"more"`
	// Reached80 and Quota are the middle times after the change, in seconds; -1 for never.
	Reached80 float64 `json:"reached_80_s"`
	Quota     float64 `json:"quota_s"`
	// Hour is how many are coming after an hour.
	Hour float64 `json:"coming_1h"`
}

// Outcome is what a rehearsal shows. There is no person in it.
type Outcome struct {
	Draws  int          `json:"draws"`
	People int          `json:"people"`
	Points []BandPoint  `json:"points"`
	At50   Moment       `json:"reached_50"`
	At80   Moment       `json:"reached_80"`
	At95   Moment       `json:"reached_95"`
	Quota  Moment       `json:"quota"`
	Binds  Limit        `json:"binds"`
	Lifts  []Change     `json:"lifts"`
	Media  []MediumLoad `json:"media"`
	// Called is how many of the people were called before it stopped; Missing how
	// many posts were still open at the end.
	Called  Band `json:"called"`
	Missing Band `json:"missing"`
}

// MediumLoad is what a medium carries.
type MediumLoad struct {
	Medium channels.Medium `json:"medium"`
	Sent   Band            `json:"sent"`
	// Waited is the longest wait before a message left, in seconds.
	Waited Band `json:"waited_s"`
}

// The draws of the changes are fewer: their middle is asked for, not their edges.
const (
	changeDraws  = 40
	gainLeast    = 0.05 // a change that gains less binds nothing
	seldom       = 0.2  // nights in which the quotas are missed, beyond which too few people come
	horizonLeast = 2 * time.Hour
	horizonMost  = 12 * time.Hour
	// horizonRelief is how far a relief is shown.
	horizonRelief = 25 * time.Hour
)

// horizon is how long the rehearsed alert lasts: after its last wave, time for
// each medium and for people to come.
func (p *plan) horizon() time.Duration {
	last := time.Duration(0)
	for _, w := range p.Definition.Waves {
		last = max(last, w.After.Std()+time.Duration(len(w.Media))*w.Escalate.Std())
	}
	out := min(max(last+90*time.Minute, horizonLeast), horizonMost)
	for _, turn := range p.Definition.turns() {
		if turn > 0 {
			out = max(out, min(turn+time.Hour, horizonRelief))
		}
	}
	return out
}

// rehearse plays so many draws on all processors, and then those of the changes.
// step, when not nil, hears how many were played; it may end the work by an error.
func (c *cast) rehearse(ctx context.Context, seed uint64, draws int, step func(done int) error) (Outcome, error) {
	horizon := c.plan.horizon()
	played := 0
	tell := func(n int) error {
		if step == nil {
			return nil
		}
		return step(played + n)
	}
	base, err := c.performAll(ctx, seed, draws, horizon, tell)
	if err != nil {
		return Outcome{}, err
	}
	out := c.summary(base, horizon)
	for _, v := range c.variants() {
		played += draws
		draws = min(draws, changeDraws)
		list, err := v.cast.performAll(ctx, seed, draws, horizon, tell)
		if err != nil {
			return Outcome{}, err
		}
		s := v.cast.summary(list, horizon)
		out.Lifts = append(out.Lifts, Change{Limit: v.limit, More: v.more, Reached80: s.At80.middle(), Quota: s.Quota.middle(), Hour: s.comingAt(60)})
	}
	out.Binds = out.binding(len(c.plan.Definition.Quotas) > 0)
	return out, nil
}

// rehearsalDraws is how many draws a rehearsal plays in all.
func (c *cast) rehearsalDraws(draws int) int {
	return draws + len(c.variants())*min(draws, changeDraws)
}

func (c *cast) performAll(ctx context.Context, seed uint64, draws int, horizon time.Duration, step func(int) error) ([]*drawing, error) {
	out := make([]*drawing, draws)
	var next, done atomic.Int64
	var work sync.WaitGroup
	var mu sync.Mutex
	var failed error
	for range min(draws, runtime.GOMAXPROCS(0)) {
		work.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				mu.Lock()
				stop := failed != nil
				mu.Unlock()
				if i >= draws || stop || ctx.Err() != nil {
					return
				}
				out[i] = c.perform(seed, i, horizon)
				n := int(done.Add(1))
				mu.Lock()
				if err := step(n); failed == nil {
					failed = err
				}
				mu.Unlock()
			}
		})
	}
	work.Wait()
	return out, cmp.Or(failed, ctx.Err())
}

// variant is the same alert with one limit lifted.
type variant struct {
	limit Limit
	more  int
	cast  *cast
}

func (c *cast) variants() []variant {
	var out []variant
	media := c.plan.Definition.media()
	if c.stage.SMS > 0 && slices.Contains(media, channels.SMS) {
		v := *c
		v.stage.SMS *= 2
		out = append(out, variant{LimitSMS, int(c.stage.SMS), &v})
	}
	if c.stage.Trunk > 0 {
		v := *c
		v.stage.Lines += c.stage.Trunk
		out = append(out, variant{LimitVoice, c.stage.Trunk, &v})
	}
	v := *c
	v.people = append(slices.Clone(c.people), c.silent...)
	v.kinds = make([]kind, len(c.kinds))
	for i, k := range c.kinds {
		whole := k
		whole.media = map[channels.Medium]manner{}
		for m, by := range k.media {
			alive := by.lost.mean()
			whole.media[m] = manner{rate{0, by.lost.Of}, raised(by.heard, alive), raised(by.answered, alive)}
		}
		v.kinds[i] = whole
	}
	return append(out, variant{LimitDirectory, len(c.silent), &v})
}

// raised is a rate once a share of dead addresses has become good ones.
func raised(r rate, dead float64) rate {
	return rate{min(r.Of, r.Yes/max(1-dead, 0.05)), r.Of}
}

// binding is the limit whose lifting gains most; else people, when too few come.
func (o *Outcome) binding(quotas bool) Limit {
	best, gain := LimitNone, gainLeast
	if quotas && o.Quota.Never > seldom {
		best = LimitPeople
	}
	for _, l := range o.Lifts {
		g := gained(o.At80.middle(), l.Reached80)
		if quotas {
			g = gained(o.Quota.middle(), l.Quota)
		}
		if g > gain {
			best, gain = l.Limit, g
		}
	}
	return best
}

// gained is the share of a time that is won; never before and sometime now is all of it.
func gained(before, after float64) float64 {
	switch {
	case after < 0:
		return 0
	case before < 0:
		return 1
	case before == 0:
		return 0
	}
	return (before - after) / before
}

// middle is the middle time, -1 when most draws never saw it.
func (m Moment) middle() float64 {
	if m.Never > 0.5 {
		return -1
	}
	return m.Middle
}

func (o *Outcome) comingAt(minute int) float64 {
	if len(o.Points) == 0 {
		return 0
	}
	return o.Points[min(minute, len(o.Points)-1)].Coming.Middle
}

func (c *cast) summary(list []*drawing, horizon time.Duration) Outcome {
	o := Outcome{Draws: len(list), People: len(c.people)}
	for _, curve := range []func(*drawing) []int{
		func(d *drawing) []int { return d.reached }, func(d *drawing) []int { return d.coming }, func(d *drawing) []int { return d.arrived },
	} {
		for _, d := range list {
			accumulate(curve(d))
		}
	}
	for minute := range int(horizon/time.Minute) + 1 {
		o.Points = append(o.Points, BandPoint{
			Minute:  minute,
			Reached: bandOf(list, func(d *drawing) float64 { return float64(d.reached[minute]) }),
			Coming:  bandOf(list, func(d *drawing) float64 { return float64(d.coming[minute]) }),
			Arrived: bandOf(list, func(d *drawing) float64 { return float64(d.arrived[minute]) }),
		})
	}
	o.At50, o.At80, o.At95 = momentOf(list, reachedShare(50)), momentOf(list, reachedShare(80)), momentOf(list, reachedShare(95))
	o.Quota = momentOf(list, func(d *drawing) time.Duration { return d.metAt })
	o.Called = bandOf(list, func(d *drawing) float64 { return float64(d.called) })
	o.Missing = bandOf(list, func(d *drawing) float64 { return float64(d.missing) })
	for _, m := range c.plan.Definition.media() {
		o.Media = append(o.Media, MediumLoad{
			Medium: m, Sent: bandOf(list, func(d *drawing) float64 { return float64(d.sent[m]) }),
			Waited: bandOf(list, func(d *drawing) float64 { return d.waited[m].Seconds() }),
		})
	}
	return o
}

func accumulate(changes []int) {
	for i := 1; i < len(changes); i++ {
		changes[i] += changes[i-1]
	}
}

// reachedShare is when that share of the people called was reached, as the report
// of a real alert says it; -1 for never.
func reachedShare(percent int) func(*drawing) time.Duration {
	return func(d *drawing) time.Duration {
		n := (d.called*percent + 99) / 100
		if n == 0 || n > len(d.reachedAt) {
			return -1
		}
		return d.reachedAt[n-1]
	}
}

func bandOf(list []*drawing, of func(*drawing) float64) Band {
	values := make([]float64, len(list))
	for i, d := range list {
		values[i] = of(d)
	}
	return band(values)
}

func band(values []float64) Band {
	if len(values) == 0 {
		return Band{}
	}
	slices.Sort(values)
	at := func(share float64) float64 { return values[int(share*float64(len(values)-1)+0.5)] }
	return Band{at(0.05), at(0.5), at(0.95)}
}

func momentOf(list []*drawing, of func(*drawing) time.Duration) Moment {
	var seen []float64
	for _, d := range list {
		if t := of(d); t >= 0 {
			seen = append(seen, t.Seconds())
		}
	}
	if len(list) == 0 {
		return Moment{}
	}
	return Moment{band(seen), 1 - float64(len(seen))/float64(len(list))}
}
