package pages

import (
	"slices"
	"strconv"

	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/inventory"
	"tocsin/internal/ui"
)

// sampleRows are shown beside each column, to recognise it.
const sampleRows = 3

// passage is what the pages of one import show.
type passage struct {
	inventory.Import
	sample [][]string
	// view is the list shown of a comparison, results its page.
	view    string
	results []inventory.Result
	after   int
}

func (p pages) imports(c *ui.Context) error {
	list, err := p.s.Imports(c.Ctx(), c.Scope)
	if err != nil {
		return err
	}
	return c.Render(importsPage(c, c.NewForm(map[string]string{"source": c.Loc.T("inventory.page.import.source.usual"), "kind": string(inventory.Application)}), list))
}

// upload reads the file into the waiting room: nothing of the inventory changes.
func (p pages) upload(c *ui.Context) error {
	f := c.Form()
	i, err := p.stage(c, f)
	if err != nil {
		list, lerr := p.s.Imports(c.Ctx(), c.Scope)
		if lerr != nil {
			return lerr
		}
		return c.Refill(f, err, importsPage(c, f, list))
	}
	return c.Redirect(importPath(i, "/colonnes"))
}

func (p pages) stage(c *ui.Context, f *ui.Form) (inventory.Import, error) {
	file, header, err := c.File("fichier")
	if err != nil {
		return inventory.Import{}, err
	}
	limits := table.DefaultLimits()
	limits.MaxRows = inventory.RowsMost
	src, err := table.OpenSheet(file, header.Size, header.Filename, f.Value("feuille"), limits)
	if err != nil {
		return inventory.Import{}, atFile(err)
	}
	source := []rune(f.Value("source"))
	i, err := p.s.Stage(c.Ctx(), c.Scope, src, inventory.File{Name: header.Filename, Source: string(source[:min(len(source), 60)]), Kind: inventory.Kind(f.Value("kind"))})
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

// author is who gave a file; the command line has no name of its own.
func author(c *ui.Context, by string) string {
	if by == "cli" {
		return c.Loc.T("inventory.page.import.by.console")
	}
	return by
}

func importPath(i inventory.Import, under string) string {
	return ImportPath + "/" + i.ID.String() + under
}

func (p pages) one(c *ui.Context) (passage, error) {
	id, err := c.ID("id")
	if err != nil {
		return passage{}, err
	}
	i, err := p.s.Import(c.Ctx(), c.Scope, id)
	return passage{Import: i}, err
}

// passage shows an import where it stands, whoever comes back to it.
func (p pages) passage(c *ui.Context) error {
	v, err := p.one(c)
	if err != nil {
		return err
	}
	if v.State == inventory.Staged {
		return c.Redirect(importPath(v.Import, "/colonnes"))
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
	viewGone     = "absents"
)

// views are the lists that have something to show, what must be looked at first.
func (v passage) views() (out []string) {
	for _, name := range []string{viewRefused, viewProblems, viewGone, viewChanged, viewNew} {
		if v.count(name) > 0 {
			out = append(out, name)
		}
	}
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
		return v.Summary.New + v.Summary.Suppliers
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
	f := inventory.ResultFilter{Limit: pageSize}
	if n, err := strconv.Atoi(c.FormValue("suite")); err == nil && n > 0 {
		f.After, v.after = n, n
	}
	switch v.view {
	case viewProblems:
		f.Complaints = true
	case viewRefused:
		f.Kind = inventory.KindRefused
	case viewNew:
		f.Kind = inventory.KindNew
	case viewChanged:
		f.Kind = inventory.KindChanged
	case viewGone:
		f.Kind = inventory.KindGone
	}
	v.results, err = p.s.Results(c.Ctx(), c.Scope, v.ID, f)
	return err
}

// nothing tells that confirming would change nothing.
func (v passage) nothing() bool {
	return v.Summary.New+v.Summary.Changed+v.Summary.Gone == 0
}

func (p pages) columns(c *ui.Context) error {
	v, err := p.one(c)
	if err != nil {
		return err
	}
	if v.State != inventory.Staged && v.State != inventory.Ready {
		return c.Redirect(importPath(v.Import, ""))
	}
	if v.sample, err = p.s.Sample(c.Ctx(), c.Scope, v.ID, sampleRows); err != nil {
		return err
	}
	f := c.NewForm(nil)
	for i, field := range v.Mapping {
		f.Set(ui.ColumnName(i), string(field))
	}
	return c.Render(columnsPage(c, f, v))
}

// setColumns takes the mapping and compares the file with today.
func (p pages) setColumns(c *ui.Context) error {
	v, err := p.one(c)
	if err != nil {
		return err
	}
	f := c.Form()
	m := make(inventory.Mapping, len(v.Header))
	for i := range m {
		m[i] = inventory.Field(f.Value(ui.ColumnName(i)))
	}
	if _, err = p.s.Map(c.Ctx(), c.Scope, v.ID, m); fault.Is(err, fault.Invalid) {
		rows, serr := p.s.Sample(c.Ctx(), c.Scope, v.ID, sampleRows)
		if serr != nil {
			return serr
		}
		v.sample = rows
		return c.Refill(f, ui.AtColumn(err, m), columnsPage(c, f, v))
	}
	return p.step(c, v, err)
}

// step goes back to the import, or to what it became meanwhile.
func (p pages) step(c *ui.Context, v passage, err error) error {
	switch {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Attention, c.Loc.Fault(err))
	case err != nil:
		return err
	}
	return c.Redirect(importPath(v.Import, ""))
}

func (p pages) confirm(c *ui.Context) error {
	v, err := p.one(c)
	if err != nil {
		return err
	}
	_, err = p.s.Apply(c.Ctx(), c.Scope, v.ID, c.Form().Checked("retirer", "oui"))
	return p.step(c, v, err)
}

func (p pages) abandon(c *ui.Context) error {
	v, err := p.one(c)
	if err != nil {
		return err
	}
	switch err := p.s.Abandon(c.Ctx(), c.Scope, v.ID); {
	case fault.Is(err, fault.Conflict):
		c.Flash(ui.Attention, c.Loc.Fault(err))
		return c.Redirect(importPath(v.Import, ""))
	case err != nil:
		return err
	}
	c.Flash(ui.Success, c.Loc.T("inventory.page.import.abandoned", "file", v.FileName))
	return c.Redirect(ImportPath)
}

func (p pages) undoing(c *ui.Context) error {
	v, err := p.one(c)
	if err != nil {
		return err
	}
	if v.State != inventory.Applied && v.State != inventory.Undoing {
		return c.Redirect(importPath(v.Import, ""))
	}
	return c.Render(undoPage(c, v))
}

func (p pages) undo(c *ui.Context) error {
	v, err := p.one(c)
	if err != nil {
		return err
	}
	_, err = p.s.Undo(c.Ctx(), c.Scope, v.ID)
	return p.step(c, v, err)
}

func (p pages) unreadable(c *ui.Context) error {
	v, err := p.one(c)
	if err != nil {
		return err
	}
	return p.s.Unreadable(c.Ctx(), c.Scope, v.ID, c.Loc, c.Download(c.Loc.T("inventory.page.import.unreadable.file")+".csv", "text/csv; charset=utf-8"))
}
