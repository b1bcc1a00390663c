package hl7_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/traces"
	"tocsin/internal/traces/hl7"
)

var update = flag.Bool("update", false, "write the golden files")

const received = int64(1796040000000000) // 2026-11-30 12:00 UTC

func paris(t testing.TB) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func read(t testing.TB, raw []byte) (*hl7.Message, traces.News, error) {
	t.Helper()
	m, err := hl7.Parse(raw)
	if err != nil {
		return nil, traces.News{}, err
	}
	n, err := hl7.Read(m, paris(t), received)
	return m, n, err
}

// TestMessages reads messages of every kind, and holds what they say against
// golden files: go test ./internal/traces/hl7 -update.
func TestMessages(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.hl7")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d messages, %v", len(files), err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, n, unread := read(t, bytes.ReplaceAll(raw, []byte("\n"), []byte("\r")))
		if unread != nil {
			t.Errorf("%s: %v", name, unread)
			continue
		}
		got, err := json.MarshalIndent(n, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(name, ".hl7") + ".json"
		if *update {
			if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(append(got, '\n'), want) {
			t.Errorf("%s says\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestTheCharactersThatTheSenderDeclares(t *testing.T) {
	t.Parallel()
	const text = "MSH|^~\\&|A|B|C|D|20261130||ADT^A31|1|P|2.5||||||%\rPID|||1^^^X^PI||LEFÈVRE^Loïc œ€^^^^^L\r"
	latin15, err := charmap.ISO8859_15.NewEncoder().Bytes([]byte(strings.Replace(text, "%", "8859/15", 1)))
	if err != nil {
		t.Fatal(err)
	}
	windows, err := charmap.Windows1252.NewEncoder().Bytes([]byte(strings.Replace(text, "%", "8859/1", 1)))
	if err != nil {
		t.Fatal(err)
	}
	// It says UTF-8 and is not: interfaces that only change the header exist.
	liar := bytes.Replace(windows, []byte("8859/1"), []byte("UNICODE UTF-8"), 1)
	silent := bytes.Replace(windows, []byte("8859/1"), nil, 1)
	for name, raw := range map[string][]byte{
		"utf-8": []byte(strings.Replace(text, "%", "UNICODE UTF-8", 1)), "latin15": latin15, "windows": windows, "liar": liar, "silent": silent,
		"bom": append([]byte("\xEF\xBB\xBF"), strings.Replace(text, "%", "", 1)...),
	} {
		_, n, err := read(t, raw)
		if err != nil || n.Patient.BirthName != "LEFÈVRE" || n.Patient.Given != "Loïc œ€" {
			t.Errorf("%s: %q %q, %v", name, n.Patient.BirthName, n.Patient.Given, err)
		}
	}
}

func TestWhatCannotBeReadIsSaidInOneSentence(t *testing.T) {
	t.Parallel()
	catalog, err := i18n.Load(i18n.Locales, traces.Locales, hl7.Locales)
	if err != nil {
		t.Fatal(err)
	}
	head := "MSH|^~\\&|A|B|C|D|20261130||"
	for text, key := range map[string]string{
		"":                                 "traces.hl7.no_header",
		"hello":                            "traces.hl7.no_header",
		"MSHaaa":                           "traces.hl7.no_header",
		"MSH||||||||":                      "",
		"MSH|^^^^|A|B|C|D":                 "traces.hl7.separators",
		"MSHA^~\\&ABCD":                    "traces.hl7.separators",
		head:                               "traces.hl7.no_kind",
		head + "ADT^A01|1\rPID|||":         "traces.hl7.no_patient",
		head + "ADT^A01|1\rPID|||8^^^X^PI": "traces.hl7.no_visit",
		head + "ADT^A40|1\rPID|||8^^^X^PI": "traces.hl7.no_prior",
		head + "SIU^S12|1\rPID|||8^^^X^PI": "traces.hl7.no_appointment",
		head + "SIU^S12|1\rSCH||5\rPID|||8^^^X^PI":   "traces.hl7.no_time",
		head + strings.Repeat("ADT\rNTE", 3000):      "traces.hl7.segments",
		head + strings.Repeat("x", hl7.MaxMessage+1): "traces.hl7.long",
	} {
		_, _, err := read(t, []byte(text))
		if key == "" {
			key = "traces.hl7.no_kind"
		}
		f := fault.As(err)
		if f == nil || f.Kind != fault.Invalid || f.Key != key {
			t.Errorf("%.60q gives %v, want %s", text, err, key)
			continue
		}
		if !catalog.Has(key) {
			t.Errorf("%s has no sentence", key)
		}
	}
}

func TestTheAnswerComesBackToWhoAsked(t *testing.T) {
	t.Parallel()
	m, _, err := read(t, []byte("MSH|^~\\&|GAM|CHB|TOCSIN|X|20261130||ADT^A31^ADT_A05|c\\T\\1|T|2.5^FRA^2.11||||||8859/1\rPID|||1^^^X^PI"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	got := strings.Split(string(hl7.Ack(m, hl7.Accept, "", "77", now)), "\r")
	if want := "MSH|^~\\&|TOCSIN|X|GAM|CHB|20261130090000+0000||ACK^A31^ACK|77|T|2.5^FRA^2.11||||||8859/1"; got[0] != want {
		t.Errorf("%q, want %q", got[0], want)
	}
	if got[1] != "MSA|AA|c\\T\\1|" || len(got) != 3 {
		t.Errorf("%q", got)
	}
	bad := string(hl7.Ack(m, hl7.Fail, "Numéro | manquant\rMSA|AA|", "78", now))
	if !strings.Contains(bad, "\rMSA|AE|c\\T\\1|Num\xe9ro \\F\\ manquant MSA\\F\\AA\\F\\\rERR|||207^Application internal error^HL70357|E||||Num") || strings.Count(bad, "\r") != 3 {
		t.Errorf("%q", bad)
	}
	if none := string(hl7.Ack(nil, hl7.Reject, "non", "1", now)); !strings.Contains(none, "\rMSA|AR||non\r") {
		t.Errorf("%q", none)
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.hl7")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte("MSH|^~\\&|A|B|C|D|20261130||SIU^S12|1\rSCH||1|||||||||^^^\\X3230\\26\\E\\\rPID|||1"))
	zone := paris(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := hl7.Parse(raw)
		if err != nil {
			if fault.As(err) == nil {
				t.Fatalf("%v is no sentence", err)
			}
			return
		}
		n, err := hl7.Read(m, zone, received)
		if err != nil && fault.As(err) == nil {
			t.Fatalf("%v is no sentence", err)
		}
		if err == nil && !n.Empty() && len(n.Moves)+len(n.Dates) > 51 {
			t.Fatalf("%d moves, %d dates", len(n.Moves), len(n.Dates))
		}
		for _, d := range n.Dates {
			if !d.Cancelled && d.To <= d.From {
				t.Fatalf("a date from %d to %d", d.From, d.To)
			}
		}
		// The answer can always be read, and says one thing.
		back, err := hl7.Parse(hl7.Ack(m, hl7.Accept, "x\ry", "1", time.Unix(0, 0).UTC()))
		if err != nil || back.Segment("MSA").Field(1).Text() != "AA" || len(back.All("MSA")) != 1 {
			t.Fatalf("the answer %+v, %v", back, err)
		}
	})
}
