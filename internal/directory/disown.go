package directory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// ReadContact parses what a person typed for a contact point of that kind, in a
// place of that time zone. Errors: Invalid, with no number in the sentence.
func ReadContact(kind, text, zone string) (Contact, error) { return readAddress(kind, text, zone) }

// Mask hides the middle of an address, as lists show it.
func Mask(c Contact) string { return mask(c) }

// Disown marks, in the caller's transaction, a contact point as somebody
// else's: whoever answered it says so. It is not written to any more until a
// person lifts the mark. Nothing happens to one that is gone.
func (d *Directory) Disown(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id, contact uuid.UUID) error {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	p, found, err := person(ctx, tx, scope, id)
	if err != nil || !found {
		return err
	}
	n, err := tx.Exec(ctx, `UPDATE directory_contacts SET state = 'foreign', state_us = $4 WHERE organisation_id = $1 AND id = $2 AND person_id = $3 AND state <> 'foreign'`,
		scope.Organisation(), contact, id, storage.Micros(now))
	if err != nil || n == 0 {
		return err
	}
	// What it proved, it proved of somebody else.
	p.Contacts = slices.DeleteFunc(p.Contacts, func(k ContactPoint) bool { return k.ID == contact })
	_, _, proven := p.reach()
	if _, err := tx.Exec(ctx, `UPDATE directory_people SET proven_us = $3 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), id, storage.NullMicros(proven)); err != nil {
		return err
	}
	if err := markStale(ctx, tx, scope); err != nil {
		return err
	}
	return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "directory.contact.disown", ObjectKind: "person", ObjectID: id.String(), ObjectName: p.Name()})
}

// Correction is a contact point that its owner gave, and from which he answered.
type Correction struct {
	Person  uuid.UUID
	Contact Contact
	// Replaces is the contact point it comes before; Nil for a new one.
	Replaces uuid.UUID
	// Proven is when its owner answered from it; zero when nobody did.
	Proven time.Time
}

// Correct adds, in the caller's transaction, what a person gave: before the
// contact point it replaces, which stays behind it. Errors: NotFound, Conflict
// while an import replaces the person.
func (d *Directory) Correct(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, c Correction) error {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	p, found, err := person(ctx, tx, scope, c.Person)
	if err != nil {
		return err
	}
	if !found {
		return fault.New(fault.NotFound, "directory.person_not_found")
	}
	if busy, err := replacing(ctx, tx, scope, p.ID); err != nil || busy {
		if err == nil {
			err = fault.New(fault.Conflict, "directory.import_running")
		}
		return err
	}
	old, before := p, p.Person
	p.Contacts = corrected(p.Contacts, c, now)
	if len(changedFields(before, p.Person)) == 0 {
		return nil
	}
	byHand(d.key.Secret, &old, &p)
	p.Updated, p.Revision = now, p.Revision+1
	if err := d.writePerson(ctx, tx, scope, p, true); err != nil {
		return err
	}
	return journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: "directory.contact.correct", ObjectKind: "person", ObjectID: p.ID.String(), ObjectName: p.Name(),
		After: map[string][]string{"changed": changedFields(before, p.Person)},
	})
}

// corrected puts a contact point before the one it replaces, else first of its kind.
func corrected(old []ContactPoint, c Correction, now time.Time) []ContactPoint {
	out := slices.Clone(old)
	fresh := ContactPoint{Contact: c.Contact}
	fresh.ID, fresh.State, fresh.Private = storage.NewID(now), NeverTried, c.Contact.Kind == Mobile
	if known := slices.IndexFunc(out, func(k ContactPoint) bool { return k.Address == c.Contact.Address }); known >= 0 {
		fresh = out[known]
		out = slices.Delete(out, known, known+1)
	}
	if !c.Proven.IsZero() {
		if fresh.State == Foreign {
			fresh.State = NeverTried // its owner claims it, and answered from it
		}
		fresh.learn(ContactEvent{Kind: EventAnswered, At: c.Proven})
	}
	at := slices.IndexFunc(out, func(k ContactPoint) bool { return k.ID == c.Replaces })
	if at < 0 {
		at = slices.IndexFunc(out, func(k ContactPoint) bool { return kindOrder(k.Kind) >= kindOrder(fresh.Kind) })
	} else {
		fresh.Private = fresh.Private || out[at].Private
	}
	if at < 0 {
		at = len(out)
	}
	out = slices.Insert(out, at, fresh)
	for i := range out {
		out[i].Rank = i
	}
	return out
}
