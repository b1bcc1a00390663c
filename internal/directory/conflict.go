package directory

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// ConflictRule is why one value was kept and not the other. The values are stored.
type ConflictRule string

// The rules.
const (
	// RuleOwner: the list that owns the person says who he is; another list fills what it leaves empty.
	RuleOwner ConflictRule = "owner"
	// RuleSource: the list replaced what was entered by hand.
	RuleSource ConflictRule = "source"
	// RuleHand: a contact entered by hand holds as long as the list says what it said before.
	RuleHand ConflictRule = "hand"
	// RuleChanged: the list says something new since, and wins.
	RuleChanged ConflictRule = "changed"
	// RuleField: the establishment set a rule for this field.
	RuleField ConflictRule = "field"
)

// Conflict is a value on which two sources disagreed, and which one a rule kept.
type Conflict struct {
	ID, Person uuid.UUID
	Name       string
	Field      string
	// Kept and Other are in words; numbers are masked unless the scope may see them.
	Kept, Other string
	// KeptBy and OtherBy are sources; empty is "by hand".
	KeptBy, OtherBy string
	Rule            ConflictRule
	Found           time.Time

	raw string
}

// conflictsShown bounds a list.
const conflictsShown = 200

// note keeps a conflict of the merge under way. other holds the value that was not kept.
func (r *reading) note(p *record, field string, rule ConflictRule, kept, other string, keptBy, otherBy string, value Person) {
	raw, err := json.Marshal(value)
	if err != nil {
		return // a Person always has a JSON form
	}
	r.conflicts = append(r.conflicts, Conflict{Person: p.ID, Name: p.Name(), Field: field, Kept: kept, Other: other, KeptBy: keptBy, OtherBy: otherBy, Rule: rule, raw: string(raw)})
}

// ruled are the fields that belong to the list that owns the person.
func ruled() []string {
	return []string{"matricule", "rpps", "last_name", "first_name", "metier", "qualifications", "service", "site", "status", "semester", "language", "contract_end"}
}

// settle gives back, to what a merge made of a person, the values that a rule
// keeps, and notes every disagreement. old is as before, p as the list would have it.
func (r *reading) settle(e *entry, old, p *record) {
	p.hand = maps.Clone(old.hand)
	if old.Source == "" || old.Source == r.source {
		r.overHand(e, old, p)
		return
	}
	for _, f := range ruled() {
		kept, other := r.shown(f, old, nil), r.shown(f, p, nil)
		if kept == "" || kept == other {
			continue
		}
		if other != "" && r.first(f) {
			r.takeOver(old, p, f, kept, other)
			continue
		}
		if other != "" {
			value := Person{}
			copyField(&value, p.Person, f)
			r.note(old, f, RuleOwner, kept, other, old.Source, r.source, value)
		}
		copyField(&p.Person, old.Person, f)
	}
}

// takeOver leaves the value of the list that wins in a field, over that of the list
// that owns the person: a mark holds it when the owner is read again.
func (r *reading) takeOver(old, p *record, field, kept, other string) {
	if strings.HasPrefix(old.hand[field], pinned) {
		return // its own value of before
	}
	if p.hand == nil {
		p.hand = map[string]string{}
	}
	p.hand[field] = pinned + r.digest(kept)
	value := Person{}
	copyField(&value, old.Person, field)
	r.note(old, field, RuleField, other, kept, r.source, old.Source, value)
}

// overHand settles what the owner of a person says against what was entered by hand.
func (r *reading) overHand(_ *entry, old, p *record) {
	if len(old.hand) == 0 {
		return
	}
	p.hand = make(map[string]string, len(old.hand))
	for f, said := range old.hand {
		if isContact(f) {
			p.hand[f] = said // heldContacts decides
			continue
		}
		mine, theirs := r.shown(f, old, nil), r.shown(f, p, nil)
		switch {
		case mine == theirs:
		case strings.HasPrefix(said, pinned) && said[len(pinned):] == r.digest(theirs):
			copyField(&p.Person, old.Person, f)
			p.hand[f] = said
		case r.rules[f] == ByHand, r.second(f) && strings.HasPrefix(said, pinned):
			value := Person{}
			copyField(&value, p.Person, f)
			r.note(old, f, RuleField, mine, theirs, r.rules[f].List(), r.source, value)
			copyField(&p.Person, old.Person, f)
			p.hand[f] = said
			if r.second(f) {
				p.hand[f] = pinned + r.digest(theirs)
			}
		default:
			value := Person{}
			copyField(&value, old.Person, f)
			r.note(old, f, RuleSource, theirs, mine, r.source, "", value)
		}
	}
}

// pinned begins the mark of a field that a person decided against the list.
const pinned = "!"

func isContact(field string) bool {
	return slices.Contains(Kinds(), field)
}

// heldContacts gives what the list says of contact points, less what a person
// took away since and the list only repeats. It changes p.hand where the list
// says something new.
func (r *reading) heldContacts(e *entry, old, p *record) []entryContact {
	if old == nil {
		return e.Contacts
	}
	out := r.outranked(e.Contacts, old)
	if old.Source != r.source || len(p.hand) == 0 {
		return out
	}
	for f, said := range p.hand {
		if !isContact(f) {
			continue
		}
		var given []string
		for _, k := range e.Contacts {
			if k.Kind == f {
				given = append(given, k.Address)
			}
		}
		now := listOf(old.Contacts, f)
		rule := RuleHand
		if r.rules[f] == ByHand {
			rule, said = RuleField, r.digest(sorted(given))
			p.hand[f] = said
		}
		if said == r.digest(sorted(given)) {
			out = slices.DeleteFunc(out, func(k entryContact) bool {
				return k.Kind == f && !slices.ContainsFunc(old.Contacts, func(c ContactPoint) bool { return c.Address == k.Address })
			})
			if refused := without(given, old.Contacts); len(refused) > 0 {
				r.note(old, f, rule, strings.Join(now, ", "), strings.Join(refused, ", "), "", r.source, contactsOf(f, refused))
			}
			continue
		}
		delete(p.hand, f)
		if fresh := without(given, old.Contacts); len(fresh) > 0 && len(now) > 0 {
			r.note(old, f, RuleChanged, strings.Join(fresh, ", "), strings.Join(now, ", "), r.source, "", contactsOf(f, now))
		}
	}
	return out
}

func listOf(contacts []ContactPoint, kind string) (out []string) {
	for _, k := range contacts {
		if k.Kind == kind {
			out = append(out, k.Address)
		}
	}
	return out
}

func without(given []string, known []ContactPoint) (out []string) {
	for _, a := range given {
		if !slices.ContainsFunc(known, func(k ContactPoint) bool { return k.Address == a }) {
			out = append(out, a)
		}
	}
	return out
}

func contactsOf(kind string, list []string) (p Person) {
	for _, a := range list {
		p.Contacts = append(p.Contacts, ContactPoint{Contact: Contact{Kind: kind, Address: a, Private: kind == Mobile}})
	}
	return p
}

func sorted(list []string) string { return strings.Join(slices.Sorted(slices.Values(list)), "\n") }

// digest is the keyed mark of what a list said.
func (r *reading) digest(value string) string { return keyedMark(r.secret, value) }

// keyedMark recognises a value without holding it: nothing of it can be read back.
func keyedMark(secret [32]byte, value string) string {
	h := hmac.New(sha256.New, secret[:])
	h.Write([]byte(value))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// byHand notes which fields a person changed, and what the list that owns the
// person said of them then.
func byHand(secret [32]byte, before, after *record) {
	after.hand = map[string]string{}
	for f, said := range before.hand {
		after.hand[f] = said
	}
	if before.Source == "" {
		return
	}
	for _, f := range changedFields(before.Person, after.Person) {
		if _, known := after.hand[f]; known {
			continue
		}
		switch {
		case isContact(f):
			var given []string
			for _, k := range before.Contacts {
				if k.Kind == f && k.Source == before.Source {
					given = append(given, k.Address)
				}
			}
			after.hand[f] = keyedMark(secret, sorted(given))
		case slices.Contains(ruled(), f):
			after.hand[f] = ""
		}
	}
}

// copyField gives one person the field of another.
func copyField(to *Person, from Person, field string) {
	switch field {
	case "matricule":
		to.Matricule = from.Matricule
	case "rpps":
		to.RPPS = from.RPPS
	case "last_name":
		to.LastName = from.LastName
	case "first_name":
		to.FirstName = from.FirstName
	case "metier":
		to.Metier, to.MetierLabel = from.Metier, from.MetierLabel
	case "qualifications":
		to.Qualifications = from.Qualifications
	case "service":
		to.Service = from.Service
	case "site":
		to.Site = from.Site
	case "status":
		to.Status = from.Status
	case "semester":
		to.Semester = from.Semester
	case "language":
		to.Language = from.Language
	case "contract_end":
		to.ContractEnd = from.ContractEnd
	}
}

// keepConflicts writes the conflicts of some merges; the newest of a person, a
// field and two sources is the one that is shown.
func keepConflicts(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, importID uuid.UUID, list []Conflict) error {
	for _, c := range list {
		if _, err := tx.Exec(ctx, `DELETE FROM directory_conflicts WHERE organisation_id = $1 AND person_id = $2 AND field = $3
			AND (kept_by = $4 AND other_by = $5 OR kept_by = $5 AND other_by = $4)`,
			scope.Organisation(), c.Person, c.Field, c.KeptBy, c.OtherBy); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO directory_conflicts (organisation_id, id, person_id, import_id, field, kept, other, kept_by, other_by, rule, raw, found_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, scope.Organisation(), storage.NewID(now), c.Person, importID, c.Field, c.Kept, c.Other, c.KeptBy,
			c.OtherBy, string(c.Rule), c.raw, storage.Micros(now)); err != nil {
			return err
		}
	}
	return nil
}

// Conflicts lists the disagreements between lists and hands, the latest first,
// 200 at most. total counts them all.
func (d *Directory) Conflicts(ctx context.Context, scope access.Scope) (out []Conflict, total int, err error) {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return nil, 0, err
	}
	whole := d.guard.May(scope, access.DirectoryNumbers)
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM directory_conflicts WHERE organisation_id = $1`, []any{scope.Organisation()}, &total); err != nil {
			return err
		}
		if out, err = readConflicts(ctx, tx, scope, `TRUE ORDER BY found_us DESC, id DESC LIMIT $2`, conflictsShown); err != nil {
			return err
		}
		people := make([]uuid.UUID, len(out))
		for n := range out {
			people[n] = out[n].Person
		}
		names, err := d.Names(ctx, tx, scope, people)
		for n := range out {
			out[n].Name = names[out[n].Person]
			if !whole {
				c := Change{Field: out[n].Field, Before: out[n].Kept, After: out[n].Other}
				c.hide()
				out[n].Kept, out[n].Other = c.Before, c.After
			}
		}
		return err
	})
	return out, total, err
}

func readConflicts(ctx context.Context, tx *storage.Tx, scope access.Scope, which string, args ...any) (out []Conflict, err error) {
	err = tx.Query(ctx, `SELECT id, person_id, field, kept, other, kept_by, other_by, rule, raw, found_us FROM directory_conflicts WHERE organisation_id = $1 AND `+which,
		append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
			var c Conflict
			var found int64
			err := row(&c.ID, &c.Person, &c.Field, &c.Kept, &c.Other, &c.KeptBy, &c.OtherBy, &c.Rule, &c.raw, &found)
			c.Found = storage.Time(found)
			out = append(out, c)
			return err
		})
	return out, err
}

// KeepOther decides a conflict the other way, for good: the list that says
// otherwise is not followed in this field until it says something new. seen
// without other only takes the conflict off the list. Errors: Denied, NotFound,
// Conflict while an import replaces the person.
func (d *Directory) KeepOther(ctx context.Context, scope access.Scope, id uuid.UUID, other bool) error {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	now := d.clock.Now()
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readConflicts(ctx, tx, scope, `id = $2`, id)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fault.New(fault.NotFound, "directory.conflict.unknown")
		}
		c := list[0]
		if _, err := tx.Exec(ctx, `DELETE FROM directory_conflicts WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id); err != nil {
			return err
		}
		p, found, err := person(ctx, tx, scope, c.Person)
		if err != nil || !found {
			return err
		}
		action := "directory.conflict.see"
		if other {
			action = "directory.conflict.turn"
			if err := d.turn(ctx, tx, scope, now, c, p); err != nil {
				return err
			}
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: action, ObjectKind: "person", ObjectID: p.ID.String(), ObjectName: p.Name(), After: map[string]string{"field": c.Field},
		})
	})
}

// turn gives a person the value that was not kept.
func (d *Directory) turn(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, c Conflict, p record) error {
	if busy, err := replacing(ctx, tx, scope, p.ID); err != nil || busy {
		if err == nil {
			err = fault.New(fault.Conflict, "directory.import_running")
		}
		return err
	}
	var value Person
	if err := json.Unmarshal([]byte(c.raw), &value); err != nil {
		return err
	}
	before := p
	before.Contacts = slices.Clone(p.Contacts)
	if isContact(c.Field) {
		for _, k := range slices.Backward(value.Contacts) {
			p.Contacts = corrected(p.Contacts, Correction{Contact: k.Contact}, now)
		}
	} else {
		copyField(&p.Person, value, c.Field)
	}
	byHand(d.key.Secret, &before, &p)
	if !isContact(c.Field) && p.Source != "" {
		p.hand[c.Field] = pinned + keyedMark(d.key.Secret, c.Kept)
	}
	p.Updated, p.Revision = now, p.Revision+1
	return d.writePerson(ctx, tx, scope, p, true)
}
