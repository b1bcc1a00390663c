package inventory

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// worker is the name under which the room asks its neighbours for names, once
// it has checked that the visitor may read the inventory.
const worker = "inventory"

// Owners says who people are: the directory answers, joined in app.
type Owners interface {
	// Find gives the person whom a text names, by matricule or name. Errors:
	// Invalid when nobody is named so, or several.
	Find(ctx context.Context, scope access.Scope, text string) (uuid.UUID, error)
	// Names gives the names of some people, in the caller's transaction.
	Names(ctx context.Context, tx *storage.Tx, scope access.Scope, ids []uuid.UUID) (map[uuid.UUID]string, error)
}

// Named is an item with the names of what it points at; a name is empty when
// there is nothing, or nothing any more.
type Named struct {
	Item
	OwnerPersonName, OwnerServiceName, ServiceName, SiteName, SupplierName string
}

// Owner is who answers for it, in words: the person, the service, or both.
func (n Named) Owner() string {
	return strings.Join(slices.DeleteFunc([]string{n.OwnerPersonName, n.OwnerServiceName}, func(s string) bool { return s == "" }), ", ")
}

// glossary holds the names of what items point at.
type glossary struct {
	places    *organisation.Places
	people    map[uuid.UUID]string
	suppliers map[uuid.UUID]string
}

// names reads what is needed to name what some items point at.
func (s *Service) names(ctx context.Context, tx *storage.Tx, scope access.Scope, items []Item) (g glossary, err error) {
	inside := access.System(scope.Organisation(), worker)
	if g.places, err = s.opt.Organisation.Places(ctx, tx, inside, s.opt.Clock.Now()); err != nil {
		return g, err
	}
	var people, suppliers []uuid.UUID
	for _, i := range items {
		if i.OwnerPerson != uuid.Nil && !slices.Contains(people, i.OwnerPerson) {
			people = append(people, i.OwnerPerson)
		}
		if i.Supplier != uuid.Nil && !slices.Contains(suppliers, i.Supplier) {
			suppliers = append(suppliers, i.Supplier)
		}
	}
	g.people, g.suppliers = map[uuid.UUID]string{}, map[uuid.UUID]string{}
	for some := range slices.Chunk(people, identifyChunk) {
		found, err := s.opt.Owners.Names(ctx, tx, inside, some)
		if err != nil {
			return g, err
		}
		for id, name := range found {
			g.people[id] = name
		}
	}
	for some := range slices.Chunk(suppliers, identifyChunk) {
		if err := tx.Query(ctx, `SELECT id, name FROM inventory_items WHERE organisation_id = $1 AND id IN (`+storage.In(len(some), 2)+`)`,
			storage.Args(some, scope.Organisation()), func(row func(...any) error) error {
				var id uuid.UUID
				var name string
				err := row(&id, &name)
				g.suppliers[id] = name
				return err
			}); err != nil {
			return g, err
		}
	}
	return g, nil
}

func (g glossary) of(i Item) Named {
	place := func(id uuid.UUID) string {
		p, _ := g.places.Get(id)
		return p.Name
	}
	return Named{
		Item: i, OwnerPersonName: g.people[i.OwnerPerson], OwnerServiceName: place(i.OwnerService), ServiceName: place(i.Service),
		SiteName: place(i.Site), SupplierName: g.suppliers[i.Supplier],
	}
}

func (g glossary) all(items []Item) []Named {
	out := make([]Named, len(items))
	for n, i := range items {
		out[n] = g.of(i)
	}
	return out
}

// word is one field of an item as a person reads it.
type word struct{ field, text string }

// words are the fields of an item, in the order they are shown. Kinds and
// levels stay codes: the page translates them.
func (n Named) words() []word {
	out := []word{
		{"kind", string(n.Kind)},
		{"name", n.Name},
		{"code", n.Code},
		{"criticality", string(n.Criticality)},
		{"owner", n.OwnerPersonName},
		{"owner_service", n.OwnerServiceName},
		{"service", n.ServiceName},
		{"site", n.SiteName},
		{"supplier", n.SupplierName},
		{"model", n.Model},
	}
	for _, kind := range IdentifierKinds() {
		out = append(out, word{string(kind), strings.Join(n.Values(kind), ", ")})
	}
	out = append(out, word{"notes", n.Notes}, word{"source", n.Source})
	retired := ""
	if !n.Retired.IsZero() {
		retired = n.Retired.UTC().Format("2006-01-02")
	}
	return append(out, word{"retired", retired})
}

// noted is what the journal keeps of an item.
func (n Named) noted() map[string]string {
	out := map[string]string{}
	for _, w := range n.words() {
		if w.text != "" {
			out[w.field] = w.text
		}
	}
	return out
}

// Change is a field that differs, in words.
type Change struct {
	Field  string `json:"field"`
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

func changes(before, after Named) (out []Change) {
	old := before.words()
	for n, w := range after.words() {
		if w.text != old[n].text {
			out = append(out, Change{w.field, old[n].text, w.text})
		}
	}
	return out
}
