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
	partition
	events, gone, first, last, held int64
}

// Purge implements traces.Keeper. What is open is sealed first: only what a block
// holds is taken. The blocks then say what goes, and the server writes its parts
// again without those rows, originals and all. A death in between leaves rows that
// their blocks say to be gone, and that the next purge takes.
func (e *Engine) Purge(ctx context.Context, organisation uuid.UUID, p traces.Purging) (out traces.Purged, err error) {
	e.writing.Lock()
	defer e.writing.Unlock()
	tooOld, err := e.tooOld(ctx, organisation, p)
	if err != nil {
		return out, told(ctx, fmt.Errorf("purge traces: %w", err))
	}
	if err := e.tell(ctx); err != nil {
		return out, told(ctx, err)
	}
	var problem error
	err = e.alone(ctx, organisation, func(ctx context.Context) error {
		list, err := e.oldOnes(ctx, organisation, p, tooOld)
		for _, o := range list {
			if o.gone > 0 && !p.Try {
				if problem = told(ctx, e.purge(ctx, p.Before, tooOld, o)); problem != nil {
					return nil
				}
			}
			out = out.Add(traces.Purged{Events: o.gone, First: o.first, Last: o.last, Held: o.held})
		}
		return err
	})
	if problem != nil {
		return stopped(out, problem)
	}
	return out, told(ctx, err)
}

// oldOnes lists the partitions that have events older than the limit.
func (e *Engine) oldOnes(ctx context.Context, organisation uuid.UUID, p traces.Purging, tooOld string) (list []old, err error) {
	r, err := e.at.query(ctx, fmt.Sprintf(`SELECT toInt64(month), toInt64(count()), toInt64(countIf(%[1]s)), minIf(happened, %[1]s), maxIf(happened, %[1]s), toInt64(countIf(happened < %[2]d))
		FROM %[3]s WHERE organisation = %[4]s AND class = %[5]d GROUP BY month HAVING min(happened) < %[2]d ORDER BY month`, tooOld, p.Before, eventsTable, own(organisation), p.Class))
	if err != nil {
		return nil, fmt.Errorf("purge traces: %w", err)
	}
	for r.more() {
		o := old{partition{organisation, byte(p.Class), int32(r.int64())}, r.int64(), r.int64(), r.int64(), r.int64(), r.int64()}
		o.held -= o.gone
		list = append(list, o)
	}
	return list, r.err()
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

func (e *Engine) purge(ctx context.Context, before int64, tooOld string, o old) error {
	if err := e.close(ctx, o.partition, "1", true); err != nil {
		return err
	}
	known, _, err := e.ends(ctx, o.partition)
	if err != nil {
		return err
	}
	if err := e.cutBlocks(ctx, before, tooOld, o); err != nil {
		return err
	}
	// What came since is no block's yet, and is for the next purge.
	gone := fmt.Sprintf("%s AND %s AND NOT (%s)", o.of(), tooOld, known.behind())
	table := local(eventsTable, e.opt.Address) + onCluster(e.opt.Address)
	// Another purge of the same may be under way, of another node: it does the same.
	err = e.at.exec(ctx, fmt.Sprintf("ALTER TABLE %s DELETE WHERE %s", table, gone))
	for err == nil {
		var r *reader
		if r, err = e.at.query(ctx, fmt.Sprintf("SELECT toInt64(count()) FROM %s WHERE %s", eventsTable, gone)); err != nil {
			break
		}
		if left := r.int64(); left == 0 || r.err() != nil {
			return r.err()
		}
		e.opt.Pause(ctx, lookEvery)
	}
	return err
}

// cutBlocks has the blocks say what a purge takes: those of which all goes, that
// they are gone; of the others, the digests of what goes, under salts that go with
// the rows.
func (e *Engine) cutBlocks(ctx context.Context, before int64, tooOld string, o old) error {
	list, err := e.blocksIn(ctx, o.partition, fmt.Sprintf(" AND gone = 0 AND lo < %d", before))
	if err != nil {
		return err
	}
	var changed []*block
	for _, b := range list {
		version := max(b.version+1, uint64(e.opt.Now().UnixMicro()))
		if o.gone == o.events && b.Hi < before {
			b.gone, b.cut, b.version = true, nil, version
			changed = append(changed, b)
			continue
		}
		cut, whole, err := e.cutBlock(ctx, tooOld, o.partition, b)
		if err != nil {
			return err
		}
		if whole || cut != nil {
			b.gone, b.cut, b.version = whole, cut, version
			changed = append(changed, b)
		}
	}
	return e.insertBlocks(ctx, o.partition, changed)
}

// cutBlock reads what is left of a block once a purge took its old events; whole
// tells that nothing is. Nil says to leave it as it is: it loses none, or was
// altered before, which must still be seen.
func (e *Engine) cutBlock(ctx context.Context, tooOld string, p partition, b *block) (cut []byte, whole bool, err error) {
	r, err := e.at.query(ctx, fmt.Sprintf("SELECT n, toInt64(%s) FROM %s WHERE %s AND happened BETWEEN %d AND %d AND spool = %s AND n >= %d AND n < %d",
		tooOld, eventsTable, p.of(), b.Lo, b.Hi, own(b.spool), b.start, b.start+b.Events))
	if err != nil {
		return nil, false, fmt.Errorf("read a block: %w", err)
	}
	gone, stay := map[int]bool{}, 0
	for r.more() {
		n, old := r.int64(), r.int64() == 1
		if old {
			gone[int(n-b.start)] = true
			continue
		}
		stay++
	}
	if r.err() != nil || len(gone) == 0 || stay == 0 {
		return nil, len(gone) > 0 && stay == 0, r.err()
	}
	opened, _, err := e.open(ctx, p, []*block{b}, true)
	if err != nil || opened[0].Broken {
		return nil, false, err
	}
	return opened[0].Cut(func(i int) bool { return gone[i] }), false, nil
}
