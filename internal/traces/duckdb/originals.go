//go:build cgo

package duckdb

import (
	"context"
	"crypto/sha256"
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
// that are on the disk as small rows, kept here to be made into a block.
type tail struct {
	known  bool
	first  int64
	events int64
	frames []byte
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

// storeOriginals writes those of events that follow the tail of a file, and gives
// the tail that is true once the transaction is.
func (e *Engine) storeOriginals(ctx context.Context, f *file, first int64, events []*traces.Event) (tail, error) {
	if !f.tail.known {
		if err := e.readTail(ctx, f); err != nil {
			return tail{}, err
		}
	}
	now := tail{known: true, first: f.tail.first, events: f.tail.events, frames: append(make([]byte, 0, blockBytes+blockBytes/4), f.tail.frames...)}
	if now.events == 0 {
		now.first = first
	}
	fresh, blocks := len(now.frames), 0
	for i, ev := range events {
		now.frames = appendFrame(now.frames, ev.Key, ev.Raw)
		now.events++
		if len(now.frames) < blockBytes {
			continue
		}
		if err := e.storeBlock(ctx, f, &now); err != nil {
			return tail{}, err
		}
		now.first, now.events, now.frames = first+int64(i)+1, 0, now.frames[:0]
		fresh = 0
		blocks++
	}
	alias := f.key.alias()
	from, count := first, int64(len(events))
	if blocks > 0 {
		if err := e.exec(ctx, "DELETE FROM "+alias+".tail"); err != nil {
			return tail{}, err
		}
		from, count = now.first, now.events
	}
	if count == 0 {
		return now, nil
	}
	return now, e.exec(ctx, "INSERT INTO "+alias+".tail VALUES ($1, $2, $3)", from, count, e.pack.EncodeAll(now.frames[fresh:], nil))
}

func (e *Engine) storeBlock(ctx context.Context, f *file, t *tail) error {
	digest := sha256.Sum256(t.frames)
	return e.exec(ctx, "INSERT INTO "+f.key.alias()+".raw VALUES ($1, $2, $3, $4)", t.first, t.events, digest[:], e.pack.EncodeAll(t.frames, nil))
}

// readTail reads what the file holds after its last block.
func (e *Engine) readTail(ctx context.Context, f *file) error {
	rows, err := e.conn.QueryContext(ctx, "SELECT first, events, data FROM "+f.key.alias()+".tail ORDER BY first")
	if err != nil {
		return fmt.Errorf("read originals: %w", err)
	}
	t := tail{known: true}
	for rows.Next() {
		var first, events int64
		var data []byte
		if err := rows.Scan(&first, &events, &data); err != nil {
			return fmt.Errorf("read originals: %w", closing(rows, err))
		}
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
