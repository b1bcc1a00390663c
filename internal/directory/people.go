package directory

import (
	"context"
	"slices"
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
	// Uncounted leaves Total out, for who only wants the first.
	Uncounted bool
}

// Page is a part of a list of people.
type Page struct {
	// People are by name. Contact points are masked unless the scope may see numbers.
	People []Person
	// Total counts everybody the filter selects, up to TotalLimit; More tells that there are others.
	Total int
	More  bool
	// Next continues the list; empty at its end.
	Next string
}

// TotalLimit is from where a list says "more than": counting 100,000 people
// costs more than reading the page one came for.
const TotalLimit = 1_000

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
		if err := c.lie(ctx, tx, f); err != nil {
			return err
		}
		page, err = c.list(ctx, tx, scope, where, f)
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
		// The bounds let the index begin and end at the name (U+FFFF comes after
		// every letter); the pattern says the rest.
		where += " AND p.name_folded >= " + c.arg(name) + " AND p.name_folded < " + c.arg(name+"\uffff") + " AND p.name_folded LIKE " + c.arg(storage.Like(name)+"%") + ` ESCAPE '\'`
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

// place is where a person stands in a list.
type place struct {
	name string
	id   uuid.UUID
}

// CheckAfter tells what is wrong with the After of a Filter that a program gives;
// a page reads the beginning instead, since somebody wrote it by hand.
func CheckAfter(after string) error {
	if after == "" {
		return nil
	}
	_, id, _ := strings.Cut(after, "\n")
	return uuid.Validate(id)
}

// list reads one page. The places come first, from the index alone, as many as
// are counted; only the people shown are then read whole.
func (c *compiler) list(ctx context.Context, tx *storage.Tx, scope access.Scope, where string, f Filter) (page Page, err error) {
	var after place
	if name, id, ok := strings.Cut(f.After, "\n"); ok {
		if after.id, err = uuid.Parse(id); err != nil {
			return page, nil // a page number somebody wrote by hand leads nowhere
		}
		after.name = name
	}
	var places []place
	if !f.Uncounted {
		if places, err = c.stand(ctx, tx, where, TotalLimit+1); err != nil {
			return page, err
		}
		page.Total, page.More = min(len(places), TotalLimit), len(places) > TotalLimit
	}
	counted := !f.Uncounted
	if after.id != uuid.Nil {
		// A place that is not among those counted lies beyond them, or its person left meanwhile.
		at := slices.Index(places, after)
		places, counted = places[at+1:], at >= 0
	}
	// One more than shown tells whether there is another page.
	if !counted || page.More && len(places) <= f.Limit {
		if after.id != uuid.Nil {
			n := c.arg(after.name)
			where += ` AND p.name_folded >= ` + n + ` AND (p.name_folded > ` + n + ` OR p.id > ` + c.arg(after.id) + `)`
		}
		if places, err = c.stand(ctx, tx, where, f.Limit+1); err != nil {
			return page, err
		}
	}
	if len(places) > f.Limit {
		places = places[:f.Limit]
		page.Next = places[f.Limit-1].name + "\n" + places[f.Limit-1].id.String()
	}
	page.People, err = c.whole(ctx, tx, scope, places)
	return page, err
}

// lie decides whether a list by cause goes through the rows as they lie. Those
// without a mobile have an index of their own. The others are met soon enough by
// name when they are many, or in a part of the house the index of names holds.
func (c *compiler) lie(ctx context.Context, tx *storage.Tx, f Filter) error {
	switch f.Cause {
	case CauseNoContact, CauseNoMobile:
		c.wide = true
	case CauseNeverTried, CauseUnproven:
		if f.Service != uuid.Nil || f.Site != uuid.Nil || f.Metier != "" || f.Status != "" {
			return nil
		}
		many, err := frequent(ctx, tx, c.args[0], f.Cause)
		c.wide = c.wide || !many
		return err
	}
	return nil
}

// stand reads the first places of a list. What the index by name does not hold
// is looked for in the rows as they lie, and sorted then: going through them by
// name would fetch 100,000 rows one by one, each from somewhere else.
func (c *compiler) stand(ctx context.Context, tx *storage.Tx, where string, limit int) (out []place, err error) {
	order := `p.organisation_id, p.name_folded, p.id`
	if c.wide {
		order = `p.name_folded || '', p.id`
	}
	err = tx.Query(ctx, `SELECT p.id, p.name_folded FROM directory_people p WHERE `+where+` ORDER BY `+order+` LIMIT `+strconv.Itoa(limit), c.args,
		func(row func(...any) error) error {
			var p place
			err := row(&p.id, &p.name)
			out = append(out, p)
			return err
		})
	return out, err
}

// whole reads the people of some places, in that order.
func (c *compiler) whole(ctx context.Context, tx *storage.Tx, scope access.Scope, places []place) ([]Person, error) {
	if len(places) == 0 {
		return nil, nil
	}
	g, _ := c.args[1].(int64)
	people, ids, at := make([]Person, len(places)), make([]uuid.UUID, len(places)), make(map[uuid.UUID]int, len(places))
	for n, p := range places {
		ids[n], at[p.id] = p.id, n
	}
	if err := tx.Query(ctx, `SELECT `+personColumns+` FROM directory_people p WHERE p.organisation_id = $1 AND p.since_gen <= $2 AND p.until_gen > $2
		AND p.id IN (`+storage.In(len(ids), 3)+`)`, storage.Args(ids, scope.Organisation(), g), func(row func(...any) error) error {
		p, err := scanPerson(row)
		p.name(c.places)
		people[at[p.ID]] = p.Person
		return err
	}); err != nil {
		return nil, err
	}
	points, err := pointsOf(ctx, tx, scope, g, ids)
	for n := range people {
		for _, k := range points[people[n].ID] {
			people[n].Contacts = append(people[n].Contacts, k.ContactPoint)
		}
	}
	return people, err
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

// Names gives the names of some people, in the caller's transaction.
func (d *Directory) Names(ctx context.Context, tx *storage.Tx, scope access.Scope, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]string, len(ids))
	g, err := generation(ctx, tx, scope)
	if err != nil || len(ids) == 0 {
		return out, err
	}
	err = tx.Query(ctx, `SELECT id, last_name, first_name FROM directory_people WHERE organisation_id = $1 AND since_gen <= $2 AND until_gen > $2 AND id IN (`+
		storage.In(len(ids), 3)+`)`, storage.Args(ids, scope.Organisation(), g), func(row func(...any) error) error {
		var id uuid.UUID
		var p Person
		err := row(&id, &p.LastName, &p.FirstName)
		out[id] = p.Name()
		return err
	})
	return out, err
}
