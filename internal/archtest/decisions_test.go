package archtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A decision is cited by its number, so that no two may have the same.
func TestDecisionsHaveANumberEach(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(filepath.Join("..", "..", "docs", "adr"))
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]string{}
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "-")
		if other := taken[number]; other != "" {
			t.Errorf("%s and %s have the same number", other, f.Name())
		}
		taken[number] = f.Name()
	}
	if len(taken) == 0 {
		t.Error("no decision was found")
	}
}
