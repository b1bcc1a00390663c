package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// lookEvery is how often a purge looks whether the server is done.
const lookEvery = 50 * time.Millisecond

// old is what a purge finds in one partition.
type old struct {
	month, events, gone, first, last, held int64
}

// Purge implements traces.Keeper. A partition whose events all go is dropped; one
// of which some stay, since they are younger or held, loses rows, which the server
// writes again without them, originals and all.
func (e *Engine) Purge(ctx context.Context, organisation uuid.UUID, p traces.Purging) (traces.Purged, error) {
	e.writing.Lock()
	defer e.writing.Unlock()
	tooOld, err := e.tooOld(ctx, organisation, p)
	if err != nil {
		return traces.Purged{}, told(ctx, fmt.Errorf("purge traces: %w", err))
	}
	of := fmt.Sprintf("organisation = %s AND class = %d", own(organisation), p.Class)
	r, err := e.at.query(ctx, fmt.Sprintf(`SELECT toInt64(month), toInt64(count()), toInt64(countIf(%[1]s)), minIf(happened, %[1]s), maxIf(happened, %[1]s), toInt64(countIf(happened < %[2]d))
		FROM %[3]s WHERE %[4]s GROUP BY month HAVING min(happened) < %[2]d ORDER BY month`, tooOld, p.Before, eventsTable, of))
	if err != nil {
		return traces.Purged{}, told(ctx, fmt.Errorf("purge traces: %w", err))
	}
	var list []old
	for r.more() {
		o := old{r.int64(), r.int64(), r.int64(), r.int64(), r.int64(), r.int64()}
		o.held -= o.gone
		list = append(list, o)
	}
	if err := r.err(); err != nil {
		return traces.Purged{}, err
	}
	var out traces.Purged
	for _, o := range list {
		if o.gone > 0 && !p.Try {
			if err := told(ctx, e.purge(ctx, organisation, p.Class, tooOld, o)); err != nil {
				return stopped(out, err)
			}
		}
		out = out.Add(traces.Purged{Events: o.gone, First: o.first, Last: o.last, Held: o.held})
	}
	return out, nil
}

// stopped ends a purge: what is gone must be told all the same.
func stopped(out traces.Purged, err error) (traces.Purged, error) {
	if out.Events == 0 {
		return traces.Purged{}, fmt.Errorf("purge traces: %w", err)
	}
	out.Problem = "traces.error.base"
	if f := fault.As(err); f != nil {
		out.Problem = f.Key
	}
	return out, nil
}

// tooOld is the condition on events that a purge takes.
func (e *Engine) tooOld(ctx context.Context, organisation uuid.UUID, p traces.Purging) (string, error) {
	out := fmt.Sprintf("happened < %d", p.Before)
	for _, q := range p.Held {
		if err := q.Check(); err != nil {
			return "", err //nolint:wrapcheck // a fault
		}
		c, err := newCompiler(e, organisation, &q)
		if err != nil {
			return "", err
		}
		c.inline = true
		held, err := c.where(ctx)
		if err != nil {
			return "", err
		}
		out += " AND NOT (" + held + ")"
	}
	return "(" + out + ")", nil
}

func (e *Engine) purge(ctx context.Context, organisation uuid.UUID, class traces.Class, tooOld string, o old) error {
	table := local(eventsTable, e.opt.Address) + onCluster(e.opt.Address)
	if o.gone == o.events {
		return e.at.exec(ctx, fmt.Sprintf("ALTER TABLE %s DROP PARTITION (%s, %d, %d)", table, own(organisation), class, o.month))
	}
	of := fmt.Sprintf("organisation = %s AND class = %d AND month = %d", own(organisation), class, o.month)
	// Another purge of the same may be under way, of another node: it does the same.
	err := e.at.exec(ctx, fmt.Sprintf("ALTER TABLE %s DELETE WHERE %s AND %s", table, of, tooOld))
	for err == nil {
		var r *reader
		if r, err = e.at.query(ctx, fmt.Sprintf("SELECT toInt64(countIf(%s)) FROM %s WHERE %s", tooOld, eventsTable, of)); err != nil {
			break
		}
		if left := r.int64(); left == 0 || r.err() != nil {
			return r.err()
		}
		e.opt.Pause(ctx, lookEvery)
	}
	return err
}
