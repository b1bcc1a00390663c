package pages

import (
	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/organisation"
	"tocsin/internal/ui"
)

// crowd is what a form offers to choose people by.
type crowd struct {
	Sites, Services, Metiers, Groups, OnCall []ui.Choice
}

// crowd reads the sites, services, métiers, groups and on-call functions of the establishment.
func (p *Pages) crowd(c *ui.Context) (crowd, error) {
	var out crowd
	tree, err := p.houses.Tree(c.Ctx(), c.Scope, c.Now)
	if err != nil {
		return out, err
	}
	out.addPlaces(tree, "", map[uuid.UUID]bool{})
	for _, m := range p.dir.Reference().Metiers() {
		out.Metiers = append(out.Metiers, ui.Choice{Value: m.Code, Label: p.skill(c, m.Code)})
	}
	groups, err := p.dir.Groups(c.Ctx(), c.Scope)
	if err != nil {
		return out, err
	}
	for _, g := range groups {
		out.Groups = append(out.Groups, ui.Choice{Value: g.ID.String(), Label: g.Name, Hint: g.Purpose})
	}
	functions, err := p.dir.OnCallNames(c.Ctx(), c.Scope)
	for _, f := range functions {
		out.OnCall = append(out.OnCall, ui.Choice{Value: f.ID.String(), Label: f.Name})
	}
	return out, err
}

// addPlaces walks the graph; a place that hangs in two branches is offered once.
func (w *crowd) addPlaces(branches []organisation.Branch, site string, seen map[uuid.UUID]bool) {
	for _, b := range branches {
		under := site
		choice := ui.Choice{Value: b.ID.String(), Label: b.Name}
		switch {
		case seen[b.ID]:
		case b.Kind == organisation.Site:
			w.Sites = append(w.Sites, choice)
			under = b.Name
		case b.Kind == organisation.CareService:
			choice.Group, choice.Hint = site, site
			w.Services = append(w.Services, choice)
		}
		seen[b.ID] = true
		w.addPlaces(b.Children, under, seen)
	}
}

// rule reads the people a form chose.
func rule(f *ui.Form) (directory.Rule, error) {
	sites, err := ids(f.List("site"))
	if err != nil {
		return directory.Rule{}, err
	}
	services, err := ids(f.List("service"))
	if err != nil {
		return directory.Rule{}, err
	}
	groups, err := ids(f.List("groupe"))
	if err != nil {
		return directory.Rule{}, err
	}
	functions, err := ids(f.List("astreinte"))
	return directory.Rule{Sites: sites, Services: services, Groups: groups, Metiers: f.List("metier"), OnCall: functions}, err
}

// ids reads the ids of a list of a form; NotFound when one cannot be an id.
func ids(texts []string) ([]uuid.UUID, error) {
	var out []uuid.UUID
	for _, text := range texts {
		if text == "" {
			continue
		}
		id, err := idOf(text)
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

// labels are the words of the choices that were made.
func labels(f *ui.Form, field string, choices []ui.Choice) []string {
	var out []string
	for _, ch := range choices {
		if f.Checked(field, ch.Value) {
			out = append(out, ch.Label)
		}
	}
	return out
}

// localized is what was typed in French and, when it was, in English.
func localized(french, english string) alerting.Localized {
	out := alerting.Localized{"fr": french}
	if english != "" {
		out["en"] = english
	}
	return out
}
