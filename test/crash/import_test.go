package crash_test

import (
	"strings"
	"testing"

	"tocsin/internal/directory"
	"tocsin/internal/storage/storagetest"
)

// An import that is killed while it is applied: the directory is entirely the
// one of before, then, once the program runs again, entirely the one of after.
func TestKillDuringAnImport(t *testing.T) {
	t.Parallel()
	const rows = 6000
	i := install(t)
	i.people(rows, "Avant")
	for _, share := range []int{10, 60} {
		before, after := "Avant", "Milieu"
		if share == 60 {
			before, after = "Milieu", "Apres"
		}
		p := i.command("import", i.file(after+".csv", staff(rows, after)), "--go")
		storagetest.Eventually(t, patience, "the import is being applied", func() bool {
			list, err := i.house.Directory.Imports(t.Context(), i.scope)
			if err != nil {
				t.Fatal(err)
			}
			return list[0].FileName == after+".csv" && list[0].State == directory.Applying && list[0].Done*100 >= list[0].Total*share
		})
		p.kill()
		if n := i.named(before, after); n[before] != rows || n[after] != 0 {
			t.Fatalf("killed at %d %%: %v, want everybody as before", share, n)
		}
		served := i.serve()
		storagetest.Eventually(t, patience, "the import goes on by itself", func() bool {
			n := i.named(before, after)
			if n[before]+n[after] != rows || n[before] != 0 && n[after] != 0 {
				t.Fatalf("a directory of two files is seen: %v", n)
			}
			return n[after] == rows
		})
		served.stop()
	}
}

// named counts people by the first name their file gave them.
func (i *installation) named(names ...string) map[string]int {
	i.t.Helper()
	out := map[string]int{}
	if err := i.house.Directory.ExportRows(i.t.Context(), i.scope, "RH", func(row []string) error {
		for _, name := range names {
			if strings.Contains(strings.Join(row, "|"), "|"+name+"|") {
				out[name]++
			}
		}
		return nil
	}); err != nil {
		i.t.Fatal(err)
	}
	return out
}
