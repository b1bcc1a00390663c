//go:build cgo

package duckdb

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"tocsin/internal/traces"
)

// TestAFileOfTheVersionBeforeIsSealed makes of a file one that bears no seal, as
// the version before wrote it, and opens it again: nothing is lost, every block
// is sealed, and what comes next is taken.
func TestAFileOfTheVersionBeforeIsSealed(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	e, _ := opened(t, dir)
	for n := range 3 {
		if err := e.Take(ctx, placed(n*40, n*40+40), placed(n*40+39, n*40+40)[0].At); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range e.filesOf(home) {
		for _, q := range []string{
			"CREATE TABLE @raw_old (first BIGINT, events BIGINT, digest BLOB, data BLOB)",
			"CREATE TABLE @tail_old (first BIGINT, events BIGINT, data BLOB)",
			"INSERT INTO @raw_old SELECT first, events, NULL, data FROM @raw",
			"INSERT INTO @tail_old SELECT first, events, data FROM @tail",
			"DROP TABLE @raw", "DROP TABLE @tail",
			"ALTER TABLE @raw_old RENAME TO raw", "ALTER TABLE @tail_old RENAME TO tail",
			"UPDATE @mark SET version = 1",
		} {
			if err := e.exec(ctx, string(bytes.ReplaceAll([]byte(q), []byte("@"), []byte(key.alias()+".")))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, aside := opened(t, dir)
	if len(aside) != 0 {
		t.Fatalf("put aside: %+v", aside)
	}
	whole(t, e, 120)
	if err := e.Take(ctx, placed(120, 160), placed(159, 160)[0].At); err != nil {
		t.Fatal(err)
	}
	whole(t, e, 160)
	files, err := e.Blocks(ctx, home, traces.BlockQuery{Close: true, Read: true})
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if len(f.Blocks) != 2 || f.Strays != 0 {
			t.Errorf("%d blocks, %d strays", len(f.Blocks), f.Strays)
		}
		for _, b := range f.Blocks {
			if b.Read == nil || !bytes.Equal(b.Read, b.Root) {
				t.Errorf("block from %d of %s: sealed as %x, read as %x", b.First, f.Month, b.Root, b.Read)
			}
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, home.String(), "*.aside-*")); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
}
