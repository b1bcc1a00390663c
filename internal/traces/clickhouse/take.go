package clickhouse

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/sealing"
	"tocsin/internal/traces/terms"
)

// Take implements traces.Writer.
//
// The order is what makes a death anywhere harmless. Identities first: one that
// no event bears is no harm. Then the events, as one block: each partition of it
// is stored whole or not at all, and the last place a partition holds tells which
// events told again it has. Then the ids, which recall makes again from the
// events when a death came before. At last, now and then, the place.
func (e *Engine) Take(ctx context.Context, placed []traces.Placed, upTo spool.Position) error {
	e.writing.Lock()
	defer e.writing.Unlock()
	if e.places == nil {
		if err := e.recall(ctx); err != nil {
			return told(ctx, err)
		}
	}
	if err := e.take(ctx, placed); err != nil {
		e.places = nil // what was stored of it is asked before the next
		return told(ctx, err)
	}
	if e.applied.Before(upTo) {
		e.applied = upTo
	}
	e.closeFull(ctx)
	if e.opt.Now().Sub(e.toldAt) >= tellEvery {
		return told(ctx, e.tell(ctx))
	}
	return nil
}

// Applied implements traces.Writer.
func (e *Engine) Applied(context.Context) (spool.Position, error) {
	e.writing.Lock()
	defer e.writing.Unlock()
	return e.applied, nil
}

// arrival is an event that the base does not hold yet.
type arrival struct {
	*traces.Placed
	partition partition
	id        string // of the id that its protocol gave; empty for none
	n         int64  // its number among those of our spool in the partition
}

func (e *Engine) take(ctx context.Context, placed []traces.Placed) error {
	var fresh []arrival
	for i := range placed {
		p := &placed[i]
		terms.Tidy(&p.Event)
		a := arrival{Placed: p, partition: partition{p.Organisation, byte(p.Class), terms.MonthOf(&p.Event)}}
		if e.applied.Before(p.At) && e.places[a.partition].Before(p.At) {
			a.id = keyID(&p.Event)
			fresh = append(fresh, a)
		}
	}
	fresh, err := e.once(ctx, fresh)
	if err != nil || len(fresh) == 0 {
		return err
	}
	if err := e.storeIdentities(ctx, fresh); err != nil {
		return err
	}
	if err := e.storeEvents(ctx, fresh); err != nil {
		return err
	}
	return e.storeSeen(ctx, fresh)
}

// keyID is the id of an event as the base compares it: no two differ in less
// than a collision of SHA-256.
func keyID(ev *traces.Event) string {
	if ev.Key == "" {
		return ""
	}
	h := sha256.New()
	h.Write(ev.Organisation[:])
	h.Write(ev.Source[:])
	h.Write([]byte(ev.Key))
	return string(h.Sum(nil)[:16])
}

// once drops the repetitions among arrivals: of each other, and of what is
// stored, within a day.
func (e *Engine) once(ctx context.Context, fresh []arrival) ([]arrival, error) {
	stored, err := e.seen(ctx, fresh)
	if err != nil {
		return nil, err
	}
	kept := fresh[:0]
	for _, a := range fresh {
		if a.id != "" {
			if near(stored[a.id], a.Received) {
				continue
			}
			stored[a.id] = append(stored[a.id], a.Received)
		}
		kept = append(kept, a)
	}
	return kept, nil
}

func near(times []int64, t int64) bool {
	for _, other := range times {
		if max(t-other, other-t) <= terms.Day {
			return true
		}
	}
	return false
}

func dayOf(received int64) uint32 { return uint32(max(received, 0) / terms.Day) }

// seen gives when the ids of arrivals were received before.
func (e *Engine) seen(ctx context.Context, fresh []arrival) (map[string][]int64, error) {
	out := map[string][]int64{}
	var ids []string
	first, last := uint32(0), uint32(0)
	for _, a := range fresh {
		if a.id == "" {
			continue
		}
		if d := dayOf(a.Received); len(ids) == 0 {
			first, last = d, d
		} else {
			first, last = min(first, d), max(last, d)
		}
		ids = append(ids, a.id)
	}
	if len(ids) == 0 {
		return out, nil
	}
	r, err := e.at.query(ctx, fmt.Sprintf("SELECT id, received FROM "+seenTable+" WHERE day BETWEEN %d AND %d AND id IN ids", max(first, 1)-1, last+1),
		table{"ids", "id String", texts(ids)})
	if err != nil {
		return nil, fmt.Errorf("ids of traces: %w", err)
	}
	for r.more() {
		id := r.text()
		out[id] = append(out[id], r.int64())
	}
	return out, r.err()
}

func (e *Engine) storeEvents(ctx context.Context, fresh []arrival) error {
	var rows []byte
	spoolID := e.opt.Spool.String()
	e.number(fresh)
	salts := sealing.NewSalts(len(fresh))
	var form []byte
	for i, a := range fresh {
		salt := salts[i*sealing.SaltBytes : (i+1)*sealing.SaltBytes]
		extra := terms.JoinPairs(a.Extra)
		rows = appendInt64(appendEvent(rows, a, spoolID, extra), a.n)
		form = traces.AppendSealed(traces.SealedForm(form[:0], salt), &a.Event, extra)
		digest := sha256.Sum256(form)
		rows = append(append(rows, salt...), digest[:]...)
	}
	if err := e.insert(ctx, eventsTable+" ("+lineColumns()+", key_id, key, raw, n, salt, digest)", rows); err != nil {
		return fmt.Errorf("store traces: %w", err)
	}
	for _, a := range fresh {
		e.places[a.partition] = a.At
		e.runs[a.partition].add(&a.Event)
	}
	return nil
}

// appendEvent writes a row in the order of lineColumns, its id and its original.
func appendEvent(dst []byte, a arrival, spoolID, extra string) []byte {
	dst = appendText(dst, a.Organisation.String())
	dst = append(dst, byte(a.Class))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(a.partition.month))
	dst = appendInt64(dst, a.Event.At)
	dst = appendText(dst, spoolID)
	dst = binary.LittleEndian.AppendUint64(dst, a.Placed.At.Segment)
	dst = appendInt64(dst, a.Placed.At.Offset)
	dst = appendInt64(dst, a.Received)
	guessed := byte(0)
	if a.AtGuessed {
		guessed = 1
	}
	dst = append(dst, guessed, byte(a.Action), byte(a.Outcome), byte(a.Severity))
	dst = appendText(dst, a.Source.String())
	dst = appendText(appendText(dst, a.IPP), a.INS)
	for _, c := range terms.Columns() {
		dst = appendText(dst, *c.Of(&a.Event))
	}
	dst = appendText(dst, extra)
	return appendText(appendText(appendText(dst, a.id), a.Key), string(a.Raw))
}

func (e *Engine) storeSeen(ctx context.Context, fresh []arrival) error {
	var rows []byte
	for _, a := range fresh {
		if a.id != "" {
			rows = appendSeen(rows, a.id, a.Received, e.opt.Spool, a.Placed.At)
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := e.insert(ctx, seenTable, rows); err != nil {
		return fmt.Errorf("ids of traces: %w", err)
	}
	return e.forgetSeen(ctx, fresh)
}

func appendSeen(dst []byte, id string, received int64, in uuid.UUID, at spool.Position) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, dayOf(received))
	dst = appendInt64(appendText(dst, id), received)
	dst = binary.LittleEndian.AppendUint64(appendText(dst, in.String()), at.Segment)
	return appendInt64(dst, at.Offset)
}

// seenDays is how long ids are kept: what is repeated is told within a day, and
// another node may lag.
const seenDays = 7

// forgetSeen drops the days that are past, once a day.
func (e *Engine) forgetSeen(ctx context.Context, fresh []arrival) error {
	newest := e.newest
	for _, a := range fresh {
		newest = max(newest, dayOf(a.Received))
	}
	if newest == e.newest || newest < seenDays {
		return nil
	}
	r, err := e.at.query(ctx, "SELECT DISTINCT toInt64(day) FROM "+seenTable+" WHERE day < "+strconv.Itoa(int(newest-seenDays)))
	if err != nil {
		return err
	}
	for r.more() {
		if err := e.at.exec(ctx, fmt.Sprintf("ALTER TABLE %s%s DROP PARTITION %d", local(seenTable, e.opt.Address), onCluster(e.opt.Address), r.int64())); err != nil {
			return fmt.Errorf("ids of traces: %w", err)
		}
	}
	e.newest = newest
	return r.err()
}
