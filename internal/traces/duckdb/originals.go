//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"

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

// storeOriginals writes those of events that follow the tail of a file, seals
// them, and gives the tail that is true once the transaction is.
func (e *Engine) storeOriginals(ctx context.Context, f *file, first int64, events []*traces.Event, extra []string) (tail, error) {
	if !f.tail.known {
		if err := e.readTail(ctx, f); err != nil {
			return tail{}, err
		}
	}
	now := f.tail.clone()
	if now.events == 0 {
		now.begin(first)
	}
	fresh := piece{first: first, frames: len(now.frames), digests: len(now.digests)}
	blocks := 0
	s, err := newSalter(now.salt)
	if err != nil {
		return tail{}, err
	}
	for i, ev := range events {
		now.add(s, ev, extra[i])
		if len(now.frames) < blockBytes {
			continue
		}
		if err := e.storeBlock(ctx, f, &now); err != nil {
			return tail{}, err
		}
		now.begin(first + int64(i) + 1)
		fresh = piece{first: now.first}
		if s, err = newSalter(now.salt); err != nil {
			return tail{}, err
		}
		blocks++
	}
	if blocks > 0 {
		if err := e.exec(ctx, "DELETE FROM "+f.key.alias()+".tail"); err != nil {
			return tail{}, err
		}
	}
	return now, e.storePiece(ctx, f, &now, fresh)
}

// piece is where what a batch adds to the tail begins.
type piece struct {
	first           int64
	frames, digests int
}

func (e *Engine) storePiece(ctx context.Context, f *file, t *tail, p piece) error {
	count := t.first + t.events - p.first
	if count == 0 {
		return nil
	}
	return e.exec(ctx, "INSERT INTO "+f.key.alias()+".tail VALUES ($1, $2, $3, $4, $5, $6, $7)",
		p.first, count, t.lo, t.hi, t.salt, t.digests[p.digests:], e.pack.EncodeAll(t.frames[p.frames:], nil))
}

// clone copies a tail: a transaction that fails leaves the one before.
func (t *tail) clone() tail {
	out := *t
	out.frames = append(make([]byte, 0, blockBytes+blockBytes/4), t.frames...)
	out.digests = append(make([]byte, 0, len(t.digests)+4096), t.digests...)
	return out
}

// storeBlock writes a tail as a block; its digests are used up.
func (e *Engine) storeBlock(ctx context.Context, f *file, t *tail) error {
	return e.exec(ctx, "INSERT INTO "+f.key.alias()+".raw VALUES ($1, $2, $3, $4, $5, $6, NULL, $7)",
		t.first, t.events, t.lo, t.hi, traces.BlockRoot(t.digests), t.salt, e.pack.EncodeAll(t.frames, nil))
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
	now := f.tail.clone()
	if err := e.storeBlock(ctx, f, &now); err != nil {
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
	for _, table := range []string{"raw", "tail", "raw"} {
		var data []byte
		err := o.e.db.QueryRowContext(ctx, "SELECT first, events, data FROM "+o.alias+"."+table+
			" WHERE first <= $1 AND first + events > $1 LIMIT 1", seq).Scan(&o.first, &o.events, &data)
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
