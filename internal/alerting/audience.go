package alerting

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// member is a person of the audience, placed.
type member struct {
	Target directory.Target
	// Wave is from 0; -1 when no wave wants him.
	Wave   int
	Why    LeftOut
	Ladder []rung
}

// narrowing is what the launcher chose on the sheet.
type narrowing struct {
	Sites    []uuid.UUID `json:"sites,omitempty"`
	Services []uuid.UUID `json:"services,omitempty"`
}

// audience streams the people concerned by a plan, each human once, with the
// wave that calls him or the reason why none does. It reads one snapshot.
func (s *Service) audience(ctx context.Context, scope access.Scope, p *plan, n narrowing, now time.Time, each func(member) error) error {
	return s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		waves, err := s.matchers(ctx, tx, scope, p, now)
		if err != nil {
			return err
		}
		tonight, err := s.askedTonight(ctx, tx, scope, p, now)
		if err != nil {
			return err
		}
		rule := narrowed(p.Definition.Audience.Include, n)
		kept, err := s.keepBack(ctx, tx, scope, p, n, rule, waves, now)
		if err != nil {
			return err
		}
		return s.people.Resolve(ctx, tx, scope, rule, p.Definition.Audience.Exclude, now, func(t directory.Target) error {
			if !among(n.Sites, t.Site) || !among(n.Services, t.Service) {
				return nil
			}
			if wave, yes := kept[t.Person]; yes {
				return each(member{Target: t, Wave: wave, Ladder: ladder(t, p.Definition.Waves[wave].Media)})
			}
			return each(p.spare(p.place(t, waves, now), tonight[t.Person]))
		})
	})
}

// narrowed lets the directory do what it can of the narrowing. People on leave
// and those the planning puts elsewhere are asked for: the sheet says that they
// are not called.
func narrowed(r directory.Rule, n narrowing) directory.Rule {
	if len(r.Sites) == 0 {
		r.Sites = n.Sites
	}
	if len(r.Services) == 0 {
		r.Services = n.Services
	}
	r.Absent, r.Duty = true, directory.UnknownDuty
	return r
}

func (s *Service) matchers(ctx context.Context, tx *storage.Tx, scope access.Scope, p *plan, now time.Time) ([]matcher, error) {
	out := make([]matcher, len(p.Definition.Waves))
	for i, w := range p.Definition.Waves {
		out[i].rule = w.Who
		if !needsSet(w.Who) {
			continue
		}
		out[i].set = map[uuid.UUID]struct{}{}
		who := w.Who
		who.Absent = true
		err := s.people.Resolve(ctx, tx, scope, who, directory.Rule{}, now, func(t directory.Target) error {
			out[i].set[t.Person] = struct{}{}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// place gives the first wave that wants a person, and his ladder in it.
func (p *plan) place(t directory.Target, waves []matcher, now time.Time) member {
	m := member{Target: t, Wave: -1}
	for i, w := range waves {
		// A relief without a rule draws its people: see keepBack.
		if w.matches(t) && (p.Definition.Waves[i].Relief == 0 || w.set != nil || names(w.rule)) {
			m.Wave = i
			break
		}
	}
	if m.Why = p.leftOut(t, m.Wave, now); m.Why != "" {
		return m
	}
	media := p.Definition.Waves[m.Wave].Media
	if m.Ladder = ladder(t, media); len(m.Ladder) == 0 {
		m.Why = whyNoRung(t, media)
	}
	return m
}

// unitKey is a service on a site, by id, or by name when the directory has no id.
type unitKey struct {
	site, service         uuid.UUID
	siteName, serviceName string
}

func unitOf(t directory.Target) unitKey {
	return unitKey{t.Site, t.Service, t.SiteName, t.ServiceName}
}

// entry is a recipient about to be written: what is kept of a member, small,
// because a launch holds all of them at once.
type entry struct {
	ID, Person          uuid.UUID
	Last, First, Folded string
	Language, Skills    string
	Unit, Wave          int
	Why                 LeftOut
	Ladder              []rung
	Code                string
	Site                uuid.UUID
	// Order is the first message; Nil when the wave has not left.
	Order uuid.UUID
}

// roll is the frozen list of an alert.
type roll struct {
	entries []entry
	units   []unitKey
	byUnit  map[unitKey]int
	// people and left count those called and not called; none those no wave wants.
	people, left, none int
	byWave             map[int]int
	sites              map[uuid.UUID]string
}

func newRoll() *roll {
	return &roll{byUnit: map[unitKey]int{}, byWave: map[int]int{}, sites: map[uuid.UUID]string{}}
}

func (r *roll) unit(t directory.Target) int {
	k := unitOf(t)
	n, ok := r.byUnit[k]
	if !ok {
		n = len(r.units)
		k.siteName, k.serviceName = strings.Clone(k.siteName), strings.Clone(k.serviceName)
		r.units = append(r.units, k)
		r.byUnit[k] = n
		r.sites[t.Site] = k.siteName
	}
	return n
}

func (r *roll) add(m member, house string) {
	if m.Why == LeftNoWave {
		r.none++
		return
	}
	e := entry{
		Person: m.Target.Person, Last: m.Target.LastName, First: m.Target.FirstName, Language: spoken(m.Target.Language, house),
		Skills: skills(m.Target.Metier, m.Target.Qualifications), Unit: r.unit(m.Target), Wave: max(0, m.Wave), Why: m.Why, Ladder: m.Ladder, Site: m.Target.Site,
	}
	if m.Why == "" {
		r.people++
		r.byWave[e.Wave]++
	} else {
		r.left++
	}
	r.entries = append(r.entries, e)
}

// number gives every entry its id, and a code to those who are called.
func (r *roll) number(now time.Time) {
	next, codes := newIDs(now), vault.NewLinkCodes(r.people)
	for i := range r.entries {
		e := &r.entries[i]
		e.ID = next.take()
		if e.Why == "" {
			e.Code, codes = codes[0], codes[1:]
		}
	}
}
