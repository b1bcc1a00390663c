package clickhouse

import (
	"context"
	"fmt"

	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

// run is how far our spool is numbered in a partition: its events bear 0, 1, 2…
// in the order of the spool, so that one that is missing is a hole, whatever lags.
type run struct {
	next int64 // the number of the next event
	open int64 // how many no block holds
	// lo and hi bound the times of those; wide when they came before we did.
	lo, hi int64
	wide   bool
}

func (r *run) add(ev *traces.Event) {
	if r.open == 0 {
		r.lo, r.hi, r.wide = ev.At, ev.At, false
	}
	r.lo, r.hi = min(r.lo, ev.At), max(r.hi, ev.At)
	r.next++
	r.open++
}

// number gives arrivals their numbers, which are theirs once they are stored.
func (e *Engine) number(fresh []arrival) {
	next := map[partition]int64{}
	for i, a := range fresh {
		n, ok := next[a.partition]
		if !ok {
			r := e.runs[a.partition]
			if r == nil {
				r = &run{}
				e.runs[a.partition] = r
			}
			n = r.next
		}
		fresh[i].n, next[a.partition] = n, n+1
	}
}

// recallRuns reads how far each partition holds our spool, and its numbers: those
// of events that a purge took are in the blocks.
func (e *Engine) recallRuns(ctx context.Context) (map[partition]spool.Position, map[partition]*run, error) {
	if err := e.syncBlocks(ctx); err != nil {
		return nil, nil, err
	}
	places, runs := map[partition]spool.Position{}, map[partition]*run{}
	mine := " WHERE spool = " + own(e.opt.Spool) + " GROUP BY organisation, class, month"
	r, err := e.at.query(ctx, "SELECT organisation, class, toInt64(month), max((segment, place)), max(n) FROM "+eventsTable+mine)
	if err != nil {
		return nil, nil, fmt.Errorf("places of partitions: %w", err)
	}
	for r.more() {
		key := partition{r.id(), r.octet(), int32(r.int64())}
		places[key] = spool.Position{Segment: uint64(r.int64()), Offset: r.int64()}
		next := r.int64() + 1
		runs[key] = &run{next: next, open: next, wide: true}
	}
	if err := r.err(); err != nil {
		return nil, nil, err
	}
	if r, err = e.at.query(ctx, "SELECT organisation, class, toInt64(month), max(start + events) FROM "+blocksTable+mine); err != nil {
		return nil, nil, fmt.Errorf("blocks of partitions: %w", err)
	}
	for r.more() {
		key, end := partition{r.id(), r.octet(), int32(r.int64())}, r.int64()
		if runs[key] == nil {
			runs[key] = &run{}
		}
		known := runs[key]
		known.next = max(known.next, end)
		known.open, known.wide = known.next-end, known.next > end
	}
	return places, runs, r.err()
}
