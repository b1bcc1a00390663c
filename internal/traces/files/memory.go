package files

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// remembered is for how long, in days, the rows of a file are known again after
// it was read.
const remembered = 400

const (
	spanMicros = 10 * 60 * 1_000_000
	// heldMost bounds the marks held in memory, sixteen bytes and more each.
	heldMost = 500_000
)

// memory is what is known of the rows of a source, span by span of their time,
// while one of its files is read. A mark is eight bytes of the hash of a row: it
// is compared within ten minutes of the time of the rows only.
type memory struct {
	organisation, source, file uuid.UUID
	spans                      map[int64]*span
	held                       int
	// batch is what the rows under way bring, by span.
	batch map[int64]*brings
}

type span struct {
	total map[uint64]int // how many times the files say a row, at most
	mine  map[uint64]int // how many times this file said it so far
}

type brings struct{ fresh, known []byte }

func newMemory(f File) *memory {
	return &memory{organisation: f.organisation, source: f.Source, file: f.ID, spans: map[int64]*span{}}
}

func (m *memory) of(f File) bool { return m != nil && m.file == f.ID }

// spanOf is where an event is remembered: rows without a time are spread by
// their hash.
func spanOf(e *traces.Event, mark uint64) int64 {
	if e.AtGuessed {
		return -1 - int64(mark>>52)
	}
	if e.At < 0 {
		return 0
	}
	return e.At / spanMicros
}

// load brings into memory what is known of some spans.
func (m *memory) load(ctx context.Context, tx *storage.Tx, spans []int64) error {
	if m.held > heldMost {
		m.spans, m.held = map[int64]*span{}, 0
	}
	var missing []int64
	for _, n := range spans {
		if m.spans[n] == nil {
			m.spans[n] = &span{total: map[uint64]int{}, mine: map[uint64]int{}}
			missing = append(missing, n)
		}
	}
	const most = 500
	for len(missing) > 0 {
		some := missing[:min(most, len(missing))]
		missing = missing[len(some):]
		err := tx.Query(ctx, `SELECT span, file_id, fresh, known FROM traces_lines WHERE organisation_id = $1 AND source_id = $2 AND span IN (`+storage.In(len(some), 3)+`)`,
			storage.Args(some, m.organisation, m.source), func(row func(...any) error) error {
				var n int64
				var file uuid.UUID
				var fresh, known []byte
				if err := row(&n, &file, &fresh, &known); err != nil {
					return err
				}
				m.learn(m.spans[n], file == m.file, fresh, known)
				return nil
			})
		if err != nil {
			return fmt.Errorf("remember rows of source %s: %w", m.source, err)
		}
	}
	return nil
}

func (m *memory) learn(s *span, mine bool, fresh, known []byte) {
	for i := 0; i+8 <= len(fresh); i += 8 {
		mark := binary.LittleEndian.Uint64(fresh[i:])
		s.total[mark]++
		m.held++
		if mine {
			s.mine[mark]++
		}
	}
	for i := 0; mine && i+8 <= len(known); i += 8 {
		s.mine[binary.LittleEndian.Uint64(known[i:])]++
		m.held++
	}
}

// see notes a row. times is how many times this file said it so far, fresh
// whether it is to be taken. counted tells that a file may say the same twice
// and mean it.
func (m *memory) see(n int64, mark uint64, counted bool) (times int, fresh bool) {
	s := m.spans[n]
	s.mine[mark]++
	m.held++
	times = s.mine[mark]
	fresh = times > s.total[mark]
	if !counted {
		times, fresh = 1, s.total[mark] == 0
	}
	b := m.batch[n]
	if b == nil {
		b = &brings{}
		m.batch[n] = b
	}
	if fresh {
		s.total[mark]++
		b.fresh = binary.LittleEndian.AppendUint64(b.fresh, mark)
	} else {
		b.known = binary.LittleEndian.AppendUint64(b.known, mark)
	}
	return times, fresh
}

// write keeps what the rows of a batch brought.
func (m *memory) write(ctx context.Context, tx *storage.Tx, part int64) error {
	rows := make([][]any, 0, len(m.batch))
	for n, b := range m.batch {
		rows = append(rows, []any{m.organisation, m.source, n, m.file, part, nonNil(b.fresh), nonNil(b.known)})
	}
	return tx.InsertNewRows(ctx, "traces_lines", []string{"organisation_id", "source_id", "span", "file_id", "part", "fresh", "known"}, rows)
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// settle lets go of what only the reading of the file wanted.
func settle(ctx context.Context, tx *storage.Tx, scope access.Scope, file uuid.UUID) error {
	if _, err := tx.Exec(ctx, `DELETE FROM traces_lines WHERE organisation_id = $1 AND file_id = $2 AND fresh = $3`, scope.Organisation(), file, []byte{}); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE traces_lines SET known = $3 WHERE organisation_id = $1 AND file_id = $2`, scope.Organisation(), file, []byte{})
	return err
}
