package detect

import (
	"math"
	"slices"
)

// community is who opens the records that others open too: nurses of a service
// share their patients, and a stranger among those who opened a record stands
// out; a colleague who shares their patients, with a message of care missing,
// does not. Each account is a sketch of the patients it opened these last weeks,
// made once a day, so that what is done today is not its own excuse.
type community struct {
	day    int
	actors map[uint64]*actor // by digest of the account
	opened map[uint64]*openers
	// low and middle are the similarities below which one in twenty, and half, of
	// the accesses that care explains are.
	low, middle float64
	learnt      int
	asked       int
}

// sketch is what an account opened: each patient adds one, or takes one, at a
// place, so that the cosine of two sketches is that of the sets of patients, within
// a tenth. settled is that of the days before, each weighing less.
type sketch struct {
	Settled, Today [sketchWide]float32
	Length         float64
}

const (
	sketchWide    = 128
	sketchFades   = 0.85
	openersKept   = 8
	openersDays   = 14
	openersMost   = 250_000
	lengthLeast   = 4.0 // some 15 patients
	opinionsLeast = 200
)

// openers are the last who opened a record.
type openers struct {
	Who  [openersKept]uint64
	Days [openersKept]int32
}

func newCommunity() community {
	return community{actors: map[uint64]*actor{}, opened: map[uint64]*openers{}, low: 0.1, middle: 0.4}
}

// see notes that an account opened a record, once a day.
func (c *community) see(a *actor, p *facts, at int64) {
	today := int32(at / day)
	o := c.opened[p.id]
	if o == nil {
		if len(c.opened) >= openersMost {
			return
		}
		o = &openers{}
		c.opened[p.id] = o
	}
	oldest := 0
	for i, who := range o.Who {
		if who == a.id {
			if o.Days[i] == today {
				return
			}
			oldest = i
			break
		}
		if o.Days[i] < o.Days[oldest] {
			oldest = i
		}
	}
	o.Who[oldest], o.Days[oldest] = a.id, today
	c.actors[a.id] = a
	if a.sketch == nil {
		a.sketch = &sketch{}
	}
	sign := float32(1)
	if p.id>>40&1 == 0 {
		sign = -1
	}
	a.sketch.Today[p.id%sketchWide] += sign
}

// taught learns how similar those are whom care explains.
func (c *community) taught(a *actor, p *facts) {
	if c.asked++; c.asked%16 != 0 {
		return
	}
	s, n := c.similar(a, p)
	if n < 3 {
		return
	}
	c.learnt++
	step := max(0.002, 0.05/math.Sqrt(float64(c.learnt)))
	c.low += step * (0.05 - below(s, c.low))
	c.middle += step * (0.5 - below(s, c.middle))
}

func below(s, q float64) float64 {
	if s < q {
		return 1
	}
	return 0
}

// similar is the mean similarity of an account to the others who opened a record,
// and how many they are.
func (c *community) similar(a *actor, p *facts) (float64, int) {
	o := c.opened[p.id]
	if o == nil || a.sketch == nil || a.sketch.Length < lengthLeast {
		return 0, 0
	}
	sum, n := 0.0, 0
	for _, who := range o.Who {
		other := c.actors[who]
		if who == 0 || who == a.id || other == nil || other.sketch.Length < lengthLeast {
			continue
		}
		dot := float32(0)
		for i, x := range a.sketch.Settled {
			dot += x * other.sketch.Settled[i]
		}
		sum += float64(dot) / (a.sketch.Length * other.sketch.Length)
		n++
	}
	return sum / float64(max(n, 1)), n
}

// opinion is the weight of the second opinion: from −2.5 for those who share
// their patients with the others, to 1 for a stranger; zero when too few opened
// the record.
func (c *community) opinion(a *actor, p *facts) float64 {
	if c.learnt < opinionsLeast {
		return 0
	}
	s, n := c.similar(a, p)
	if n < 3 {
		return 0
	}
	return clip(1-3.5*(s-c.low)/max(c.middle-c.low, 0.05), -2.5, 1)
}

// turn ends a day: what was opened becomes what is usual, and the accounts and
// records of which nothing was seen for long are forgotten.
func (c *community) turn(h *house, clock int64) {
	today := int(clock / day)
	if today == c.day {
		return
	}
	c.day = today
	for id, a := range c.actors {
		if h.actors[a.account] != a {
			delete(c.actors, id)
			continue
		}
		a.sketch.settle()
	}
	for id, o := range c.opened {
		if int(slices.Max(o.Days[:]))+openersDays < today {
			delete(c.opened, id)
		}
	}
}

func (s *sketch) settle() {
	sum := 0.0
	for i := range s.Settled {
		s.Settled[i] = s.Settled[i]*sketchFades + s.Today[i]
		sum += float64(s.Settled[i]) * float64(s.Settled[i])
	}
	s.Length, s.Today = math.Sqrt(sum), [sketchWide]float32{}
}
