package inventory

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
	"tocsin/internal/organisation"
)

// entry is a row of a file once understood: what it says, and nothing of what
// it is silent about.
type entry struct {
	Kind         Kind         `json:"kind"`
	Name         string       `json:"name"`
	Code         string       `json:"code,omitempty"`
	Criticality  Criticality  `json:"criticality,omitempty"`
	OwnerPerson  uuid.UUID    `json:"owner_person,omitzero"`
	OwnerService uuid.UUID    `json:"owner_service,omitzero"`
	Service      uuid.UUID    `json:"service,omitzero"`
	Site         uuid.UUID    `json:"site,omitzero"`
	Supplier     string       `json:"supplier,omitempty"` // by name: it may not be there yet
	Model        string       `json:"model,omitempty"`
	Identifiers  []Identifier `json:"identifiers,omitempty"`
	Notes        string       `json:"notes,omitempty"`

	problems []assist.Problem
	// owner is how the row names the person.
	owner string
}

// match is what makes it the same thing as one of the inventory.
func (e *entry) match() string { return Item{Name: e.Name, Code: e.Code}.match() }

func (e *entry) refused() bool {
	for _, p := range e.problems {
		if p.Error {
			return true
		}
	}
	return false
}

// onto gives the item as it is once the row is applied. What the row does not
// say stays; a kind of identifier that it gives replaces those known.
func (e *entry) onto(i Item, supplier uuid.UUID, source string) Item {
	i.Kind, i.Name = e.Kind, e.Name
	set(&i.Code, e.Code)
	set(&i.Criticality, e.Criticality)
	set(&i.OwnerPerson, e.OwnerPerson)
	set(&i.OwnerService, e.OwnerService)
	set(&i.Service, e.Service)
	set(&i.Site, e.Site)
	set(&i.Supplier, supplier)
	set(&i.Model, e.Model)
	set(&i.Notes, e.Notes)
	var kept []Identifier
	for _, kind := range IdentifierKinds() {
		from := Item{Identifiers: e.Identifiers}.Values(kind)
		if len(from) == 0 {
			from = i.Values(kind)
		}
		for _, v := range from {
			kept = append(kept, Identifier{kind, v})
		}
	}
	i.Identifiers = kept
	if i.Source == "" {
		i.Source = source
	}
	// A file that speaks of a thing says that it serves.
	i.Retired = Item{}.Retired
	return i
}

func set[T comparable](into *T, value T) {
	var none T
	if value != none {
		*into = value
	}
}

// reading turns the rows of one file into entries.
type reading struct {
	i      *Import
	places *organisation.Places
	// owner recognises the person whom a text names.
	owner func(text string) (uuid.UUID, bool)
}

// newReading asks the directory about each text once.
func (s *Service) newReading(ctx context.Context, scope access.Scope, i *Import, places *organisation.Places) *reading {
	known := map[string]uuid.UUID{}
	inside := access.System(scope.Organisation(), worker)
	return &reading{i: i, places: places, owner: func(text string) (uuid.UUID, bool) {
		id, asked := known[text]
		if !asked {
			var err error
			if id, err = s.opt.Owners.Find(ctx, inside, text); err != nil {
				id = uuid.Nil
			}
			known[text] = id
		}
		return id, id != uuid.Nil
	}}
}

func (r *reading) complain(e *entry, column int, isError bool, key string, args ...any) {
	p := assist.Problem{Key: key, Args: args, Error: isError}
	if column >= 0 && column < len(r.i.Header) {
		p.Column = r.i.Header[column]
	}
	e.problems = append(e.problems, p)
}

// read understands a row. Its service and its site are looked for together, so
// that the same name on two sites is told apart.
func (r *reading) read(cells []string) *entry {
	e := &entry{Kind: r.i.Kind}
	var place organisation.PlaceName
	at := map[Field]int{}
	for column, f := range r.i.Mapping {
		if f == Ignored || column >= len(cells) {
			continue
		}
		at[f] = column
		cell := assist.Harmed(strings.TrimSpace(assist.Clean(cells[column])))
		if f != FieldNotes {
			cell = assist.OneLine(cell)
		}
		if cell == "" {
			continue
		}
		switch f {
		case FieldService:
			place.Service = cell
		case FieldSite:
			place.Site = cell
		default:
			r.field(e, column, f, cell)
		}
	}
	r.place(e, at, place)
	switch {
	case e.Name == "":
		r.complain(e, columnOf(at, FieldName), true, "inventory.name_required")
	case utf8.RuneCountInString(e.Name) > NameLimit:
		r.complain(e, columnOf(at, FieldName), true, "inventory.too_long", "limit", NameLimit)
	case utf8.RuneCountInString(e.Code) > CodeLimit:
		r.complain(e, columnOf(at, FieldCode), true, "inventory.too_long", "limit", CodeLimit)
	}
	if e.Kind == Supplier {
		e.Supplier = ""
	}
	return e
}

func columnOf(at map[Field]int, f Field) int {
	if column, found := at[f]; found {
		return column
	}
	return -1
}

func (r *reading) field(e *entry, column int, f Field, cell string) {
	known := true
	switch f {
	case FieldKind:
		var k Kind
		if k, known = readKind(cell); known {
			e.Kind = k
		} else {
			r.complain(e, column, true, "inventory.import.kind", "value", cell)
		}
	case FieldName:
		e.Name = cell
	case FieldCode:
		e.Code = cell
	case FieldCriticality:
		if e.Criticality, known = readCriticality(cell); !known {
			r.complain(e, column, false, "inventory.import.criticality", "value", cell)
		}
	case FieldOwner:
		r.responsible(e, column, cell)
	case FieldOwnerService:
		if _, e.OwnerService = r.places.Find(organisation.PlaceName{Service: cell}); e.OwnerService == uuid.Nil {
			r.complain(e, column, false, "inventory.import.service", "value", cell)
		}
	case FieldSupplier:
		e.Supplier = cut(cell, NameLimit)
	case FieldModel:
		e.Model = cut(cell, NameLimit)
	case FieldNotes:
		e.Notes = cut(cell, NotesLimit)
	default:
		r.identifiers(e, column, f, cell)
	}
}

// responsible is a person, or a service when nobody bears that name.
func (r *reading) responsible(e *entry, column int, cell string) {
	if id, found := r.owner(cell); found {
		e.OwnerPerson, e.owner = id, cell
		return
	}
	if _, service := r.places.Find(organisation.PlaceName{Service: cell}); service != uuid.Nil {
		e.OwnerService = service
		return
	}
	r.complain(e, column, false, "inventory.import.owner", "value", cell)
}

func (r *reading) identifiers(e *entry, column int, f Field, cell string) {
	kind, _ := f.identifier()
	for _, text := range SplitIdentifiers(kind, cell) {
		d, err := ParseIdentifier(kind, text)
		if err == nil && len(e.Identifiers) < identifiersMost {
			e.Identifiers = append(e.Identifiers, d)
			continue
		}
		if told := fault.As(err); told != nil {
			r.complain(e, column, false, told.Key, told.Args...)
		}
	}
}

func (r *reading) place(e *entry, at map[Field]int, place organisation.PlaceName) {
	e.Site, e.Service = r.places.Find(place)
	if place.Service != "" && e.Service == uuid.Nil {
		// Files write the code of a unit in the same column as its name.
		e.Site, e.Service = r.places.Find(organisation.PlaceName{Site: place.Site, Code: place.Service})
	}
	if place.Service != "" && e.Service == uuid.Nil {
		r.complain(e, columnOf(at, FieldService), false, "inventory.import.service", "value", place.Service)
		e.Site, _ = r.places.Find(organisation.PlaceName{Site: place.Site})
	}
	if place.Site != "" && e.Site == uuid.Nil {
		r.complain(e, columnOf(at, FieldSite), false, "inventory.import.site", "value", place.Site)
	}
}

func cut(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}
