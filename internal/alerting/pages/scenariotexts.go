package pages

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
)

// inEnglish is the label of the English field of something.
func inEnglish(ctx context.Context, label string) string {
	return i18n.FromContext(ctx).T("alerting.scenario.field.english", "what", label)
}

// useTabs are the texts by what they are for.
func (e *editor) useTabs(c *ui.Context) []ui.Tab {
	var out []ui.Tab
	for _, use := range uses() {
		t := ui.Tab{Label: c.Loc.T("alerting.page.use." + string(use)), Path: editPath(e.Scenario.ID, sectionTexts) + "?" + useParameter + "=" + string(use), Current: use == e.Use}
		n := 0
		for _, pr := range e.Problems {
			if strings.HasPrefix(pr.Field, "messages."+string(use)+".") {
				n++
			}
		}
		if n > 0 {
			t.Count = c.Loc.Int(n)
		}
		out = append(out, t)
	}
	return out
}

// blanks are the names a text may use.
func (e *editor) blanks() []string {
	var out []string
	for _, v := range e.Def.Variables {
		out = append(out, v.Name)
	}
	return append(out, alerting.VarLink, alerting.VarEstablishment, alerting.VarSite, alerting.VarTime, alerting.VarWord)
}

func textLabel(c *ui.Context, t alerting.Text, subject bool) string {
	what := medium(c.Loc, t.Medium)
	if subject {
		what = c.Loc.T("alerting.scenario.text.subject")
	}
	return c.Loc.T("alerting.scenario.text.label", "what", what, "language", c.Loc.T("alerting.page.language."+t.Language))
}

// needed tells a text no alert of this scenario can do without: the others have
// their own faults when they miss.
func (e *editor) needed(t alerting.Text) bool {
	carried := slices.ContainsFunc(e.Def.Waves, func(w alerting.Wave) bool { return slices.Contains(w.Media, t.Medium) })
	return carried && (t.Use == alerting.UseAlert || t.Use == alerting.UseEnd)
}

func textRows(t alerting.Text) int {
	if t.Medium == channels.Email {
		return 14
	}
	return 4
}

// textMost is the longest text the checks let through.
func textMost(t alerting.Text) int {
	switch t.Medium {
	case channels.SMS:
		return 600
	case channels.Voice:
		return alerting.VoiceMost
	case channels.Pager:
		return alerting.PagerMost
	}
	return 5000
}

func bubbleID(t alerting.Text) string { return "lu-" + string(t.Medium) + "-" + t.Language }

// textAttributes let the script fill the blanks as the server does, so that
// what it shows and counts is what leaves.
func (e *editor) textAttributes(c *ui.Context, t alerting.Text) templ.Attributes {
	out := templ.Attributes{"data-bubble": bubbleID(t), "lang": t.Language}
	if samples, err := json.Marshal(e.samples(t.Language)); err == nil {
		out["data-samples"] = string(samples)
	}
	return out
}

// samples are what stands for each blank in a preview: the previews were made
// from one text holding every blank, a line each.
func (e *editor) samples(language string) map[string]string {
	out := map[string]string{}
	for _, m := range e.probe {
		if m.Language != language {
			continue
		}
		for i, line := range strings.Split(m.Body, "\n") {
			if name, value, ok := strings.Cut(line, "="); ok && i < len(e.blanks()) {
				out[name] = value
			}
		}
	}
	return out
}

// probes are texts that hold every blank, to learn what the server puts there.
func (e *editor) probes() []alerting.Text {
	var lines []string
	for _, name := range e.blanks() {
		lines = append(lines, name+"={"+name+"}")
	}
	var out []alerting.Text
	for _, language := range languages() {
		out = append(out, alerting.Text{Use: probeUse, Medium: channels.SMS, Language: language, Body: strings.Join(lines, "\n")})
	}
	return out
}

// probeUse marks the texts of probes; no scenario has it.
const probeUse alerting.Use = "probe"

// offenders are the letters that shorten an SMS, each once, the invisible ones shown.
func offenders(p alerting.Preview) string {
	var out []string
	seen := map[string]bool{}
	for _, letter := range p.Offenders {
		if strings.TrimSpace(letter) == "" {
			letter = "␣"
		}
		if !seen[letter] {
			seen[letter] = true
			out = append(out, letter)
		}
	}
	return strings.Join(out, " ")
}

func commas(words []string) string { return strings.Join(words, ", ") }

// partTitle is the summary of a list of boxes, with how many are ticked.
func partTitle(c *ui.Context, part pickerPart) string {
	if part.Chosen == 0 {
		return part.Label
	}
	return part.Label + " (" + c.Loc.Int(part.Chosen) + ")"
}

// backTo makes a button come back to the place it was pressed for.
func (e *editor) backTo(field string) templ.Attributes {
	return templ.Attributes{"formaction": e.here() + "#" + e.Form.FieldID(field)}
}

// rowLabel names the line a button is about, for those who hear it.
func rowLabel(c *ui.Context, act, list string, i int) templ.Attributes {
	row := c.Loc.T("alerting.scenario.row."+list, "n", strconv.Itoa(i+1))
	if act == actUp {
		return templ.Attributes{"aria-label": c.Loc.T("alerting.scenario.row.up.of", "row", row)}
	}
	return templ.Attributes{"aria-label": c.Loc.T("alerting.scenario.row.drop.of", "row", row)}
}

// moreOfQuestion tells that the rarer fields of a question are used.
func (e *editor) moreOfQuestion(i int) bool {
	for _, field := range []string{"choices.fr", "help.fr", "max_length"} {
		if e.Form.Value(rowField("variables", i, field)) != "" {
			return true
		}
	}
	return e.Form.Value(rowField("variables", i, "kind")) == "choice"
}
