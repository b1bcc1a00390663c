package directory

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Hide masks what lists never show whole, whoever looks: private contact
// points and mobiles. Reveal shows one of them, and says so in the journal.
func Hide(contacts []ContactPoint) {
	for i := range contacts {
		if !contacts[i].Masked { // a mask over a mask would hide the last digits too
			hide(contacts[i : i+1])
		}
	}
}

// Reveal gives one contact point whole and writes in the journal who asked.
// Errors: Denied, NotFound for the person or the contact point.
func (d *Directory) Reveal(ctx context.Context, scope access.Scope, id, contact uuid.UUID) (k ContactPoint, err error) {
	if err := d.guard.Check(scope, access.DirectoryNumbers); err != nil {
		return k, err
	}
	err = d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		p, found, err := person(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if !found {
			return fault.New(fault.NotFound, "directory.person_not_found")
		}
		at := slices.IndexFunc(p.Contacts, func(k ContactPoint) bool { return k.ID == contact })
		if at < 0 {
			return fault.New(fault.NotFound, "directory.contact_not_found")
		}
		k = p.Contacts[at]
		return journal.Append(ctx, tx, scope, d.clock.Now(), journal.Entry{
			Action: "directory.number.reveal", ObjectKind: "person", ObjectID: id.String(),
			ObjectName: p.Name(), After: map[string]string{"contact": k.Kind},
		})
	})
	return k, err
}

// CheckAddress tells what is wrong with what was typed for a contact point of
// that kind, in a place of that time zone; nil when it can be kept.
func CheckAddress(kind, text, zone string) error {
	_, err := readAddress(kind, text, zone)
	return err
}
