package directory

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// carryOn compares an import with today and, when a program may decide it,
// confirms it: nothing to be told to a person, or less than what must be.
func (d *Directory) carryOn(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	i, err := d.Preview(ctx, scope, id)
	if err != nil || !i.Handling.Auto {
		return err
	}
	if i.Summary.New+i.Summary.Changed+i.Summary.Gone == 0 {
		return d.discard(ctx, scope, i, Abandoned) // a night without news is no import
	}
	_, err = d.Confirm(ctx, scope, id)
	return err
}

// Synchronise takes a table of people from a server or a program: it is read,
// compared and applied like a staff file, by itself as far as h says. The work
// is done by the next Work; the import tells where it stands. A table that
// cannot be read to its end changes nothing. Errors: Denied, Conflict while an
// earlier one of the source is not settled, and those of rows.
func (d *Directory) Synchronise(ctx context.Context, scope access.Scope, rows Rows, source, name string, h Handling) (Import, error) {
	if err := d.guard.Check(scope, access.DirectorySync); err != nil {
		return Import{}, err
	}
	within := access.System(scope.Organisation(), scope.Actor().Name)
	all, err := d.Imports(ctx, within)
	if err != nil {
		return Import{}, err
	}
	for _, i := range all {
		if strings.EqualFold(i.Source, source) && slices.Contains([]ImportState{Staging, Staged, Previewing, Ready, Applying}, i.State) {
			return i, fault.New(fault.Conflict, "directory.sync.waiting", "file", i.FileName)
		}
	}
	i, err := d.Stage(ctx, within, rows, File{Name: name, Source: source, Handling: h})
	if err != nil {
		return i, err
	}
	if err := i.Mapping.check(len(i.Header)); err != nil {
		return i, nil // a person says once which column is which; it is remembered
	}
	return d.Request(ctx, within, i.ID, Previewing)
}

// Received tells where a list that a program gave stands. Errors: Denied,
// NotFound for what no program gave.
func (d *Directory) Received(ctx context.Context, scope access.Scope, id uuid.UUID) (i Import, err error) {
	if err := d.guard.Check(scope, access.DirectorySync); err != nil {
		return i, err
	}
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		i, err = readImport(ctx, tx, scope, id)
		return err
	})
	if err == nil && i.Format.Kind != tableFormat {
		return Import{}, fault.New(fault.NotFound, "directory.import.not_found")
	}
	return i, err
}

// tableFormat is the kind of a table that no file holds.
const tableFormat = "api"

// Table is a list of people in memory, as a program gives it: the columns are
// those of a staff file, and "Clé du serveur" names a person for good.
type Table struct {
	Columns []string
	Lines   [][]string
	at      int
}

// Header implements Rows.
func (t *Table) Header() []string { return t.Columns }

// Format implements Rows.
func (t *Table) Format() table.Format { return table.Format{Kind: tableFormat, Encoding: "UTF-8"} }

// Next implements Rows.
func (t *Table) Next() (table.Row, error) {
	if t.at == len(t.Lines) {
		return table.Row{}, io.EOF
	}
	t.at++
	cells := make([]string, max(len(t.Columns), len(t.Lines[t.at-1])))
	copy(cells, t.Lines[t.at-1])
	return table.Row{Line: t.at, Cells: cells}, nil
}

// byMail recognises, by a mailbox that one person only has, the entries of a
// server that know no matricule: they are people of the staff file.
func (c *comparison) byMail(ctx context.Context, tx *storage.Tx, entries []*entry) error {
	of := map[string][]*entry{}
	for _, e := range entries {
		if e.Key == "" || e.Matricule != "" {
			continue
		}
		for _, k := range e.Contacts {
			if k.Kind == Email && !k.Shared {
				of[k.Address] = append(of[k.Address], e)
			}
		}
	}
	if len(of) == 0 {
		return nil
	}
	list := make([]string, 0, len(of))
	for address := range of {
		list = append(list, address)
	}
	slices.Sort(list)
	g, err := generation(ctx, tx, c.scope)
	if err != nil {
		return err
	}
	owner := map[string][]string{}
	err = tx.Query(ctx, `SELECT k.address, p.match_key FROM directory_contacts k JOIN directory_people p ON p.organisation_id = k.organisation_id AND p.id = k.person_id
		AND p.since_gen <= $2 AND p.until_gen > $2 WHERE k.organisation_id = $1 AND k.since_gen <= $2 AND k.until_gen > $2 AND NOT k.shared AND k.address IN (`+
		storage.In(len(list), 3)+`)`, storage.Args(list, c.scope.Organisation(), g), func(row func(...any) error) error {
		var address, match string
		err := row(&address, &match)
		owner[address] = append(owner[address], match)
		return err
	})
	for address, found := range owner {
		if found = slices.Compact(slices.Sorted(slices.Values(found))); len(found) == 1 && len(of[address]) == 1 {
			of[address][0].Match = found[0]
		}
	}
	return err
}
