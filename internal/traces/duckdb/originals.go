//go:build cgo

package duckdb

import (
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"tocsin/internal/traces"
)

// blockBytes is how much of originals is compressed together: larger blocks
// would save little and cost more to read one event.
const blockBytes = 1 << 20

// tail is what follows the last whole block of a file: the frames of originals
// and the digests of events that are on the disk as small rows, kept here to be
// made into a block.
type tail struct {
	known   bool
	first   int64
	events  int64
	lo, hi  int64
	salt    []byte
	digests []byte
	frames  []byte
}

// begin starts the next block.
func (t *tail) begin(first int64) {
	*t = tail{known: true, first: first, salt: newSalt(), digests: t.digests[:0], frames: t.frames[:0]}
}

// add lays an event at the end.
func (t *tail) add(s *salter, ev *traces.Event, extra string) {
	t.digests = s.digest(t.digests, int(t.events), ev, extra)
	t.frames = appendFrame(t.frames, ev.Key, ev.Raw)
	if t.events == 0 {
		t.lo, t.hi = ev.At, ev.At
	}
	t.lo, t.hi = min(t.lo, ev.At), max(t.hi, ev.At)
	t.events++
}

// appendFrame adds an original and the key of its event, each after its length.
func appendFrame(dst []byte, key string, raw []byte) []byte {
	dst = append(binary.AppendUvarint(dst, uint64(len(key))), key...)
	return append(binary.AppendUvarint(dst, uint64(len(raw))), raw...)
}

var errFrames = errors.New("originals of events are damaged")

// cutFrame takes the first frame off.
func cutFrame(b []byte) (key, raw, rest []byte, err error) {
	for _, part := range [...]*[]byte{&key, &raw} {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return nil, nil, nil, errFrames
		}
		*part, b = b[used:used+int(n)], b[used+int(n):]
	}
	return key, raw, b, nil
}

// laid is what the events of a batch bring to the originals of a file: the blocks
// that they fill, and the tail that is true once they are stored.
type laid struct {
	blocks []folded
	tail   tail
	piece  piece
	packed []byte // the frames of piece
}

// folded is a block as it goes to the disk.
type folded struct {
	traces.Block
	salt, data []byte
}

// piece is what a batch adds to the tail.
type piece struct {
	first, events   int64
	frames, digests int // where it begins in those of the tail
}

// lay seals the events that follow a tail, of which nothing is true any more when
// it returns, and compresses their originals. It touches nothing of the file, and
// may go on beside what writes there.
func (e *Engine) lay(t tail, first int64, events []*traces.Event, extra []string) (laid, error) {
	if t.events == 0 {
		t.begin(first)
	}
	out := laid{piece: piece{first: first, frames: len(t.frames), digests: len(t.digests)}}
	s, err := newSalter(t.salt)
	if err != nil {
		return out, err
	}
	for i, ev := range events {
		t.add(s, ev, extra[i])
		if len(t.frames) < blockBytes {
			continue
		}
		out.blocks = append(out.blocks, e.fold(&t))
		t.begin(first + int64(i) + 1)
		out.piece = piece{first: t.first}
		if s, err = newSalter(t.salt); err != nil {
			return out, err
		}
	}
	out.tail = t
	if out.piece.events = t.first + t.events - out.piece.first; out.piece.events > 0 {
		out.packed = e.pack.EncodeAll(t.frames[out.piece.frames:], nil)
	}
	return out, nil
}

// fold makes a block of a tail, whose digests it uses up.
func (e *Engine) fold(t *tail) folded {
	return folded{
		Block: traces.Block{First: t.first, Events: t.events, Lo: t.lo, Hi: t.hi, Root: slices.Clone(traces.BlockRoot(t.digests))},
		salt:  t.salt, data: e.pack.EncodeAll(t.frames, nil),
	}
}

// storeLaid writes what lay made, within the transaction under way.
func (p *pen) storeLaid(ctx context.Context, f *file, l *laid) error {
	if len(l.blocks) > 0 {
		if err := p.storeBlocks(ctx, f.key.alias(), l.blocks); err != nil {
			return err
		}
		if err := p.exec(ctx, "DELETE FROM "+f.key.alias()+".tail"); err != nil {
			return err
		}
	}
	if l.piece.events == 0 {
		return nil
	}
	t := &l.tail
	return p.exec(ctx, "INSERT INTO "+f.key.alias()+".tail VALUES ($1, $2, $3, $4, $5, $6, $7)",
		l.piece.first, l.piece.events, t.lo, t.hi, t.salt, t.digests[l.piece.digests:], l.packed)
}

// storeBlocks writes blocks.
func (p *pen) storeBlocks(ctx context.Context, alias string, blocks []folded) error {
	for _, b := range blocks {
		if err := p.exec(ctx, "INSERT INTO "+alias+".raw VALUES ($1, $2, $3, $4, $5, $6, NULL)", b.First, b.Events, b.Lo, b.Hi, b.Root, b.salt); err != nil {
			return err
		}
	}
	return p.storeSlices(alias, blocks)
}

// sliceBytes is how long the rows are in which the bytes of a block are kept.
// DuckDB writes a whole group of 122,880 rows again as long as it grows: in rows
// of a block each, that would be all the originals of a month at every checkpoint.
// In these it is at most 31 MB.
const sliceBytes = 256

const sliceColumns = "first, place, data"

// storeSlices writes the bytes of blocks.
func (p *pen) storeSlices(alias string, blocks []folded) error {
	return appendTo(p.conn, alias, "slices", func(add func(...driver.Value) error) error {
		for _, b := range blocks {
			place := int32(0)
			for part := range slices.Chunk(b.data, sliceBytes) {
				if err := add(b.First, place, part); err != nil {
					return err
				}
				place++
			}
		}
		return nil
	})
}

// replaceSlices puts other bytes in the place of those of a block.
func (p *pen) replaceSlices(ctx context.Context, alias string, first int64, data []byte) error {
	if err := p.dropSlices(ctx, alias, first); err != nil {
		return err
	}
	return p.storeSlices(alias, []folded{{Block: traces.Block{First: first}, data: data}})
}

func (p *pen) dropSlices(ctx context.Context, alias string, first int64) error {
	return p.exec(ctx, "DELETE FROM "+alias+".slices WHERE first = $1", first)
}

// sliced is the bytes of some blocks by the first of their events.
type sliced map[int64][][]byte

// readSlices reads the bytes of the blocks whose first events lie between two.
func readSlices(ctx context.Context, q querier, alias string, from, to int64) (sliced, error) {
	rows, err := q.QueryContext(ctx, "SELECT "+sliceColumns+" FROM "+alias+".slices WHERE first >= $1 AND first <= $2", from, to)
	if err != nil {
		return nil, fmt.Errorf("read originals: %w", err)
	}
	out := sliced{}
	for rows.Next() {
		var first int64
		var place int
		var data []byte
		if err := rows.Scan(&first, &place, &data); err != nil {
			return nil, fmt.Errorf("read originals: %w", closing(rows, err))
		}
		if place < 0 || place > maxSlices {
			continue // put there by another hand: what it was is missing
		}
		parts := out[first]
		for len(parts) <= place {
			parts = append(parts, nil)
		}
		parts[place], out[first] = data, parts
	}
	if err := closing(rows, rows.Err()); err != nil {
		return nil, fmt.Errorf("read originals: %w", err)
	}
	return out, nil
}

// maxSlices is more than the largest block has: one that ends with the largest
// event.
const maxSlices = 4 * (blockBytes + traces.MaxRaw) / sliceBytes

// of joins those of a block.
func (s sliced) of(first int64) []byte { return bytes.Join(s[first], nil) }

// querier reads, within a snapshot or not.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// closeTail makes a block of what does not fill one, within the transaction under
// way; the tail of the file is then to be forgotten.
func (e *Engine) closeTail(ctx context.Context, f *file) error {
	if !f.tail.known {
		if err := e.readTail(ctx, f); err != nil {
			return err
		}
	}
	if f.tail.events == 0 {
		return nil
	}
	t := f.tail
	f.tail = tail{}
	if err := e.storeBlocks(ctx, f.key.alias(), []folded{e.fold(&t)}); err != nil {
		return err
	}
	return e.exec(ctx, "DELETE FROM "+f.key.alias()+".tail")
}

// readTail reads what the file holds after its last block.
func (e *Engine) readTail(ctx context.Context, f *file) error {
	rows, err := e.conn.QueryContext(ctx, "SELECT first, events, lo, hi, salt, digests, data FROM "+f.key.alias()+".tail ORDER BY first")
	if err != nil {
		return fmt.Errorf("read originals: %w", err)
	}
	t := tail{known: true}
	for rows.Next() {
		var first, events int64
		var digests, data []byte
		// The bounds of the last piece are those of all.
		if err := rows.Scan(&first, &events, &t.lo, &t.hi, &t.salt, &digests, &data); err != nil {
			return fmt.Errorf("read originals: %w", closing(rows, err))
		}
		t.digests = append(t.digests, digests...)
		if t.events == 0 {
			t.first = first
		}
		t.events += events
		if t.frames, err = e.unpack.DecodeAll(data, t.frames); err != nil {
			return fmt.Errorf("read originals: %w", closing(rows, err))
		}
	}
	if err := closing(rows, rows.Err()); err != nil {
		return fmt.Errorf("read originals: %w", err)
	}
	f.tail = t
	return nil
}

// originals reads those of one file, keeping the block that it read last.
type originals struct {
	e     *Engine
	alias string

	first, events int64
	rest          []byte // from the frame of at
	at            int64
}

// of gives the key and the original of an event.
func (o *originals) of(ctx context.Context, seq int64) (key, raw []byte, err error) {
	if seq < o.at || seq >= o.first+o.events {
		if err := o.load(ctx, seq); err != nil {
			return nil, nil, err
		}
	}
	for {
		key, raw, o.rest, err = cutFrame(o.rest)
		if err != nil {
			return nil, nil, err
		}
		o.at++
		if o.at > seq {
			return key, raw, nil
		}
	}
}

// load reads the block of an event.
func (o *originals) load(ctx context.Context, seq int64) error {
	// Between the look at blocks and that at the tail, the tail may have become a
	// block: blocks are asked again.
	for _, look := range []func(context.Context, int64) ([]byte, error){o.block, o.piece, o.block} {
		data, err := look(ctx, seq)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read originals: %w", err)
		}
		o.at = o.first
		if o.rest, err = o.e.unpack.DecodeAll(data, nil); err != nil {
			return fmt.Errorf("read originals: %w", err)
		}
		return nil
	}
	return errFrames
}

func (o *originals) block(ctx context.Context, seq int64) ([]byte, error) {
	err := o.e.db.QueryRowContext(ctx, "SELECT first, events FROM "+o.alias+".raw WHERE first <= $1 AND first + events > $1 LIMIT 1", seq).Scan(&o.first, &o.events)
	if err != nil {
		return nil, err //nolint:wrapcheck // load does
	}
	parts, err := readSlices(ctx, o.e.db, o.alias, o.first, o.first)
	return parts.of(o.first), err
}

func (o *originals) piece(ctx context.Context, seq int64) (data []byte, err error) {
	err = o.e.db.QueryRowContext(ctx, "SELECT first, events, data FROM "+o.alias+".tail WHERE first <= $1 AND first + events > $1 LIMIT 1", seq).Scan(&o.first, &o.events, &data)
	return data, err //nolint:wrapcheck // load does
}
