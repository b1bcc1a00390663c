package pages

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/i18n"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/ui"
)

// pageSize is how many people a page of the list holds.
const pageSize = 50

// rankLimit bounds the rank an address may claim for its first person.
const rankLimit = 1_000_000

// roll is what the page of the list shows.
type roll struct {
	quality  directory.Quality
	page     directory.Page
	filter   directory.Filter
	sites    []ui.Choice
	services []ui.Choice
	metiers  []ui.Choice
	// first is the rank of the first person shown, from 1.
	first    int
	filtered bool
}

// last is the rank of the last person shown.
func (r roll) last() int { return r.first + len(r.page.People) - 1 }

// total says how many people the list holds: whole when they are few, and when
// it is everybody, whom the figures of quality count already.
func (r roll) total(loc *i18n.Localizer) string {
	switch {
	case !r.page.More:
		return loc.Int(r.page.Total)
	case !r.filtered && r.quality.People > r.page.Total:
		return loc.Int(r.quality.People)
	}
	return loc.T("directory.page.more_than", "count", loc.Int(r.page.Total))
}

// filterOf reads the filters of the address; what is unknown filters nothing.
func filterOf(q ui.Query) directory.Filter {
	f := directory.Filter{Text: q.Get("q"), Service: optional(q.Get("service")), Site: optional(q.Get("site")), Group: optional(q.Get("groupe")), Limit: pageSize}
	if len(f.Text) > 200 {
		f.Text = f.Text[:200]
	}
	if m := q.Get("metier"); len(m) < 200 {
		f.Metier = m
	}
	if s := q.Get("statut"); slices.Contains(directory.Statuses(), s) {
		f.Status = s
	}
	if c := directory.Cause(q.Get("cause")); slices.Contains(directory.Causes(), c) {
		f.Cause = c
	}
	f.Departed = q.Get("partis") == "oui"
	return f
}

func (p pages) list(c *ui.Context) error {
	q := c.Query()
	r := roll{filter: filterOf(q), first: 1}
	bare := r.filter
	r.filtered = bare != directory.Filter{Limit: pageSize}
	if after := q.Get("suite"); after != "" {
		r.filter.After = afterOf(after)
		if n, err := strconv.Atoi(q.Get("rang")); err == nil && n > 1 && n < rankLimit {
			r.first = n
		}
	}
	var err error
	if r.quality, err = p.d.Quality(c.Ctx(), c.Scope); err != nil {
		return err
	}
	if r.page, err = p.people(c, r.filter); err != nil {
		return err
	}
	if err := p.choices(c, &r); err != nil {
		return err
	}
	return c.Render(listPage(c, q, r, p.d))
}

// people reads a page of the list, its numbers masked whoever looks.
func (p pages) people(c *ui.Context, f directory.Filter) (directory.Page, error) {
	page, err := p.d.People(c.Ctx(), c.Scope, f)
	for i := range page.People {
		directory.Hide(page.People[i].Contacts)
	}
	return page, err
}

// choices are what the filters propose: sites, services by site, métiers.
func (p pages) choices(c *ui.Context, r *roll) error {
	places, err := p.places(c)
	if err != nil {
		return err
	}
	r.sites, r.services = places.sites, places.services
	r.metiers = p.metiers(c, r.filter.Metier)
	return nil
}

// metiers are those of the built-in list by name, and the one already chosen.
func (p pages) metiers(c *ui.Context, chosen string) []ui.Choice {
	ref := p.d.Reference()
	var out []ui.Choice
	known := chosen == ""
	for _, m := range ref.Metiers() {
		out = append(out, ui.Choice{Value: m.Code, Label: ref.Label(m.Code, string(c.Loc.Language()))})
		known = known || m.Code == chosen
	}
	slices.SortFunc(out, func(a, b ui.Choice) int { return compareFolded(a.Label, b.Label) })
	if !known {
		out = append(out, ui.Choice{Value: chosen, Label: ref.Label(chosen, string(c.Loc.Language()))})
	}
	return out
}

func compareFolded(a, b string) int {
	fa, fb := storage.Fold(a), storage.Fold(b)
	switch {
	case fa < fb:
		return -1
	case fa > fb:
		return 1
	}
	return 0
}

// located are the living places, as choices; services are grouped by site.
type located struct{ sites, services []ui.Choice }

// places reads the sites and services of the establishment.
func (p pages) places(c *ui.Context) (located, error) {
	roots, err := p.houses.Tree(c.Ctx(), c.Scope, c.Now)
	if err != nil {
		return located{}, err
	}
	var out located
	seen := map[uuid.UUID]bool{}
	var walk func(list []organisation.Branch, site string)
	walk = func(list []organisation.Branch, site string) {
		for _, b := range list {
			under := site
			if b.Kind == organisation.Site {
				under = b.Name
			}
			if !seen[b.ID] {
				seen[b.ID] = true
				switch b.Kind {
				case organisation.Site:
					out.sites = append(out.sites, ui.Choice{Value: b.ID.String(), Label: b.Name})
				case organisation.CareService:
					out.services = append(out.services, ui.Choice{Value: b.ID.String(), Label: b.Name, Group: under})
				}
			}
			walk(b.Children, under)
		}
	}
	walk(roots, "")
	slices.SortStableFunc(out.services, func(a, b ui.Choice) int { return compareFolded(a.Group, b.Group) })
	return out, nil
}

// shown are the causes that some people have, the gravest first; those never
// proven come last, since the score itself says it.
func shown(q directory.Quality) []directory.Cause {
	var out []directory.Cause
	for _, cause := range directory.Causes() {
		if q.Causes[cause] > 0 {
			out = append(out, cause)
		}
	}
	return out
}

// scoreTone says how worried one should be.
func scoreTone(s directory.Score) ui.Tone {
	switch share := s.Share(); {
	case s.People == 0:
		return ui.Neutral
	case share >= 0.8:
		return ui.Success
	case share >= 0.5:
		return ui.Attention
	}
	return ui.Alert
}

func mayWrite(c *ui.Context) bool { return c.May(access.DirectoryWrite) }

// nextLink continues the list where this page ends.
func nextLink(q ui.Query, r roll) string {
	return turned(q, "suite", beforeOf(r.page.Next), "rang", strconv.Itoa(r.last()+1))
}

// firstLink begins the list again, with its filters.
func firstLink(q ui.Query) string { return turned(q, "suite", "", "rang", "") }

// turned changes two values of an address at once.
func turned(q ui.Query, name, value, other, second string) string {
	u, err := url.Parse(q.With(name, value))
	if err != nil {
		return Path
	}
	v := u.Query()
	if v.Del(other); second != "" {
		v.Set(other, second)
	}
	u.RawQuery = v.Encode()
	return u.String()
}
