package parquet_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"

	"tocsin/internal/document/parquet"
)

func columns() []parquet.Column {
	return []parquet.Column{{Name: "n", Kind: parquet.Number}, {Name: "at", Kind: parquet.Instant}, {Name: "who", Kind: parquet.Text}}
}

func written(t *testing.T, rows int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := parquet.New(&b, columns())
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := w.Row(int64(i), int64(1_790_000_000_000_000+i), fmt.Sprintf("agent « %d »", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestFrame reads what any reader reads first: the marks and the length of the
// footer. That DuckDB reads all of it is tested beside the base of traces.
func TestFrame(t *testing.T) {
	for _, rows := range []int{0, 1, 120_000} {
		b := written(t, rows)
		if !bytes.HasPrefix(b, []byte("PAR1")) || !bytes.HasSuffix(b, []byte("PAR1")) {
			t.Fatalf("%d rows: the marks are missing", rows)
		}
		if n := binary.LittleEndian.Uint32(b[len(b)-8:]); int(n) > len(b)-12 {
			t.Errorf("%d rows: the footer has %d bytes of %d", rows, n, len(b))
		}
		if rows == 1 && sha256.Sum256(b) != sha256.Sum256(written(t, rows)) {
			t.Errorf("%d rows: not the same bytes twice", rows)
		}
	}
}

func TestRowsThatDoNotFit(t *testing.T) {
	w, err := parquet.New(&bytes.Buffer{}, columns())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range [][]any{{}, {int64(1), int64(2)}, {"1", int64(2), "x"}, {int64(1), int64(2), int64(3)}, {int64(1), int64(2), 3.5}} {
		if w.Row(row...) == nil {
			t.Errorf("%v was taken", row)
		}
	}
}
