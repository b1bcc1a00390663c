package pages

import (
	"strings"

	"tocsin/internal/traces"
	"tocsin/internal/ui"
)

// worded are values with their words; the empty value has those of "whole".
func worded(c *ui.Context, prefix string, values ...string) []ui.Choice {
	out := make([]ui.Choice, len(values))
	for i, v := range values {
		key := v
		if key == "" {
			key = "whole"
		}
		out[i] = ui.Choice{Value: v, Label: c.Loc.T(prefix + key)}
	}
	return out
}

func sheetChoices(c *ui.Context, a assistant) []ui.Choice {
	out := []ui.Choice{{Label: c.Loc.T("traces.columns.page.first_sheet")}}
	for _, name := range a.sample.Sheets {
		out = append(out, ui.Choice{Value: name, Label: name})
	}
	return out
}

// placeChoices are the places of the model; none keeps the column searchable, or
// puts a part nowhere.
func placeChoices(c *ui.Context, none string) []ui.Choice {
	out := []ui.Choice{{Label: c.Loc.T(none)}}
	for _, p := range traces.Places() {
		switch p {
		case traces.PlaceKey: // told apart from the places: it may be several columns
		case traces.PlaceAt, traces.PlaceIPP, traces.PlaceINS, traces.PlaceIgnored:
			out = append(out, ui.Choice{Value: p.String(), Label: c.Loc.T("traces.columns.place." + p.String())})
		default:
			out = append(out, ui.Choice{Value: p.String(), Label: c.Loc.T("traces.field." + p.String())})
		}
	}
	return out
}

func joinWords(words ...string) string {
	var out []string
	for _, w := range words {
		if w != "" {
			out = append(out, w)
		}
	}
	return strings.Join(out, " · ")
}

// restOf is what else a row says, in one line.
func restOf(c *ui.Context, e traces.Event) string {
	said := []string{e.Object, e.Document, e.Stay, e.Application, e.Workstation, e.Address, e.Service, e.Purpose, e.Message}
	if e.Outcome != traces.OutcomeUnsaid {
		said = append(said, c.Loc.T("traces.outcome."+e.Outcome.String()))
	}
	for _, x := range e.Extra {
		said = append(said, x.Name+" : "+x.Value)
	}
	return traces.Cut(joinWords(said...), 300)
}
