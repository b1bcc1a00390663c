//go:build cgo

package duckdb

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tocsin/internal/document/parquet"
)

// TestDuckDBReadsOurParquet writes several groups of rows and has the engine, which
// shares no line with the writer, count and add them.
func TestDuckDBReadsOurParquet(t *testing.T) {
	name := filepath.Join(t.TempDir(), "traces.parquet")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w, err := parquet.New(file, []parquet.Column{{Name: "n", Kind: parquet.Number}, {Name: "at", Kind: parquet.Instant}, {Name: "who", Kind: parquet.Text}})
	const rows = 200_000
	for i := 0; err == nil && i < rows; i++ {
		err = w.Row(int64(i), int64(1_790_000_000_000_000+i), fmt.Sprintf("Hélène « %d »", i%7))
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var got string
	err = db.QueryRow(`SELECT concat_ws(' ', count(*), sum(n), typeof(min("at")), epoch_us(max("at")), count(DISTINCT who), min(who)) FROM read_parquet('` + name + `')`).Scan(&got)
	if want := fmt.Sprintf("%d %d TIMESTAMP %d 7 Hélène « 0 »", rows, rows*(rows-1)/2, 1_790_000_000_000_000+rows-1); err != nil || got != want {
		t.Errorf("read %q, want %q, %v", got, want, err)
	}
}
