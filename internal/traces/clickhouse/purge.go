package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// lookEvery is how often a purge looks whether the server is done.
const lookEvery = 50 * time.Millisecond

// old is what a purge finds in one partition.
type old struct {
	month, events, gone, first, last int64
}

// Purge implements traces.Keeper. A partition whose events are all older is
// dropped; one that is older in part loses rows, which the server writes again
// without them, originals and all.
func (e *Engine) Purge(ctx context.Context, organisation uuid.UUID, class traces.Class, before int64) (traces.Purged, error) {
	e.writing.Lock()
	defer e.writing.Unlock()
	of := fmt.Sprintf("organisation = %s AND class = %d", own(organisation), class)
	r, err := e.at.query(ctx, fmt.Sprintf(`SELECT toInt64(month), toInt64(count()), toInt64(countIf(happened < %d)), min(happened), maxIf(happened, happened < %d)
		FROM %s WHERE %s GROUP BY month HAVING min(happened) < %d ORDER BY month`, before, before, eventsTable, of, before))
	if err != nil {
		return traces.Purged{}, told(ctx, fmt.Errorf("purge traces: %w", err))
	}
	var list []old
	for r.more() {
		list = append(list, old{r.int64(), r.int64(), r.int64(), r.int64(), r.int64()})
	}
	if err := r.err(); err != nil {
		return traces.Purged{}, err
	}
	var out traces.Purged
	for _, o := range list {
		if err := e.purge(ctx, organisation, class, before, o); err != nil {
			return out, told(ctx, fmt.Errorf("purge traces: %w", err))
		}
		if out.Events == 0 {
			out.First, out.Last = o.first, o.last
		}
		out = traces.Purged{Events: out.Events + o.gone, First: min(out.First, o.first), Last: max(out.Last, o.last)}
	}
	return out, nil
}

func (e *Engine) purge(ctx context.Context, organisation uuid.UUID, class traces.Class, before int64, o old) error {
	table := local(eventsTable, e.opt.Address) + onCluster(e.opt.Address)
	if o.gone == o.events {
		return e.at.exec(ctx, fmt.Sprintf("ALTER TABLE %s DROP PARTITION (%s, %d, %d)", table, own(organisation), class, o.month))
	}
	// Another purge of the same may be under way, of another node: it does the same.
	err := e.at.exec(ctx, fmt.Sprintf("ALTER TABLE %s DELETE WHERE organisation = %s AND class = %d AND month = %d AND happened < %d", table, own(organisation), class, o.month, before))
	for err == nil {
		var r *reader
		if r, err = e.at.query(ctx, fmt.Sprintf("SELECT toInt64(countIf(happened < %d)) FROM %s WHERE organisation = %s AND class = %d AND month = %d", before, eventsTable, own(organisation), class, o.month)); err != nil {
			break
		}
		if left := r.int64(); left == 0 || r.err() != nil {
			return r.err()
		}
		e.opt.Pause(ctx, lookEvery)
	}
	return err
}
