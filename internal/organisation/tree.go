package organisation

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/storage"
)

// Branch is a node with what hangs under it at one instant.
type Branch struct {
	Node
	// Relation to the branch above; empty for a root.
	Relation Relation
	Children []Branch
}

// Place is a site or a care service as the other rooms need it.
type Place struct {
	ID   uuid.UUID
	Kind Kind
	Name string
	Code string
	// Site is the site above, or itself; Nil when there is none.
	Site     uuid.UUID
	SiteName string
	// Zone is the site's, else the establishment's.
	Zone string
}

// Places are the living sites and services of an establishment.
type Places struct {
	byID     map[uuid.UUID]Place
	children map[uuid.UUID][]uuid.UUID
	byName   map[string]uuid.UUID
	// Zone is the establishment's.
	Zone string
}

// Get gives a place; ok is false when it is unknown or closed.
func (p *Places) Get(id uuid.UUID) (Place, bool) {
	place, ok := p.byID[id]
	return place, ok
}

// Within gives the ids with every place below them, each once.
func (p *Places) Within(ids []uuid.UUID) []uuid.UUID {
	var out []uuid.UUID
	seen := map[uuid.UUID]bool{}
	todo := slices.Clone(ids)
	for len(todo) > 0 {
		id := todo[0]
		todo = todo[1:]
		if seen[id] {
			continue
		}
		seen[id] = true
		out = append(out, id)
		todo = append(todo, p.children[id]...)
	}
	return out
}

// Sites and Services list the places of a kind by name.
func (p *Places) Sites() []Place { return p.of(Site) }

// Services lists the care services by name.
func (p *Places) Services() []Place { return p.of(CareService) }

func (p *Places) of(kind Kind) []Place {
	var out []Place
	for _, place := range p.byID {
		if place.Kind == kind {
			out = append(out, place)
		}
	}
	slices.SortFunc(out, func(a, b Place) int {
		if c := strings.Compare(storage.Fold(a.Name), storage.Fold(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(a.ID.String(), b.ID.String())
	})
	return out
}

// PlaceName is how a staff file names a place. Either part may be empty.
type PlaceName struct{ Site, Service, Code string }

// Find gives the ids of a named place, Nil for what is not there yet. A service
// is found under its site; without a site, when one service only bears the name.
func (p *Places) Find(n PlaceName) (site, service uuid.UUID) {
	if oneLine(n.Site) != "" {
		site = p.byName[siteKey(n.Site)]
	}
	if oneLine(n.Service) == "" && oneLine(n.Code) == "" {
		return site, uuid.Nil
	}
	if oneLine(n.Site) != "" && site == uuid.Nil {
		return uuid.Nil, uuid.Nil
	}
	if service = p.named(site.String(), n); service == uuid.Nil && site == uuid.Nil {
		service = p.named(anySite, n)
	}
	if service != uuid.Nil && site == uuid.Nil {
		site = p.byID[service].Site
	}
	return site, service
}

// anySite stands for the site in the keys of services looked for without it.
const anySite = "any"

// named finds a service by its code, else by its name when neither or one only has a code.
func (p *Places) named(site string, n PlaceName) uuid.UUID {
	code := oneLine(n.Code)
	if code != "" {
		if id := p.byName[codeKey(site, code)]; id != uuid.Nil {
			return id
		}
	}
	id := p.byName[serviceKey(site, n.Service)]
	if code != "" && p.byID[id].Code != "" {
		return uuid.Nil
	}
	return id
}

func codeKey(site, code string) string { return "code " + site + " " + storage.Fold(oneLine(code)) }
func serviceKey(site, name string) string {
	return "service " + site + " " + storage.Fold(oneLine(name))
}
func siteKey(name string) string { return "site " + storage.Fold(oneLine(name)) }

// newPlaces keeps the sites and services that live at that instant.
func newPlaces(zone string, nodes []Node, links []Link, when time.Time) *Places {
	p := &Places{byID: map[uuid.UUID]Place{}, children: map[uuid.UUID][]uuid.UUID{}, byName: map[string]uuid.UUID{}, Zone: zone}
	byID := map[uuid.UUID]Node{}
	for _, n := range nodes {
		byID[n.ID] = n
	}
	parent := map[uuid.UUID]uuid.UUID{}
	for _, l := range links {
		if l.at(when) && l.Relation == Member {
			parent[l.Child] = l.Parent
			p.children[l.Parent] = append(p.children[l.Parent], l.Child)
		}
	}
	for _, n := range nodes {
		if (n.Kind == Site || n.Kind == CareService) && (n.Closed.IsZero() || n.Closed.After(when)) {
			p.add(n, byID, parent)
		}
	}
	return p
}

func (p *Places) add(n Node, byID map[uuid.UUID]Node, parent map[uuid.UUID]uuid.UUID) {
	place := Place{ID: n.ID, Kind: n.Kind, Name: n.Name, Code: n.Code, Zone: p.Zone}
	for id := n.ID; id != uuid.Nil; id = parent[id] {
		if at := byID[id]; at.Kind == Site {
			place.Site, place.SiteName = at.ID, at.Name
			if at.Zone != "" {
				place.Zone = at.Zone
			}
			break
		}
	}
	p.byID[n.ID] = place
	if n.Kind == Site {
		p.byName[siteKey(n.Name)] = n.ID
		return
	}
	site := place.Site.String()
	p.name(serviceKey(site, n.Name), n.ID, false)
	p.name(serviceKey(anySite, n.Name), n.ID, true)
	if n.Code != "" {
		p.name(codeKey(site, n.Code), n.ID, false)
		p.name(codeKey(anySite, n.Code), n.ID, true)
	}
}

// name keeps the first place of a name; of a name that must be alone, none when there are several.
func (p *Places) name(key string, id uuid.UUID, alone bool) {
	_, twice := p.byName[key]
	switch {
	case !twice:
		p.byName[key] = id
	case alone:
		p.byName[key] = uuid.Nil
	}
}

// branches builds the tree of an instant: roots first by kind, then by name.
func branches(nodes []Node, links []Link, when time.Time) []Branch {
	byID := map[uuid.UUID]Node{}
	for _, n := range nodes {
		if !n.Created.After(when) && (n.Closed.IsZero() || n.Closed.After(when)) {
			byID[n.ID] = n
		}
	}
	under := map[uuid.UUID][]Link{}
	hangs := map[uuid.UUID]bool{}
	for _, l := range links {
		_, parent := byID[l.Parent]
		_, child := byID[l.Child]
		if l.at(when) && parent && child {
			under[l.Parent] = append(under[l.Parent], l)
			hangs[l.Child] = true
		}
	}
	var build func(id uuid.UUID, r Relation) Branch
	build = func(id uuid.UUID, r Relation) Branch {
		b := Branch{Node: byID[id], Relation: r}
		for _, l := range under[id] {
			b.Children = append(b.Children, build(l.Child, l.Relation))
		}
		sortBranches(b.Children)
		return b
	}
	var roots []Branch
	for id := range byID {
		if !hangs[id] {
			roots = append(roots, build(id, ""))
		}
	}
	sortBranches(roots)
	return roots
}

func sortBranches(b []Branch) {
	slices.SortFunc(b, func(a, b Branch) int {
		if a.Kind != b.Kind {
			return a.Kind.level() - b.Kind.level()
		}
		if c := strings.Compare(storage.Fold(a.Name), storage.Fold(b.Name)); c != 0 {
			return c
		}
		return strings.Compare(a.ID.String(), b.ID.String())
	})
}
