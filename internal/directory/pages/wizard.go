package pages

import (
	"slices"
	"strconv"
	"strings"

	"tocsin/internal/directory"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// sampleRows are shown beside each column, to recognise it.
const sampleRows = 3

// passage is what the pages of one import show.
type passage struct {
	directory.Import
	sample [][]string
	// view is the list shown of a comparison, results its page.
	view    string
	field   string
	results []directory.Result
	after   int
	touched []string
}

func (p pages) imports(c *ui.Context) error {
	list, err := p.d.Imports(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(importsPage(c, c.NewForm(map[string]string{"source": "RH"}), list))
}

// upload reads the file into the waiting room: nothing of the directory changes.
func (p pages) upload(c *ui.Context) error {
	f := c.Form()
	i, err := p.stage(c, f)
	if err != nil {
		list, lerr := p.d.Imports(c.Ctx(), c.Scope)
		if lerr != nil {
			return lerr
		}
		return c.Refill(f, err, importsPage(c, f, list))
	}
	return c.Redirect(importPath(i, "/colonnes"))
}

func (p pages) stage(c *ui.Context, f *ui.Form) (directory.Import, error) {
	file, header, err := c.File("fichier")
	if err != nil {
		return directory.Import{}, err
	}
	src, err := table.OpenSheet(file, header.Size, header.Filename, f.Value("feuille"), table.DefaultLimits())
	if err != nil {
		return directory.Import{}, atFile(err)
	}
	i, err := p.d.Stage(c.Ctx(), c.Scope, src, directory.File{Name: header.Filename, Source: cut(f.Value("source"), 60)})
	if closed := src.Close(); err == nil {
		err = closed
	}
	return i, atFile(err)
}

// atFile sets a sentence about the file at its field.
func atFile(err error) error {
	if e := fault.As(err); e != nil && e.Field == "" {
		return e.At("fichier")
	}
	return err
}

func cut(text string, most int) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), most)])
}

// author is who gave a file; the command line has no name of its own.
func author(c *ui.Context, by string) string {
	if by == "cli" {
		return c.Loc.T("directory.page.by.console")
	}
	return by
}

func importPath(i directory.Import, under string) string {
	return ImportPath + "/" + i.ID.String() + under
}

func (p pages) passage(c *ui.Context) (passage, error) {
	id, err := c.ID("id")
	if err != nil {
		return passage{}, err
	}
	i, err := p.d.Import(c.Ctx(), c.Scope, id)
	return passage{Import: i}, err
}

// wizard shows an import where it stands, whoever comes back to it.
func (p pages) wizard(c *ui.Context) error {
	v, err := p.passage(c)
	if err != nil {
		return err
	}
	switch v.State {
	case directory.Staging, directory.Previewing, directory.Applying, directory.Undoing:
		if c.Partial() {
			return c.Render(progressPiece(c, v))
		}
		return c.Render(progressPage(c, v))
	case directory.Staged:
		return c.Redirect(importPath(v.Import, "/colonnes"))
	}
	if c.Partial() { // the work it waited for is done
		return c.Redirect(importPath(v.Import, ""))
	}
	if err := p.readResults(c, &v); err != nil {
		return err
	}
	return c.Render(comparisonPage(c, v))
}

// The lists of a comparison.
const (
	viewProblems = "problemes"
	viewRefused  = "refus"
	viewNew      = "nouveaux"
	viewChanged  = "changes"
	viewGone     = "partis"
)

// views are the lists that have something to show, what must be looked at first.
func (v passage) views() []string {
	var out []string
	add := func(name string, n int) {
		if n > 0 {
			out = append(out, name)
		}
	}
	add(viewRefused, v.Summary.Refused)
	add(viewProblems, v.Summary.Warnings)
	add(viewGone, v.Summary.Gone)
	add(viewChanged, v.Summary.Changed)
	add(viewNew, v.Summary.New)
	return out
}

func (v passage) count(view string) int {
	switch view {
	case viewRefused:
		return v.Summary.Refused
	case viewGone:
		return v.Summary.Gone
	case viewChanged:
		return v.Summary.Changed
	case viewNew:
		return v.Summary.New
	}
	return v.Summary.Warnings
}

func (p pages) readResults(c *ui.Context, v *passage) (err error) {
	views := v.views()
	if len(views) == 0 {
		return nil
	}
	if v.view = c.FormValue("vue"); !slices.Contains(views, v.view) {
		v.view = views[0]
	}
	f := directory.ResultFilter{Limit: pageSize}
	if n, err := strconv.Atoi(c.FormValue("suite")); err == nil && n > 0 {
		f.After, v.after = n, n
	}
	switch v.view {
	case viewProblems:
		f.Complaints = true
	case viewRefused:
		f.Kind = directory.KindRefused
	case viewNew:
		f.Kind = directory.KindNew
	case viewChanged:
		f.Kind = directory.KindChanged
		if field := c.FormValue("champ"); v.Summary.Fields[field] > 0 {
			f.Field, v.field = field, field
		}
	case viewGone:
		f.Kind = directory.KindGone
	}
	v.results, err = p.d.Results(c.Ctx(), c.Scope, v.ID, f)
	return err
}

// fields are those that changed, the most frequent first.
func (v passage) fields() []string {
	var out []string
	for f := range v.Summary.Fields {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b string) int {
		if d := v.Summary.Fields[b] - v.Summary.Fields[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return out
}

// nothing tells that confirming would change nothing.
func (v passage) nothing() bool {
	return v.Summary.New+v.Summary.Changed+v.Summary.Gone == 0
}

func (p pages) columns(c *ui.Context) error {
	v, err := p.passage(c)
	if err != nil {
		return err
	}
	if v.State != directory.Staged && v.State != directory.Ready {
		return c.Redirect(importPath(v.Import, ""))
	}
	if v.sample, err = p.d.Sample(c.Ctx(), c.Scope, v.ID, sampleRows); err != nil {
		return err
	}
	f := c.NewForm(nil)
	for i, field := range v.Mapping {
		f.Set(ui.ColumnName(i), string(field))
	}
	return c.Render(columnsPage(c, f, v))
}

// setColumns takes the mapping and has the file compared with today.
func (p pages) setColumns(c *ui.Context) error {
	v, err := p.passage(c)
	if err != nil {
		return err
	}
	f := c.Form()
	m := make(directory.Mapping, len(v.Header))
	for i := range m {
		m[i] = directory.Field(f.Value(ui.ColumnName(i)))
	}
	if _, err = p.d.Map(c.Ctx(), c.Scope, v.ID, m); err == nil {
		_, err = p.d.Request(c.Ctx(), c.Scope, v.ID, directory.Previewing)
	}
	if fault.Is(err, fault.Invalid) {
		rows, serr := p.d.Sample(c.Ctx(), c.Scope, v.ID, sampleRows)
		if serr != nil {
			return serr
		}
		v.sample = rows
		return c.Refill(f, ui.AtColumn(err, m), columnsPage(c, f, v))
	}
	return p.step(c, v, err)
}

// step goes back to the import: to its progress, or to what it became meanwhile.
func (p pages) step(c *ui.Context, v passage, err error) error {
	switch {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Attention, c.Loc.Fault(err))
	case err != nil:
		return err
	default:
		p.wake()
	}
	return c.Redirect(importPath(v.Import, ""))
}

func (p pages) confirm(c *ui.Context) error {
	v, err := p.passage(c)
	if err != nil {
		return err
	}
	_, err = p.d.Request(c.Ctx(), c.Scope, v.ID, directory.Applying)
	return p.step(c, v, err)
}

func (p pages) abandon(c *ui.Context) error {
	v, err := p.passage(c)
	if err != nil {
		return err
	}
	switch err := p.d.Abandon(c.Ctx(), c.Scope, v.ID); {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Attention, c.Loc.Fault(err))
		return c.Redirect(importPath(v.Import, ""))
	case err != nil:
		return err
	}
	c.Flash(ui.Success, c.Loc.T("directory.page.import.abandoned", "file", v.FileName))
	return c.Redirect(ImportPath)
}

func (p pages) undoing(c *ui.Context) error {
	v, err := p.passage(c)
	if err != nil {
		return err
	}
	if v.State != directory.Applied {
		return c.Redirect(importPath(v.Import, ""))
	}
	if v.touched, err = p.d.Touched(c.Ctx(), c.Scope, v.ID); err != nil {
		return err
	}
	return c.Render(undoPage(c, v))
}

func (p pages) undo(c *ui.Context) error {
	v, err := p.passage(c)
	if err != nil {
		return err
	}
	_, err = p.d.Request(c.Ctx(), c.Scope, v.ID, directory.Undoing)
	return p.step(c, v, err)
}

func (p pages) unreadable(c *ui.Context) error {
	v, err := p.passage(c)
	if err != nil {
		return err
	}
	return p.d.Unreadable(c.Ctx(), c.Scope, v.ID, c.Loc, c.Download(c.Loc.T("directory.page.import.unreadable.file")+".csv", "text/csv; charset=utf-8"))
}
