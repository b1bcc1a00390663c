package directory

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// merge gives the person as the file would have him: what the file does not
// speak of stays, and so do the contact points it did not give.
func (r *reading) merge(e *entry, old *record, now time.Time) record {
	var p record
	if old != nil {
		p = *old
		p.Contacts = slices.Clone(old.Contacts)
	} else {
		p.ID = r.newID(now)
		p.Human, p.Created, p.Language, p.Status, p.Source = p.ID, now, "fr", Autre, r.source
	}
	// What was entered by hand, or by another source, keeps its own key and owner.
	if p.match == "" || strings.HasPrefix(e.Match, "m:") {
		p.match = e.Match
	}
	p.Departed = time.Time{}
	r.identity(e, &p)
	if r.mapping.has(FieldMetier) {
		p.Metier, p.MetierLabel = e.Metier, e.MetierLabel
	}
	if r.mapping.has(FieldQualified) {
		p.Qualifications = e.Qualifications
	}
	if r.mapping.has(FieldSite) || r.mapping.has(FieldService) || r.mapping.has(FieldCode) {
		p.Site, p.Service = r.places.Find(e.Place)
	}
	r.details(e, &p)
	if old != nil {
		r.settle(e, old, &p)
	}
	p.Contacts = r.mergeContacts(r.heldContacts(e, old, &p), p.Contacts, now)
	return p
}

func (r *reading) identity(e *entry, p *record) {
	if r.mapping.has(FieldMatricule) && e.Matricule != "" {
		p.Matricule = e.Matricule
	}
	p.LastName = e.LastName
	if r.mapping.has(FieldFirstName) || r.mapping.has(FieldFullName) {
		p.FirstName = e.FirstName
	}
	if r.mapping.has(FieldRPPS) {
		p.RPPS = e.RPPS
	}
}

func (r *reading) details(e *entry, p *record) {
	if e.Status != "" {
		p.Status = e.Status
	} else if r.mapping.has(FieldStatus) {
		p.Status = Autre
	}
	if r.mapping.has(FieldSemester) {
		p.Semester = e.Semester
	}
	if e.Language != "" {
		p.Language = e.Language
	}
	if r.mapping.has(FieldProtected) {
		p.Protected = e.Protected
	}
	if r.mapping.has(FieldRefused) {
		p.Refused = e.Refused
	}
	if r.mapping.has(FieldContract) {
		p.ContractEnd = e.ContractEnd
	}
	if r.mapping.has(FieldAbsentFrom) || r.mapping.has(FieldAbsentTo) {
		p.AbsentFrom, p.AbsentTo = e.AbsentFrom, e.AbsentTo
	}
}

// speaks tells whether the file could have given a contact point again: it has
// the column this one came from. A list of internal telephones takes nobody's
// mobile away.
func (r *reading) speaks(k ContactPoint) bool {
	field, _, _ := strings.Cut(k.origin, "#")
	return r.mapping.has(Field(field))
}

// mergeContacts keeps what is known of each address, drops what the same
// columns of the same source gave before and give no more, and respects the order
// of preference that somebody chose: a new number takes the place of the one it
// replaces.
func (r *reading) mergeContacts(given []entryContact, old []ContactPoint, now time.Time) []ContactPoint {
	fresh := slices.Clone(given)
	take := func(match func(entryContact) bool) *entryContact {
		i := slices.IndexFunc(fresh, match)
		if i < 0 {
			return nil
		}
		k := fresh[i]
		fresh = slices.Delete(fresh, i, i+1)
		return &k
	}
	out := make([]ContactPoint, 0, len(old)+len(fresh))
	var replaced []int // places of the contact points that are given no more
	for _, k := range old {
		given := take(func(f entryContact) bool { return f.Address == k.Address })
		switch {
		case given != nil && k.Source == r.source:
			k.Label, k.Private, k.origin, k.Kind = given.Label, given.Private, given.Origin, given.Kind
			k.Shared = k.Shared || given.Shared
		case given != nil:
			k.Shared = k.Shared || given.Shared
		case k.Source == r.source && r.speaks(k):
			replaced = append(replaced, len(out))
		}
		out = append(out, k)
	}
	for _, i := range slices.Backward(replaced) {
		if k := take(func(f entryContact) bool { return f.Kind == out[i].Kind }); k != nil {
			out[i] = r.newContact(*k, now)
		} else {
			out = slices.Delete(out, i, i+1)
		}
	}
	for _, k := range fresh {
		at := len(out)
		for at > 0 && kindOrder(out[at-1].Kind) > kindOrder(k.Kind) {
			at--
		}
		out = slices.Insert(out, at, r.newContact(k, now))
	}
	r.ranked(out)
	for i := range out {
		out[i].Rank = i
	}
	return out
}

func (r *reading) newContact(k entryContact, now time.Time) ContactPoint {
	return ContactPoint{
		Contact: Contact{ID: r.newID(now), Kind: k.Kind, Address: k.Address, Private: k.Private, Shared: k.Shared, State: NeverTried},
		Label:   k.Label, Source: r.source, origin: k.Origin,
	}
}

// newID gives ids that grow in the order of the file although all are of one
// instant: a counter follows the time (RFC 9562 § 6.2, method 1). In the order
// in which they are read again, people then lie side by side on the disk.
func (r *reading) newID(now time.Time) uuid.UUID {
	r.serial++
	id, n := storage.NewID(now), r.serial
	id[6], id[7] = 0x70|byte(n>>22&0x0f), byte(n>>14)
	id[8], id[9] = 0x80|byte(n>>8&0x3f), byte(n)
	return id
}

// Change is one field of a person, before and after, in words; numbers are
// whole and hidden when read by somebody who may not see them.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// changes describes what differs, field by field.
func (r *reading) changes(old, p *record, e *entry) []Change {
	fields := changedFields(old.Person, p.Person)
	fields = slices.DeleteFunc(fields, func(f string) bool { return (f == "service" || f == "site") && r.samePlace(old, e) })
	if !r.samePlace(old, e) && !slices.Contains(fields, "service") && !slices.Contains(fields, "site") {
		fields = append(fields, "service")
	}
	out := make([]Change, 0, len(fields))
	for _, f := range fields {
		out = append(out, Change{Field: f, Before: r.shown(f, old, nil), After: r.shown(f, p, e)})
	}
	return out
}

// samePlace tells whether the file's names lead to the place the person has. A
// place that is not there yet is created when the import is applied.
func (r *reading) samePlace(old *record, e *entry) bool {
	if old.Source != "" && old.Source != r.source && (old.Service != uuid.Nil || old.Site != uuid.Nil) {
		return true // where somebody works is for the list that owns him to say
	}
	if !r.mapping.has(FieldSite) && !r.mapping.has(FieldService) && !r.mapping.has(FieldCode) {
		return true
	}
	site, service := r.places.Find(e.Place)
	if site == uuid.Nil && e.Place.Site != "" || service == uuid.Nil && e.Place.Service+e.Place.Code != "" {
		return false
	}
	return old.Service == service && old.Site == site
}

func (r *reading) shown(field string, p *record, e *entry) string {
	switch field {
	case "matricule":
		return p.Matricule
	case "rpps":
		return p.RPPS
	case "last_name":
		return p.LastName
	case "first_name":
		return p.FirstName
	case "metier":
		return p.MetierLabel
	case "qualifications":
		return strings.Join(p.Qualifications, ", ")
	case "service", "site":
		return r.shownPlace(field, p, e)
	case "status":
		return p.Status
	case "semester":
		return p.Semester
	case "language":
		return p.Language
	case "refused":
		return strings.Join(p.Refused, ", ")
	case "contract_end":
		return day(p.ContractEnd, r.zone, true)
	case "absence":
		return strings.Trim(day(p.AbsentFrom, r.zone, false)+" → "+day(p.AbsentTo, r.zone, true), " →")
	case Mobile, Landline, Extension, Email, Pager, Chat:
		var out []string
		for _, k := range p.Contacts {
			if k.Kind == field {
				out = append(out, k.Address)
			}
		}
		return strings.Join(out, ", ")
	}
	return ""
}

func (r *reading) shownPlace(field string, p *record, e *entry) string {
	var place organisation.Place
	if e != nil {
		if field == "site" {
			return e.Place.Site
		}
		return strings.TrimSpace(e.Place.Service + " " + e.Place.Code)
	}
	if field == "site" {
		place, _ = r.places.Get(p.Site)
	} else {
		place, _ = r.places.Get(p.Service)
	}
	return strings.TrimSpace(place.Name)
}

// day writes a date as the files do; the end of a period is its last day.
func day(t time.Time, zone *time.Location, last bool) string {
	if t.IsZero() || t.Unix() == 0 {
		return ""
	}
	if last {
		t = t.Add(-time.Second)
	}
	return t.In(zone).Format("02/01/2006")
}
