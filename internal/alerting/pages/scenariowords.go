package pages

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/ui"
)

// familyWord is a family that has a word; one that has none is shown as another.
func familyWord(family string) string {
	if slices.Contains(alerting.Families(), family) {
		return family
	}
	return "autre"
}

func profiles() []alerting.Profile {
	return []alerting.Profile{alerting.Rappel, alerting.Diffusion, alerting.Discret}
}

func profileWord(p alerting.Profile) string {
	if slices.Contains(profiles(), p) {
		return string(p)
	}
	return string(alerting.Rappel)
}

// audienceWords are the rules of an audience that are not a list of people.
func audienceWords(c *ui.Context, a alerting.Audience) []string {
	var out []string
	for _, line := range []struct {
		said bool
		text string
	}{
		{a.AskSites, c.Loc.T("alerting.scenario.audience.ask_sites")},
		{a.AskServices, c.Loc.T("alerting.scenario.audience.ask_services")},
		{a.Mass, c.Loc.T("alerting.scenario.audience.mass")},
		{a.IgnoreRest, c.Loc.T("alerting.scenario.audience.rest", "reason", a.RestReason.In(lang(c)))},
	} {
		if line.said {
			out = append(out, line.text)
		}
	}
	return out
}

// siteWord names the site of a quota.
func (v scenarioView) siteWord(c *ui.Context, site uuid.UUID) string {
	switch name := v.names[site.String()]; {
	case site == uuid.Nil:
		return c.Loc.T("alerting.scenario.quota.every_site")
	case name == "":
		return c.Loc.T("alerting.scenario.rule.gone")
	default:
		return name
	}
}

// delaysAfter are the delays of an answer, after its meaning.
func delaysAfter(c *ui.Context, o alerting.Option) string {
	if words := delaysWords(c, o); words != "" {
		return " · " + words
	}
	return ""
}

// roleWords are the roles that may launch; none named is the launcher's.
func roleWords(c *ui.Context, roles []string) string {
	if len(roles) == 0 {
		roles = []string{string(access.Launcher)}
	}
	var out []string
	for _, r := range access.Roles() {
		if slices.Contains(roles, string(r)) {
			out = append(out, c.Loc.T("access.role."+string(r)))
		}
	}
	return strings.Join(out, ", ")
}

// tickAnchor keeps the first and the last hour inside the drawing.
func tickAnchor(t tick, all []tick) string {
	switch {
	case t == all[0]:
		return "start"
	case t == all[len(all)-1]:
		return "end"
	}
	return "middle"
}

// commonChoices are the values of the Common Alerting Protocol, in plain words.
func commonChoices(c *ui.Context, what string, values []string) []ui.Choice {
	out := []ui.Choice{{Value: "", Label: c.Loc.T("alerting.scenario.common.choose")}}
	return append(out, choicesFor(values, func(v string) string { return c.Loc.T("alerting.scenario.common." + what + "." + v) })...)
}
