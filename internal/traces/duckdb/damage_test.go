//go:build cgo

package duckdb

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// TestADamagedFileIsPutAside: whatever happened to a file, the others serve, and
// what comes next is taken.
func TestADamagedFileIsPutAside(t *testing.T) {
	for name, hurt := range map[string]func(string) error{
		"not a base": func(path string) error {
			return os.WriteFile(path, []byte(strings.Repeat("ceci n’est pas une base ", 1000)), 0o600)
		},
		"empty": func(path string) error { return os.WriteFile(path, []byte("x"), 0o600) },
		"truncated": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, info.Size()/2)
		},
		"last block cut": func(path string) error {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, info.Size()-1)
		},
		"newer storage": func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			binary.LittleEndian.PutUint64(b[12:], 9999)
			return os.WriteFile(path, b, 0o600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e, _ := opened(t, dir)
			if err := e.Take(context.Background(), placed(0, 100), placed(99, 100)[0].At); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, home.String(), "system-2026-10.duckdb")
			if err := hurt(path); err != nil {
				t.Fatal(err)
			}
			e, aside := opened(t, dir)
			if len(aside) != 1 || aside[0].Class != traces.System || aside[0].Month != "2026-10" || aside[0].Reason == "" {
				t.Fatalf("put aside: %+v", aside)
			}
			if _, err := os.Stat(aside[0].Path); err != nil {
				t.Error(err)
			}
			whole(t, e, 80)
			if err := e.Take(context.Background(), placed(100, 200), placed(199, 200)[0].At); err != nil {
				t.Fatal(err)
			}
			whole(t, e, 180)
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			if _, aside := opened(t, dir); len(aside) != 0 {
				t.Errorf("put aside again: %+v", aside)
			}
		})
	}
}

// TestAFileWithoutItsFreeEndIsWhole: a checkpoint under load may count blocks
// that no table uses and that the file never had; such a file was once taken for
// a truncated one.
func TestAFileWithoutItsFreeEndIsWhole(t *testing.T) {
	dir := t.TempDir()
	e, _ := opened(t, dir)
	if err := e.Take(context.Background(), placed(0, 100), placed(99, 100)[0].At); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, home.String(), "system-2026-10.duckdb")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// Both headers of the database: a sum of the 4,088 bytes after it, then three
	// numbers, then how many blocks there are.
	for _, header := range [][]byte{b[4096:8192], b[8192:12288]} {
		const blocks = 32
		binary.LittleEndian.PutUint64(header[blocks:], binary.LittleEndian.Uint64(header[blocks:])+3)
		sum := uint64(5381)
		for i := 8; i < len(header); i += 8 {
			sum ^= binary.LittleEndian.Uint64(header[i:]) * 0xbf58476d1ce4e5b9
		}
		binary.LittleEndian.PutUint64(header, sum)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	e, aside := opened(t, dir)
	if len(aside) != 0 {
		t.Fatalf("put aside: %+v", aside)
	}
	whole(t, e, 100)
}

// TestALostDictionaryIsMadeAgain: numbers keep their patients.
func TestALostDictionaryIsMadeAgain(t *testing.T) {
	for name, hurt := range map[string]func(string) error{
		"lost":    os.Remove,
		"damaged": func(path string) error { return os.WriteFile(path, []byte("rien"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			e, _ := opened(t, dir)
			batch := placed(0, 1000)
			linked := &batch[500] // of class patient
			linked.IPP, linked.INS = "7", "1850578006084"
			batch[505].IPP, batch[505].INS = "", "1850578006084"
			if err := e.Take(context.Background(), batch, batch[999].At); err != nil {
				t.Fatal(err)
			}
			q := traces.Question{From: event(0).At, To: event(2000).At, Zone: "UTC", Limit: 200, Group: []traces.Field{traces.FieldPatient}}
			before, err := e.Ask(context.Background(), home, q)
			if err != nil || len(before.Groups) != 22 {
				t.Fatalf("%d patients, %v", len(before.Groups), err)
			}
			if err := errors.Join(e.Close(), hurt(e.peoplePath(home))); err != nil {
				t.Fatal(err)
			}
			e, aside := opened(t, dir)
			if (name == "damaged") != (len(aside) == 1) {
				t.Errorf("put aside: %+v", aside)
			}
			after, err := e.Ask(context.Background(), home, q)
			if err != nil || len(after.Groups) != len(before.Groups) {
				t.Fatalf("%d patients of %d, %v", len(after.Groups), len(before.Groups), err)
			}
			for i, g := range after.Groups {
				if b := before.Groups[i]; g.Keys[0] != b.Keys[0] || g.Count != b.Count {
					t.Errorf("patient %d was %+v and is %+v", i, b, g)
				}
			}
		})
	}
}

func TestTwoProcessesDoNotShareABase(t *testing.T) {
	dir := t.TempDir()
	opened(t, dir)
	_, _, err := Open(context.Background(), dir, Options{})
	if f := fault.As(err); f == nil || f.Key != "traces.base.taken" {
		t.Errorf("opened twice: %v", err)
	}
}

// TestAFileOfAnotherEstablishmentIsNotRead: somebody moved it there.
func TestAFileOfAnotherEstablishmentIsNotRead(t *testing.T) {
	dir := t.TempDir()
	e, _ := opened(t, dir)
	if err := e.Take(context.Background(), placed(0, 10), placed(9, 10)[0].At); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "0190aaaa-0000-7000-8000-000000000009")
	if err := os.Rename(filepath.Join(dir, home.String()), other); err != nil {
		t.Fatal(err)
	}
	_, aside := opened(t, dir)
	if len(aside) != 5 {
		t.Errorf("put aside: %+v", aside)
	}
}

// TestABaseReachesNothingElse: no statement reads a file outside of its folder,
// nor changes that.
func TestABaseReachesNothingElse(t *testing.T) {
	e, _ := opened(t, t.TempDir())
	for _, q := range []string{
		"SELECT * FROM read_csv('/etc/passwd')", "ATTACH '/tmp/elsewhere.duckdb' AS elsewhere", "SET enable_external_access = true", "INSTALL icu", "COPY (SELECT 1) TO '/tmp/out.csv'",
	} {
		if err := e.exec(context.Background(), q); err == nil {
			t.Errorf("%s was done", q)
		}
	}
}

// TestAQuestionWithoutMemory fails alone.
func TestAQuestionWithoutMemory(t *testing.T) {
	e, _, err := Open(context.Background(), t.TempDir(), Options{Threads: 2, MemoryMB: 40, TempMB: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	rows, err := e.db.QueryContext(context.Background(), "SELECT list(i::VARCHAR || repeat('x', 100)) FROM range(3000000) t(i)")
	if err == nil {
		err = closing(rows, rows.Err())
	}
	if f := fault.As(told(context.Background(), err)); f == nil || f.Key != "traces.base.memory" {
		t.Errorf("a question without memory: %v", err)
	}
	if err := e.Take(context.Background(), placed(0, 100), placed(99, 100)[0].At); err != nil {
		t.Fatal(err)
	}
	whole(t, e, 100)
}
