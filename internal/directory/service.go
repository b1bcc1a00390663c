package directory

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// Person gives one person. Private contact points are masked unless the scope
// may see numbers. Errors: NotFound.
func (d *Directory) Person(ctx context.Context, scope access.Scope, id uuid.UUID) (Person, error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return Person{}, err
	}
	var out Person
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		p, found, err := person(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if !found {
			return fault.New(fault.NotFound, "directory.person_not_found")
		}
		places, err := d.organisation.Places(ctx, tx, scope, d.clock.Now())
		out = p.Person
		out.name(places)
		return err
	})
	if !d.guard.May(scope, access.DirectoryNumbers) {
		hide(out.Contacts)
	}
	return out, err
}

// name fills the names of service and site.
func (p *Person) name(places *organisation.Places) {
	if place, ok := places.Get(p.Service); ok {
		p.ServiceName = place.Name
		if p.Site == uuid.Nil {
			p.Site = place.Site
		}
	}
	if place, ok := places.Get(p.Site); ok {
		p.SiteName = place.Name
	}
}

// hide masks what is private, and every mobile: most are, whatever the file says.
func hide(contacts []ContactPoint) {
	for i := range contacts {
		if k := &contacts[i]; k.Private || k.Kind == Mobile {
			k.Address, k.Masked = mask(k.Contact), true
		}
	}
}

// Save creates a person (ID Nil) or changes one. A contact point that comes
// back with its ID and Masked keeps its address. Errors: Invalid with its
// field, Conflict when somebody changed the person since, when the matricule
// is taken, or when an import is replacing the row.
func (d *Directory) Save(ctx context.Context, scope access.Scope, p Person) (Person, error) {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return p, err
	}
	p, err := p.tidied(d.reference)
	if err != nil {
		return p, err
	}
	now := d.clock.Now()
	err = d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		saved, err := d.save(ctx, tx, scope, p, now)
		p = saved
		return err
	})
	if !d.guard.May(scope, access.DirectoryNumbers) {
		hide(p.Contacts)
	}
	return p, err
}

func (d *Directory) save(ctx context.Context, tx *storage.Tx, scope access.Scope, p Person, now time.Time) (Person, error) {
	before, found, err := d.before(ctx, tx, scope, p)
	if err != nil {
		return p, err
	}
	places, err := d.organisation.Places(ctx, tx, scope, now)
	if err != nil {
		return p, err
	}
	if err := p.settle(places); err != nil {
		return p, err
	}
	if p.Contacts, err = readContacts(p.Contacts, before.Contacts, zoneOf(places, p.Site), now); err != nil {
		return p, err
	}
	after := record{Person: p, since: before.since, match: before.match}
	after.Created, after.Updated, after.Human, after.Source = now, now, p.ID, before.Source
	if found {
		after.Created, after.Human, after.Revision = before.Created, before.Human, before.Revision+1
		byHand(d.key.Secret, &before, &after)
	} else {
		after.ID = storage.NewID(now)
		after.Human = after.ID
		if after.since, err = generation(ctx, tx, scope); err != nil {
			return p, err
		}
	}
	if after.Matricule != before.Matricule || after.match == "" {
		if err := d.freeMatch(ctx, tx, scope, &after); err != nil {
			return p, err
		}
	}
	if err := d.writePerson(ctx, tx, scope, after, found); err != nil {
		return p, err
	}
	after.name(places)
	action, changed := "directory.person.create", []string(nil)
	if found {
		action, changed = "directory.person.update", changedFields(before.Person, after.Person)
	}
	return after.Person, journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: action, ObjectKind: "person", ObjectID: after.ID.String(),
		ObjectName: after.Name(), After: map[string][]string{"changed": changed},
	})
}

// before reads what is about to change.
func (d *Directory) before(ctx context.Context, tx *storage.Tx, scope access.Scope, p Person) (record, bool, error) {
	if p.ID == uuid.Nil {
		return record{}, false, nil
	}
	before, found, err := person(ctx, tx, scope, p.ID)
	if err != nil {
		return before, false, err
	}
	if !found {
		return before, false, fault.New(fault.NotFound, "directory.person_not_found")
	}
	if before.Revision != p.Revision {
		return before, false, fault.New(fault.Conflict, "directory.changed_since")
	}
	busy, err := replacing(ctx, tx, scope, p.ID)
	if err == nil && busy {
		err = fault.New(fault.Conflict, "directory.import_running")
	}
	return before, true, err
}

// settle checks service and site, and gives a person the site of his service.
func (p *Person) settle(places *organisation.Places) error {
	if p.Service != uuid.Nil {
		place, ok := places.Get(p.Service)
		if !ok || place.Kind != organisation.CareService {
			return fault.New(fault.Invalid, "directory.service_unknown").At("service")
		}
		if p.Site == uuid.Nil {
			p.Site = place.Site
		}
	}
	if p.Site != uuid.Nil {
		if place, ok := places.Get(p.Site); !ok || place.Kind != organisation.Site {
			return fault.New(fault.Invalid, "directory.site_unknown").At("site")
		}
	}
	return nil
}

func zoneOf(places *organisation.Places, site uuid.UUID) string {
	if place, ok := places.Get(site); ok {
		return place.Zone
	}
	return places.Zone
}

// freeMatch gives the person the key by which imports will know him, and
// refuses a matricule that somebody else has.
func (d *Directory) freeMatch(ctx context.Context, tx *storage.Tx, scope access.Scope, p *record) error {
	if p.Matricule == "" {
		p.match = "h:" + p.ID.String()
		return nil
	}
	p.match = matchKey(p.Matricule, "", "", "", 0)
	taken, err := matched(ctx, tx, scope, []string{p.match})
	if err != nil {
		return err
	}
	if other, ok := taken[p.match]; ok && other.ID != p.ID {
		return fault.New(fault.Conflict, "directory.matricule_taken", "name", other.Name()).At("matricule")
	}
	return nil
}

// matched finds the visible people who bear some match keys.
func matched(ctx context.Context, tx *storage.Tx, scope access.Scope, keys []string) (map[string]record, error) {
	g, err := generation(ctx, tx, scope)
	out := make(map[string]record, len(keys))
	if err != nil || len(keys) == 0 {
		return out, err
	}
	err = tx.Query(ctx, `SELECT `+personColumns+` FROM directory_people p WHERE p.organisation_id = $1 AND p.since_gen <= $2 AND p.until_gen > $2
		AND p.match_key IN (`+storage.In(len(keys), 3)+`)`, storage.Args(keys, scope.Organisation(), g), func(row func(...any) error) error {
		p, err := scanPerson(row)
		out[p.match] = p
		return err
	})
	return out, err
}

// readContacts parses what was typed. What is known keeps its state; a changed
// address is a new contact point that was never tried.
func readContacts(typed, before []ContactPoint, zone string, now time.Time) ([]ContactPoint, error) {
	var out []ContactPoint
	for _, k := range typed {
		known := slices.IndexFunc(before, func(b ContactPoint) bool { return b.ID == k.ID && k.ID != uuid.Nil })
		if known >= 0 && k.Masked {
			old := before[known]
			old.Private, old.Shared, old.Label = k.Private, k.Shared, k.Label
			k = old
		} else {
			read, err := readAddress(k.Kind, k.Address, zone)
			if err != nil {
				return nil, err
			}
			if known = slices.IndexFunc(before, func(b ContactPoint) bool { return b.Address == read.Address && b.Kind == read.Kind }); known >= 0 {
				old := before[known]
				old.Private, old.Shared, old.Label = k.Private, k.Shared, k.Label
				k = old
			} else {
				k = ContactPoint{Contact: Contact{
					ID: storage.NewID(now), Kind: read.Kind, Address: read.Address, Private: k.Private || private(k.Label),
					Shared: k.Shared || read.Shared, State: NeverTried,
				}, Label: oneLine(k.Label)}
			}
		}
		k.Rank, k.Masked = len(out), false
		if !slices.ContainsFunc(out, func(o ContactPoint) bool { return o.Address == k.Address && o.Kind == k.Kind }) {
			out = append(out, k)
		}
	}
	return out, nil
}

// writePerson writes a person and his contact points, in place when he exists.
func (d *Directory) writePerson(ctx context.Context, tx *storage.Tx, scope access.Scope, p record, exists bool) error {
	if exists {
		if err := updatePerson(ctx, tx, scope, d.key, p); err != nil {
			return err
		}
		g, err := generation(ctx, tx, scope)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM directory_contacts WHERE organisation_id = $1 AND person_id = $2 AND since_gen <= $3 AND until_gen > $3`,
			scope.Organisation(), p.ID, g); err != nil {
			return err
		}
	} else if err := tx.InsertRows(ctx, "directory_people", personInsert, [][]any{p.values(scope, d.key)}); err != nil {
		return err
	}
	var rows [][]any
	for _, k := range p.Contacts {
		rows = append(rows, point{k, p.ID, p.since}.values(scope))
	}
	if err := tx.InsertRows(ctx, "directory_contacts", contactInsert, rows); err != nil {
		return err
	}
	d.unlinked.Store(true)
	return markStale(ctx, tx, scope)
}

// Depart marks that a person left: nobody calls him any more, history keeps him.
func (d *Directory) Depart(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return d.depart(ctx, scope, id, d.clock.Now(), "directory.person.depart")
}

// Return takes a departure back.
func (d *Directory) Return(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return d.depart(ctx, scope, id, time.Time{}, "directory.person.return")
}

func (d *Directory) depart(ctx context.Context, scope access.Scope, id uuid.UUID, at time.Time, action string) error {
	if err := d.guard.Check(scope, access.DirectoryWrite); err != nil {
		return err
	}
	now := d.clock.Now()
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		p, found, err := person(ctx, tx, scope, id)
		if err != nil {
			return err
		}
		if !found {
			return fault.New(fault.NotFound, "directory.person_not_found")
		}
		if p.Departed.IsZero() == at.IsZero() {
			return nil
		}
		busy, err := replacing(ctx, tx, scope, id)
		if err == nil && busy {
			err = fault.New(fault.Conflict, "directory.import_running")
		}
		if err != nil {
			return err
		}
		p.Departed, p.Updated, p.Revision = at, now, p.Revision+1
		if err := updatePerson(ctx, tx, scope, d.key, p); err != nil {
			return err
		}
		if err := markStale(ctx, tx, scope); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: action, ObjectKind: "person", ObjectID: id.String(), ObjectName: p.Name()})
	})
}
