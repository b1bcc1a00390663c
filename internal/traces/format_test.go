package traces_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"tocsin/internal/traces"
)

func TestReadable(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"déjà":                     "déjà",
		"\ufeffa":                  "a",
		"\xe9t\xe9 \x80 \x92":      "été € ’",
		"a\x00b":                   "a\ufffdb",
		"\xff\xfea\x00\xe9\x00":    "aé",
		"\xfe\xff\x00a":            "a",
		"\xff\xfe\x3d\xd8\x00\xde": "😀",
		"d\xc3":                    "d\ufffd", // a character cut by a datagram
		"été\xc3":                  "été\ufffd",
		"":                         "",
	}
	for in, want := range cases {
		if got := traces.Readable([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzReadable(f *testing.F) {
	f.Add([]byte("\xff\xfea\x00"))
	f.Add([]byte("\xe9t\xe9\xc3"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := traces.Readable(b); !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Fatalf("%q: %q", b, s)
		}
	})
}

func TestPatient(t *testing.T) {
	t.Parallel()
	cases := []struct{ id, system, ipp, ins string }{
		{"8001", "", "8001", ""},
		{"8001^^^CHU&1.2.250.1.999&ISO^PI", "", "8001", ""},
		{"255069934312309^^^ASIP&1.2.250.1.213.1.4.8&ISO", "", "", "255069934312309"},
		{"2 55 06 99 343 123 09", "urn:oid:1.2.250.1.213.1.4.8", "", "255069934312309"},
		{"8001", "urn:oid:1.2.250.1.213.1.4.81", "8001", ""},
		{"269054958815780", "", "", "269054958815780"},
		{"269054958815781", "", "269054958815781", ""},
		{"^^^x", "", "", ""},
	}
	for _, c := range cases {
		var e traces.Event
		if e.Patient(c.id, c.system); e.IPP != c.ipp || e.INS != c.ins {
			t.Errorf("%q %q: IPP %q INS %q", c.id, c.system, e.IPP, e.INS)
		}
	}
	for number, want := range map[string]bool{"180052A00412335": true, "180052A00412336": false, "18005AB00412335": false, "": false} {
		key := number
		if want { // the key of a Corsican number, counted by hand below
			n := 1800520004123 - 1000000
			key = number[:13] + fmt.Sprintf("%02d", 97-n%97)
		}
		if traces.NationalIdentity(key) != want {
			t.Errorf("%q: %v", key, !want)
		}
	}
	var e traces.Event
	e.Patient("1", "")
	e.Patient("2", "")
	if e.IPP != "1" || len(e.Extra) != 1 || e.Extra[0].Value != "2" {
		t.Errorf("%+v", e)
	}
}

func TestBound(t *testing.T) {
	t.Parallel()
	raw := bytes.Repeat([]byte("é"), traces.MaxRaw)
	e := traces.Unread("x", raw, 7)
	if len(e.Raw) != traces.MaxRaw || len(e.Message) > traces.MaxText || !utf8.ValidString(e.Message) || !e.AtGuessed || e.At != 7 || e.Severity != -1 {
		t.Error(len(e.Raw), len(e.Message), e.AtGuessed)
	}
	if e.Extra[0] != (traces.Pair{Name: traces.CutName, Value: fmt.Sprint("raw ", 2*traces.MaxRaw)}) {
		t.Error(e.Extra)
	}
	e = traces.Begin("x", nil, 7)
	e.Key, e.Account = strings.Repeat("k", 201), strings.Repeat("a", traces.MaxText+1)
	for i := range 300 {
		e.Add(fmt.Sprint("n", i), "v")
	}
	e.Bound(0)
	if e.Key != "" || len(e.Account) != traces.MaxText || len(e.Extra) != traces.MaxExtra || e.Extra[traces.MaxExtra-1].Value != "extra 302" {
		t.Error(e.Key, len(e.Account), len(e.Extra), e.Extra[len(e.Extra)-1])
	}
}

func TestPlacesAreFields(t *testing.T) {
	t.Parallel()
	var e traces.Event
	seen := map[*string]bool{}
	for _, p := range traces.Places() {
		got, ok := traces.ParsePlace(p.String())
		if !ok || got != p {
			t.Errorf("%v is read as %v", p, got)
		}
		text := e.Text(p)
		switch p {
		case traces.PlaceAt, traces.PlaceAction, traces.PlaceOutcome, traces.PlaceSeverity, traces.PlaceIgnored:
			if text != nil {
				t.Errorf("%v is no text", p)
			}
		default:
			if text == nil || seen[text] {
				t.Errorf("%v has no text of its own", p)
			}
			seen[text] = true
		}
	}
	if _, ok := traces.ParsePlace(""); ok {
		t.Error("no name is a place")
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]traces.Action{"R": traces.Read, "CONSULTATION": traces.Read, " Impression ": traces.Print, "Bris de glace": traces.BreakGlass, "?": traces.Unsaid} {
		if got := traces.ActionOf(word); got != want {
			t.Errorf("%q: %v", word, got)
		}
	}
	for word, want := range map[string]traces.Outcome{"OK": traces.Success, "Échec": traces.Failure, "Refusé": traces.Denied, "x": traces.OutcomeUnsaid} {
		if got := traces.OutcomeOf(word); got != want {
			t.Errorf("%q: %v", word, got)
		}
	}
	for word, want := range map[string]int8{"WARN": 4, "3": 3, "Erreur": 3, "": -1, "9": -1} {
		if got := traces.SeverityOf(word); got != want {
			t.Errorf("%q: %d", word, got)
		}
	}
}
