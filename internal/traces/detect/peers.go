package detect

import "math"

// volume is what peers open in an hour.
type volume struct {
	peers  map[peersKey]*peers
	season [kinds]ratio
	swept  int64
}

func newVolume() volume { return volume{peers: map[peersKey]*peers{}} }

// season is how the whole establishment does these days beside what was learnt:
// the epidemics of winter, the beds closed in August.
func (r ratio) season() float64 { return clip(r.at(2000), 0.5, 2) }

// peersKey is a group of peers: those of a function in a service, of a function,
// or all (both empty), for one kind of count.
type peersKey struct {
	Kind       int
	App        uint64
	Role, Ward string
}

// peers are the hours of a group. What is learnt weighs half after six weeks.
type peers struct {
	Week  [168]cell
	Whole cell
	// Excess and Square estimate the dispersion: the sums of (x−m)²−m and of m².
	Excess, Square float64
	Since          int // the week the weights are of
}

type cell struct{ N, Sum float32 }

func (c *cell) add(x float64) { c.N, c.Sum = c.N+1, c.Sum+float32(x) }

// towards is the mean, drawn to another as if that had been seen five times.
func (c *cell) towards(mean float64) float64 {
	return (float64(c.Sum) + 5*mean) / (float64(c.N) + 5)
}

func (c *cell) fade(by float32) { c.N, c.Sum = c.N*by, c.Sum*by }

const (
	peersMost = 4_000
	// known is how many hours of peers make a usual hour.
	known     = 200
	weekFades = 0.8909 // half after six weeks
)

func (v *volume) group(k peersKey, week int) *peers {
	p := v.peers[k]
	if p == nil {
		if len(v.peers) >= peersMost {
			return nil
		}
		p = &peers{Since: week}
		v.peers[k] = p
	}
	if week > p.Since {
		by := math.Pow(weekFades, float64(min(week-p.Since, 100)))
		for i := range p.Week {
			p.Week[i].fade(float32(by))
		}
		p.Whole.fade(float32(by))
		p.Excess, p.Square, p.Since = p.Excess*by, p.Square*by, week
	}
	return p
}

// mean is what the group opens in an hour of the week, drawn to what it opens in
// any, and that to a wider group's.
func (p *peers) mean(week int, wider float64) float64 {
	if p == nil {
		return wider
	}
	return p.Week[week].towards(p.Whole.towards(wider))
}

// expect gives the mean of such an hour, the dispersion, and whether enough is
// known to say so.
func (v *volume) expect(kind int, app uint64, role, ward string, s slot) (mean, spread float64, sure bool) {
	week := s.day / 7
	all := v.group(peersKey{kind, app, "", ""}, week)
	if all == nil {
		return 0, 0, false
	}
	mean = all.mean(s.week, 1)
	by := v.group(peersKey{kind, app, role, ""}, week)
	mean = by.mean(s.week, mean)
	widest := by
	if by == nil || by.Whole.N < known {
		widest = all
	}
	spread = clip((widest.Excess+10)/(widest.Square+20), 0.05, 3)
	if kind == allRecords {
		mean = v.group(peersKey{kind, app, role, ward}, week).mean(s.week, mean)
	}
	return max(mean, 0.5), spread, widest.Whole.N >= known
}

// learn adds an hour in which x patients were opened.
func (v *volume) learn(kind int, app uint64, role, ward string, s slot, x float64) {
	mean, _, _ := v.expect(kind, app, role, ward, s)
	week := s.day / 7
	for _, k := range [...]peersKey{{kind, app, "", ""}, {kind, app, role, ""}, {kind, app, role, ward}} {
		if k.Ward != "" && kind != allRecords {
			continue
		}
		if p := v.group(k, week); p != nil {
			p.Week[s.week].add(x)
			p.Whole.add(x)
			p.Excess += (x-mean)*(x-mean) - mean
			p.Square += mean * mean
		}
	}
}

// tail is the chance that a negative binomial count of a mean and a dispersion
// (variance = mean + spread·mean²) is n or more.
func tail(mean, spread float64, n int) float64 {
	r := 1 / spread
	q := mean / (r + mean)
	f := math.Exp(-r * math.Log1p(spread*mean)) // of zero
	below := 0.0
	for k := range n {
		below += f
		f *= (float64(k) + r) / float64(k+1) * q
	}
	if 1-below > 1e-9 {
		return 1 - below
	}
	// Far out the sum of what is left is a geometric one within a few percents.
	ratio := (float64(n) + r) / float64(n+1) * q
	return f / max(1-ratio, 1e-3)
}

// beyond is the smallest count whose chance is below p.
func beyond(mean, spread, p float64) int {
	r := 1 / spread
	q := mean / (r + mean)
	f := math.Exp(-r * math.Log1p(spread*mean))
	left := 1.0
	for n := 1; n < idsMost; n++ {
		left -= f
		f *= (float64(n-1) + r) / float64(n) * q
		if left < p && (left > 1e-9 || f/(1-q) < p) {
			return n
		}
	}
	return idsMost
}
