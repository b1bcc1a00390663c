// Package parquet is « Le tableau en colonnes »: it writes a table as a Parquet
// file, row by row, for whoever counts with a program.
//
// It promises files that DuckDB, pandas and Arrow read, memory that does not grow
// with the rows, and the same bytes for the same rows.
//
// It never reads one, and knows texts, whole numbers and instants only; no cell is
// missing: a text that was not said is empty.
package parquet

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Kind is what a column holds.
type Kind int

// The kinds. An Instant is microseconds of UTC since 1970.
const (
	Text Kind = iota
	Number
	Instant
)

// Column is one of the table.
type Column struct {
	Name string
	Kind Kind
}

// groupBytes is how much is gathered before a group of rows is written.
const groupBytes = 4 << 20

// The numbers of the format (parquet.thrift, 2.10).
const (
	typeInt64     = 2
	typeBytes     = 6
	convertedUTF8 = 0
	convertedTime = 10 // TIMESTAMP_MICROS
	codecGzip     = 2
	encodingPlain = 0
	encodingRLE   = 3
	mark          = "PAR1"
)

// Writer writes rows; Close ends the file.
type Writer struct {
	out     io.Writer
	at      int64
	columns []Column
	pending []bytes.Buffer
	held    int
	rows    int64
	total   int64
	groups  []group
}

// group is rows that were written, column by column.
type group struct {
	rows   int64
	bytes  int64
	chunks []chunk
}

// chunk is one column of a group.
type chunk struct{ at, plain, packed int64 }

// New starts a file.
func New(out io.Writer, columns []Column) (*Writer, error) {
	w := &Writer{out: out, columns: columns, pending: make([]bytes.Buffer, len(columns))}
	return w, w.write([]byte(mark))
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.at += int64(n)
	if err != nil {
		return fmt.Errorf("write parquet: %w", err)
	}
	return nil
}

var errRow = errors.New("a row that does not fit its columns")

// Row adds a row: a string for a Text, an int64 for the others.
func (w *Writer) Row(values ...any) error {
	if len(values) != len(w.columns) {
		return errRow
	}
	for i, v := range values {
		var b []byte
		switch x := v.(type) {
		case string:
			if w.columns[i].Kind != Text {
				return errRow
			}
			b = append(binary.LittleEndian.AppendUint32(nil, uint32(len(x))), x...)
		case int64:
			if w.columns[i].Kind == Text {
				return errRow
			}
			b = binary.LittleEndian.AppendUint64(nil, uint64(x))
		default:
			return errRow
		}
		w.held += len(b)
		w.pending[i].Write(b) // a buffer in memory does not fail
	}
	w.rows++
	if w.held < groupBytes {
		return nil
	}
	return w.flush()
}

// flush writes what was gathered as one group, with one page for each column.
func (w *Writer) flush() error {
	if w.rows == 0 {
		return nil
	}
	g := group{rows: w.rows}
	for i := range w.columns {
		plain := w.pending[i].Bytes()
		packed, err := pack(plain)
		if err != nil {
			return err
		}
		head := pageHeader(len(plain), len(packed), w.rows)
		c := chunk{at: w.at, plain: int64(len(head) + len(plain)), packed: int64(len(head) + len(packed))}
		if err := errors.Join(w.write(head), w.write(packed)); err != nil {
			return err
		}
		g.bytes += c.plain
		g.chunks = append(g.chunks, c)
		w.pending[i].Reset()
	}
	w.groups, w.total, w.rows, w.held = append(w.groups, g), w.total+w.rows, 0, 0
	return nil
}

func pack(plain []byte) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(plain); err != nil {
		return nil, fmt.Errorf("pack parquet: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("pack parquet: %w", err)
	}
	return b.Bytes(), nil
}

// Close writes what is left and the description that ends the file; it does not
// close what is below.
func (w *Writer) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	foot := w.footer()
	return w.write(append(binary.LittleEndian.AppendUint32(foot, uint32(len(foot))), mark...))
}

func pageHeader(plain, packed int, rows int64) []byte {
	t := &thrift{}
	t.i32(1, 0) // a page of data
	t.i32(2, int64(plain))
	t.i32(3, int64(packed))
	t.object(5, func() {
		t.i32(1, rows)
		t.i32(2, encodingPlain)
		t.i32(3, encodingRLE)
		t.i32(4, encodingRLE)
	})
	return t.end()
}

func (w *Writer) footer() []byte {
	t := &thrift{}
	t.i32(1, 1)
	t.list(2, kindStruct, len(w.columns)+1)
	t.element(func() { t.text(4, "schema"); t.i32(5, int64(len(w.columns))) })
	for _, c := range w.columns {
		t.element(func() {
			t.i32(1, c.Kind.physical())
			t.i32(3, 0) // required
			t.text(4, c.Name)
			if converted, ok := c.Kind.converted(); ok {
				t.i32(6, converted)
			}
		})
	}
	t.i64(3, w.total)
	t.list(4, kindStruct, len(w.groups))
	for _, g := range w.groups {
		t.element(func() { w.describe(t, g) })
	}
	t.text(6, "Tocsin")
	return t.end()
}

func (w *Writer) describe(t *thrift, g group) {
	t.list(1, kindStruct, len(g.chunks))
	for i, c := range g.chunks {
		t.element(func() {
			t.i64(2, c.at)
			t.object(3, func() {
				t.i32(1, w.columns[i].Kind.physical())
				t.list(2, kindI32, 2)
				t.zigzag(encodingPlain)
				t.zigzag(encodingRLE)
				t.list(3, kindBinary, 1)
				t.bytes(w.columns[i].Name)
				t.i32(4, codecGzip)
				t.i64(5, g.rows)
				t.i64(6, c.plain)
				t.i64(7, c.packed)
				t.i64(9, c.at)
			})
		})
	}
	t.i64(2, g.bytes)
	t.i64(3, g.rows)
}

func (k Kind) physical() int64 {
	if k == Text {
		return typeBytes
	}
	return typeInt64
}

func (k Kind) converted() (int64, bool) {
	switch k {
	case Text:
		return convertedUTF8, true
	case Instant:
		return convertedTime, true
	}
	return 0, false
}
