package assist_test

import (
	"slices"
	"strings"
	"testing"

	"tocsin/internal/document/assist"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

type field string

func TestAHeaderIsKnownWhateverItsCase(t *testing.T) {
	t.Parallel()
	if a, b := assist.Signature([]string{"Nom  réseau", "IP"}), assist.Signature([]string{"NOM RESEAU", "ip"}); a != b {
		t.Errorf("%q and %q differ", a, b)
	}
	if assist.Signature([]string{"a", "b"}) == assist.Signature([]string{"b", "a"}) {
		t.Error("the order of the columns does not count")
	}
}

func TestAnEmptyColumnGivesWay(t *testing.T) {
	t.Parallel()
	words := assist.Words[field]{"name": {"nom", "libelle"}, "phone": {"tel"}}
	of := func(h string) field { f, _ := words.Field(h); return f }
	got := assist.Guess([]string{"Nom", "Libellé", "Tél", "Tel.", "?"}, [][]string{{"", "Serveur", "1", "2", "3"}}, of, func(f field) bool { return f == "phone" })
	if want := []field{"", "name", "phone", "phone", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAKeptRowComesBack(t *testing.T) {
	t.Parallel()
	k, err := assist.Keep(table.Row{Cells: []string{"a\x00b", "é\xff"}, Raw: strings.Repeat("x", 9_000), Problem: fault.New(fault.Invalid, "table.row.encoding")})
	if err != nil || len(k.Raw) != 4_000 {
		t.Fatalf("%d of raw text, %v", len(k.Raw), err)
	}
	if cells, err := k.Values(); err != nil || len(cells) != 2 || strings.ContainsAny(k.Cells+k.Raw, "\x00\uFFFD") {
		t.Errorf("%q, %v", cells, err)
	}
	if p, found := k.Trouble(); !found || p.Key != "table.row.encoding" || !p.Error {
		t.Errorf("%+v, %v", p, found)
	}
	k.Problem = "not json"
	if p, found := k.Trouble(); !found || p.Key != "table.row.unreadable" {
		t.Errorf("%+v, %v", p, found)
	}
}

func TestNothingRunsInASpreadsheet(t *testing.T) {
	t.Parallel()
	for _, cell := range []string{"=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1"} {
		safe := assist.Harmless(cell)
		if safe[0] != '\'' || assist.Harmed(safe) != cell {
			t.Errorf("%q gives %q", cell, safe)
		}
	}
	for _, cell := range []string{"", "+33 6 39 98 00 01", "l'", "'tis"} {
		if assist.Harmless(cell) != cell || assist.Harmed(cell) != cell {
			t.Errorf("%q is changed", cell)
		}
	}
	catalog, err := i18n.Load(i18n.Locales, table.Locales)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	out, err := assist.NewRefused(&b, catalog.For(i18n.French), "Ligne", "Motif", []string{"Nom"})
	if err != nil {
		t.Fatal(err)
	}
	problems := []assist.Problem{{Key: "table.row.encoding", Error: true}, {Key: "table.row.unclosed_quote"}}
	if err := out.Row(7, assist.Kept{Cells: `["=1+1"]`}, problems); err != nil {
		t.Fatal(err)
	}
	if err := out.Row(8, assist.Kept{Raw: "=raw"}, problems); err != nil || out.Flush() != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "'=1+1") || !strings.Contains(got, "'=raw") || strings.Count(got, "\r\n") != 3 {
		t.Errorf("%q", got)
	}
}
