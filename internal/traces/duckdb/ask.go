//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/traces"
	"tocsin/internal/traces/terms"
)

// Ask implements traces.Reader.
func (e *Engine) Ask(ctx context.Context, organisation uuid.UUID, q traces.Question) (traces.Answer, error) {
	if err := q.Check(); err != nil {
		return traces.Answer{}, err
	}
	files, err := e.filesFor(ctx, organisation, &q)
	defer func() { e.release(ctx, files...) }()
	if err != nil || len(files) == 0 {
		return traces.Answer{}, told(ctx, err)
	}
	people := ""
	p, err := e.patientsOf(ctx, organisation, false)
	if err != nil {
		return traces.Answer{}, told(ctx, err)
	}
	if p != nil {
		people = peopleAlias(organisation)
	}
	c, err := newCompiler(&q, files, people)
	if err != nil {
		return traces.Answer{}, err
	}
	var asked error
	c.lookUp = func(set string) ([]string, bool) {
		ids, ok, err := e.lookUp(ctx, set, c.args)
		asked = errors.Join(asked, err)
		return ids, ok
	}
	if c.conditions = c.where(); asked != nil {
		return traces.Answer{}, told(ctx, asked)
	}
	var a traces.Answer
	if len(q.Group) > 0 || q.Distinct != "" {
		a, err = e.count(ctx, c)
	} else {
		a, err = e.list(ctx, c)
	}
	return a, told(ctx, err)
}

// manyIdentities is how many are written into a statement at most.
const manyIdentities = 20000

// lookUp lists identities of the dictionary.
func (e *Engine) lookUp(ctx context.Context, set string, args []any) ([]string, bool, error) {
	rows, err := e.db.QueryContext(ctx, set+" LIMIT "+strconv.Itoa(manyIdentities+1), args...)
	if err != nil {
		return nil, false, fmt.Errorf("find patients of traces: %w", err)
	}
	var out []string
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, false, fmt.Errorf("find patients of traces: %w", closing(rows, err))
		}
		out = append(out, strconv.FormatInt(id, 10))
	}
	if err := closing(rows, rows.Err()); err != nil {
		return nil, false, fmt.Errorf("find patients of traces: %w", err)
	}
	return out, len(out) <= manyIdentities, nil
}

// filesFor holds the files of an establishment that may have events of a
// question: of its period, and of its classes.
func (e *Engine) filesFor(ctx context.Context, organisation uuid.UUID, q *traces.Question) ([]*file, error) {
	e.mu.Lock()
	var keys []fileKey
	for key, f := range e.files {
		if key.organisation == organisation && !f.gone && f.events > 0 && f.lo < q.To && f.hi >= q.From && classFits(q, key.class) {
			keys = append(keys, key)
		}
	}
	e.mu.Unlock()
	slices.SortFunc(keys, func(a, b fileKey) int { return cmp.Or(cmp.Compare(a.month, b.month), cmp.Compare(a.class, b.class)) })
	var files []*file
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return files, err //nolint:wrapcheck // told does
		}
		f, err := e.hold(ctx, key)
		if err != nil {
			return files, err
		}
		files = append(files, f)
	}
	return files, nil
}

func classFits(q *traces.Question, class traces.Class) bool {
	return !slices.ContainsFunc(q.Where, func(w traces.Condition) bool {
		return w.Field == traces.FieldClass && !terms.Holds(w, class.String())
	})
}

// place is where an event is: its file among those of the question, and its seq.
type place struct {
	file int
	seq  int64
}

// list finds the places of the lines in the narrow columns first, then reads the
// lines whole: a line is wide, and most are passed over. What fits is looked for
// once when looking is what costs, that is inside texts; otherwise it is counted
// and then found, which keeps nothing in memory.
func (e *Engine) list(ctx context.Context, c *compiler) (traces.Answer, error) {
	var a traces.Answer
	order := " DESC"
	if c.q.Oldest {
		order = ""
	}
	found := "SELECT file, seq, happened FROM " + c.from() + " WHERE " + c.conditions
	page := fmt.Sprintf(" ORDER BY happened%s, seq%s, file%s LIMIT %d OFFSET %d", order, order, order, c.q.Limit, c.q.Skip)
	count := func() error {
		if err := e.db.QueryRowContext(ctx, "SELECT count(*) FROM ("+found+")", c.args...).Scan(&a.Total); err != nil {
			return fmt.Errorf("count events: %w", err)
		}
		return nil
	}
	lines := "WITH found AS MATERIALIZED (" + found + ") SELECT file, seq, (SELECT count(*) FROM found) FROM found" + page
	once := searches(c.q)
	if !once {
		if err := count(); err != nil || a.Total <= int64(c.q.Skip) {
			return a, err
		}
		lines = "SELECT file, seq, " + strconv.FormatInt(a.Total, 10) + " FROM (" + found + ")" + page
	}
	places, total, err := e.places(ctx, lines, c.args)
	if err != nil {
		return a, err
	}
	a.Total = total
	if len(places) == 0 && once && c.q.Skip > 0 {
		return a, count()
	}
	a.More = a.Total > int64(c.q.Skip+len(places))
	a.Events, err = e.lines(ctx, c.files, places)
	return a, err
}

// searches tells a question that looks inside texts.
func searches(q *traces.Question) bool {
	return len(q.Words()) > 0 || slices.ContainsFunc(q.Where, func(w traces.Condition) bool { return w.Op == traces.Contains })
}

func (e *Engine) places(ctx context.Context, q string, args []any) (out []place, total int64, err error) {
	rows, err := e.db.QueryContext(ctx, q, args...)
	if err != nil {
		return nil, 0, fmt.Errorf("find events: %w", err)
	}
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.file, &p.seq, &total); err != nil {
			return nil, 0, fmt.Errorf("find events: %w", closing(rows, err))
		}
		out = append(out, p)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return nil, 0, fmt.Errorf("find events: %w", err)
	}
	return out, total, nil
}

// lines reads events at their places.
func (e *Engine) lines(ctx context.Context, files []*file, places []place) ([]traces.Stored, error) {
	out := make([]traces.Stored, len(places))
	at := map[place]int{}
	perFile := map[int][]int64{}
	for i, p := range places {
		at[p] = i
		perFile[p.file] = append(perFile[p.file], p.seq)
	}
	for n, seqs := range perFile {
		err := e.read(ctx, files[n], seqs, func(seq int64, s traces.Stored) { out[at[place{n, seq}]] = s })
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// read gives events of one file by their seq.
func (e *Engine) read(ctx context.Context, f *file, seqs []int64, give func(int64, traces.Stored)) error {
	slices.Sort(seqs)
	var list strings.Builder
	for i, seq := range seqs {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.FormatInt(seq, 10))
	}
	// The bounds let whole groups of rows be passed over.
	rows, err := e.db.QueryContext(ctx, fmt.Sprintf("SELECT %s FROM %s.events WHERE seq BETWEEN %d AND %d AND seq IN (%s)",
		eventColumns(), f.key.alias(), seqs[0], seqs[len(seqs)-1], list.String()))
	if err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	var found []traces.Stored
	var numbers []int32
	var order []int64
	for rows.Next() {
		s, seq, number, err := scan(rows, f.key)
		if err != nil {
			return fmt.Errorf("read events: %w", closing(rows, err))
		}
		found, numbers, order = append(found, s), append(numbers, number), append(order, seq)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	who, err := e.identities(ctx, f.key.organisation, numbers)
	if err != nil {
		return err
	}
	for i := range found {
		found[i].IPP, found[i].INS = who[numbers[i]].ipp, who[numbers[i]].ins
		give(order[i], found[i])
	}
	return nil
}

// scan reads a row of eventColumns.
func scan(rows *sql.Rows, key fileKey) (s traces.Stored, seq int64, number int32, err error) {
	var action, outcome uint8
	var hash uint64
	var source, extra string
	into := []any{&seq, &s.At, &s.Received, &s.AtGuessed, &action, &outcome, &s.Severity, &number, &hash, &source}
	for _, c := range terms.Columns() {
		into = append(into, c.Of(&s.Event))
	}
	if err := rows.Scan(append(into, &extra)...); err != nil {
		return s, 0, 0, err //nolint:wrapcheck // the caller does
	}
	s.Organisation, s.Class = key.organisation, key.class
	s.Action, s.Outcome = traces.Action(action), traces.Outcome(outcome)
	s.Extra = terms.SplitPairs(extra)
	s.Ref = refOf(key, seq)
	s.Source, err = uuid.Parse(source)
	return s, seq, number, err //nolint:wrapcheck // the caller does
}

// identities reads entries of the dictionary.
func (e *Engine) identities(ctx context.Context, organisation uuid.UUID, numbers []int32) (map[int32]identity, error) {
	out := map[int32]identity{}
	var list strings.Builder
	for _, n := range numbers {
		if _, known := out[n]; n == 0 || known {
			continue
		}
		out[n] = identity{}
		if list.Len() > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.Itoa(int(n)))
	}
	if list.Len() == 0 {
		return out, nil
	}
	rows, err := e.db.QueryContext(ctx, "SELECT id, ipp, ins FROM "+peopleAlias(organisation)+".patients WHERE id IN ("+list.String()+")")
	if err != nil {
		return nil, fmt.Errorf("read patients of traces: %w", err)
	}
	for rows.Next() {
		var i identity
		if err := rows.Scan(&i.id, &i.ipp, &i.ins); err != nil {
			return nil, fmt.Errorf("read patients of traces: %w", closing(rows, err))
		}
		out[i.id] = i
	}
	if err := closing(rows, rows.Err()); err != nil {
		return nil, fmt.Errorf("read patients of traces: %w", err)
	}
	return out, nil
}
