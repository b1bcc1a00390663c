package clickhouse

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
	"tocsin/internal/traces/sealing"
	"tocsin/internal/traces/terms"
)

// block is a row of the table of blocks: a run of the events of one spool, from
// the start-th on, which are the first-th and following of the partition.
type block struct {
	traces.Block
	spool   uuid.UUID
	start   int64
	cut     []byte
	gone    bool // all its events were purged
	version uint64
}

const blockColumns = "first, events, lo, hi, root, spool, start, cut, gone, version"

func (b *block) append(dst []byte, p partition) []byte {
	dst = appendPartition(dst, p)
	for _, n := range []int64{b.First, b.Events, b.Lo, b.Hi} {
		dst = appendInt64(dst, n)
	}
	dst = appendInt64(appendText(append(dst, b.Root...), b.spool.String()), b.start)
	gone := byte(0)
	if b.gone {
		gone = 1
	}
	return binary.LittleEndian.AppendUint64(append(appendText(dst, string(b.cut)), gone), b.version)
}

func appendPartition(dst []byte, p partition) []byte {
	dst = append(appendText(dst, p.organisation.String()), p.class)
	return binary.LittleEndian.AppendUint32(dst, uint32(p.month))
}

func readBlockRow(r *reader) *block {
	b := &block{}
	b.First, b.Events, b.Lo, b.Hi = r.int64(), r.int64(), r.int64(), r.int64()
	b.Root = slices.Clone(r.bytes(32))
	b.spool, b.start = r.id(), r.int64()
	if cut := r.text(); cut != "" {
		b.cut = []byte(cut)
	}
	b.gone, b.version = r.octet() == 1, uint64(r.int64())
	if b.Events < 1 || b.Events > eventsMost {
		b.Events = 1 // no block that we wrote: it will read as altered, and fills no memory
	}
	sealing.Mark(&b.Block, b.cut)
	return b
}

// of is the demand that an event lies in a partition.
func (p partition) of() string {
	return fmt.Sprintf("organisation = %s AND class = %d AND month = %d", own(p.organisation), p.class, p.month)
}

func (p partition) file() traces.BlockFile {
	return traces.BlockFile{Class: traces.Class(p.class), Month: terms.MonthText(p.month)}
}

// syncBlocks waits until the server that we ask has all blocks that any server of
// the cluster has.
func (e *Engine) syncBlocks(ctx context.Context) error {
	if e.opt.Address.Cluster == "" {
		return nil
	}
	if err := e.at.exec(ctx, "SYSTEM SYNC REPLICA "+e.opt.Address.Database+"."+blocksTable); err != nil {
		return fmt.Errorf("blocks of the cluster: %w", err)
	}
	return nil
}

// blocksIn reads the blocks of a partition as they are now, in order.
func (e *Engine) blocksIn(ctx context.Context, p partition, more string) (out []*block, err error) {
	r, err := e.at.query(ctx, "SELECT "+blockColumns+" FROM "+blocksTable+" FINAL WHERE "+p.of()+more+" ORDER BY first")
	if err != nil {
		return nil, fmt.Errorf("list blocks: %w", err)
	}
	for r.more() {
		out = append(out, readBlockRow(r))
	}
	return out, r.err()
}

// Blocks implements traces.Sealer.
func (e *Engine) Blocks(ctx context.Context, organisation uuid.UUID, q traces.BlockQuery) (out []traces.BlockFile, err error) {
	if q.Close {
		if err := e.alone(ctx, organisation, func(ctx context.Context) error { return e.closeAll(ctx, organisation, q.Only) }); err != nil {
			return nil, told(ctx, err)
		}
	} else if err := e.syncBlocks(ctx); err != nil {
		return nil, told(ctx, err)
	}
	list, err := e.partitions(ctx, organisation)
	if err != nil {
		return nil, told(ctx, err)
	}
	for _, held := range list {
		f := held.file()
		if q.Only != "" && q.Only != f.Name() {
			continue
		}
		f.Held, f.Oldest = held.events, held.oldest
		known, err := e.fill(ctx, held.partition, &f, q)
		if err != nil {
			return nil, told(ctx, err)
		}
		if known || f.Held > 0 {
			out = append(out, f)
		}
	}
	return out, nil
}

// held is a partition with how many events it has, and the time of the oldest.
type held struct {
	partition
	events, oldest int64
}

// partitions lists those of an establishment that have events or blocks.
func (e *Engine) partitions(ctx context.Context, organisation uuid.UUID) (out []held, err error) {
	const form = "SELECT class, toInt64(month), toInt64(count()), min(%s) FROM %s WHERE organisation = %s GROUP BY class, month"
	seen := map[partition]bool{}
	for _, from := range []struct{ table, time string }{{eventsTable, "happened"}, {blocksTable, "lo"}} {
		r, err := e.at.query(ctx, fmt.Sprintf(form, from.time, from.table, own(organisation)))
		if err != nil {
			return nil, fmt.Errorf("list partitions: %w", err)
		}
		for r.more() {
			h := held{partition{organisation, r.octet(), int32(r.int64())}, r.int64(), r.int64()}
			if from.table == blocksTable {
				h.events, h.oldest = 0, 0
			}
			if !seen[h.partition] {
				seen[h.partition], out = true, append(out, h)
			}
		}
		if err := r.err(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b held) int { return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.month, b.month)) })
	return out, nil
}

// fill lists the blocks of a file, and counts what stands outside; it tells
// whether there are any.
func (e *Engine) fill(ctx context.Context, p partition, f *traces.BlockFile, q traces.BlockQuery) (known bool, err error) {
	from := q.From[f.Name()]
	more := ""
	if from > 0 {
		more = fmt.Sprintf(" AND first >= %d", from)
	}
	list, err := e.blocksIn(ctx, p, more)
	if err != nil {
		return false, err
	}
	if err := e.countOpen(ctx, p, f, list, from == 0); err != nil {
		return false, err
	}
	list = slices.DeleteFunc(list, func(b *block) bool { return b.gone })
	if q.Read {
		if f.Bytes, err = e.readAll(ctx, p, list); err != nil {
			return false, err
		}
	}
	for _, b := range list {
		if !b.gone {
			f.Blocks = append(f.Blocks, b.Block)
		}
	}
	return len(f.Blocks) > 0, nil
}

// countOpen counts the events that no block holds yet and, when all blocks are
// given, those that none will hold: before a block, between two, or behind a hole.
func (e *Engine) countOpen(ctx context.Context, p partition, f *traces.BlockFile, list []*block, all bool) error {
	ends, _, err := e.ends(ctx, p)
	if err != nil {
		return err
	}
	behind := ends.behind()
	r, err := e.at.query(ctx, fmt.Sprintf("SELECT spool, toInt64(count()), min(n), max(n) FROM %s WHERE %s AND %s GROUP BY spool", eventsTable, p.of(), behind))
	if err != nil {
		return fmt.Errorf("count what is open: %w", err)
	}
	holed := false
	for r.more() {
		in, count, first, last := r.text(), r.int64(), r.int64(), r.int64()
		f.Open += count
		holed = holed || first != ends[in] || last-first+1 != count
	}
	if err := r.err(); err != nil {
		return err
	}
	if holed {
		beyond, err := e.beyondHole(ctx, p, ends)
		if err != nil {
			return err
		}
		f.Open -= beyond
		f.Strays += beyond
	}
	if !all {
		f.Strays = 0
		return nil
	}
	between, err := e.between(ctx, p, list, behind)
	f.Strays += between
	return err
}

// between counts the rows that stand before the open end and in no block.
func (e *Engine) between(ctx context.Context, p partition, list []*block, behind string) (int64, error) {
	in := map[uuid.UUID][]*block{}
	for _, b := range list {
		in[b.spool] = append(in[b.spool], b)
	}
	covered := []string{"0"}
	for id, blocks := range in {
		slices.SortFunc(blocks, func(a, b *block) int { return cmp.Compare(a.start, b.start) })
		for _, run := range adjacent(blocks, len(blocks)) {
			last := run[len(run)-1]
			covered = append(covered, fmt.Sprintf("spool = %s AND n >= %d AND n < %d", own(id), run[0].start, last.start+last.Events))
		}
	}
	r, err := e.at.query(ctx, fmt.Sprintf("SELECT toInt64(count()) FROM %s WHERE %s AND NOT (%s) AND NOT (%s)", eventsTable, p.of(), behind, strings.Join(covered, " OR ")))
	if err != nil {
		return 0, fmt.Errorf("look between blocks: %w", err)
	}
	n := r.int64()
	return n, r.err()
}

// adjacent cuts blocks into runs that follow each other in one spool, of some at
// most.
func adjacent(list []*block, most int) (out [][]*block) {
	for i := 0; i < len(list); {
		k := i + 1
		for k < len(list) && k-i < most && list[k].spool == list[i].spool && list[k].start == list[k-1].start+list[k-1].Events {
			k++
		}
		out, i = append(out, list[i:k]), k
	}
	return out
}

// Block implements traces.Sealer.
func (e *Engine) Block(ctx context.Context, organisation uuid.UUID, class traces.Class, month string, first int64) ([]traces.SealedEvent, error) {
	n, ok := terms.ParseMonth(month)
	if !ok {
		return nil, fault.New(fault.NotFound, "traces.base.not_found")
	}
	p := partition{organisation, byte(class), n}
	_, whole, err := e.openBlock(ctx, p, fmt.Sprintf(" AND first <= %d AND first + events > %d", first, first))
	if err != nil {
		return nil, told(ctx, err)
	}
	return whole.List, nil
}

// openBlock reads one block with what the digests of its events are made of.
// Errors: NotFound.
func (e *Engine) openBlock(ctx context.Context, p partition, where string) (*block, *sealing.Opened, error) {
	list, err := e.blocksIn(ctx, p, where)
	if err != nil {
		return nil, nil, err
	}
	if len(list) == 0 || list[0].gone {
		return nil, nil, fault.New(fault.NotFound, "traces.base.not_found")
	}
	opened, _, err := e.open(ctx, p, list[:1], true)
	if err != nil {
		return nil, nil, err
	}
	return list[0], opened[0], nil
}

// Witness implements traces.Sealer.
func (e *Engine) Witness(ctx context.Context, organisation uuid.UUID, ref string) (out traces.Witness, err error) {
	none := fault.New(fault.NotFound, "traces.base.not_found")
	l, ok := parseRef(organisation, ref)
	if !ok {
		return out, none
	}
	r, err := e.at.query(ctx, fmt.Sprintf("SELECT class, toInt64(month), n FROM %s WHERE organisation = %s AND happened = %d AND segment = %d AND place = %d AND spool = %s LIMIT 1",
		eventsTable, own(organisation), l.happened, l.at.Segment, l.at.Offset, own(l.spool)))
	if err != nil {
		return out, told(ctx, fmt.Errorf("find an event: %w", err))
	}
	if !r.more() {
		return out, none
	}
	p, n := partition{organisation, r.octet(), int32(r.int64())}, r.int64()
	if r.err() != nil {
		return out, r.err()
	}
	b, whole, err := e.openBlock(ctx, p, fmt.Sprintf(" AND spool = %s AND start <= %d AND start + events > %d", own(l.spool), n, n))
	if err != nil {
		return out, told(ctx, err)
	}
	i := int(n - b.start)
	path, ok := whole.Path(i)
	if !ok {
		return out, none
	}
	f := p.file()
	return traces.Witness{Class: f.Class, Month: f.Month, Block: b.Block, Event: whole.List[i], Path: path}, nil
}
