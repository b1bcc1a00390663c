package clickhouse

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"tocsin/internal/spool"
)

// recall reads what the base holds of our spool: from where it is to be read, how
// far each partition holds it and numbers it, and makes the ids again that a death left out.
func (e *Engine) recall(ctx context.Context) error {
	if err := e.settle(ctx, e.insertID()); err != nil {
		return err
	}
	mine := own(e.opt.Spool)
	r, err := e.at.query(ctx, "SELECT segment, place FROM "+appliedTable+" WHERE spool = "+mine+" ORDER BY segment DESC, place DESC LIMIT 1")
	if err != nil {
		return fmt.Errorf("place in the spool: %w", err)
	}
	applied := spool.Position{}
	if r.more() {
		applied = spool.Position{Segment: uint64(r.int64()), Offset: r.int64()}
	}
	if err := r.err(); err != nil {
		return err
	}
	places, runs, err := e.recallRuns(ctx)
	if err != nil {
		return err
	}
	after := fmt.Sprintf("spool = %s AND (segment > %d OR segment = %d AND place > %d)", mine, applied.Segment, applied.Segment, applied.Offset)
	if err := e.healSeen(ctx, after); err != nil {
		return err
	}
	e.told = applied
	if e.applied.Before(applied) {
		e.applied = applied
	}
	for p, was := range e.runs {
		if r := runs[p]; r == nil {
			runs[p] = was
		} else if r.next < was.next { // a replica that does not have all of it answered
			r.next, r.wide = was.next, true
		}
	}
	e.places, e.runs = places, runs
	return nil
}

// insertID names the writes of our spool: one goes on at a time.
func (e *Engine) insertID() string { return "tocsin-" + e.opt.Spool.String() }

func (e *Engine) insert(ctx context.Context, into string, rows []byte) error {
	return e.at.insert(ctx, e.insertID(), into, rows)
}

// settleMost is how often it is looked whether a write that was given up goes on.
const settleMost = 200

// settle waits until no write of a name that was given up goes on: what it still
// stores must be seen before anything is told again.
func (e *Engine) settle(ctx context.Context, id string) error {
	for range settleMost {
		r, err := e.at.query(ctx, "SELECT toInt64(count()) FROM system.processes WHERE query_id = '"+id+"'")
		if err != nil {
			return fmt.Errorf("writes under way: %w", err)
		}
		if r.int64() == 0 || r.err() != nil {
			return r.err()
		}
		e.opt.Pause(ctx, lookEvery)
	}
	return errors.New("a write that was given up still goes on")
}

// healSeen stores the ids of events that are stored and whose ids are not. A day
// of ids is stored whole or not at all, as a partition of events is.
func (e *Engine) healSeen(ctx context.Context, after string) error {
	r, err := e.at.query(ctx, "SELECT toInt64(day), max((segment, place)) FROM "+seenTable+" WHERE "+after+" GROUP BY day")
	if err != nil {
		return fmt.Errorf("ids of traces: %w", err)
	}
	held := map[uint32]spool.Position{}
	for r.more() {
		day := uint32(r.int64())
		held[day] = spool.Position{Segment: uint64(r.int64()), Offset: r.int64()}
	}
	if err := r.err(); err != nil {
		return err
	}
	r, err = e.at.query(ctx, "SELECT key_id, received, segment, place FROM "+eventsTable+" WHERE "+after+" AND key_id <> '' ORDER BY segment, place")
	if err != nil {
		return fmt.Errorf("ids of traces: %w", err)
	}
	var rows []byte
	for r.more() {
		id, received := r.text(), r.int64()
		at := spool.Position{Segment: uint64(r.int64()), Offset: r.int64()}
		if held[dayOf(received)].Before(at) {
			rows = appendSeen(rows, id, received, e.opt.Spool, at)
		}
	}
	if err := r.err(); err != nil || len(rows) == 0 {
		return err
	}
	return e.insert(ctx, seenTable, rows)
}

// tell writes down how far the spool was read.
func (e *Engine) tell(ctx context.Context) error {
	e.toldAt = e.opt.Now()
	if !e.told.Before(e.applied) {
		return nil
	}
	row := binary.LittleEndian.AppendUint64(appendText(nil, e.opt.Spool.String()), e.applied.Segment)
	if err := e.insert(ctx, appliedTable, appendInt64(row, e.applied.Offset)); err != nil {
		return fmt.Errorf("place in the spool: %w", err)
	}
	e.told = e.applied
	return nil
}
