package clickhouse

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/google/uuid"
)

// literal writes a text into a statement: hexadecimal digits and nothing else,
// whatever the text. There is nothing to escape, and nothing to forget.
func literal(text string) string { return "unhex('" + hex.EncodeToString([]byte(text)) + "')" }

// own writes an id of ours: digits, letters and dashes.
func own(id uuid.UUID) string { return "'" + id.String() + "'" }

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendInt64(dst []byte, n int64) []byte { return binary.LittleEndian.AppendUint64(dst, uint64(n)) }

// texts writes a column of texts, each once.
func texts(list []string) []byte {
	var out []byte
	for _, s := range list {
		out = appendText(out, s)
	}
	return out
}

// errAnswer is an answer that is not in the form that was asked for.
var errAnswer = errors.New("unreadable answer of the base of traces")

// reader reads RowBinary; bad says that it ended too early.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) more() bool { return len(r.rest) > 0 && !r.bad }

func (r *reader) err() error {
	if r.bad {
		return errAnswer
	}
	return nil
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) octet() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) int64() int64 {
	if b := r.bytes(8); b != nil {
		return int64(binary.LittleEndian.Uint64(b))
	}
	return 0
}

func (r *reader) text() string {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.bad, r.rest = true, nil
		return ""
	}
	r.rest = r.rest[size:]
	return string(r.bytes(n))
}

func (r *reader) id() uuid.UUID {
	u, err := uuid.Parse(r.text())
	if err != nil {
		r.bad, r.rest = true, nil
	}
	return u
}

func listed(names []string) string { return strings.Join(names, ", ") }
