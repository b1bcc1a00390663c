package pages

import (
	"strings"
	"time"

	"tocsin/internal/i18n"
	"tocsin/internal/traces"
	"tocsin/internal/ui"
)

// The choices of a period.
const (
	lastDay   = "24h"
	lastWeek  = "7j"
	lastMonth = "30j"
	halfYear  = "6m"
	fromTo    = "dates"
)

func periods() []string { return []string{lastDay, lastWeek, lastMonth, halfYear, fromTo} }

func periodChoices(loc *i18n.Localizer) []ui.Choice {
	var out []ui.Choice
	for _, key := range periods() {
		out = append(out, ui.Choice{Value: key, Label: loc.T("traces.page.period." + key)})
	}
	return out
}

// typedTime is how a browser writes a time without a zone.
const typedTime = "2006-01-02T15:04"

// period reads when; what is wrong is noted in the form. The end is cut at the
// next minute, so that a file asked for after an answer says the same.
func period(c *ui.Context, f *ui.Form) traces.Period {
	now := c.Now.In(c.Zone).Truncate(time.Minute).Add(time.Minute)
	out := traces.Period{To: now, Zone: c.Zone.String()}
	choice := f.Value("periode")
	if choice != fromTo && (f.Value("de") != "" || f.Value("a") != "") {
		f.Add("periode", c.Loc.T("traces.page.period.both"))
		return out
	}
	switch choice {
	case lastDay:
		out.From = now.Add(-24 * time.Hour)
	case "", lastWeek:
		out.From = now.AddDate(0, 0, -7)
	case lastMonth:
		out.From = now.AddDate(0, 0, -30)
	case halfYear:
		out.From = now.AddDate(0, -6, 0)
	case fromTo:
		from, to := moment(c, f, "de"), moment(c, f, "a")
		if f.Valid() && !from.Before(to) {
			f.Add("a", c.Loc.T("traces.page.period.order"))
		}
		out.From, out.To = from, to
	default:
		f.Add("periode", c.Loc.T("traces.phrase.choice"))
	}
	return out
}

// moment reads a time typed in the zone of the page.
func moment(c *ui.Context, f *ui.Form, name string) time.Time {
	text := f.Value(name)
	if text == "" {
		f.Require(name)
		return time.Time{}
	}
	t, err := time.ParseInLocation(typedTime, text, c.Zone)
	if err != nil {
		t, err = time.ParseInLocation(typedTime+":05", text, c.Zone)
	}
	if err != nil {
		f.Add(name, c.Loc.T("traces.page.period.unreadable"))
	}
	return t
}

// periodWord says a period in a sentence.
func periodWord(loc *i18n.Localizer, when traces.Period, zone *time.Location) string {
	return loc.T("traces.page.period.words", "from", loc.DateTime(when.From, zone), "to", loc.DateTime(when.To, zone))
}

// speaks tells whether a source said something during a period, as far as is
// known from its first and last words.
func speaks(s traces.Source, when traces.Period) bool {
	return !s.First.IsZero() && s.First.Before(when.To) && !s.Last.Before(when.From)
}

// silent are the sources that said nothing during a period and were not retired
// before it.
func silent(list []traces.Source, when traces.Period) (out []traces.Source) {
	for _, s := range list {
		gone := !s.Retired.IsZero() && s.Retired.Before(when.From)
		if !gone && !speaks(s, when) {
			out = append(out, s)
		}
	}
	return out
}

func names(list []traces.Source) string {
	var words []string
	for _, s := range list {
		words = append(words, s.Name)
	}
	return strings.Join(words, ", ")
}
