package directory

import (
	"context"
	"encoding/json"
	"hash/maphash"
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
	KindSame    = "same"    // only kept when it has a warning, or when a rule keeps a value
	KindRefused = "refused" // kept out: an error, or a row that cannot be read
)

const (
	previewChunk = 500
	// progressEvery rows the progress is told, when there is nothing else to write.
	progressEvery = 5_000
	// goneFrom numbers the people found gone, after any row of a file.
	goneFrom = 1 << 32
	// placesShown bounds the names of new places in a summary.
	placesShown = 200
)

// Preview compares an import with today's directory, and can be run again. It
// writes nothing of the directory.
func (d *Directory) Preview(ctx context.Context, scope access.Scope, id uuid.UUID) (Import, error) {
	i, err := d.inState(ctx, scope, id, Staged, Previewing, Ready)
	if err != nil {
		return i, err
	}
	if err := i.Mapping.check(len(i.Header)); err != nil {
		return i, err
	}
	if !d.working.TryLock() {
		return i, fault.New(fault.Conflict, "directory.import.busy")
	}
	defer d.working.Unlock()
	i.State, i.Done, i.Summary = Previewing, 0, Summary{}
	if err := d.keep(ctx, scope, i); err != nil {
		return i, err
	}
	if err := d.drain(ctx, scope, i, "directory_import_results", ""); err != nil {
		return i, err
	}
	c, err := d.newComparison(ctx, scope, &i)
	if err != nil {
		return i, err
	}
	if err := c.run(ctx); err != nil {
		return i, err
	}
	i.State, i.Done = Ready, i.Total
	if h := i.Handling; h.Auto && i.Summary.Gone > 0 && h.tooMany(i.Summary.Gone, c.owned) {
		i.Handling.Auto = false
		i.Summary.Cautions = append(i.Summary.Cautions, Problem{Key: "directory.import.waits", Args: []any{"count", i.Summary.Gone, "total", c.owned, "most", h.GoneMost}})
	}
	return i, d.keep(ctx, scope, i)
}

// comparison is the state of one preview. Memory grows by some tens of bytes a
// row: keys, never rows.
type comparison struct {
	*Directory
	scope   access.Scope
	i       *Import
	reading *reading
	seed    maphash.Seed
	lines   map[string]int      // match key → line that had it first
	nameKey map[int]string      // seq → match key of a row without matricule
	first   map[uint64]int      // number → seq of the row that had it first
	again   map[int]bool        // rows that turned out to share a number with a later one
	shared  map[uint64]bool     // numbers of several people
	matched map[uuid.UUID]bool  // people the file speaks of
	owned   int                 // people the source owns
	blind   bool                // a row without readable key: whom it spoke of is unknown
	place   map[string]struct{} // new places seen
}

func (d *Directory) newComparison(ctx context.Context, scope access.Scope, i *Import) (*comparison, error) {
	c := &comparison{
		Directory: d, scope: scope, i: i, seed: maphash.MakeSeed(), lines: map[string]int{}, nameKey: map[int]string{}, first: map[uint64]int{},
		again: map[int]bool{}, shared: map[uint64]bool{}, matched: map[uuid.UUID]bool{}, place: map[string]struct{}{},
	}
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		places, err := d.organisation.Places(ctx, tx, scope, d.clock.Now())
		if err != nil {
			return err
		}
		c.reading, err = newReading(i.Header, i.Mapping, i.Source, places, d.reference)
		if err != nil {
			return err
		}
		c.reading.secret = d.key.Secret
		c.reading.rules, err = readFieldRules(ctx, tx, scope)
		return err
	})
	return c, err
}

// staged is a row of the file as it waits.
type staged struct {
	seq, line int
	cells     []string
	problem   string
}

func (c *comparison) run(ctx context.Context) error {
	for last := 0; ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		rows, err := c.load(ctx, `seq > $3 ORDER BY seq LIMIT $4`, last, previewChunk)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		last = rows[len(rows)-1].seq
		if err := c.compare(ctx, rows, true); err != nil {
			return err
		}
	}
	if err := c.readAgain(ctx); err != nil {
		return err
	}
	if err := c.gone(ctx); err != nil {
		return err
	}
	return c.summarise(ctx)
}

func (c *comparison) load(ctx context.Context, which string, args ...any) (out []staged, err error) {
	err = c.db.Read(ctx, c.scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT seq, line, cells, problem FROM directory_import_rows WHERE organisation_id = $1 AND import_id = $2 AND `+which,
			append([]any{c.scope.Organisation(), c.i.ID}, args...), func(row func(...any) error) error {
				var s staged
				var cells string
				if err := row(&s.seq, &s.line, &cells, &s.problem); err != nil {
					return err
				}
				out = append(out, s)
				return json.Unmarshal([]byte(cells), &out[len(out)-1].cells)
			})
	})
	return out, err
}

// compare reads some rows, looks them up in the directory and keeps what they would change.
func (c *comparison) compare(ctx context.Context, rows []staged, forward bool) error {
	entries := make([]*entry, len(rows))
	var keys []string
	for n, row := range rows {
		entries[n] = c.understand(row, forward)
	}
	var results [][]any
	err := c.db.Read(ctx, c.scope, func(tx *storage.Tx) error {
		if err := c.byMail(ctx, tx, entries); err != nil {
			return err
		}
		for _, e := range entries {
			keys = append(keys, e.Match)
		}
		known, err := c.known(ctx, tx, c.scope, keys)
		if err != nil {
			return err
		}
		for n, e := range entries {
			result, err := c.result(rows[n], e, known)
			if err != nil {
				return err
			}
			if result != nil {
				results = append(results, result)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(results) == 0 && forward && rows[len(rows)-1].seq%progressEvery != 0 {
		return nil // every commit costs a trip to the disk
	}
	return c.db.Write(ctx, c.scope, func(tx *storage.Tx) error {
		if !forward {
			seqs := make([]int, len(rows))
			for n := range rows {
				seqs[n] = rows[n].seq
			}
			if _, err := tx.Exec(ctx, `DELETE FROM directory_import_results WHERE organisation_id = $1 AND import_id = $2 AND seq IN (`+
				storage.In(len(seqs), 3)+`)`, storage.Args(seqs, c.scope.Organisation(), c.i.ID)...); err != nil {
				return err
			}
		}
		if err := tx.InsertRows(ctx, "directory_import_results", resultColumns, results); err != nil || !forward {
			return err
		}
		return progress(ctx, tx, c.scope, c.i.ID, rows[len(rows)-1].seq, c.clock.Now())
	})
}

// known finds the people of some match keys, departed ones too, with their contact points.
func (d *Directory) known(ctx context.Context, tx *storage.Tx, scope access.Scope, keys []string) (map[string]*record, error) {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	found, err := matched(ctx, tx, scope, keys)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	out := make(map[string]*record, len(found))
	var ids []uuid.UUID
	for key, p := range found {
		out[key] = &p
		ids = append(ids, p.ID)
	}
	g, err := generation(ctx, tx, scope)
	if err != nil {
		return nil, err
	}
	points, err := pointsOf(ctx, tx, scope, g, ids)
	for _, p := range out {
		for _, k := range points[p.ID] {
			p.Contacts = append(p.Contacts, k.ContactPoint)
		}
	}
	return out, err
}

// understand reads a row, and what the rows before it say about it.
func (c *comparison) understand(row staged, forward bool) *entry {
	e := c.reading.read(row.line, row.cells)
	if p, unreadable := (assist.Kept{Problem: row.problem}).Trouble(); unreadable {
		e.problems = []Problem{p}
		return e
	}
	if e.Matricule == "" && e.Key == "" && e.LastName != "" {
		e.Match = c.nameMatch(row.seq, e, forward)
	}
	if forward && e.LastName != "" {
		if line, twice := c.lines[e.Match]; twice {
			c.reading.complain(e, slices.Index(c.i.Mapping, FieldMatricule), true, "directory.import.twice", "line", line)
			return e
		}
		c.lines[e.Match] = row.line
	}
	c.numbers(row.seq, e, forward)
	return e
}

// nameMatch numbers the people of one name who have no matricule, in the order of the file.
func (c *comparison) nameMatch(seq int, e *entry, forward bool) string {
	if !forward {
		return c.nameKey[seq]
	}
	var key string
	for n := 0; ; n++ {
		key = matchKey("", e.LastName, e.FirstName, c.i.Source, n)
		if _, taken := c.lines[key]; !taken {
			break
		}
	}
	c.nameKey[seq] = key
	return key
}

// numbers notes the numbers and addresses that several rows have: they are
// marked as shared, and said.
func (c *comparison) numbers(seq int, e *entry, forward bool) {
	for n := range e.Contacts {
		k := &e.Contacts[n]
		h := maphash.String(c.seed, k.Address)
		if at, seen := c.first[h]; forward && seen && at != seq {
			c.shared[h] = true
			c.again[at] = true
		} else if forward {
			c.first[h] = seq
		}
		if !c.shared[h] {
			continue
		}
		k.Shared = true
		if k.Kind != Extension { // an extension is the ward's: nobody wonders
			e.problems = append(e.problems, Problem{Column: k.column, Key: "directory.import.shared"})
		}
	}
	if forward && e.Matricule == "" && strings.HasSuffix(e.Match, "+") {
		c.reading.complain(e, -1, false, "directory.import.homonym")
	}
}

// readAgain corrects the rows that were first to have a number that others have too.
func (c *comparison) readAgain(ctx context.Context) error {
	seqs := make([]int, 0, len(c.again))
	for seq := range c.again {
		seqs = append(seqs, seq)
	}
	slices.Sort(seqs)
	for chunk := range slices.Chunk(seqs, previewChunk) {
		rows, err := c.load(ctx, `seq IN (`+storage.In(len(chunk), 3)+`) ORDER BY seq`, storage.Args(chunk)...)
		if err != nil {
			return err
		}
		if err := c.compare(ctx, rows, false); err != nil {
			return err
		}
	}
	return nil
}

var resultColumns = []string{"organisation_id", "import_id", "seq", "line", "kind", "person_id", "name", "entry", "fields", "changes", "problems", "errors", "warnings"}

// result is what is kept of a row; nil when it changes nothing and has nothing to say.
func (c *comparison) result(row staged, e *entry, known map[string]*record) ([]any, error) {
	old := known[e.Match]
	if old != nil {
		c.matched[old.ID] = true
	}
	errs, warnings := e.counted()
	if errs > 0 && (e.Matricule == "" && e.Key == "" || row.problem != "" && old == nil) {
		c.blind = true
	}
	kind, changes, id := KindNew, []Change(nil), uuid.Nil
	switch {
	case errs > 0:
		kind = KindRefused
	case old != nil:
		id = old.ID
		after := c.reading.merge(e, old, c.clock.Now())
		c.i.Summary.Conflicts += len(c.reading.conflicts)
		e.ruled = len(c.reading.conflicts) > 0
		c.reading.conflicts = nil
		warnings += c.unreached(e, after.Contacts)
		if changes = c.reading.changes(old, &after, e); len(changes) > 0 {
			kind = KindChanged
		} else if kind = KindSame; warnings == 0 && !e.ruled {
			return nil, nil
		}
	default:
		warnings += c.unreached(e, nil)
	}
	if kind == KindNew || kind == KindChanged {
		c.newPlaces(e)
	}
	fields := make([]string, len(changes))
	for n, change := range changes {
		fields[n] = change.Field
	}
	return c.row(row, kind, id, strings.TrimSpace(e.LastName+" "+e.FirstName), e, fields, changes, errs, warnings)
}

// unreached says, and counts, whom a file that has numbers or addresses leaves
// without any: a row that was cut, or somebody no alert will reach.
func (c *comparison) unreached(e *entry, kept []ContactPoint) int {
	gives := func(f Field) bool { return f.isPhone() || f.isMail() || f == FieldPager || f == FieldChat }
	if len(e.Contacts)+len(kept) > 0 || !slices.ContainsFunc(c.i.Mapping, gives) {
		return 0
	}
	c.reading.complain(e, -1, false, "directory.import.unreached")
	return 1
}

func (c *comparison) row(row staged, kind string, id uuid.UUID, name string, e *entry, fields []string, changes []Change, errs, warnings int) ([]any, error) {
	texts := [3]string{}
	for n, part := range []any{e, changes, e.problems} {
		if n == 0 && kind != KindNew && kind != KindChanged && !e.ruled || n == 1 && len(changes) == 0 || n == 2 && len(e.problems) == 0 {
			continue
		}
		b, err := json.Marshal(part)
		if err != nil {
			return nil, err
		}
		texts[n] = string(b)
	}
	return []any{c.scope.Organisation(), c.i.ID, row.seq, row.line, kind, storage.NullID(id), name, texts[0], packed(fields), texts[1], texts[2], errs, warnings}, nil
}
