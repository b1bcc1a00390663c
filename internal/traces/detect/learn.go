package detect

import (
	"math"

	"tocsin/internal/traces"
)

// tally is how often something is so, the past weighing half once the sum is
// large: habits drift.
type tally struct{ Of, All float64 }

const tallyMost = 200_000

func (t *tally) add(so bool) {
	if t.All >= tallyMost {
		t.Of, t.All = t.Of/2, t.All/2
	}
	t.All++
	if so {
		t.Of++
	}
}

// share is the share, drawn towards what is supposed before as if supposed had
// been seen strength times.
func (t *tally) share(supposed, strength float64) float64 {
	if t == nil {
		return supposed
	}
	return (t.Of + supposed*strength) / (t.All + strength)
}

// role is what is usual for a function.
type role struct {
	Unexplained, Prints, Exports tally
	Hours                        [48]float64
	Sum                          float64
}

func (r *role) hour(s slot) {
	if r.Sum >= tallyMost {
		r.Sum /= 2
		for i := range r.Hours {
			r.Hours[i] /= 2
		}
	}
	r.Hours[s.kind]++
	r.Sum++
}

// profile is what is usual for an account.
type profile struct {
	Unexplained tally
	// Hours counts accesses by hour of a working day and of a day of rest.
	Hours [48]uint16
	Sum   uint32
	// Places are the workstations last used, News how often another one came.
	Places [8]place
	News   uint32
	// Width is how wide the account opens records beside its peers, by kind.
	Width [kinds]ratio
}

type place struct {
	ID uint64
	N  uint32
}

// ratio is what was seen beside what was expected.
type ratio struct{ Seen, Expected float64 }

// at is the ratio, drawn to one as if strength had been expected and seen.
func (r ratio) at(strength float64) float64 { return (r.Seen + strength) / (r.Expected + strength) }

func (r *ratio) add(seen, expected, keep float64) {
	r.Seen, r.Expected = r.Seen*keep+seen, r.Expected*keep+expected
}

// function is the group of peers of an account.
func (d *Detector) function(a *actor, e *traces.Event) string {
	if a.member.Function != "" {
		return d.fold(a.member.Function)
	}
	return d.fold(e.Function)
}

// ward is where an account works, for what is usual there.
func (d *Detector) ward(a *actor, e *traces.Event) string {
	if len(a.member.Services) > 0 {
		return a.member.Services[0]
	}
	return d.fold(e.Service)
}

const rolesMost = 2_000

// role gives the group of a function; beyond rolesMost all others are one.
func (h *house) role(name string) *role {
	r := h.roles[name]
	if r == nil {
		if len(h.roles) >= rolesMost {
			name = ""
		}
		if r = h.roles[name]; r == nil {
			r = &role{}
			h.roles[name] = r
		}
	}
	return r
}

// learn adds an access to what is usual.
func (h *house) learn(a *actor, r *role, ward string, e *traces.Event, s slot, covered, alone bool) {
	if covered {
		r.Unexplained.add(alone)
		a.profile.Unexplained.add(alone)
	}
	r.Prints.add(e.Action == traces.Print)
	r.Exports.add(e.Action == traces.Export)
	g := h.glass[ward]
	if g == nil {
		if len(h.glass) >= rolesMost {
			ward = ""
		}
		if g = h.glass[ward]; g == nil {
			g = &tally{}
			h.glass[ward] = g
		}
	}
	g.add(e.Action == traces.BreakGlass)
	r.hour(s)
	a.profile.hour(s)
	a.profile.stand(digest(e.Workstation))
}

const hoursMost = 6_000

func (p *profile) hour(s slot) {
	if p.Sum >= hoursMost {
		p.Sum = 0
		for i := range p.Hours {
			p.Hours[i] /= 2
			p.Sum += uint32(p.Hours[i])
		}
		p.News /= 2
	}
	p.Hours[s.kind]++
	p.Sum++
}

func (p *profile) stands(id uint64) bool {
	for i := range p.Places {
		if p.Places[i].ID == id {
			return true
		}
	}
	return false
}

// stand notes the workstation, in the place of the one used least.
func (p *profile) stand(id uint64) {
	if id == 0 {
		return
	}
	least := 0
	for i := range p.Places {
		if p.Places[i].ID == id {
			p.Places[i].N++
			return
		}
		if p.Places[i].N < p.Places[least].N {
			least = i
		}
	}
	p.Places[least] = place{id, 1}
	p.News++
}

// habits is how many accesses make hours and places usual.
const habits = 200

// oddHour is the weight of an hour: how much rarer it is than hours are on the
// whole, for the account, its neighbours counted by half, and for its peers as
// much: whose turn changes from mornings to nights works as the others do.
func (p *profile) oddHour(r *role, s slot) float64 {
	if p.Sum < habits {
		return 0
	}
	base, h := s.kind/24*24, s.kind%24
	near := float64(p.Hours[s.kind]) + float64(p.Hours[base+(h+1)%24])/2 + float64(p.Hours[base+(h+23)%24])/2
	own := (near + 0.5) / 2 / float64(p.Sum)
	peers := (r.Hours[s.kind] + 1) / (r.Sum + 48)
	return clip(-math.Log(48*(own+peers)/2), 0, 2)
}

// oddPlace is the weight of a workstation never used before, for those who
// rarely change. Five accesses make a session.
func (p *profile) oddPlace(id uint64) float64 {
	if id == 0 || p.Sum < habits || p.stands(id) {
		return 0
	}
	return clip(math.Log(0.3/(5*float64(p.News+2)/float64(p.Sum))), 0, 1.5)
}

// tireless tells an account that works at all hours, as programs do.
func (p *profile) tireless() bool {
	if p.Sum < 2_000 {
		return false
	}
	busy := 0
	for _, n := range p.Hours {
		if float64(n)*48 > 0.25*float64(p.Sum) {
			busy++
		}
	}
	return busy >= 44
}

// frequencies are how common the names and addresses of the patients are.
type frequencies struct {
	of    map[uint64]uint32
	total uint32
	staff uint32
}

const namesMost = 300_000

// saw counts a patient.
func (f *frequencies) saw(p *facts) {
	if !p.found {
		return
	}
	f.total++
	if p.account != 0 {
		f.staff++
	}
	f.add(p.surname)
	if p.birth != p.surname {
		f.add(p.birth)
	}
	f.add(p.address)
	f.add(p.street)
}

func (f *frequencies) add(x uint64) {
	if x == 0 {
		return
	}
	if n, ok := f.of[x]; ok || len(f.of) < namesMost {
		f.of[x] = n + 1
	}
}

// share is the share of patients with a name or an address. Before many were
// seen, a name is supposed to be common: a rare one must be known to be rare.
func (f *frequencies) share(x uint64) float64 {
	return (float64(f.of[x]) + 1) / (float64(f.total) + 500)
}

func (f *frequencies) colleagues() float64 {
	return (float64(f.staff) + 1) / (float64(f.total) + 100)
}

func clip(x, low, high float64) float64 { return max(low, min(high, x)) }
