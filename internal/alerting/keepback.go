package alerting

import (
	"cmp"
	"context"
	"encoding/binary"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/storage"
)

// This file chooses who is not called now because he will relieve those who come.
// First those who could not come now: their rest ends before the slot. Then a part
// of the others, by a lot that is drawn anew each day and knows nothing of anybody.

// The share of those called who come, while nothing was learnt, and the least that is believed.
const (
	guessKept = 0.26
	leastKept = 0.10
)

// Keep is how many are kept back for one line of a relief.
type Keep struct {
	// People are enough for the line to be filled.
	People int `json:"people"`
	// Share is the part of those called who come, From the kind it was learnt of.
	Share float64 `json:"share"`
	From  Breadth `json:"from"`
}

// keeps gives how many each line of a relief keeps back; nothing for the other lines.
func (d Definition) keeps(m *memory, shows []Show, at time.Time) []Keep {
	out := make([]Keep, len(d.Quotas))
	for i, q := range d.Quotas {
		if d.turnOf(q) == 0 {
			continue
		}
		l, breadth := m.like(q.Skill, "", at, func(l Learnt) bool { return l.Tried >= SampleLeast })
		k := Keep{Share: guessKept, From: breadth}
		if breadth != OfNobody {
			k.Share = max(float64(l.Coming)/float64(l.Tried), leastKept)
		}
		k.People = int(math.Ceil(float64(booked(q.Needed, shows[i].Rate)) / k.Share))
		out[i] = k
	}
	return out
}

// spareOne is somebody who may be kept back.
type spareOne struct {
	person  uuid.UUID
	skills  string
	site    uuid.UUID
	waves   []int // of reliefs, in which he has an address and is rested
	resting bool  // he cannot come now
	lot     uint64
}

// keepBack chooses who waits for which relief. A relief that names its people keeps
// all of them: place does that.
func (s *Service) keepBack(ctx context.Context, tx *storage.Tx, scope access.Scope, p *plan, n narrowing, rule directory.Rule, waves []matcher, now time.Time) (map[uuid.UUID]int, error) {
	if !p.Definition.relieves() {
		return nil, nil
	}
	var pool []spareOne
	err := s.people.Resolve(ctx, tx, scope, rule, p.Definition.Audience.Exclude, now, func(t directory.Target) error {
		if !among(n.Sites, t.Site) || !among(n.Services, t.Service) {
			return nil
		}
		if one, ok := p.spareOne(t, p.place(t, waves, now), now); ok {
			pool = append(pool, one)
		}
		return nil
	})
	return p.draw(pool), err
}

// spareOne tells whether somebody may be kept back, and for which reliefs.
func (p *plan) spareOne(t directory.Target, m member, now time.Time) (spareOne, bool) {
	if m.Why != "" && m.Why != LeftResting || m.Wave < 0 || p.wave(m.Wave).Relief > 0 || p.forFunction(m.Wave) || t.Duty == directory.OnDuty {
		return spareOne{}, false
	}
	one := spareOne{
		person: t.Person, skills: skills(t.Metier, t.Qualifications), site: t.Site, resting: m.Why == LeftResting, lot: lotOf(t.Person, now.In(p.zone)),
	}
	for i, w := range p.Definition.Waves {
		if w.Relief > 0 && !needsSet(w.Who) && !names(w.Who) && p.leftOut(t, i, now) == "" && len(ladder(t, w.Media)) > 0 {
			one.waves = append(one.waves, i)
		}
	}
	return one, len(one.waves) > 0
}

// names tells a rule that names its people.
func names(r directory.Rule) bool {
	return len(r.Metiers)+len(r.Qualifications)+len(r.Services)+len(r.Sites)+len(r.People) > 0
}

// lotOf is the lot of somebody on a day.
func lotOf(person uuid.UUID, local time.Time) uint64 {
	h := fnv.New64a()
	y, m, d := local.Date()
	var day [8]byte
	binary.BigEndian.PutUint64(day[:], uint64(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix()))
	_, _ = h.Write(day[:])
	_, _ = h.Write(person[:])
	return h.Sum64()
}

// draw keeps for each line of a relief as many as it asks for: those at rest, and
// then no more than half of those who could come now.
func (p *plan) draw(pool []spareOne) map[uuid.UUID]int {
	out := map[uuid.UUID]int{}
	slices.SortFunc(pool, func(a, b spareOne) int {
		if a.resting != b.resting {
			if a.resting {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.lot, b.lot), compareIDs(a.person, b.person))
	})
	for line, q := range p.Definition.Quotas {
		if line >= len(p.keeps) || p.keeps[line].People == 0 {
			continue
		}
		free, taken, kept := 0, 0, 0
		fits := func(one spareOne) bool {
			return (q.Site == uuid.Nil || q.Site == one.site) && (q.Skill == "" || strings.Contains(one.skills, " "+q.Skill+" "))
		}
		for _, one := range pool {
			if !one.resting && fits(one) {
				free++
				if _, already := out[one.person]; already {
					taken++
				}
			}
		}
		for _, one := range pool {
			_, already := out[one.person]
			if kept == p.keeps[line].People || already || !fits(one) || !one.resting && taken >= free/2 {
				continue
			}
			wave := slices.IndexFunc(one.waves, func(w int) bool { return p.wave(w).Relief == q.From })
			if wave < 0 {
				continue
			}
			out[one.person] = one.waves[wave]
			kept++
			if !one.resting {
				taken++
			}
		}
	}
	return out
}

// tellKept opens the words to those kept back, in the reliefs that want them told.
func tellKept(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch, p *plan, people map[int]int) error {
	for i, w := range p.Definition.Waves {
		if w.Relief == 0 || !w.Notice || people[i] == 0 {
			continue
		}
		if err := insertMailing(ctx, tx, scope, l.LaunchedAt, mailing{Launch: l.ID, Kind: mailKept, Wave: i}); err != nil {
			return err
		}
	}
	return nil
}
