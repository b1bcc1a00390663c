//go:build cgo

package duckdb

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/traces"
)

// rows puts the bytes of blocks back into rows of the table of blocks, as the
// versions before had them.
func rows(t *testing.T, e *Engine, alias string) {
	t.Helper()
	ctx := context.Background()
	if err := e.exec(ctx, "ALTER TABLE "+alias+".raw ADD COLUMN data BLOB"); err != nil {
		t.Fatal(err)
	}
	all, err := readSlices(ctx, e.conn, alias, 0, 1<<40)
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	for first := range all {
		if err := e.exec(ctx, "UPDATE "+alias+".raw SET data = $1 WHERE first = $2", all.of(first), first); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAFileOfAVersionBeforeIsBroughtOn makes of a file one as the versions before
// wrote it, and opens it again: nothing is lost, every block is sealed, and what
// comes next is taken.
func TestAFileOfAVersionBeforeIsBroughtOn(t *testing.T) {
	for version, c := range map[string]struct {
		blocks int
		then   []string
	}{
		"without slices": {2, []string{"DROP TABLE @slices", "UPDATE @mark SET version = 2"}},
		// Its open end becomes a block of its own.
		"without a seal": {3, []string{
			"CREATE TABLE @raw_old (first BIGINT, events BIGINT, digest BLOB, data BLOB)",
			"CREATE TABLE @tail_old (first BIGINT, events BIGINT, data BLOB)",
			"INSERT INTO @raw_old SELECT first, events, NULL, data FROM @raw",
			"INSERT INTO @tail_old SELECT first, events, data FROM @tail",
			"DROP TABLE @raw", "DROP TABLE @tail", "DROP TABLE @slices",
			"ALTER TABLE @raw_old RENAME TO raw", "ALTER TABLE @tail_old RENAME TO tail",
			"UPDATE @mark SET version = 1",
		}},
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			broughtOn(t, c.then, c.blocks)
		})
	}
}

func broughtOn(t *testing.T, then []string, blocks int) {
	ctx := context.Background()
	dir := t.TempDir()
	e, _ := opened(t, dir)
	take := func(n int) {
		t.Helper()
		if err := e.Take(ctx, placed(n*40, n*40+40), placed(n*40+39, n*40+40)[0].At); err != nil {
			t.Fatal(err)
		}
	}
	take(0)
	if _, err := e.Blocks(ctx, home, traces.BlockQuery{Close: true}); err != nil {
		t.Fatal(err)
	}
	take(1)
	take(2)
	for _, key := range e.filesOf(home) {
		rows(t, e, key.alias())
		for _, q := range then {
			if err := e.exec(ctx, replaceAt(strings.ReplaceAll(q, "@", "@."), key)); err != nil {
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
		if len(f.Blocks) != blocks || f.Strays != 0 {
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
