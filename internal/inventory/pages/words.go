package pages

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/inventory"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/ui"
)

func kindWord(loc *i18n.Localizer, k inventory.Kind) string {
	return loc.T("inventory.kind." + string(k))
}

// levelWord is a level of criticality; one that nobody weighed says so.
func levelWord(loc *i18n.Localizer, level inventory.Criticality) string {
	if level == inventory.Unrated {
		return loc.T("inventory.page.unrated")
	}
	return loc.T("inventory.criticality." + string(level))
}

func levelTone(level inventory.Criticality) ui.Tone {
	switch level {
	case inventory.Vital:
		return ui.Critical
	case inventory.Critical:
		return ui.Alert
	case inventory.Important:
		return ui.Attention
	case inventory.Standard:
		return ui.Information
	}
	return ui.Neutral
}

// valueWord says the codes of a field in words.
func valueWord(loc *i18n.Localizer, field, text string) string {
	switch {
	case field == "kind" && text != "":
		return kindWord(loc, inventory.Kind(text))
	case field == "criticality" && text != "":
		return levelWord(loc, inventory.Criticality(text))
	}
	return text
}

func kindChoices(loc *i18n.Localizer) []ui.Choice {
	var out []ui.Choice
	for _, k := range inventory.Kinds() {
		out = append(out, ui.Choice{Value: string(k), Label: kindWord(loc, k)})
	}
	return out
}

func levelChoices(loc *i18n.Localizer) []ui.Choice {
	out := []ui.Choice{{Label: levelWord(loc, inventory.Unrated)}}
	for _, level := range inventory.Criticalities() {
		out = append(out, ui.Choice{Value: string(level), Label: loc.T("inventory.criticality.long." + string(level))})
	}
	return out
}

// toRate is the value of the filter of those never weighed.
const toRate = "a_evaluer"

func levelFilters(loc *i18n.Localizer) []ui.Choice {
	var out []ui.Choice
	for _, level := range inventory.Criticalities() {
		out = append(out, ui.Choice{Value: string(level), Label: levelWord(loc, level)})
	}
	return append(out, ui.Choice{Value: toRate, Label: levelWord(loc, inventory.Unrated)})
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
	byFold := func(a, b string) int { return strings.Compare(storage.Fold(a), storage.Fold(b)) }
	slices.SortStableFunc(out.services, func(a, b ui.Choice) int { return byFold(a.Group+" "+a.Label, b.Group+" "+b.Label) })
	slices.SortStableFunc(out.sites, func(a, b ui.Choice) int { return byFold(a.Label, b.Label) })
	return out, nil
}

// withNone puts the choice of nothing first.
func withNone(c *ui.Context, choices []ui.Choice) []ui.Choice {
	return append([]ui.Choice{{Label: c.Loc.T("inventory.page.none")}}, choices...)
}

// idOf reads an id chosen in a list; Nil when none was, or when it is no id.
func idOf(f *ui.Form, name, wrong string) uuid.UUID {
	text := f.Value(name)
	if text == "" {
		return uuid.Nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		f.Take(fault.Wrap(err, fault.Invalid, wrong).At(name))
	}
	return id
}

func optional(text string) uuid.UUID {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil
	}
	return id
}

// identifiersOf are the identifiers that a kind has a use for.
func identifiersOf(k inventory.Kind) []inventory.IdentifierKind {
	if k == inventory.Application {
		return []inventory.IdentifierKind{inventory.Host, inventory.IP, inventory.AETitle}
	}
	return inventory.IdentifierKinds()
}

func lines(text string) []string { return strings.Split(text, "\n") }
