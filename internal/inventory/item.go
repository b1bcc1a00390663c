package inventory

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// The longest texts, in characters.
const (
	// NameLimit is that of names and models, CodeLimit that of inventory numbers.
	NameLimit = 160
	CodeLimit = 60
	// NotesLimit is that of the notes.
	NotesLimit = 2_000
)

// Item is one thing of the inventory, or a supplier.
type Item struct {
	ID   uuid.UUID `json:"id"`
	Kind Kind      `json:"kind"`
	Name string    `json:"name"`
	// Code is the establishment's own number for it: inventory number, code of
	// an application. One thing of a kind has it.
	Code        string      `json:"code,omitempty"`
	Criticality Criticality `json:"criticality,omitempty"`
	// OwnerPerson and OwnerService answer for it; either may be Nil.
	OwnerPerson  uuid.UUID `json:"owner_person"`
	OwnerService uuid.UUID `json:"owner_service"`
	// Service is the care service that lives by it, Site where it stands.
	Service uuid.UUID `json:"service"`
	Site    uuid.UUID `json:"site"`
	// Supplier is an item of that kind.
	Supplier uuid.UUID `json:"supplier"`
	// Model is the maker and model, or the version of an application.
	Model       string       `json:"model,omitempty"`
	Identifiers []Identifier `json:"identifiers,omitempty"`
	Notes       string       `json:"notes,omitempty"`
	// Source is the list that owns it; empty when entered by hand.
	Source string `json:"source,omitempty"`
	// Retired is when it left the service; zero while it serves.
	Retired  time.Time `json:"retired,omitzero"`
	Revision int64     `json:"revision"`
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
}

// tidied gives the item without stray spaces, or says which field is wrong.
func (i Item) tidied() (Item, error) {
	i.Name, i.Code, i.Model = tidy(i.Name), tidy(i.Code), tidy(i.Model)
	i.Notes = strings.TrimSpace(strings.ReplaceAll(assist.Clean(i.Notes), "\r\n", "\n"))
	switch {
	case !i.Kind.Known():
		return i, fault.New(fault.Invalid, "inventory.kind_unknown").At("kind")
	case i.Name == "":
		return i, fault.New(fault.Invalid, "inventory.name_required").At("name")
	case i.Criticality != Unrated && !slices.Contains(Criticalities(), i.Criticality):
		return i, fault.New(fault.Invalid, "inventory.criticality_unknown").At("criticality")
	}
	for _, t := range []struct {
		field, text string
		limit       int
	}{{"name", i.Name, NameLimit}, {"code", i.Code, CodeLimit}, {"model", i.Model, NameLimit}, {"notes", i.Notes, NotesLimit}} {
		if utf8.RuneCountInString(t.text) > t.limit {
			return i, fault.New(fault.Invalid, "inventory.too_long", "limit", t.limit).At(t.field)
		}
	}
	if i.Kind == Supplier {
		i.Supplier = uuid.Nil
	}
	var err error
	i.Identifiers, err = tidyIdentifiers(i.Identifiers)
	return i, err
}

func tidy(text string) string { return assist.OneLine(assist.Clean(text)) }

// match is what makes an item the same one: its code, else its name.
func (i Item) match() string {
	if i.Code != "" {
		return codeKey(i.Code)
	}
	return nameKey(i.Name)
}

func codeKey(code string) string { return "c:" + storage.Fold(code) }
func nameKey(name string) string { return "n:" + storage.Fold(name) }

// search is the text in which a person looks for it.
func (i Item) search() string {
	parts := []string{i.Name, i.Code, i.Model}
	for _, d := range i.Identifiers {
		parts = append(parts, d.Value)
	}
	return storage.Fold(strings.Join(append(parts, i.Notes), " "))
}

// same tells that nothing a person sees differs.
func (i Item) same(o Item) bool {
	return i.Kind == o.Kind && i.Name == o.Name && i.Code == o.Code && i.Criticality == o.Criticality && i.OwnerPerson == o.OwnerPerson &&
		i.OwnerService == o.OwnerService && i.Service == o.Service && i.Site == o.Site && i.Supplier == o.Supplier && i.Model == o.Model &&
		i.Notes == o.Notes && i.Source == o.Source && i.Retired.Equal(o.Retired) && slices.Equal(i.Identifiers, o.Identifiers)
}
