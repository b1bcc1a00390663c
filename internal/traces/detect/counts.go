package detect

import (
	"cmp"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// countsMost bounds the names that are counted apart; beyond it all others go
// under no name.
const countsMost = 20_000

// verdict is what the care said of one access.
type verdict int

const (
	explained verdict = iota
	unexplained
	notJudged
)

func judged(covered, alone bool) verdict {
	switch {
	case !covered:
		return notJudged
	case alone:
		return unexplained
	}
	return explained
}

func (h *house) count(d *Detector, e *traces.Event, v verdict) {
	k := traces.Count{Organisation: h.id, Day: int(e.Received / day), Service: d.fold(e.Service), Application: e.Application}
	c := h.counts[k]
	if c == nil {
		if len(h.counts) >= countsMost {
			k.Service, k.Application = "", ""
		}
		k.Service, k.Application = clone(k.Service), clone(k.Application)
		if c = h.counts[k]; c == nil {
			c = &traces.Share{}
			h.counts[k] = c
		}
	}
	switch v {
	case explained:
		c.Explained++
	case unexplained:
		c.Unexplained++
	case notJudged:
		c.NotJudged++
	}
}

// TakeShares gives what was counted since it was last taken, to be added up by
// whoever keeps it.
func (d *Detector) TakeShares() map[traces.Count]traces.Share {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[traces.Count]traces.Share{}
	for _, h := range d.houses {
		for k, c := range h.counts {
			out[k] = *c
		}
		clear(h.counts)
	}
	return out
}

// Cost is what the detection costs those who look: figures since it began, or
// since the snapshot it was restored from began.
type Cost struct {
	Organisation uuid.UUID
	Accesses     int64
	// Hits is what was told, each once however often it was told again.
	Hits int64
	// Unread are those that were not told because the care could not be read again.
	Unread int64
}

// PerThousand is how many things are told per 1,000 accesses.
func (c Cost) PerThousand() float64 {
	if c.Accesses == 0 {
		return 0
	}
	return 1000 * float64(c.Hits) / float64(c.Accesses)
}

// Costs gives the cost of each establishment.
func (d *Detector) Costs() []Cost {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Cost
	for _, h := range d.houses {
		out = append(out, h.cost)
	}
	slices.SortFunc(out, func(a, b Cost) int { return cmp.Compare(a.Organisation.String(), b.Organisation.String()) })
	return out
}
