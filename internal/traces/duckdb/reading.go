//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/traces"
	"tocsin/internal/traces/sealing"
	"tocsin/internal/traces/terms"
)

// reading makes the digests of events again from what is on the disk.
type reading struct {
	e      *Engine
	conn   *sql.Conn
	file   *file
	people map[int32]identity
	// keep has the forms of events kept, not their digests alone.
	keep bool

	open  []*unfolded
	bytes int64

	event   traces.Event
	source  string // that of event, as text
	columns []driver.Value
	form    []byte
}

// unfolded is a block with its originals, and the digests found so far.
type unfolded struct {
	*sealing.Opened
	frames []frame
	salts  *salter
}

type frame struct{ key, raw []byte }

// roots gives each of some blocks, which follow each other, the root that is made
// of what the disk holds.
func (r *reading) roots(ctx context.Context, list []*block) error {
	if err := r.openAll(ctx, list); err != nil {
		return err
	}
	if err := r.rows(ctx); err != nil {
		return err
	}
	for _, o := range r.open {
		o.Finish()
	}
	return nil
}

// openAll reads the originals.
func (r *reading) openAll(ctx context.Context, list []*block) error {
	parts, err := readSlices(ctx, r.conn, r.file.key.alias(), list[0].First, list[len(list)-1].First)
	if err != nil {
		return err
	}
	for _, b := range list {
		r.open = append(r.open, r.e.openOne(b, parts.of(b.First), r.keep))
	}
	return nil
}

// openOne cuts the originals of a block; one that does not open is broken.
func (e *Engine) openOne(b *block, data []byte, keep bool) *unfolded {
	o := &unfolded{Opened: sealing.Open(&b.Block, b.cut, keep)}
	frames, err := e.unpack.DecodeAll(data, nil)
	o.frames = make([]frame, 0, b.Events)
	for err == nil && len(frames) > 0 {
		var f frame
		f.key, f.raw, frames, err = cutFrame(frames)
		o.frames = append(o.frames, f)
	}
	o.Broken = o.Broken || err != nil || int64(len(o.frames)) != b.Events
	if o.Spots == nil && !o.Broken {
		if o.salts, err = newSalter(b.salt); err != nil {
			o.Broken = true
		}
	}
	return o
}

// rows reads the parsed events of the blocks, in whatever order they come.
func (r *reading) rows(ctx context.Context) error {
	var q strings.Builder
	q.WriteString("SELECT seq, happened, received, guessed, action, outcome, severity, patient, source")
	for _, c := range terms.Columns() {
		q.WriteString(", " + c.Name)
	}
	first, last := r.open[0], r.open[len(r.open)-1]
	fmt.Fprintf(&q, ", extra FROM %s.events WHERE seq >= %d AND seq < %d", r.file.key.alias(), first.First, last.First+last.Events)
	return r.conn.Raw(func(raw any) error {
		asked, ok := raw.(driver.QueryerContext)
		if !ok {
			return errors.New("read events: no connection of DuckDB")
		}
		rows, err := asked.QueryContext(ctx, q.String(), nil)
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		r.columns = make([]driver.Value, len(rows.Columns()))
		for err = rows.Next(r.columns); err == nil; err = rows.Next(r.columns) {
			r.row()
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return errors.Join(err, rows.Close())
	})
}

// row finds the block of the event just read, and makes its digest.
func (r *reading) row() {
	seq, ok := r.columns[0].(int64)
	n, found := slices.BinarySearchFunc(r.open, seq, func(o *unfolded, seq int64) int {
		switch {
		case seq < o.First:
			return 1
		case seq >= o.First+o.Events:
			return -1
		}
		return 0
	})
	if !ok || !found { // between blocks: counted elsewhere
		return
	}
	o := r.open[n]
	i := int(seq - o.First)
	extra, ok := r.fill()
	if !ok {
		o.Broken = true // a value that is none
		return
	}
	if i >= len(o.frames) || o.Spots == nil && o.salts == nil {
		return // the block is broken already
	}
	// What was not UTF-8 was replaced in the row and in the key before the seal.
	r.event.Key, r.event.Raw = string(o.frames[i].key), o.frames[i].raw
	form := append(r.form[:0], 0)
	if o.Spots != nil {
		form = append(form, o.Spots[i].Salt...)
	} else {
		form = o.salts.salt(form, i)
	}
	r.form = traces.AppendSealed(form, &r.event, extra)
	r.bytes += int64(len(r.form))
	o.Put(i, r.form)
}

// fill puts the columns in the event; false when one is not what it must be.
func (r *reading) fill() (extra string, ok bool) {
	e, v := &r.event, r.columns
	e.Organisation, e.Class = r.file.key.organisation, r.file.key.class
	var good [8]bool
	e.At, good[0] = v[1].(int64)
	e.Received, good[1] = v[2].(int64)
	e.AtGuessed, good[2] = v[3].(bool)
	action, ok := v[4].(uint8)
	outcome, fine := v[5].(uint8)
	e.Action, e.Outcome, good[3] = traces.Action(action), traces.Outcome(outcome), ok && fine
	e.Severity, good[4] = v[6].(int8)
	number, known := v[7].(int32)
	e.IPP, e.INS, good[5] = r.people[number].ipp, r.people[number].ins, known
	source, said := v[8].(string)
	if good[6] = said; said && source != r.source {
		var err error
		if e.Source, err = uuid.Parse(source); err != nil {
			return "", false
		}
		r.source = source
	}
	for i, c := range terms.Columns() {
		if *c.Of(e), said = v[9+i].(string); !said {
			return "", false
		}
	}
	extra, good[7] = v[9+len(terms.Columns())].(string)
	return extra, good == [8]bool{true, true, true, true, true, true, true, true}
}
