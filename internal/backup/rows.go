package backup

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/google/uuid"

	"tocsin/internal/storage"
)

// longest is the longest text or bytes that a value may be: what is longer is a
// damaged length, and must not take all the memory of the machine.
const longest = 256 << 20

// appendValue writes one value as the file keeps it. An id is written as the 16
// bytes it is, so that engines which keep ids in different forms agree.
func appendValue(to []byte, kind Kind, v any) ([]byte, error) {
	if v == nil {
		return append(to, 0), nil
	}
	to = append(to, 1)
	switch kind {
	case ID:
		id, err := idOf(v)
		return appendBytes(to, id[:]), err
	case Text:
		switch x := v.(type) {
		case string:
			return append(binary.AppendUvarint(to, uint64(len(x))), x...), nil
		case []byte:
			return appendBytes(to, x), nil
		}
	case Bytes:
		switch x := v.(type) {
		case []byte:
			return appendBytes(to, x), nil
		case string:
			return append(binary.AppendUvarint(to, uint64(len(x))), x...), nil
		}
	case Integer:
		if x, ok := v.(int64); ok {
			return binary.AppendVarint(to, x), nil
		}
	case Boolean:
		switch x := v.(type) {
		case bool:
			return append(to, bit(x)), nil
		case int64:
			return append(to, bit(x != 0)), nil
		}
	case Double:
		switch x := v.(type) {
		case float64:
			return binary.BigEndian.AppendUint64(to, math.Float64bits(x)), nil
		case int64:
			return binary.BigEndian.AppendUint64(to, math.Float64bits(float64(x))), nil
		}
	}
	return to, fmt.Errorf("a value of type %T where %s is expected", v, kind)
}

func bit(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendBytes(to, b []byte) []byte { return append(binary.AppendUvarint(to, uint64(len(b))), b...) }

func idOf(v any) (uuid.UUID, error) {
	switch x := v.(type) {
	case string:
		return uuid.Parse(x)
	case []byte:
		if len(x) == 16 {
			return uuid.UUID(x), nil
		}
		return uuid.ParseBytes(x)
	case [16]byte:
		return x, nil
	}
	return uuid.UUID{}, fmt.Errorf("a value of type %T where an id is expected", v)
}

// readValue reads one value into what the engines take.
func readValue(r *bufio.Reader, kind Kind) (any, error) {
	present, err := r.ReadByte()
	if err != nil || present == 0 {
		return nil, err
	}
	if present != 1 {
		return nil, errors.New("a value is neither there nor absent")
	}
	switch kind {
	case ID:
		b, err := readBytes(r, 16)
		if err == nil && len(b) != 16 {
			err = errors.New("an id is too short")
		}
		if err != nil {
			return nil, err
		}
		return uuid.UUID(b), nil
	case Text:
		b, err := readBytes(r, longest)
		return string(b), err
	case Bytes:
		return readBytes(r, longest)
	case Integer:
		return binary.ReadVarint(r)
	case Boolean:
		b, err := r.ReadByte()
		return b == 1, err
	case Double:
		var b [8]byte
		_, err := io.ReadFull(r, b[:])
		return math.Float64frombits(binary.BigEndian.Uint64(b[:])), err
	}
	return nil, fmt.Errorf("kind %q is unknown", kind)
}

// readBytes reads a length and so many bytes, in portions: a damaged length
// ends with the file and not with the memory.
func readBytes(r *bufio.Reader, most uint64) ([]byte, error) {
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	if n > most {
		return nil, fmt.Errorf("a value of %d bytes", n)
	}
	const portion = 1 << 20
	out := make([]byte, 0, min(n, portion))
	for uint64(len(out)) < n {
		from := len(out)
		out = append(out, make([]byte, min(n-uint64(from), portion))...)
		if _, err := io.ReadFull(r, out[from:]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// eachRow reads a table and gives every row as the file keeps it; the bytes are
// good until the next row.
func eachRow(ctx context.Context, tx *storage.Tx, t Table, do func(row []byte) error) error {
	values := make([]any, len(t.Columns))
	dest := make([]any, len(t.Columns))
	for i := range values {
		dest[i] = &values[i]
	}
	var line []byte
	err := tx.Query(ctx, t.selection(), nil, func(row func(...any) error) error {
		if err := row(dest...); err != nil {
			return err
		}
		var err error
		if line, err = appendRow(line[:0], t, values); err != nil {
			return err
		}
		return do(line)
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", t.Name, err)
	}
	return nil
}

func appendRow(to []byte, t Table, values []any) ([]byte, error) {
	var err error
	for i, c := range t.Columns {
		if to, err = appendValue(to, c.Kind, values[i]); err != nil {
			return to, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	return to, nil
}

// print is what a set of rows is recognised by, in whatever order they come: how
// many they are, and the sum of their digests.
type print struct {
	rows int64
	sum  [4]uint64
}

func (p *print) add(row []byte) {
	d := sha256.Sum256(row)
	p.rows++
	for i := range p.sum {
		p.sum[i] += binary.BigEndian.Uint64(d[8*i:])
	}
}
