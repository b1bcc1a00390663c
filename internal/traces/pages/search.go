package pages

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/ui"
)

const (
	// pageLines is how many events a page of results holds, groupLines how many
	// values a grouping shows.
	pageLines  = 50
	groupLines = 50
	// rowsMost bounds the conditions of the form.
	rowsMost = 10
)

// row is one condition as it is typed.
type row struct{ field, op, value string }

// findings are what a free search found.
type findings struct {
	list, curve, groups traces.Answer
	when                traces.Period
	by                  traces.Field
	page                int
	silent              []traces.Source
}

// hunt is a free search being written, and what it found.
type hunt struct {
	rows  []row
	names named
	found *findings
}

func (p pages) searching(c *ui.Context) error {
	if !p.s.Ready() {
		return c.Redirect(Path)
	}
	return c.Render(searchPage(c, c.NewForm(nil), hunt{rows: []row{{}}}))
}

// rowsOf reads the conditions of the form.
func rowsOf(f *ui.Form) []row {
	fields, ops, values := f.List("champ"), f.List("op"), f.List("valeur")
	var out []row
	for i := range min(len(fields), len(ops), len(values), rowsMost) {
		out = append(out, row{fields[i], ops[i], strings.TrimSpace(values[i])})
	}
	return out
}

// search runs every button of the page: a condition more or less, a bar, a value,
// another page, or the search itself.
func (p pages) search(c *ui.Context) error {
	if !p.s.Ready() {
		return c.Redirect(Path)
	}
	f := c.Form()
	h := hunt{rows: rowsOf(f)}
	sources, err := p.s.Sources(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	h.names = namesOf(sources)
	switch {
	case f.Value("ajouter") != "":
		if len(h.rows) < rowsMost {
			h.rows = append(h.rows, row{})
		}
		return c.Render(searchPage(c, f, h))
	case f.Value("retirer") != "":
		if i, err := strconv.Atoi(f.Value("retirer")); err == nil && i >= 0 && i < len(h.rows) {
			h.rows = slices.Delete(h.rows, i, i+1)
		}
		return c.Render(searchPage(c, f, h))
	case f.Value("aller") != "":
		narrow(f, f.Value("aller"))
	case f.Value("avec") != "" || f.Value("sans") != "":
		h.rows = with(f, h.rows)
	}
	out, err := p.hunt(c, f, &h)
	if err != nil || out == nil {
		return c.Refill(f, err, searchPage(c, f, h))
	}
	out.silent = silent(sources, out.when)
	h.found = out
	return c.Render(searchPage(c, f, h))
}

// narrow sets the period to a day or an hour of the histogram.
func narrow(f *ui.Form, bin string) {
	for _, b := range []struct {
		layout string
		days   int
		span   time.Duration
	}{{"2006-01-02T15", 0, time.Hour}, {time.DateOnly, 1, 0}} {
		if at, err := time.Parse(b.layout, bin); err == nil {
			f.Set("periode", fromTo)
			f.Set("de", at.Format(typedTime))
			f.Set("a", at.AddDate(0, 0, b.days).Add(b.span).Format(typedTime))
		}
	}
}

// with adds the value that was pressed to the conditions.
func with(f *ui.Form, rows []row) []row {
	r := row{field: f.Value("par"), op: string(traces.Is), value: f.Value("avec")}
	if f.Value("sans") != "" {
		r = row{field: f.Value("par"), op: string(traces.Empty)}
	}
	f.Set("par", "")
	rows = slices.DeleteFunc(rows, func(one row) bool { return one.field == "" })
	return append(rows, r)
}

// hunt puts the questions of a free search; nil when the form does not hold.
func (p pages) hunt(c *ui.Context, f *ui.Form, h *hunt) (*findings, error) {
	out := findings{when: period(c, f), by: traces.Field(f.Value("par")), page: 1}
	f.Require("motif")
	if len([]rune(f.Value("motif"))) > whyMost {
		f.Add("motif", c.Loc.T("traces.phrase.long", "most", whyMost))
	}
	list := traces.Question{From: storage.Micros(out.when.From), To: storage.Micros(out.when.To), Zone: out.when.Zone, Text: f.Value("q"), Limit: pageLines}
	if n, err := strconv.Atoi(f.Value("page")); err == nil && n > 1 && n <= traces.MaxSkip/pageLines {
		out.page, list.Skip = n, (n-1)*pageLines
	}
	list.Where = h.conditions(c, f)
	if !f.Valid() {
		return nil, nil
	}
	curve := list
	curve.Skip, curve.Limit, curve.Group = 0, filledMost, []traces.Field{traces.FieldDay}
	if out.when.To.Sub(out.when.From) <= 49*time.Hour {
		curve.Group = []traces.Field{traces.FieldHour}
	}
	questions := []traces.Question{list, curve}
	if out.by.Known() {
		groups := list
		groups.Skip, groups.Limit, groups.Group = 0, groupLines, []traces.Field{out.by}
		questions = append(questions, groups)
	}
	answers, err := p.s.Ask(c.Ctx(), c.Scope, traces.Look{Why: f.Value("motif")}, questions...)
	if err != nil {
		return nil, err
	}
	out.list, out.curve = answers[0], answers[1]
	slices.SortFunc(out.curve.Groups, func(a, b traces.Group) int { return strings.Compare(a.Keys[0], b.Keys[0]) })
	if len(answers) > 2 {
		out.groups = answers[2]
	}
	return &out, nil
}

// conditions reads the rows that name a field; what is wrong with them is noted.
func (h *hunt) conditions(c *ui.Context, f *ui.Form) (out []traces.Condition) {
	for i, r := range h.rows {
		if r.field == "" {
			continue
		}
		if cond, ok := h.condition(c, f, i, r); ok {
			out = append(out, cond)
		}
	}
	return out
}

// condition reads one row; what is wrong with it is noted.
func (h *hunt) condition(c *ui.Context, f *ui.Form, i int, r row) (traces.Condition, bool) {
	out := traces.Condition{Field: traces.Field(r.field), Op: traces.Op(r.op)}
	switch {
	case !slices.Contains(searched(), out.Field) || !slices.Contains(ops(), out.Op):
		f.Add(rowID(i), c.Loc.T("traces.phrase.choice"))
		return out, false
	case out.Op == traces.Empty || out.Op == traces.NotEmpty:
		return out, true
	case r.value == "":
		f.Add(rowID(i), c.Loc.T("traces.page.search.value_missing", "field", fieldWord(c.Loc, out.Field)))
		return out, false
	}
	code, ok := codeOf(c.Loc, h.names, out.Field, r.value)
	if !ok {
		f.Add(rowID(i), c.Loc.T("traces.page.search.value_unknown", "value", r.value, "field", fieldWord(c.Loc, out.Field), "known", strings.Join(knownWords(c.Loc, h.names, out.Field), ", ")))
		return out, false
	}
	out.Values = []string{code}
	return out, true
}

func rowID(i int) string { return "valeur-" + strconv.Itoa(i) }

// searched are the fields of the form: days and hours are asked for by the period.
func searched() []traces.Field {
	return slices.DeleteFunc(traces.Fields(), func(f traces.Field) bool { return f == traces.FieldDay || f == traces.FieldHour })
}

func ops() []traces.Op {
	return []traces.Op{traces.Is, traces.IsNot, traces.Contains, traces.Begins, traces.Empty, traces.NotEmpty}
}

func fieldChoices(loc *i18n.Localizer) []ui.Choice {
	var out []ui.Choice
	for _, f := range searched() {
		out = append(out, ui.Choice{Value: string(f), Label: fieldWord(loc, f)})
	}
	return out
}

func opChoices(loc *i18n.Localizer) []ui.Choice {
	var out []ui.Choice
	for _, op := range ops() {
		out = append(out, ui.Choice{Value: string(op), Label: loc.T("traces.op." + string(op))})
	}
	return out
}

// codes are the values of a field that the base keeps as codes; nil for a text.
func codes(names named, f traces.Field) (out []string) {
	switch f {
	case traces.FieldAction:
		for _, a := range traces.Actions() {
			out = append(out, a.String())
		}
	case traces.FieldOutcome:
		for _, o := range traces.Outcomes() {
			out = append(out, o.String())
		}
	case traces.FieldClass:
		for _, class := range traces.Classes() {
			out = append(out, class.String())
		}
	case traces.FieldSource:
		for id := range names {
			out = append(out, id)
		}
	case traces.FieldWeekday:
		out = []string{"1", "2", "3", "4", "5", "6", "7"}
	case traces.FieldSeverity:
		out = []string{"0", "1", "2", "3", "4", "5", "6", "7"}
	}
	return out
}

func knownWords(loc *i18n.Localizer, names named, f traces.Field) (out []string) {
	for _, code := range codes(names, f) {
		out = append(out, valueWord(loc, names, f, code))
	}
	if f == traces.FieldSource {
		slices.SortFunc(out, compare)
	}
	return out
}

// codeOf is what the base keeps for what was typed: the code itself, or its word.
func codeOf(loc *i18n.Localizer, names named, f traces.Field, typed string) (string, bool) {
	list := codes(names, f)
	if list == nil {
		return typed, f != traces.FieldSource
	}
	for _, code := range list {
		if code == typed || storage.Fold(valueWord(loc, names, f, code)) == storage.Fold(typed) {
			return code, true
		}
	}
	return "", false
}

// bar is one bar that can be pressed.
type bar struct {
	bin, word, label, height, top string
}

// barTop is the height of the drawing of a bar.
const barTop = 100

// pressable are the bars of the histogram.
func pressable(c *ui.Context, groups []traces.Group) []bar {
	all := filled(groups)
	most := int64(1)
	for _, g := range all {
		most = max(most, g.Count)
	}
	var out []bar
	for _, g := range all {
		h := g.Count * barTop / most
		if g.Count > 0 {
			h = max(h, 2)
		}
		out = append(out, bar{
			bin: g.Keys[0], word: shortBin(c.Loc, g.Keys[0]), height: strconv.FormatInt(h, 10), top: strconv.FormatInt(barTop-h, 10),
			label: c.Loc.N("traces.page.search.bar", int(g.Count), "when", binWord(c.Loc, g.Keys[0])),
		})
	}
	return out
}

// rank is the line of the first result of the page, from 1.
func (r *findings) rank() int { return (r.page-1)*pageLines + 1 }

func (r *findings) more() bool { return int64(r.page*pageLines) < r.list.Total }

func (r *findings) hourly() bool {
	return len(r.curve.Groups) > 0 && len(r.curve.Groups[0].Keys[0]) > len(time.DateOnly)
}
