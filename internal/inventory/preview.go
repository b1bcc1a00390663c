package inventory

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/document/assist"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// The kinds of results. The values are stored.
const (
	KindNew     = "new"
	KindChanged = "changed"
	KindGone    = "gone"
	KindSame    = "same"    // only kept when it has a warning
	KindRefused = "refused" // kept out: an error, or a row that cannot be read
)

// The passes of an application: suppliers first, since the others name them.
const (
	passSuppliers = 1
	passRows      = 2
	passGone      = 3
)

// Suppliers that no row is about, and things found gone, are numbered after any row.
const (
	suppliersFrom = 1 << 32
	goneFrom      = 1 << 33
)

// Map corrects the mapping of an import that is not confirmed yet and compares
// the file with today's inventory; it can be run again and writes nothing of
// the inventory. Needs access.InventoryWrite. Errors: NotFound, Conflict,
// Invalid with the column's field.
func (s *Service) Map(ctx context.Context, scope access.Scope, id uuid.UUID, m Mapping) (Import, error) {
	i, err := s.inState(ctx, scope, id, Staged, Ready)
	if err != nil {
		return i, err
	}
	if err := m.check(len(i.Header)); err != nil {
		return i, err
	}
	i.Mapping, i.State, i.Summary = m, Staged, Summary{}
	if err := s.keep(ctx, scope, i); err != nil {
		return i, err
	}
	if err := s.clear(ctx, scope, id, "inventory_import_results"); err != nil {
		return i, err
	}
	c, rows, err := s.newComparison(ctx, scope, &i)
	if err != nil {
		return i, err
	}
	for _, row := range rows {
		if err := c.row(row); err != nil {
			return i, err
		}
	}
	if err := c.newSuppliers(); err != nil {
		return i, err
	}
	if err := c.gone(); err != nil {
		return i, err
	}
	if err := s.keepResults(ctx, scope, c.results); err != nil {
		return i, err
	}
	i.State = Ready
	return i, s.keep(ctx, scope, i)
}

// staged is a row of the file as it waits.
type staged struct {
	seq, line int
	kept      assist.Kept
}

// comparison is the state of one preview.
type comparison struct {
	scope   access.Scope
	i       *Import
	reading *reading
	names   glossary
	known   known
	// lines are the rows by kind and match, to find doubles; matched are the
	// things that the file speaks of.
	lines   map[string]int
	matched map[uuid.UUID]bool
	// blind tells a row whose thing is unknown: then nothing is found gone.
	blind    bool
	supplied []string
	results  [][]any
}

func (s *Service) newComparison(ctx context.Context, scope access.Scope, i *Import) (*comparison, []staged, error) {
	c := &comparison{scope: scope, i: i, lines: map[string]int{}, matched: map[uuid.UUID]bool{}}
	var rows []staged
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		items, err := readItems(ctx, tx, scope, "")
		if err != nil {
			return err
		}
		c.known = knownOf(items)
		if c.names, err = s.names(ctx, tx, scope, items); err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT seq, line, cells, problem, raw FROM inventory_import_rows WHERE organisation_id = $1 AND import_id = $2 ORDER BY seq`,
			[]any{scope.Organisation(), i.ID}, func(row func(...any) error) error {
				var r staged
				err := row(&r.seq, &r.line, &r.kept.Cells, &r.kept.Problem, &r.kept.Raw)
				rows = append(rows, r)
				return err
			})
	})
	if err == nil && len(rows) != i.Total {
		err = fault.New(fault.Conflict, "inventory.import.forgotten")
	}
	c.reading = s.newReading(ctx, scope, i, c.names.places)
	return c, rows, err
}

// known finds the things of the inventory, retired ones too, by what a file says of them.
type known struct {
	items  []Item
	byKey  map[string]int   // kind and match
	byName map[string][]int // kind and name, whatever the code
}

func knownOf(items []Item) known {
	k := known{items: items, byKey: map[string]int{}, byName: map[string][]int{}}
	for n, i := range items {
		k.byKey[string(i.Kind)+" "+i.match()] = n
		name := string(i.Kind) + " " + nameKey(i.Name)
		k.byName[name] = append(k.byName[name], n)
	}
	return k
}

// find gives the thing of a row: by its code; without one, or when nothing has
// it, by its name. several tells that the name is not enough.
func (k known) find(e *entry) (i Item, found, several bool) {
	if n, ok := k.byKey[string(e.Kind)+" "+e.match()]; ok {
		return k.items[n], true, false
	}
	named := k.byName[string(e.Kind)+" "+nameKey(e.Name)]
	if e.Code != "" { // a thing entered by name gets its code; another's code is another thing
		named = slices.DeleteFunc(slices.Clone(named), func(n int) bool { return k.items[n].Code != "" })
	}
	switch len(named) {
	case 0:
		return i, false, false
	case 1:
		return k.items[named[0]], true, false
	}
	return i, false, true
}

// supplier finds a supplier by its name, or its code.
func (k known) supplier(name string) (Item, bool) {
	if name == "" {
		return Item{}, false
	}
	if named := k.byName[string(Supplier)+" "+nameKey(name)]; len(named) > 0 {
		return k.items[named[0]], true
	}
	n, found := k.byKey[string(Supplier)+" "+codeKey(name)]
	if !found {
		return Item{}, false
	}
	return k.items[n], true
}

// row compares one row and keeps what it would change.
func (c *comparison) row(r staged) error {
	e := &entry{}
	if p, unreadable := r.kept.Trouble(); unreadable {
		e.problems = []assist.Problem{p}
	} else {
		cells, err := r.kept.Values()
		if err != nil {
			return err
		}
		e = c.reading.read(cells)
	}
	before, found, several := c.known.find(e)
	if several {
		c.reading.complain(e, -1, true, "inventory.import.several")
	}
	if !e.refused() {
		key := string(e.Kind) + " " + e.match()
		if found {
			key = before.ID.String()
		}
		if line, twice := c.lines[key]; twice {
			c.reading.complain(e, -1, true, "inventory.import.twice", "line", line)
		} else {
			c.lines[key] = r.line
		}
	}
	if found {
		c.matched[before.ID] = true
	}
	return c.weigh(r, e, before, found)
}

func (c *comparison) weigh(r staged, e *entry, before Item, found bool) error {
	kind, differ := KindNew, []Change(nil)
	supplier, isKnown := c.known.supplier(e.Supplier)
	switch {
	case e.refused():
		kind = KindRefused
		c.i.Summary.Refused++
		c.blind = c.blind || !found
	case found:
		after := e.onto(before, supplier.ID, c.i.Source)
		differ = changes(c.names.of(before), c.names.with(e, supplier, isKnown).of(after))
		if e.Supplier != "" && !isKnown {
			differ = append(differ, Change{Field: "supplier", Before: c.names.suppliers[before.Supplier], After: e.Supplier})
		}
		kind = KindChanged
		if len(differ) == 0 {
			kind = KindSame
		}
	}
	for _, p := range e.problems {
		if !p.Error {
			c.i.Summary.Warnings++
			break
		}
	}
	switch kind {
	case KindNew:
		c.i.Summary.New++
	case KindChanged:
		c.i.Summary.Changed++
	case KindSame:
		c.i.Summary.Same++
		if len(e.problems) == 0 {
			return nil
		}
	}
	if kind != KindRefused && e.Supplier != "" && !isKnown {
		c.supplied = append(c.supplied, e.Supplier)
	}
	pass := passRows
	if e.Kind == Supplier {
		pass = passSuppliers
	}
	return c.keep(r.seq, r.line, kind, pass, before.ID, e.Name, e, differ)
}

// with adds to the names those that a row brings.
func (g glossary) with(e *entry, supplier Item, isKnown bool) glossary {
	if isKnown {
		g.suppliers[supplier.ID] = supplier.Name
	}
	if _, known := g.people[e.OwnerPerson]; e.OwnerPerson != uuid.Nil && !known {
		g.people[e.OwnerPerson] = e.owner
	}
	return g
}

// newSuppliers adds the suppliers that rows name and nobody knows.
func (c *comparison) newSuppliers() error {
	slices.SortFunc(c.supplied, func(a, b string) int { return strings.Compare(storage.Fold(a), storage.Fold(b)) })
	for n, name := range c.supplied {
		_, inFile := c.lines[string(Supplier)+" "+nameKey(name)]
		if inFile || n > 0 && storage.Fold(c.supplied[n-1]) == storage.Fold(name) {
			continue
		}
		c.i.Summary.Suppliers++
		if err := c.keep(suppliersFrom+n, 0, KindNew, passSuppliers, uuid.Nil, name, &entry{Kind: Supplier, Name: name}, nil); err != nil {
			return err
		}
	}
	return nil
}

// gone lists the things of the same source that the file does not hold. A row
// whose thing is unknown may be any of them: then nothing is gone.
func (c *comparison) gone() error {
	if c.blind {
		return nil
	}
	for n, i := range c.known.items {
		if i.Source == "" || !strings.EqualFold(i.Source, c.i.Source) || !i.Retired.IsZero() || c.matched[i.ID] || i.Kind == Supplier {
			continue // a list of devices does not list its suppliers
		}
		c.i.Summary.Gone++
		if err := c.keep(goneFrom+n, 0, KindGone, passGone, i.ID, i.Name, &entry{}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) keep(seq, line int, kind string, pass int, item uuid.UUID, name string, e *entry, differ []Change) error {
	texts := [3]string{}
	for n, part := range []any{e, differ, e.problems} {
		if n == 0 && (kind == KindRefused || kind == KindGone) || n == 1 && len(differ) == 0 || n == 2 && len(e.problems) == 0 {
			continue
		}
		b, err := json.Marshal(part)
		if err != nil {
			return err
		}
		texts[n] = string(b)
	}
	c.results = append(c.results, []any{c.scope.Organisation(), c.i.ID, seq, line, kind, pass, storage.NullID(item), name, texts[0], texts[1], texts[2], false, "", 0})
	return nil
}

func (s *Service) keepResults(ctx context.Context, scope access.Scope, results [][]any) error {
	for some := range slices.Chunk(results, chunk) {
		if err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
			return tx.InsertRows(ctx, "inventory_import_results", []string{
				"organisation_id", "import_id", "seq", "line", "kind", "pass", "item_id", "name", "entry", "changes", "problems", "done", "before_json", "revision",
			}, some)
		}); err != nil {
			return err
		}
	}
	return nil
}
