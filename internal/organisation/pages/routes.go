package pages

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/ui"
)

// Path is where the tree is. POST on the same address belongs to the switch of
// establishments: the forms of this room post below it.
const Path = "/etablissement"

// Options are what the pages rest on.
type Options struct {
	Service *organisation.Service
}

type pages struct{ s *organisation.Service }

// Routes registers the pages of this room.
func Routes(r *ui.Router, o Options) {
	p := pages{s: o.Service}
	r.Get(Path, access.OrganisationRead, p.tree)
	r.Get(Path+"/modifier", access.OrganisationWrite, p.edit)
	r.Post(Path+"/modifier", access.OrganisationWrite, p.save)
	r.Get(Path+"/nouveau", access.OrganisationWrite, p.newNode)
	r.Post(Path+"/nouveau", access.OrganisationWrite, p.addNode)
	r.Get(Path+"/{id}", access.OrganisationRead, p.node)
	r.Get(Path+"/{id}/modifier", access.OrganisationWrite, p.editNode)
	r.Post(Path+"/{id}/modifier", access.OrganisationWrite, p.saveNode)
	r.Get(Path+"/{id}/rattacher", access.OrganisationWrite, p.joining)
	r.Post(Path+"/{id}/rattacher", access.OrganisationWrite, p.join)
	r.Post(Path+"/{id}/detacher", access.OrganisationWrite, p.part)
	r.Get(Path+"/{id}/fermer", access.OrganisationWrite, p.closing)
	r.Post(Path+"/{id}/fermer", access.OrganisationWrite, p.close)
}

// Rail are the entries of this room in the left rail.
func Rail() []ui.NavItem {
	return []ui.NavItem{{Label: "organisation.page.rail", Path: Path, Icon: "building", Need: access.OrganisationRead}}
}

// NodePath is the page of a node.
func NodePath(id uuid.UUID) string { return Path + "/" + id.String() }

// Search finds living sites, services and bodies by name or code.
type Search struct{ Service *organisation.Service }

// found bounds the hits.
const found = 8

// Search gives the nodes whose name or code holds the query.
func (s Search) Search(ctx context.Context, scope access.Scope, loc *i18n.Localizer, query string) ([]ui.Hit, error) {
	if len(scope.Roles()) == 0 {
		return nil, nil // an account without a role sees nothing of the house
	}
	nodes, err := s.Service.Nodes(ctx, scope)
	if err != nil {
		return nil, err
	}
	wanted := storage.Fold(query)
	var out []ui.Hit
	for _, n := range nodes {
		if len(out) == found {
			break
		}
		if !n.Closed.IsZero() || !strings.Contains(storage.Fold(n.Name+" "+n.Code), wanted) {
			continue
		}
		out = append(out, ui.Hit{Kind: kindWord(loc, n.Kind), Title: n.Name, Detail: n.Code, Path: NodePath(n.ID), Icon: kindIcon(n.Kind)})
	}
	return out, nil
}

func kindWord(loc *i18n.Localizer, k organisation.Kind) string {
	return loc.T("organisation.kind." + string(k))
}

func kindIcon(k organisation.Kind) string {
	switch k {
	case organisation.Site:
		return "pin"
	case organisation.CareService:
		return "users"
	}
	return "building"
}

// dayOf reads the date of a field, at the start of that day; zero when empty.
func dayOf(f *ui.Form, c *ui.Context, name string) time.Time {
	text := f.Value(name)
	if text == "" {
		return time.Time{}
	}
	day, err := time.ParseInLocation(time.DateOnly, text, c.Zone)
	if err != nil {
		f.Add(name, c.Loc.T("organisation.page.date_invalid"))
	}
	return day
}
