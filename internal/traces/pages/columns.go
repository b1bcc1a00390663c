package pages

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/files"
	"tocsin/internal/ui"
)

const (
	lookRows    = 200 // from which columns are guessed
	previewRows = 20
	sampleRows  = 3
)

// assistant is the page that leads from a file to a mapping.
type assistant struct {
	source traces.Source
	file   files.File
	// at is where the form goes, back where one leaves it for, title what is mapped.
	at, back, title string
	// sample is the beginning of the file as it is cut; problem is why it could
	// not be.
	sample  columns.Sample
	problem error
	// sure tells, by column, how sure a guess is; guessed that any was made.
	sure    map[int]int
	guessed bool
	preview []previewed
}

// previewed is a row as it would be kept.
type previewed struct {
	line  int
	event traces.Event
	err   error
}

// columns shows the assistant: what was saved when the file has its columns, a
// guess otherwise.
func (p pages) columns(c *ui.Context) error {
	a, content, err := p.openAssistant(c)
	if err != nil {
		return err
	}
	if a.problem != nil {
		return c.Render(columnsPage(c, c.NewForm(nil), a))
	}
	saved, err := p.files.Mapping(c.Ctx(), c.Scope, a.source.ID)
	if err != nil && !fault.Is(err, fault.Invalid) {
		return errors.Join(err, content.Close())
	}
	values, err := a.begin(c, content, saved)
	if err = errors.Join(err, content.Close()); err != nil {
		return err
	}
	f := c.NewForm(values)
	a.show(c, f)
	return c.Render(columnsPage(c, f, a))
}

func (p pages) openAssistant(c *ui.Context) (a assistant, content files.Content, err error) {
	if a.source, err = p.one(c); err != nil {
		return a, content, err
	}
	if a.file, err = p.asked(c); err != nil {
		return a, content, err
	}
	a.at, a.back, a.title = filePath(a.file, "/colonnes"), filesPath(a.source.ID), a.file.Name
	content, _, err = p.files.Open(c.Ctx(), c.Scope, a.file.ID)
	if f := fault.As(err); f != nil && f.Key == "traces.files.gone" {
		a.problem, err = f, nil
	}
	return a, content, err
}

// begin cuts the file as the saved mapping says, or as it looks, and fills the form.
func (a *assistant) begin(c *ui.Context, content files.Content, saved files.Saved) (map[string]string, error) {
	if saved.Version > 0 {
		a.look(content, saved.Mapping.Cut)
		if _, err := saved.Mapping.Plan(a.sample.Header, a.source.Location(), columns.Files); a.problem == nil && err == nil {
			return fill(c.Loc, saved.Mapping, a.sample.Header), nil
		}
	}
	cut, err := columns.Recognise(content, content.Size)
	if err != nil {
		return nil, err
	}
	a.look(content, cut)
	return a.guess(c.Loc, cut), nil
}

func (a *assistant) look(content files.Content, cut columns.Cut) {
	a.sample, a.problem = columns.Look(content, content.Size, cut, lookRows)
}

// guess fills the form with what the columns seem to be.
func (a *assistant) guess(loc *i18n.Localizer, cut columns.Cut) map[string]string {
	a.sure, a.guessed = map[int]int{}, true
	guesses, key := columns.Propose(a.sample.Header, a.sample.Cells())
	m := columns.Mapping{Cut: cut, Key: key}
	for _, g := range guesses {
		m.Rules = append(m.Rules, g.Rule)
		for _, name := range g.Columns {
			a.sure[slices.Index(a.sample.Header, name)] = g.Confidence
		}
	}
	return fill(loc, m, a.sample.Header)
}

// mapColumns cuts again, shows what would be kept, or saves.
func (p pages) mapColumns(c *ui.Context) error {
	a, content, err := p.openAssistant(c)
	if err != nil {
		return err
	}
	f := c.Form()
	if a.problem != nil {
		return c.Render(columnsPage(c, f, a))
	}
	cut, err := cutOf(f)
	if err == nil {
		a.look(content, cut)
		err = a.problem
	}
	if err := content.Close(); err != nil {
		return err
	}
	if err != nil {
		a.problem = nil
		return c.Refill(f, err, columnsPage(c, f, a))
	}
	if f.Value("faire") == "recouper" {
		f = c.NewForm(a.guess(c.Loc, cut))
		a.show(c, f)
		return c.Render(columnsPage(c, f, a))
	}
	m, err := mappingOf(c.Loc, f, cut, a.sample.Header)
	if err == nil && f.Value("faire") == "enregistrer" {
		return p.saveMapping(c, f, a, m)
	}
	if a.show(c, f); err != nil {
		return c.Refill(f, err, columnsPage(c, f, a))
	}
	return c.Render(columnsPage(c, f, a))
}

func (p pages) saveMapping(c *ui.Context, f *ui.Form, a assistant, m columns.Mapping) error {
	saved, err := p.files.Save(c.Ctx(), c.Scope, a.source.ID, m)
	if err != nil {
		a.show(c, f)
		return c.Refill(f, err, columnsPage(c, f, a))
	}
	if a.file.State == files.Refused {
		if _, err := p.files.Resume(c.Ctx(), c.Scope, a.file.ID); err != nil {
			return err
		}
	}
	c.Flash(ui.Success, c.Loc.T("traces.columns.page.saved", "version", saved.Version, "name", a.file.Name))
	return c.Redirect(filesPath(a.source.ID))
}

// show makes the rows that would be kept, as far as the form can be understood.
func (a *assistant) show(c *ui.Context, f *ui.Form) {
	cut, err := cutOf(f)
	if a.sample.Cut.Kind == columns.Table {
		cut, err = a.sample.Cut, nil
	}
	if err != nil || a.problem != nil {
		return
	}
	m, err := mappingOf(c.Loc, f, cut, a.sample.Header)
	if err != nil {
		return
	}
	plan, err := m.Plan(a.sample.Header, a.source.Location(), columns.Files)
	if err != nil {
		return
	}
	for _, row := range a.sample.Rows[:min(len(a.sample.Rows), previewRows)] {
		e, err := plan.Event(row, storage.Micros(c.Now))
		a.preview = append(a.preview, previewed{row.Line, e, err})
	}
}

// cutOf reads how a file is cut.
func cutOf(f *ui.Form) (columns.Cut, error) {
	skip := 0
	if text := f.Value("skip"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			n = -1
		}
		skip = n
	}
	cut := columns.Cut{Kind: f.Value("kind"), Header: f.Checked("header", "oui"), Skip: skip}
	switch cut.Kind {
	case columns.CSV:
		cut.Delimiter, cut.Encoding, cut.NoQuote = delimiterOf(f.Value("delimiter")), f.Value("encoding"), f.Checked("noquote", "oui")
	case columns.XLSX:
		cut.Sheet = f.Value("sheet")
	case columns.Fixed:
		cut.Encoding = f.Value("encoding")
		fields, err := fieldsOf(f.Value("fields"))
		if err != nil {
			return cut, err
		}
		cut.Fields = fields
	}
	return cut, cut.Check()
}

// tab stands for the tabulation, which a field of a form cannot show.
const tab = "tab"

func delimiterOf(word string) string {
	if word == tab {
		return "\t"
	}
	return word
}

// fieldsOf reads columns of fixed width, one a line: name, first, last.
func fieldsOf(text string) (out []columns.Field, err error) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		bad := fault.New(fault.Invalid, "traces.columns.fields").At("fields")
		if len(words) < 3 {
			return nil, bad
		}
		from, ferr := strconv.Atoi(words[len(words)-2])
		to, terr := strconv.Atoi(words[len(words)-1])
		if ferr != nil || terr != nil {
			return nil, bad
		}
		out = append(out, columns.Field{Name: strings.Join(words[:len(words)-2], " "), From: from, To: to})
	}
	return out, nil
}
