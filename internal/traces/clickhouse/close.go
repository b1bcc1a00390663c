package clickhouse

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

const (
	// eventsMost and bytesMost are what a block holds: as much as is read at once to
	// prove one event.
	eventsMost = 8192
	bytesMost  = 8 << 20
	// openMost is how many events of ours a partition has open before their blocks
	// are closed; chunk is how many are read at once.
	openMost = 1 << 17
	chunk    = 1 << 17
	// holeAfter is how long a number may be missing: a replica may lag. A longer
	// one, of holeMost events, is sealed as what it is: a block that shows as altered.
	holeAfter = time.Hour
	holeMost  = 1 << 16
	// aloneMost is how often it is tried to be the only node that closes blocks.
	aloneMost = 600
)

// alone runs work while nobody else closes blocks of an establishment. Errors:
// Unavailable when another did so for half a minute.
func (e *Engine) alone(ctx context.Context, organisation uuid.UUID, work func(context.Context) error) error {
	e.sealing.Lock()
	defer e.sealing.Unlock()
	for range aloneMost {
		ran, err := e.tryAlone(ctx, organisation, work)
		if ran || err != nil {
			return err
		}
		e.opt.Pause(ctx, lookEvery)
		if ctx.Err() != nil {
			return fmt.Errorf("wait for another node: %w", context.Cause(ctx))
		}
	}
	return fault.New(fault.Unavailable, "traces.error.down")
}

func (e *Engine) tryAlone(ctx context.Context, organisation uuid.UUID, work func(context.Context) error) (ran bool, err error) {
	// What another gave up in the middle is over, and all that was closed is seen.
	first := func(ctx context.Context) error {
		if err := e.settle(ctx, e.blocksID(organisation)); err != nil {
			return err
		}
		if err := e.syncBlocks(ctx); err != nil {
			return err
		}
		return work(ctx)
	}
	if e.opt.Alone == nil {
		return true, first(ctx)
	}
	return e.opt.Alone(ctx, "traces.blocks."+organisation.String(), first)
}

// blocksID names the writes of blocks of an establishment.
func (e *Engine) blocksID(organisation uuid.UUID) string {
	return "tocsin-blocks-" + e.opt.Address.Database + "-" + organisation.String()
}

func (e *Engine) insertBlocks(ctx context.Context, p partition, list []*block) error {
	if len(list) == 0 {
		return nil
	}
	var rows []byte
	for _, b := range list {
		rows = b.append(rows, p)
	}
	if err := e.at.insert(ctx, e.blocksID(p.organisation), blocksTable, rows); err != nil {
		return fmt.Errorf("store blocks: %w", err)
	}
	return nil
}

// ends is where the blocks of a partition end, by spool.
type ends map[string]int64

// behind is the demand that no block holds an event.
func (e ends) behind() string {
	var b strings.Builder
	last := "n >= 0"
	for in, end := range e {
		fmt.Fprintf(&b, "spool = %s, n >= %d, ", literal(in), end)
	}
	if b.Len() == 0 {
		return last
	}
	return "multiIf(" + b.String() + last + ")"
}

// ends reads them, and the number of the next block.
func (e *Engine) ends(ctx context.Context, p partition) (out ends, next int64, err error) {
	out = ends{}
	r, err := e.at.query(ctx, "SELECT spool, max(start + events), max(first + events) FROM "+blocksTable+" WHERE "+p.of()+" GROUP BY spool")
	if err != nil {
		return nil, 0, fmt.Errorf("list blocks: %w", err)
	}
	for r.more() {
		in := r.text()
		out[in] = r.int64()
		next = max(next, r.int64())
	}
	return out, next, r.err()
}

// closeAll makes blocks of all that is open of an establishment, or of one file.
func (e *Engine) closeAll(ctx context.Context, organisation uuid.UUID, only string) error {
	list, err := e.partitions(ctx, organisation)
	if err != nil {
		return err
	}
	for _, h := range list {
		if f := h.file(); only != "" && only != f.Name() {
			continue
		}
		if err := e.close(ctx, h.partition, "1", true); err != nil {
			return err
		}
	}
	return nil
}

// closeFull makes blocks of our own events where many are open. What fails is done
// by the next, or by the hour.
func (e *Engine) closeFull(ctx context.Context) {
	for p, r := range e.runs {
		if r.open < openMost {
			continue
		}
		where := "spool = " + own(e.opt.Spool)
		if !r.wide {
			where += fmt.Sprintf(" AND happened BETWEEN %d AND %d", r.lo, r.hi)
		}
		if !e.sealing.TryLock() {
			return
		}
		ran, err := e.tryAlone(ctx, p.organisation, func(ctx context.Context) error { return e.close(ctx, p, where, false) })
		e.sealing.Unlock()
		if err != nil {
			e.opt.Log.Warn("blocks of traces were not closed; they will be", "err", err)
			return
		}
		if ran {
			r.open = 0
		}
	}
}

// pending is an event that no block holds.
type pending struct {
	spool                       string
	n, happened, received, size int64
	digest                      []byte
}

// close makes blocks of what fits in a partition, in the order of its numbers; of
// what does not fill one too when all is wanted.
func (e *Engine) close(ctx context.Context, p partition, where string, all bool) error {
	for {
		known, next, err := e.ends(ctx, p)
		if err != nil {
			return err
		}
		list, err := e.listOpen(ctx, p, where+" AND "+known.behind())
		if err != nil {
			return err
		}
		m := maker{e: e, known: known, next: next, now: e.opt.Now().UnixMicro(), all: all && len(list) < chunk}
		for i := range list {
			m.add(&list[i])
		}
		m.end()
		if err := e.insertBlocks(ctx, p, m.made); err != nil {
			return err
		}
		if len(list) < chunk || len(m.made) == 0 {
			return nil
		}
	}
}

func (e *Engine) listOpen(ctx context.Context, p partition, where string) (out []pending, err error) {
	r, err := e.at.query(ctx, fmt.Sprintf("SELECT spool, n, happened, received, toInt64(length(raw)), digest FROM %s WHERE %s AND %s ORDER BY spool, n LIMIT %d", eventsTable, p.of(), where, chunk))
	if err != nil {
		return nil, fmt.Errorf("read what is open: %w", err)
	}
	for r.more() {
		out = append(out, pending{r.text(), r.int64(), r.int64(), r.int64(), r.int64(), r.bytes(sha256.Size)})
	}
	return out, r.err()
}

// maker makes blocks of events given in order.
type maker struct {
	e     *Engine
	known ends
	next  int64 // the number of the next block in its file
	now   int64
	all   bool
	made  []*block

	spool   string
	at      int64 // the number that is awaited
	held    bool  // the rest of the spool waits behind a hole
	b       *block
	digests []byte
	bytes   int64
}

func (m *maker) add(o *pending) {
	if o.spool != m.spool {
		m.end()
		m.spool, m.at, m.held = o.spool, m.known[o.spool], false
	}
	if m.held || o.n < m.at { // twice the same number: whoever reads it will see
		return
	}
	if hole := o.n - m.at; hole > 0 && !m.bridge(hole, o) {
		m.held = true
		return
	}
	m.lay(o.digest, o)
}

// bridge leaves room for events that are missing for good, so that those behind
// are sealed: the block is never what it was said to be.
func (m *maker) bridge(hole int64, o *pending) bool {
	if hole > holeMost || m.now-o.received < holeAfter.Microseconds() {
		return false
	}
	m.e.opt.Log.Error("events of the base of traces are missing before they were sealed", "events", hole, "spool", m.spool)
	for range hole {
		m.lay(make([]byte, sha256.Size), o)
	}
	return true
}

func (m *maker) lay(digest []byte, o *pending) {
	if m.b == nil {
		in, err := uuid.Parse(m.spool)
		if err != nil { // no spool of ours: its rows stay outside
			m.held = true
			return
		}
		m.b = &block{spool: in, start: m.at, version: uint64(m.now)}
		m.b.Lo, m.b.Hi = o.happened, o.happened
	}
	m.b.Lo, m.b.Hi = min(m.b.Lo, o.happened), max(m.b.Hi, o.happened)
	m.digests = append(m.digests, digest...)
	m.b.Events++
	m.at++
	if m.bytes += o.size; m.b.Events == eventsMost || m.bytes >= bytesMost {
		m.close()
	}
}

// end ends what is begun: at the end of the list, and at that of each spool.
func (m *maker) end() {
	if m.all && m.b != nil {
		m.close()
	}
	m.b, m.digests, m.bytes = nil, m.digests[:0], 0
}

func (m *maker) close() {
	m.b.First = m.next
	m.next += m.b.Events
	m.b.Root = slices.Clone(traces.BlockRoot(m.digests))
	m.made, m.b, m.digests, m.bytes = append(m.made, m.b), nil, m.digests[:0], 0
}

// holeLooks is how often a hole is looked at before it is believed: a part of a
// write may be on its way to a replica.
const holeLooks = 3

// beyondHole counts the rows that stand behind a number that is missing.
func (e *Engine) beyondHole(ctx context.Context, p partition, known ends) (n int64, err error) {
	for look := range holeLooks {
		if look > 0 {
			e.opt.Pause(ctx, lookEvery)
		}
		r, err := e.at.query(ctx, fmt.Sprintf("SELECT spool, n FROM %s WHERE %s AND %s ORDER BY spool, n LIMIT %d", eventsTable, p.of(), known.behind(), 16*chunk))
		if err != nil {
			return 0, fmt.Errorf("look for holes: %w", err)
		}
		n = 0
		in, at := "", int64(0)
		for r.more() {
			of, number := r.text(), r.int64()
			if of != in {
				in, at = of, known[of]
			}
			if number != at {
				n++
				continue
			}
			at++
		}
		if r.err() != nil || n == 0 {
			return n, r.err()
		}
	}
	return n, errors.Join(ctx.Err())
}
