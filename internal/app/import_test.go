package app_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/app"
	"tocsin/internal/config"
	"tocsin/internal/organisation"
)

// A staff file cut half way, imported by a task of the machine, must not empty the directory.
func TestImportRefusesAFileThatEmptiesTheDirectory(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	data, key := filepath.Join(folder, "data"), filepath.Join(folder, "tocsin.key")
	establish(t, data, key)
	run := func(want int, rows int, flags ...string) string {
		t.Helper()
		file := filepath.Join(folder, "personnel.csv")
		if err := os.WriteFile(file, []byte(staff(rows)), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		args := append([]string{"import", file, "--data", data, "--key-file", key, "--log-level", "error"}, flags...)
		if got := app.Main(args, strings.NewReader(""), &out, &errs); got != want {
			t.Fatalf("%v of %d rows: exit %d, want %d: %s%s", flags, rows, got, want, &out, &errs)
		}
		return out.String() + errs.String()
	}
	run(0, 40, "--go")
	if said := run(1, 10, "--go"); !strings.Contains(said, "--force") {
		t.Errorf("the refusal does not tell how to go on: %s", said)
	}
	run(0, 40, "--go") // nobody has gone: the same file changes nothing
	if said := run(0, 10, "--go", "--force"); !strings.Contains(said, "30") {
		t.Errorf("30 people should have gone: %s", said)
	}
}

// establish makes one establishment in a new installation.
func establish(t *testing.T, data, key string) {
	t.Helper()
	s := &config.Server{Listen: "127.0.0.1:0", PublicURL: "https://tocsin.test", Data: data, KeyFile: key, LogLevel: "error", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris"}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	h, err := app.Build(t.Context(), app.Plan{Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CHU de Valbrume", Language: "fr"}); err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
}

// staff is a file of n people with numbers of the ranges reserved for fiction.
func staff(n int) string {
	var b strings.Builder
	b.WriteString("Matricule;Nom;Prénom;Portable\n")
	for i := range n {
		fmt.Fprintf(&b, "M%04d;NOM%04d;Anne;06399%05d\n", i, i, i)
	}
	return b.String()
}
