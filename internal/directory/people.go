package directory

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// Filter selects people for a list; zero fields select everybody who works here.
type Filter struct {
	// Text is looked for in names, matricule, métier and the names of services, word by word.
	Text string
	// Named keeps the people whose last name, then first name, begins so.
	Named   string
	Service uuid.UUID
	Site    uuid.UUID
	Metier  string
	Status  string
	Group   uuid.UUID
	// Cause keeps the people a quality figure counts.
	Cause Cause
	// Departed lists those who left instead.
	Departed bool
	// After continues a page: Next of the page before.
	After string
	// Limit is 1 to 500; 0 means 50.
	Limit int
}

// Page is a part of a list of people.
type Page struct {
	// People are by name. Contact points are masked unless the scope may see numbers.
	People []Person
	// Total counts everybody the filter selects, up to TotalLimit.
	Total int
	// Next continues the list; empty at its end.
	Next string
}

// TotalLimit is from where a list says "more than".
const TotalLimit = 200_000

// People lists people by name.
func (d *Directory) People(ctx context.Context, scope access.Scope, f Filter) (Page, error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return Page{}, err
	}
	if f.Limit <= 0 || f.Limit > 500 {
		f.Limit = 50
	}
	var page Page
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		c, err := d.newCompiler(ctx, tx, scope, d.clock.Now())
		if err != nil {
			return err
		}
		where, err := c.listed(f)
		if err != nil {
			return err
		}
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM directory_people p WHERE `+where+` LIMIT `+strconv.Itoa(TotalLimit)+`) n`, c.args, &page.Total); err != nil {
			return err
		}
		page.People, page.Next, err = c.list(ctx, tx, scope, where, f)
		return err
	})
	if !d.guard.May(scope, access.DirectoryNumbers) {
		for n := range page.People {
			hide(page.People[n].Contacts)
		}
	}
	return page, err
}

// listed is the condition of a list. $4 and $5 are those of causes.
func (c *compiler) listed(f Filter) (string, error) {
	c.arg(failuresBad)
	c.arg(c.args[2].(int64) - ProvenFor.Microseconds())
	where := working
	if f.Departed {
		where = `p.organisation_id = $1 AND p.since_gen <= $2 AND p.until_gen > $2 AND NOT (p.departed_us IS NULL AND (p.contract_end_us IS NULL OR p.contract_end_us > $3))`
	}
	// Every parameter must have its place in the text: PostgreSQL wants to know its type.
	where += ` AND CAST($4 AS BIGINT) > 0 AND CAST($5 AS BIGINT) > 0`
	rule := Rule{}
	if f.Service != uuid.Nil {
		rule.Services = []uuid.UUID{f.Service}
	}
	if f.Site != uuid.Nil {
		rule.Sites = []uuid.UUID{f.Site}
	}
	if f.Metier != "" {
		rule.Metiers = []string{f.Metier}
	}
	if f.Status != "" {
		rule.Statuses = []string{f.Status}
	}
	if f.Group != uuid.Nil {
		rule.Groups = []uuid.UUID{f.Group}
	}
	chosen, err := c.rule(rule, 0)
	if err != nil {
		return "", err
	}
	where += chosen
	if f.Cause != "" {
		where += " AND (" + f.Cause.condition() + ")"
	}
	if name := strings.Join(strings.Fields(storage.Fold(f.Named)), " "); name != "" {
		// The bound lets the index begin at the name; the pattern says the rest.
		where += " AND p.name_folded >= " + c.arg(name) + " AND p.name_folded LIKE " + c.arg(storage.Like(name)+"%") + ` ESCAPE '\'`
	}
	for _, word := range strings.Fields(storage.Fold(f.Text)) {
		where += " AND (" + c.word(word) + ")"
	}
	return where, nil
}

// word looks for one word in a person, and in the names of the places.
func (c *compiler) word(word string) string {
	condition := `p.search_folded LIKE ` + c.arg("%"+storage.Like(word)+"%") + ` ESCAPE '\'`
	var places []uuid.UUID
	for _, list := range [][]organisation.Place{c.places.Services(), c.places.Sites()} {
		for _, place := range list {
			if strings.Contains(storage.Fold(place.Name+" "+place.Code), word) && len(places) < 500 {
				places = append(places, place.ID)
			}
		}
	}
	if len(places) == 0 {
		return condition
	}
	var services, sites strings.Builder
	in(c, &services, "p.service_id", places)
	in(c, &sites, "p.site_id", places)
	return condition + " OR " + strings.TrimPrefix(services.String(), " AND ") + " OR " + strings.TrimPrefix(sites.String(), " AND ")
}

// list reads one page: one row more than shown tells whether there is another.
func (c *compiler) list(ctx context.Context, tx *storage.Tx, scope access.Scope, where string, f Filter) (people []Person, next string, err error) {
	if name, id, ok := strings.Cut(f.After, "\n"); ok {
		after, err := uuid.Parse(id)
		if err != nil {
			return nil, "", nil // a page number somebody wrote by hand leads nowhere
		}
		n := c.arg(name)
		where += ` AND p.name_folded >= ` + n + ` AND (p.name_folded > ` + n + ` OR p.id > ` + c.arg(after) + `)`
	}
	limit := c.arg(f.Limit + 1)
	var ids []uuid.UUID
	if err := tx.Query(ctx, `SELECT `+personColumns+` FROM directory_people p WHERE `+where+` ORDER BY p.organisation_id, p.name_folded, p.id LIMIT `+limit, c.args,
		func(row func(...any) error) error {
			p, err := scanPerson(row)
			p.name(c.places)
			people, ids = append(people, p.Person), append(ids, p.ID)
			return err
		}); err != nil {
		return nil, "", err
	}
	if len(people) > f.Limit {
		people, ids = people[:f.Limit], ids[:f.Limit]
		last := people[f.Limit-1]
		next = storage.Fold(last.LastName+" "+last.FirstName) + "\n" + last.ID.String()
	}
	g, _ := c.args[1].(int64)
	points, err := pointsOf(ctx, tx, scope, g, ids)
	for n := range people {
		for _, k := range points[people[n].ID] {
			people[n].Contacts = append(people[n].Contacts, k.ContactPoint)
		}
	}
	return people, next, err
}

// Named is a code or a place with the number of people who have it.
type Named struct {
	ID     uuid.UUID // of places
	Code   string    // of métiers and qualifications
	Name   string
	Site   string
	People int
}

// Services lists the care services with how many people each has.
func (d *Directory) Services(ctx context.Context, scope access.Scope) ([]Named, error) {
	return d.named(ctx, scope, "service_id", (*organisation.Places).Services)
}

// Sites lists the sites with how many people each has.
func (d *Directory) Sites(ctx context.Context, scope access.Scope) ([]Named, error) {
	return d.named(ctx, scope, "site_id", (*organisation.Places).Sites)
}

func (d *Directory) named(ctx context.Context, scope access.Scope, column string, list func(*organisation.Places) []organisation.Place) (out []Named, err error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		c, err := d.newCompiler(ctx, tx, scope, d.clock.Now())
		if err != nil {
			return err
		}
		count := map[uuid.UUID]int{}
		if err := tx.Query(ctx, `SELECT p.`+column+`, COUNT(*) FROM directory_people p WHERE `+working+` AND p.`+column+` IS NOT NULL GROUP BY p.`+column, c.args,
			func(row func(...any) error) error {
				var id uuid.UUID
				var n int
				err := row(&id, &n)
				count[id] = n
				return err
			}); err != nil {
			return err
		}
		for _, place := range list(c.places) {
			out = append(out, Named{ID: place.ID, Code: place.Code, Name: place.Name, Site: place.SiteName, People: count[place.ID]})
		}
		return nil
	})
	return out, err
}

// Metiers lists the métiers of the people who work here, the most frequent
// first, named in that language ("fr" or "en").
func (d *Directory) Metiers(ctx context.Context, scope access.Scope, language string) (out []Named, err error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		c, err := d.newCompiler(ctx, tx, scope, d.clock.Now())
		if err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT p.metier, COUNT(*) FROM directory_people p WHERE `+working+` AND p.metier <> '' GROUP BY p.metier ORDER BY 2 DESC, 1`, c.args,
			func(row func(...any) error) error {
				var n Named
				err := row(&n.Code, &n.People)
				n.Name = d.reference.Label(n.Code, language)
				out = append(out, n)
				return err
			})
	})
	return out, err
}
