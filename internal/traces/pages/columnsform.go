package pages

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
	"tocsin/internal/ui"
)

// The fields of the form about a column: its place, the part of it that goes
// there, at which separator it is cut, the place of the other part, and whether
// it belongs to the key.
func placeName(i int) string     { return "c" + strconv.Itoa(i) }
func partName(i int) string      { return "p" + strconv.Itoa(i) }
func separatorName(i int) string { return "s" + strconv.Itoa(i) }
func otherName(i int) string     { return "r" + strconv.Itoa(i) }

// constants are the places that a whole export has the same value for.
func constants() []traces.Place {
	return []traces.Place{traces.PlaceApplication, traces.PlaceSite, traces.PlaceService}
}

// others are the two halves of a cell.
var others = map[string]string{columns.Before: columns.After, columns.After: columns.Before, columns.Within: columns.Outside, columns.Outside: columns.Within}

// fill makes the values of the form from a mapping.
func fill(loc *i18n.Localizer, m columns.Mapping, header []string) map[string]string {
	out := map[string]string{"kind": m.Cut.Kind, "delimiter": m.Cut.Delimiter, "encoding": m.Cut.Encoding, "sheet": m.Cut.Sheet, "skip": strconv.Itoa(m.Cut.Skip), "times": columns.Auto}
	if m.Cut.Delimiter == "\t" {
		out["delimiter"] = tab
	}
	for name, is := range map[string]bool{"header": m.Cut.Header, "noquote": m.Cut.NoQuote} {
		if is {
			out[name] = "oui"
		}
	}
	var fields []string
	for _, f := range m.Cut.Fields {
		fields = append(fields, f.Name+" "+strconv.Itoa(f.From)+" "+strconv.Itoa(f.To))
	}
	out["fields"], out["key"] = strings.Join(fields, "\n"), strings.Join(m.Key, ", ")
	for _, r := range m.Rules {
		fillRule(loc, out, r, header)
	}
	return out
}

func fillRule(loc *i18n.Localizer, out map[string]string, r columns.Rule, header []string) {
	if len(r.Times) > 0 {
		out["times"] = r.Times[0]
	}
	if len(r.Words) > 0 {
		out["words_"+r.Place] = writeWords(loc, r)
	}
	if len(r.Columns) == 0 {
		out["constant_"+r.Place] = r.Constant
		return
	}
	for _, name := range r.Columns {
		i := slices.IndexFunc(header, func(h string) bool { return storage.Fold(h) == storage.Fold(name) })
		switch {
		case i < 0:
		case out[placeName(i)] != "":
			out[otherName(i)] = r.Place
		default:
			out[placeName(i)], out[partName(i)], out[separatorName(i)] = r.Place, r.Part, r.Separator
		}
	}
}

// writeWords writes a table of values, one a line.
func writeWords(loc *i18n.Localizer, r columns.Rule) string {
	var lines []string
	for _, from := range slices.Sorted(maps.Keys(r.Words)) {
		lines = append(lines, from+" = "+valueName(loc, r.Place, r.Words[from]))
	}
	return strings.Join(lines, "\n")
}

// valueName is a value of the model in words.
func valueName(loc *i18n.Localizer, place, value string) string {
	return loc.T("traces." + place + "." + value)
}

// readWords reads a table of values: what the application writes, and what it is,
// in words or by its key.
func readWords(loc *i18n.Localizer, place, text string) (map[string]string, error) {
	known := map[string]string{}
	for _, a := range traces.Actions() {
		if place == traces.PlaceAction.String() {
			known[storage.Fold(loc.T("traces.action."+a.String()))], known[a.String()] = a.String(), a.String()
		}
	}
	for _, o := range traces.Outcomes() {
		if place == traces.PlaceOutcome.String() {
			known[storage.Fold(loc.T("traces.outcome."+o.String()))], known[o.String()] = o.String(), o.String()
		}
	}
	out := map[string]string{}
	for line := range strings.Lines(text) {
		i := strings.LastIndexByte(line, '=')
		if strings.TrimSpace(line) == "" {
			continue
		}
		to, ok := known[storage.Fold(line[i+1:])]
		if i <= 0 || !ok {
			return nil, fault.New(fault.Invalid, "traces.columns.page.word", "line", strings.TrimSpace(line)).At("words_" + place)
		}
		out[strings.TrimSpace(line[:i])] = to
	}
	return out, nil
}

// mappingOf reads the form. Errors: Invalid with its field.
func mappingOf(loc *i18n.Localizer, f *ui.Form, cut columns.Cut, header []string) (columns.Mapping, error) {
	m := columns.Mapping{Cut: cut, Columns: header}
	at := map[string]int{} // rules that take a whole column, by place
	add := func(r columns.Rule) {
		if i, ok := at[r.Place]; ok && r.Part == columns.Whole && len(m.Rules[i].Columns) < 5 {
			m.Rules[i].Columns = append(m.Rules[i].Columns, r.Columns...)
			return
		}
		if r.Part == columns.Whole {
			at[r.Place] = len(m.Rules)
		}
		m.Rules = append(m.Rules, r)
	}
	for i, name := range header {
		place, part := f.Value(placeName(i)), f.Value(partName(i))
		if place == "" {
			continue
		}
		add(columns.Rule{Place: place, Columns: []string{name}, Part: part, Separator: separatorOf(f, i)})
		if other := f.Value(otherName(i)); other != "" && others[part] != "" {
			add(columns.Rule{Place: other, Columns: []string{name}, Part: others[part], Separator: separatorOf(f, i)})
		}
	}
	for _, place := range constants() {
		if value := f.Value("constant_" + place.String()); value != "" {
			m.Rules = append(m.Rules, columns.Rule{Place: place.String(), Constant: value})
		}
	}
	for _, name := range strings.FieldsFunc(f.Value("key"), func(r rune) bool { return r == ',' || r == '\n' }) {
		m.Key = append(m.Key, strings.TrimSpace(name))
	}
	if err := complete(loc, f, &m); err != nil {
		return m, err
	}
	return m, m.Check()
}

// separatorOf keeps the blanks around a separator: « - » between words is none in
// the middle of one.
func separatorOf(f *ui.Form, i int) string {
	if list := f.List(separatorName(i)); len(list) > 0 {
		return list[0]
	}
	return ""
}

// complete adds what rules of one place have: the way of writing times, the
// tables of values.
func complete(loc *i18n.Localizer, f *ui.Form, m *columns.Mapping) error {
	for i := range m.Rules {
		r := &m.Rules[i]
		switch r.Place {
		case traces.PlaceAt.String():
			r.Times = []string{f.Value("times")}
		case traces.PlaceAction.String(), traces.PlaceOutcome.String():
			words, err := readWords(loc, r.Place, f.Value("words_"+r.Place))
			if err != nil {
				return err
			}
			if len(words) > 0 {
				r.Words = words
			}
		}
	}
	_, err := m.Plan(m.Columns, nil, columns.Files)
	if fault.Is(err, fault.Invalid) {
		return fault.As(err).At("key")
	}
	return err
}
