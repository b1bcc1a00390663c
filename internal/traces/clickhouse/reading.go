package clickhouse

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tocsin/internal/traces"
	"tocsin/internal/traces/sealing"
	"tocsin/internal/traces/terms"
)

// window is how many blocks that follow each other are read at once.
const window = 4

// readAll makes the roots of blocks again, some at once on each core. A block that
// is not as it was is read once more by itself: a purge may have cut it meanwhile.
func (e *Engine) readAll(ctx context.Context, p partition, list []*block) (total int64, err error) {
	parts := adjacent(list, window)
	read := make([]int64, len(parts))
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(max(1, runtime.GOMAXPROCS(0)))
	for i, some := range parts {
		group.Go(func() (err error) {
			_, read[i], err = e.open(within, p, some, false)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err //nolint:wrapcheck // of this package
	}
	for _, n := range read {
		total += n
	}
	for _, b := range list {
		if !slices.Equal(b.Read, b.Root) {
			if err := e.readOnce(ctx, p, b); err != nil {
				return 0, err
			}
		}
	}
	return total, nil
}

func (e *Engine) readOnce(ctx context.Context, p partition, b *block) error {
	now, err := e.blocksIn(ctx, p, fmt.Sprintf(" AND first = %d", b.First))
	if err != nil || len(now) != 1 {
		return err
	}
	if _, _, err := e.open(ctx, p, now, false); err != nil {
		return err
	}
	*b = *now[0]
	return nil
}

// sealedColumns are those of which the form of an event is made, after its number
// and its salt.
func sealedColumns() string {
	names := []string{"n", "salt", "happened", "received", "guessed", "action", "outcome", "severity", "source", "ipp", "ins"}
	for _, c := range terms.Columns() {
		names = append(names, c.Name)
	}
	return listed(append(names, "extra", "key", "raw"))
}

// open reads the events of blocks that follow each other in one spool, and makes
// their roots; keep has the forms of the events kept.
func (e *Engine) open(ctx context.Context, p partition, list []*block, keep bool) (out []*sealing.Opened, bytes int64, err error) {
	first, last := list[0], list[len(list)-1]
	lo, hi := first.Lo, first.Hi
	for _, b := range list {
		o := sealing.Open(&b.Block, b.cut, keep)
		o.Lingers = true
		out = append(out, o)
		lo, hi = min(lo, b.Lo), max(hi, b.Hi)
	}
	r, err := e.at.query(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s AND happened BETWEEN %d AND %d AND spool = %s AND n >= %d AND n < %d",
		sealedColumns(), eventsTable, p.of(), lo, hi, own(first.spool), first.start, last.start+last.Events))
	if err != nil {
		return nil, 0, fmt.Errorf("read events: %w", err)
	}
	var form []byte
	event := traces.Event{Organisation: p.organisation, Class: traces.Class(p.class)}
	for r.more() {
		n, salt := r.int64(), r.bytes(sealing.SaltBytes)
		extra, ok := readSealed(r, &event)
		if r.bad {
			break
		}
		i := slices.IndexFunc(list, func(b *block) bool { return n < b.start+b.Events })
		if o := out[i]; ok {
			form = traces.AppendSealed(traces.SealedForm(form[:0], salt), &event, extra)
			bytes += int64(len(form))
			o.Put(int(n-list[i].start), form)
		} else {
			o.Broken = true // a value that is none
		}
	}
	for _, o := range out {
		o.Finish()
	}
	return out, bytes, r.err()
}

// readSealed reads what follows the salt; false when a value is none that was ever
// written.
func readSealed(r *reader, e *traces.Event) (extra string, ok bool) {
	e.At, e.Received = r.int64(), r.int64()
	guessed := r.octet()
	e.AtGuessed = guessed == 1
	e.Action, e.Outcome, e.Severity = traces.Action(r.octet()), traces.Outcome(r.octet()), int8(r.octet())
	source, err := uuid.Parse(r.text())
	e.Source = source
	e.IPP, e.INS = r.text(), r.text()
	for _, c := range terms.Columns() {
		*c.Of(e) = r.text()
	}
	extra = r.text()
	e.Key, e.Raw = r.text(), []byte(r.text())
	return extra, err == nil && guessed <= 1
}
