package directory

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// usualContacts is how many contact points most people have: a mobile and an address.
const usualContacts = 2

// How many people are in memory at once: of everyone, whose contact points are
// read in one sweep, and of a chosen few, whose are looked up by name.
const (
	sweepPage  = 2_000
	lookupPage = 500
)

// Resolve gives every person that include chooses and exclude does not, by id,
// each human being once. An empty include chooses everyone who works here, an
// empty exclude leaves nobody out. No query is open while each runs: it may use tx.
//
// The addresses are whole, so the right is that of seeing numbers. For a launch
// over several establishments, call it with the scope of each and keep the
// first Target of each Human.
func (d *Directory) Resolve(ctx context.Context, tx *storage.Tx, scope access.Scope, include, exclude Rule, now time.Time, each func(Target) error) error {
	if err := d.guard.Check(scope, access.DirectoryNumbers); err != nil {
		return err
	}
	c, err := d.newCompiler(ctx, tx, scope, now)
	if err != nil {
		return fmt.Errorf("resolve: %w", err)
	}
	where, err := c.chosen(include, exclude)
	if err != nil {
		return err
	}
	once, err := twins(ctx, tx, c.args[:2])
	if err != nil {
		return fmt.Errorf("resolve: %w", err)
	}
	if c.duties, err = readDuties(ctx, tx, scope, now); err != nil {
		return fmt.Errorf("resolve: %w", err)
	}
	if c.wishes, err = readPreferences(ctx, tx, scope); err != nil {
		return fmt.Errorf("resolve: %w", err)
	}
	c.now = now
	if d.devices != nil {
		if c.notified, err = d.devices.Notified(ctx, tx, scope); err != nil {
			return fmt.Errorf("resolve: %w", err)
		}
	}
	last, size := uuid.Nil, lookupPage
	if c.sweep = include.Empty() && exclude.Empty(); c.sweep {
		size = sweepPage
	}
	for {
		page, err := c.page(ctx, tx, where, last, size)
		if err != nil {
			return fmt.Errorf("resolve: %w", err)
		}
		for i := range page {
			if seen, several := once[page[i].Human]; several {
				if seen {
					continue
				}
				once[page[i].Human] = true
			}
			if err := each(page[i]); err != nil {
				return err
			}
		}
		if len(page) < size {
			return nil
		}
		last = page[len(page)-1].Person
	}
}

// twins lists the humans who have several rows in this establishment: few, so
// that nothing has to be remembered of the others.
func twins(ctx context.Context, tx *storage.Tx, args []any) (map[uuid.UUID]bool, error) {
	out := map[uuid.UUID]bool{}
	err := tx.Query(ctx, `SELECT human_id FROM directory_people WHERE organisation_id = $1 AND human_id <> id AND since_gen <= $2 AND until_gen > $2`,
		args, func(row func(...any) error) error {
			var human uuid.UUID
			err := row(&human)
			out[human] = false
			return err
		})
	return out, err
}

func (c *compiler) page(ctx context.Context, tx *storage.Tx, where string, last uuid.UUID, size int) ([]Target, error) {
	args := append(append([]any(nil), c.args...), last, size)
	n := len(args)
	page := make([]Target, 0, size)
	err := tx.Query(ctx, `SELECT p.id, p.human_id, p.last_name, p.first_name, p.language, p.metier, p.qualifications, p.service_id, p.site_id,
		p.refused, p.rest_until_us, p.protected, `+absent+` FROM directory_people p WHERE `+where+
		` AND p.id > $`+strconv.Itoa(n-1)+` ORDER BY p.id LIMIT $`+strconv.Itoa(n), args, func(row func(...any) error) error {
		var t Target
		var service, site uuid.NullUUID
		var qualifications, refused string
		var rest sql.NullInt64
		err := row(&t.Person, &t.Human, &t.LastName, &t.FirstName, &t.Language, &t.Metier, &qualifications, &service, &site,
			&refused, &rest, &t.Protected, &t.Absent)
		t.Service, t.Site = service.UUID, site.UUID
		t.Qualifications, t.Refused, t.RestUntil = unpacked(qualifications), unpacked(refused), storage.NullTime(rest)
		worked := time.Time{}
		if t.Duty, worked = c.duties.of(t.Person); t.Duty != OnDuty {
			t.RestUntil = latest(t.RestUntil, worked)
		}
		c.place(&t)
		if wish, some := c.wishes[t.Person]; some {
			t.First = wish.first(c.now.In(zoneNamed(t.SiteZone)))
		}
		page = append(page, t)
		return err
	})
	if err != nil || len(page) == 0 {
		return page, err
	}
	return page, c.contacts(ctx, tx, page)
}

// zoneNamed is a zone of the organisation, which only keeps zones that exist.
func zoneNamed(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// place names the service and the site of a target.
func (c *compiler) place(t *Target) {
	t.SiteZone = c.places.Zone
	var service, site organisation.Place
	if t.Service != uuid.Nil {
		service, _ = c.places.Get(t.Service)
		t.ServiceName = service.Name
		if t.Site == uuid.Nil {
			t.Site = service.Site
		}
	}
	if t.Site != uuid.Nil {
		site, _ = c.places.Get(t.Site)
		t.SiteName = site.Name
		if site.Zone != "" {
			t.SiteZone = site.Zone
		}
	}
}

// contacts fills the contact points of a page, which is sorted by person.
func (c *compiler) contacts(ctx context.Context, tx *storage.Tx, page []Target) error {
	at := make(map[uuid.UUID]int, len(page))
	for i := range page {
		at[page[i].Person] = i
	}
	which, args := `person_id >= $3 AND person_id <= $4`, []any{c.args[0], c.args[1], page[0].Person, page[len(page)-1].Person}
	if !c.sweep {
		which, args = `person_id IN (`+storage.In(len(page), 3)+`)`, args[:2]
		for i := range page {
			args = append(args, page[i].Person)
		}
	}
	// The few of each person are put in order here: the database would open a sorter for each.
	err := tx.Query(ctx, `SELECT person_id, id, kind, address, private, shared, state, rank FROM directory_contacts
		WHERE organisation_id = $1 AND since_gen <= $2 AND until_gen > $2 AND `+which,
		args, func(row func(...any) error) error {
			var person uuid.UUID
			var k Contact
			if err := row(&person, &k.ID, &k.Kind, &k.Address, &k.Private, &k.Shared, &k.State, &k.Rank); err != nil {
				return err
			}
			if i, chosen := at[person]; chosen {
				if page[i].Contacts == nil {
					page[i].Contacts = make([]Contact, 0, usualContacts)
				}
				page[i].Contacts = append(page[i].Contacts, k)
			}
			return nil
		})
	for i := range page {
		slices.SortFunc(page[i].Contacts, func(a, b Contact) int { return cmp.Or(cmp.Compare(a.Rank, b.Rank), bytes.Compare(a.ID[:], b.ID[:])) })
	}
	c.devices(page)
	return err
}

// Count tells how many human beings a rule chooses now.
func (d *Directory) Count(ctx context.Context, scope access.Scope, rule Rule, now time.Time) (int, error) {
	return d.CountBut(ctx, scope, rule, Rule{}, now)
}

// CountBut tells how many human beings include chooses now and exclude does not.
func (d *Directory) CountBut(ctx context.Context, scope access.Scope, include, exclude Rule, now time.Time) (n int, err error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return 0, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		c, err := d.newCompiler(ctx, tx, scope, now)
		if err != nil {
			return err
		}
		where, err := c.chosen(include, exclude)
		if err != nil {
			return err
		}
		_, err = tx.Row(ctx, `SELECT COUNT(DISTINCT p.human_id) FROM directory_people p WHERE `+where, c.args, &n)
		return err
	})
	return n, err
}
