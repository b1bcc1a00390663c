package detect

import (
	"cmp"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// Count says of which accesses a share is told.
type Count struct {
	Organisation uuid.UUID
	// Day is the day of the establishment, in days since 1 January 1970.
	Day int
	// Service and Application as the events name them; beyond countsMost a day all
	// others go under no name.
	Service, Application string
}

// Share tells how many accesses the care explained.
type Share struct {
	Count
	Explained, Unexplained int64
	// NotJudged could not be held against the care: nothing gives it, or it could
	// not be read.
	NotJudged int64
}

type counted [3]int64

const (
	explained = iota
	unexplained
	notJudged
)

const countsMost = 20_000

func judged(covered, alone bool) int {
	switch {
	case !covered:
		return notJudged
	case alone:
		return unexplained
	}
	return explained
}

func (h *house) count(d *Detector, e *traces.Event, s slot, which int) {
	k := Count{h.id, s.day, d.fold(e.Service), e.Application}
	c := h.counts[k]
	if c == nil {
		if len(h.counts) >= countsMost {
			k.Service, k.Application = "", ""
		}
		k.Service, k.Application = clone(k.Service), clone(k.Application)
		if c = h.counts[k]; c == nil {
			c = &counted{}
			h.counts[k] = c
		}
	}
	c[which]++
}

// TakeShares gives what was counted since it was last taken, to be added up by
// whoever keeps it.
func (d *Detector) TakeShares() []Share {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Share
	for _, h := range d.houses {
		for k, c := range h.counts {
			out = append(out, Share{k, c[explained], c[unexplained], c[notJudged]})
		}
		clear(h.counts)
	}
	slices.SortFunc(out, func(a, b Share) int {
		return cmp.Or(cmp.Compare(a.Organisation.String(), b.Organisation.String()), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Application, b.Application))
	})
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

// DayOf is the day of a Count as a date, at midnight UTC.
func DayOf(n int) time.Time { return time.Unix(int64(n)*24*60*60, 0).UTC() }
