package lab

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

const (
	second = int64(1_000_000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// relation is a relation of care with the time from which a message told it.
type relation struct {
	traces.Relation
	known int64
}

// relate adds a relation and gives its place.
func (h *Hospital) relate(p *patient, kind traces.RelationKind, service, account string, from, to, known int64) int {
	// Relations that are over for long explain nothing any more.
	if len(p.relations) > 40 && !h.whole {
		p.relations = slices.Clone(p.relations[len(p.relations)-30:])
		p.openStay, p.openPharmacy = p.openStay-11, p.openPharmacy-11
	}
	p.relations = append(p.relations, relation{traces.Relation{Kind: kind, Service: service, Account: account, From: from, To: to}, known})
	return len(p.relations) - 1
}

// end closes a relation.
func (p *patient) end(at int, when int64) {
	if at >= 0 && at < len(p.relations) {
		p.relations[at].To = when
	}
}

// Patient implements traces.Carer, with what the messages told until now.
func (h *Hospital) Patient(_ context.Context, _ uuid.UUID, ipp, ins string, at int64) (traces.Patient, bool, error) {
	i, ok := h.ipps[ipp]
	if !ok {
		if i, ok = h.inss[ins]; !ok {
			return traces.Patient{}, false, nil
		}
	}
	p := &h.patients[i]
	out := traces.Patient{IPP: p.ipp, INS: p.ins, Surname: storage.Fold(p.surname), BirthName: storage.Fold(p.birth), Given: storage.Fold(p.given), WellKnown: p.wellKnown}
	out.Address, out.Postal = p.home.folded()
	if p.staff >= 0 && p.staffTold {
		out.StaffAccount = h.people[p.staff].account
	}
	for _, r := range p.relations {
		if r.known <= h.now && r.From-30*day <= at && (r.To == 0 || r.To+30*day >= at) {
			out.Relations = append(out.Relations, r.Relation)
		}
	}
	return out, true, nil
}

// Covered implements traces.Carer.
func (h *Hospital) Covered(context.Context, uuid.UUID) (bool, error) { return true, nil }

// sharedAccount is that of the nurses of the emergency ward, machineAccount that
// of a program.
const (
	sharedAccount  = "urg-ide"
	machineAccount = "svc-dpi"
)

// Member implements traces.Staff.
func (h *Hospital) Member(_ context.Context, _ uuid.UUID, account string) (traces.Member, bool, error) {
	if account == sharedAccount {
		return traces.Member{Account: account, Name: "Infirmiers des urgences", Function: "IDE", Services: []string{h.services[0].folded}, Shared: true}, true, nil
	}
	i, ok := h.accounts[account]
	if !ok {
		return traces.Member{}, false, nil
	}
	p := &h.people[i]
	m := traces.Member{Account: account, Person: personID(i), Name: p.name, Surname: storage.Fold(p.surname), Given: storage.Fold(p.given), Function: p.function.name, Services: []string{h.services[p.service].folded}}
	if p.left > 0 && p.left <= h.now {
		m.Left = p.left
	}
	if p.told {
		m.Address, m.Postal = p.home.folded()
	}
	if p.recordTold && p.record >= 0 {
		m.IPP = h.patients[p.record].ipp
	}
	return m, true, nil
}

func personID(i int) uuid.UUID {
	return uuid.UUID{0x01, 0x90, 0xbb, 0xbb, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)}
}

func personOf(id uuid.UUID) int { return int(id[13])<<16 | int(id[14])<<8 | int(id[15]) }

// OnCall implements traces.Staff: doctors at night and on days of rest, and the
// nurses lent to a ward, whom three rosters in four tell.
func (h *Hospital) OnCall(_ context.Context, _ uuid.UUID, who uuid.UUID, service string, at int64) (bool, error) {
	i := personOf(who)
	if i >= len(h.people) {
		return false, nil
	}
	p, t := &h.people[i], h.wall(at)
	if p.lent {
		to := h.lentTo(i, t)
		return to%4 != 3 && h.services[to].folded == service, nil
	}
	if !p.function.doctor || p.service >= h.wards || !h.onCall(i, t) {
		return false, nil
	}
	return h.services[p.service].folded == service || h.services[h.alsoFor(p.service)].folded == service, nil
}
