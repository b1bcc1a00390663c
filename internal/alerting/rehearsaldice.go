package alerting

import (
	"math"
	"math/rand/v2"
	"time"
)

// dice are the chances of one draw; the same seed and number give the same draw.
type dice struct{ *rand.Rand }

func newDice(seed uint64, draw int) dice {
	return dice{rand.New(rand.NewPCG(seed, uint64(draw)))}
}

func (d dice) happens(p float64) bool { return d.Float64() < p }

// gamma draws from the gamma law of that shape, 1 as scale: Marsaglia and Tsang,
// "A Simple Method for Generating Gamma Variables", 2000.
func (d dice) gamma(shape float64) float64 {
	if shape < 1 {
		return d.gamma(shape+1) * math.Pow(d.Float64(), 1/shape)
	}
	k := shape - 1.0/3
	c := 1 / math.Sqrt(9*k)
	for {
		x := d.NormFloat64()
		v := math.Pow(1+c*x, 3)
		if v > 0 && math.Log(d.Float64()) < x*x/2+k-k*v+k*math.Log(v) {
			return k * v
		}
	}
}

// beta draws a share: the more was seen, the nearer to what was seen.
func (d dice) beta(yes, no float64) float64 {
	a, b := d.gamma(yes), d.gamma(no)
	if a+b == 0 {
		return yes / (yes + no)
	}
	return a / (a + b)
}

// rate is a share that was seen, and how much of it.
type rate struct{ Yes, Of float64 }

// No two nights are alike: however many people were seen, a share is known as if
// from no more than wisdom of them. Where little was seen, doubt people of the
// first guess are added.
const (
	wisdom = 150
	doubt  = 10
)

// share is a rate seen so often, with a first guess for when it was not.
func share(seen, of int, guess float64) rate {
	r := rate{float64(seen) + doubt*guess, float64(of) + doubt}
	if r.Of > wisdom {
		r.Yes, r.Of = r.Yes*wisdom/r.Of, wisdom
	}
	return r
}

// mean is the share itself.
func (r rate) mean() float64 { return r.Yes / r.Of }

// draw is the share of one night.
func (r rate) draw(d dice) float64 {
	const edge = 0.02 // nothing is impossible, and nothing certain
	return d.beta(max(r.Yes, edge), max(r.Of-r.Yes, edge))
}

// span is a law of durations: what was seen, or a log-normal law when too little was.
type span struct {
	slots []int
	total int
	// median and sigma are those of the law.
	median time.Duration
	sigma  float64
}

func spanOf(seen map[int]int, median time.Duration, sigma float64) span {
	s := span{median: median, sigma: sigma}
	for slot, n := range seen {
		for len(s.slots) <= slot {
			s.slots = append(s.slots, 0)
		}
		s.slots[slot] += n
		s.total += n
	}
	if s.total < SampleLeast {
		s.total = 0
	}
	return s
}

func (s span) draw(d dice) time.Duration {
	if s.total == 0 {
		return time.Duration(float64(s.median) * math.Exp(s.sigma*d.NormFloat64()))
	}
	n := d.IntN(s.total)
	for slot, count := range s.slots {
		if n -= count; n < 0 {
			low := math.Exp2(float64(slot) / 2)
			return time.Duration(low * (1 + d.Float64()*(math.Sqrt2-1)) * float64(time.Second))
		}
	}
	return s.median
}
