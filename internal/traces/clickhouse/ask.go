package clickhouse

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/terms"
)

// Ask implements traces.Reader.
func (e *Engine) Ask(ctx context.Context, organisation uuid.UUID, q traces.Question) (traces.Answer, error) {
	if err := q.Check(); err != nil {
		return traces.Answer{}, err
	}
	if ctx.Err() != nil {
		return traces.Answer{}, told(ctx, ctx.Err())
	}
	c, err := newCompiler(e, organisation, &q)
	if err != nil {
		return traces.Answer{}, err
	}
	where, err := c.where(ctx)
	if err != nil {
		return traces.Answer{}, told(ctx, err)
	}
	var a traces.Answer
	if len(q.Group) > 0 || q.Distinct != "" {
		a, err = e.count(ctx, c, where)
	} else {
		a, err = e.list(ctx, c, where)
	}
	return a, told(ctx, err)
}

// line is where an event is: enough to find it again, and no more than a
// reference can hold.
type line struct {
	happened int64
	at       spool.Position
	spool    uuid.UUID
}

// list counts what fits, finds the places of the lines in the narrow columns, and
// reads those lines whole.
func (e *Engine) list(ctx context.Context, c *compiler, where string) (traces.Answer, error) {
	var a traces.Answer
	r, err := e.at.query(ctx, "SELECT toInt64(count()) FROM "+eventsTable+" WHERE "+where, c.tables...)
	if err != nil {
		return a, fmt.Errorf("count traces: %w", err)
	}
	if a.Total = r.int64(); r.err() != nil || a.Total <= int64(c.q.Skip) {
		return a, r.err()
	}
	order := "happened DESC, segment DESC, place DESC, spool DESC"
	if c.q.Oldest {
		order = "happened, segment, place, spool"
	}
	if r, err = e.at.query(ctx, fmt.Sprintf("SELECT happened, segment, place, spool FROM %s WHERE %s ORDER BY %s LIMIT %d, %d", eventsTable, where, order, c.q.Skip, c.q.Limit), c.tables...); err != nil {
		return a, fmt.Errorf("find traces: %w", err)
	}
	var lines []line
	for r.more() {
		lines = append(lines, line{r.int64(), spool.Position{Segment: uint64(r.int64()), Offset: r.int64()}, r.id()})
	}
	if r.err() != nil {
		return a, r.err()
	}
	a.More = a.Total > int64(c.q.Skip+len(lines))
	found, err := e.read(ctx, c.organisation, lines, false)
	if err != nil {
		return a, err
	}
	for _, l := range lines {
		if s, ok := found[l]; ok { // one may have been purged meanwhile
			a.Events = append(a.Events, s)
		}
	}
	return a, nil
}

// read gives events at their places, with their originals when they are wanted.
func (e *Engine) read(ctx context.Context, organisation uuid.UUID, lines []line, whole bool) (map[line]traces.Stored, error) {
	out := map[line]traces.Stored{}
	if len(lines) == 0 {
		return out, nil
	}
	var rows []byte
	first, last := lines[0].happened, lines[0].happened
	for _, l := range lines {
		rows = binary.LittleEndian.AppendUint64(appendInt64(rows, l.happened), l.at.Segment)
		rows = appendText(appendInt64(rows, l.at.Offset), l.spool.String())
		first, last = min(first, l.happened), max(last, l.happened)
	}
	columns := lineColumns()
	if whole {
		columns += ", key, raw"
	}
	r, err := e.at.query(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE organisation = %s AND happened BETWEEN %d AND %d AND (happened, segment, place, spool) IN lines",
		columns, eventsTable, own(organisation), first, last), table{"lines", "happened Int64, segment UInt64, place Int64, spool String", rows})
	if err != nil {
		return nil, fmt.Errorf("read traces: %w", err)
	}
	for r.more() {
		l, s := readLine(r, whole)
		out[l] = s
	}
	return out, r.err()
}

// readLine reads a row of lineColumns.
func readLine(r *reader, whole bool) (l line, s traces.Stored) {
	s.Organisation = r.id()
	s.Class = traces.Class(r.octet())
	r.bytes(4) // the month
	s.At = r.int64()
	l = line{happened: s.At, spool: r.id()}
	l.at = spool.Position{Segment: uint64(r.int64()), Offset: r.int64()}
	s.Received = r.int64()
	s.AtGuessed = r.octet() == 1
	s.Action, s.Outcome, s.Severity = traces.Action(r.octet()), traces.Outcome(r.octet()), int8(r.octet())
	s.Source = r.id()
	s.IPP, s.INS = r.text(), r.text()
	for _, c := range terms.Columns() {
		*c.Of(&s.Event) = r.text()
	}
	s.Extra = terms.SplitPairs(r.text())
	if whole {
		s.Key, s.Raw = r.text(), []byte(r.text())
	}
	s.Ref = refOf(s.Organisation, l)
	return l, s
}

// A reference is the place of an event, and four bytes of its establishment, so
// that another's is never one of ours.
const refBytes = 8 + 8 + 8 + 16 + 4

func refOf(organisation uuid.UUID, l line) string {
	b := binary.LittleEndian.AppendUint64(appendInt64(make([]byte, 0, refBytes), l.happened), l.at.Segment)
	b = append(appendInt64(b, l.at.Offset), l.spool[:]...)
	return base64.RawURLEncoding.EncodeToString(append(b, organisation[12:]...))
}

func parseRef(organisation uuid.UUID, ref string) (l line, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(ref)
	if err != nil || len(b) != refBytes || !slices.Equal(b[refBytes-4:], organisation[12:]) {
		return l, false
	}
	r := reader{rest: b}
	l = line{happened: r.int64(), at: spool.Position{Segment: uint64(r.int64()), Offset: r.int64()}}
	copy(l.spool[:], r.bytes(16))
	return l, true
}

// Get implements traces.Reader.
func (e *Engine) Get(ctx context.Context, organisation uuid.UUID, ref string) (traces.Stored, error) {
	none := fault.New(fault.NotFound, "traces.base.not_found")
	l, ok := parseRef(organisation, ref)
	if !ok {
		return traces.Stored{}, none
	}
	found, err := e.read(ctx, organisation, []line{l}, true)
	if err != nil {
		return traces.Stored{}, told(ctx, err)
	}
	s, ok := found[l]
	if !ok {
		return traces.Stored{}, none
	}
	return s, nil
}
