package detect

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

func clone(s string) string { return strings.Clone(s) }

func fold(s string) string { return storage.Fold(s) }

// cache keeps at least the most last used values, and at most twice as many: two
// generations, of which the older is dropped when the younger is full.
type cache[K comparable, V any] struct {
	most       int
	young, old map[K]V
}

func (c *cache[K, V]) get(k K) (V, bool) {
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		c.put(k, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(k K, v V) {
	if c.young == nil || len(c.young) >= max(c.most/2, 1) {
		c.young, c.old = make(map[K]V), c.young
	}
	c.young[k] = v
}

type patientKey struct{ ipp, ins string }

// facts are what is known of a patient, small: names and addresses are only
// compared, and counted, by their digests.
type facts struct {
	key   patientKey
	id    uint64
	asked int64
	found bool

	surname, birth, address, street, account uint64 // zero: not known
	wellKnown                                bool
	relations                                []traces.Relation
}

// patient gives what is known of the patient of an event.
func (d *Detector) patient(ctx context.Context, h *house, e *traces.Event) (*facts, error) {
	k := patientKey{e.IPP, e.INS}
	p, known := h.patients.get(k)
	if known && d.clock-p.asked < patientFor {
		return p, nil
	}
	if !known {
		p = &facts{key: patientKey{clone(e.IPP), clone(e.INS)}}
		p.id = digest(p.key.name())
	}
	if err := d.ask(ctx, h, p, e.At); err != nil {
		return nil, err
	}
	if !known {
		h.patients.put(p.key, p)
		h.names.saw(p)
	}
	return p, nil
}

// name is the number by which a patient is one: the IPP, which an establishment
// gives, before the INS.
func (k patientKey) name() string {
	if k.ipp != "" {
		return k.ipp
	}
	return k.ins
}

// ask reads the patient anew.
func (d *Detector) ask(ctx context.Context, h *house, p *facts, at int64) error {
	got, found, err := d.opt.Carer.Patient(ctx, h.id, p.key.ipp, p.key.ins, at)
	if err != nil {
		return err
	}
	p.asked, p.found = d.clock, found
	if !found {
		p.relations = nil
		return nil
	}
	p.surname, p.birth = digest(got.Surname), digest(got.BirthName)
	p.address, p.street = lives(got.Address, got.Postal)
	p.account, p.wellKnown, p.relations = digest(fold(got.StaffAccount)), got.WellKnown, got.Relations
	return nil
}

// lives digests an address, and its street without the number of the house:
// "12 bis rue des lilas" and "14 rue des lilas" are neighbours.
func lives(address, postal string) (exact, street uint64) {
	if address == "" {
		return 0, 0
	}
	words := strings.Fields(address)
	for len(words) > 1 && (words[0][0] >= '0' && words[0][0] <= '9' || slices.Contains(doors[:], words[0])) {
		words = words[1:]
	}
	if len(words) > 1 {
		street = digest(strings.Join(words, " ") + "|" + postal)
	}
	return digest(address + "|" + postal), street
}

var doors = [...]string{"bis", "ter", "quater", "b", "t"}

// actor is an account, with whoever acts under it and what is usual for it.
type actor struct {
	account string
	id      uint64
	asked   int64
	seen    int64 // by the clock of the events
	known   bool
	member  traces.Member

	surname, address, street uint64
	profile                  profile
	now                      breadths
	sketch                   *sketch
}

// gone tells whether the person had left; the day of leaving is a day of work.
func (a *actor) gone(at int64) bool { return a.known && a.member.Left > 0 && at > a.member.Left+day }

// actor gives who acts in an event.
func (d *Detector) actor(ctx context.Context, h *house, e *traces.Event) (*actor, error) {
	a := h.actors[e.Account]
	if a != nil && d.clock-a.asked < memberFor {
		a.seen = d.clock
		return a, nil
	}
	m, found, err := d.opt.Staff.Member(ctx, h.id, e.Account)
	if err != nil {
		return nil, err
	}
	if a == nil {
		if len(h.actors) >= d.opt.Accounts {
			h.forget()
		}
		a = &actor{account: clone(e.Account)}
		a.id = digest(fold(a.account))
		h.actors[a.account] = a
	}
	a.asked, a.seen, a.known, a.member = d.clock, d.clock, found, m
	a.surname = digest(m.Surname)
	a.address, a.street = lives(m.Address, m.Postal)
	return a, nil
}

// forget drops the tenth of the accounts that were unseen for longest.
func (h *house) forget() {
	seen := make([]int64, 0, len(h.actors))
	for _, a := range h.actors {
		seen = append(seen, a.seen)
	}
	slices.Sort(seen)
	limit := seen[len(seen)/10]
	for k, a := range h.actors {
		if a.seen <= limit {
			delete(h.actors, k)
		}
	}
}

type oncallKey struct {
	organisation, person uuid.UUID
	service              string
	hour                 int64
}

const oncallsMost = 20_000

// oncall tells whether the person was on call for a service, an answer holding
// for the hour.
func (d *Detector) oncall(ctx context.Context, h *house, a *actor, service string, at int64) (bool, error) {
	k := oncallKey{h.id, a.member.Person, service, at / hour}
	if on, ok := d.oncalls[k]; ok {
		return on, nil
	}
	on, err := d.opt.Staff.OnCall(ctx, h.id, a.member.Person, service, at)
	if err != nil {
		return false, err
	}
	if len(d.oncalls) >= oncallsMost {
		clear(d.oncalls)
	}
	d.oncalls[k] = on
	return on, nil
}

// digest is FNV-1a on 64 bits, zero for nothing: two texts among a million share
// one with a chance of one in 40 millions.
func digest(s string) uint64 {
	if s == "" {
		return 0
	}
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	// The last bits of FNV depend on little; sketches take them as a place.
	h ^= h >> 32
	h *= 0x9E3779B97F4A7C15
	return h ^ h>>29
}
