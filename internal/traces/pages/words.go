package pages

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"tocsin/internal/document/chart"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/ui"
)

func denied(err error) bool {
	return fault.Is(err, fault.Denied) || fault.Is(err, fault.Unauthenticated)
}

func fieldWord(loc *i18n.Localizer, f traces.Field) string {
	return loc.T("traces.field." + string(f))
}

func classWord(loc *i18n.Localizer, class traces.Class) string {
	return loc.T("traces.class." + class.String())
}

// formatWord is the name of a format as people say it; a format that has none
// goes by its own.
func formatWord(loc *i18n.Localizer, name string) string {
	if key := "traces.format." + name; loc.Has(key) {
		return loc.T(key)
	}
	return name
}

// named are the sources by id, to say their names in answers.
type named map[string]string

func namesOf(list []traces.Source) named {
	out := named{}
	for _, s := range list {
		out[s.ID.String()] = s.Name
	}
	return out
}

// valueWord says a value of a field in words; what a source wrote stays as it
// wrote it.
func valueWord(loc *i18n.Localizer, names named, f traces.Field, v string) string {
	if v == "" {
		return loc.T("traces.page.unsaid")
	}
	key := ""
	switch f {
	case traces.FieldAction:
		key = "traces.action." + v
	case traces.FieldOutcome:
		key = "traces.outcome." + v
	case traces.FieldClass:
		key = "traces.class." + v
	case traces.FieldSeverity:
		key = "traces.severity." + v
	case traces.FieldCollector:
		return formatWord(loc, v)
	case traces.FieldSource:
		if names[v] != "" {
			return names[v]
		}
	case traces.FieldWeekday:
		if d, ok := strings.CutPrefix(v, "0"); !ok && len(d) == 1 && d >= "1" && d <= "7" {
			return loc.Weekday(time.Weekday(int(d[0]-'0') % 7))
		}
	case traces.FieldHourOfDay:
		return loc.T("traces.page.hour", "hour", v)
	case traces.FieldDay, traces.FieldHour:
		return binWord(loc, v)
	case traces.FieldObject:
		key = "traces.phrase.title." + v
	}
	if key != "" && loc.Has(key) {
		return loc.T(key)
	}
	return v
}

// binWord says a day or an hour of a count: 22/11/2026, 22/11/2026 14 h.
func binWord(loc *i18n.Localizer, bin string) string {
	day, hour, isHour := strings.Cut(bin, "T")
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return bin
	}
	if !isHour {
		return loc.ShortDate(t, time.UTC)
	}
	return loc.ShortDate(t, time.UTC) + " " + loc.T("traces.page.hour", "hour", hour)
}

// exact is a time to the second.
func exact(c *ui.Context, us int64) string {
	t := storage.Time(us)
	return c.Loc.ShortDate(t, c.Zone) + " " + t.In(c.Zone).Format(time.TimeOnly)
}

// drawn writes a chart into a page; templ escapes nothing of it, chart escapes
// every word.
func drawn(ch chart.Chart, id string, width, height float64) templ.Component {
	var b strings.Builder
	if err := ch.SVG(&b, id, width, height); err != nil {
		return templ.NopComponent
	}
	return templ.Raw(b.String())
}
