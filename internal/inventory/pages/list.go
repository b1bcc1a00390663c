package pages

import (
	"slices"
	"strings"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/document/xlsx"
	"tocsin/internal/inventory"
	"tocsin/internal/ui"
)

const pageSize = 50

// roll is what the list shows.
type roll struct {
	page     inventory.Page
	filter   inventory.Filter
	filtered bool
	pager    ui.Pager
	located
}

// filterOf reads the filters of an address or of a form; what is unknown filters nothing.
func filterOf(get func(name string) string) inventory.Filter {
	f := inventory.Filter{Text: get("q"), Service: optional(get("service")), Site: optional(get("site")), Supplier: optional(get("fournisseur")), Retired: get("etat") == "retires"}
	if runes := []rune(f.Text); len(runes) > 200 {
		f.Text = string(runes[:200])
	}
	if k := inventory.Kind(get("nature")); k.Known() {
		f.Kind = k
	}
	switch level := inventory.Criticality(get("criticite")); {
	case level == toRate:
		f.ToRate = true
	case slices.Contains(inventory.Criticalities(), level):
		f.Criticality = level
	}
	return f
}

// filterNames are the fields of filterOf, which the export posts again.
func filterNames() []string {
	return []string{"q", "nature", "criticite", "service", "site", "fournisseur", "etat"}
}

func (p pages) list(c *ui.Context) error {
	q := c.Query()
	r := roll{filter: filterOf(q.Get)}
	r.filtered = r.filter != inventory.Filter{}
	cut := r.filter
	cut.Limit, cut.Offset = pageSize, (q.Page()-1)*pageSize
	var err error
	if r.page, err = p.s.List(c.Ctx(), c.Scope, cut); err != nil {
		return err
	}
	r.pager = q.Pager(r.page.Total, pageSize)
	if r.located, err = p.places(c); err != nil {
		return err
	}
	return c.Render(listPage(c, q, r))
}

// export is a POST: it leaves an entry in the journal, and a link must not.
func (p pages) export(c *ui.Context) error {
	f := c.Form()
	rows, err := p.s.Export(c.Ctx(), c.Scope, filterOf(f.Value), func(field, code string) string { return valueWord(c.Loc, field, code) })
	if err != nil {
		return err
	}
	name := c.Loc.T("inventory.page.export.file") + "-" + c.Now.In(c.Zone).Format(time.DateOnly)
	if f.Value("format") == "csv" {
		out, err := xlsx.NewCSV(c.Download(name+".csv", "text/csv; charset=utf-8"), xlsx.CSVOptions{})
		if err != nil {
			return err
		}
		for _, row := range append([][]string{inventory.ExportColumns()}, rows...) {
			if err := out.Row(cells(row)...); err != nil {
				return err
			}
		}
		return out.Flush()
	}
	return p.workbook(c, name, rows)
}

func (p pages) workbook(c *ui.Context, name string, rows [][]string) (err error) {
	book, err := xlsx.New(xlsx.Meta{Title: c.Loc.T("inventory.page.title"), Author: c.Visitor.Establishment.Name, Language: string(c.Loc.Language()), At: c.Now})
	if err != nil {
		return err
	}
	defer func() {
		if closed := book.Close(); err == nil {
			err = closed
		}
	}()
	var columns []xlsx.Column
	for _, title := range inventory.ExportColumns() {
		columns = append(columns, xlsx.Column{Title: title})
	}
	sheet, err := book.Sheet(c.Loc.T("inventory.page.title"), columns)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := sheet.Row(cells(row)...); err != nil {
			return err
		}
	}
	return book.Write(c.Download(name+".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))
}

func cells(row []string) []any {
	out := make([]any, len(row))
	for n, text := range row {
		out[n] = text
	}
	return out
}

// listed is the second line under a name: code, model and first address.
func listed(n inventory.Named) string {
	parts := []string{n.Code, n.Model}
	if len(n.Identifiers) > 0 {
		parts = append(parts, n.Identifiers[0].Value)
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

func mayExport(c *ui.Context) bool { return c.May(access.InventoryExport) }
