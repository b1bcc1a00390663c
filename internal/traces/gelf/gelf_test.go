package gelf_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"strings"
	"testing"

	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/gelf"
)

const (
	received = int64(1796047506000000) // 2026-11-30T14:05:06Z
	message  = `{"version":"1.1","host":"srv-pacs","short_message":"Examen ouvert","full_message":"long","timestamp":1796047500.25,"level":6,"facility":"PACS","_account":"a.martin","_ipp":"8001","_action":"read","_salle":"IRM 2","_nested":{"a":1}}`
)

func TestParse(t *testing.T) {
	t.Parallel()
	events, err := gelf.Format{}.Parse(nil, []byte(message), received)
	if err != nil || len(events) != 1 {
		t.Fatal(err)
	}
	e := events[0]
	got := fmt.Sprint([]any{e.Workstation, e.Message, e.At, e.AtGuessed, e.Severity, e.Application, e.Account, e.IPP, e.Action, e.Extra})
	want := "[srv-pacs Examen ouvert 1796047500250000 false 6 PACS a.martin 8001 read [{full_message long} {salle IRM 2} {nested.a 1}]]"
	if got != want || string(e.Raw) != message {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	mapped := gelf.Format{Fields: map[string]traces.Place{"salle": traces.PlaceService}}
	if events, _ = mapped.Parse(nil, []byte(message), received); events[0].Service != "IRM 2" {
		t.Error(events[0].Service)
	}
}

func packed(t testing.TB, w func(io.Writer) io.WriteCloser, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := w(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
func zlibbed(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }

func TestCompressed(t *testing.T) {
	t.Parallel()
	for name, w := range map[string]func(io.Writer) io.WriteCloser{"gzip": gzipped, "zlib": zlibbed} {
		events, err := gelf.Format{}.Parse(nil, packed(t, w, message), received)
		if err != nil || string(events[0].Raw) != message || events[0].IPP != "8001" {
			t.Error(name, err)
		}
		bomb := packed(t, w, strings.Repeat(" ", 8<<20))
		events, err = gelf.Format{}.Parse(nil, bomb, received)
		if f := fault.As(err); f == nil || f.Key != "traces.gelf.long" || !bytes.Equal(events[0].Raw, bomb) {
			t.Error(name, err)
		}
		cut := packed(t, w, message)[:40]
		events, err = gelf.Format{}.Parse(nil, cut, received)
		if f := fault.As(err); f == nil || f.Key != "traces.gelf.compressed" || !bytes.Equal(events[0].Raw, cut) {
			t.Error(name, err)
		}
	}
}

func TestWhatIsWrong(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"version":"1.1","host":"h"}`:                                        "traces.gelf.missing short_message",
		`{"version":"1.1","short_message":"m"}`:                               "traces.gelf.missing host",
		`{"version":"1.1","host":"h","short_message":"m","timestamp":"hier"}`: "traces.gelf.value timestamp",
		`{"version":"1.1","host":"h","short_message":"m","level":99}`:         "traces.gelf.value level",
		`{"host":`:  "traces.gelf.json ",
		`[]`:        "traces.gelf.json ",
		``:          "traces.gelf.json ",
		"\x1e\x0fx": "traces.gelf.json ",
	} {
		events, err := gelf.Format{}.Parse(nil, []byte(in), received)
		f := fault.As(err)
		if f == nil || f.Key+" "+f.Field != want || len(events) != 1 || string(events[0].Raw) != in {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := (gelf.Format{}).Parse(nil, []byte(message+"\x00\n"), received); err != nil {
		t.Error(err)
	}
}

// chunk writes one of a message.
func chunk(id byte, seq, count int, data string) []byte {
	return append([]byte{0x1e, 0x0f, id, 0, 0, 0, 0, 0, 0, 0, byte(seq), byte(count)}, data...)
}

func TestChunks(t *testing.T) {
	t.Parallel()
	a := gelf.NewAssembler()
	add := func(from string, datagram []byte, now int64) string {
		m, ok := a.Add(from, datagram, now)
		if !ok {
			return "…"
		}
		return string(m)
	}
	steps := []struct {
		from string
		in   []byte
		want string
	}{
		{"a", []byte("{}"), "{}"},
		{"a", chunk(1, 1, 2, "monde"), "…"},
		{"b", chunk(1, 0, 2, "autre "), "…"}, // the id of another sender is another message
		{"a", chunk(1, 1, 2, "double"), "…"},
		{"a", chunk(1, 0, 3, "another count"), "…"},
		{"a", chunk(1, 0, 2, "bonjour "), "bonjour monde"},
		{"a", chunk(2, 0, 1, "seul"), "seul"},
		{"a", chunk(3, 5, 2, "x"), string(chunk(3, 5, 2, "x"))},
		{"a", chunk(3, 0, 129, "x"), string(chunk(3, 0, 129, "x"))},
		{"a", chunk(3, 0, 0, "x"), string(chunk(3, 0, 0, "x"))},
		{"a", chunk(3, 0, 2, ""), string(chunk(3, 0, 2, ""))},
	}
	for i, s := range steps {
		if got := add(s.from, s.in, 1000); got != s.want {
			t.Errorf("step %d: %q, want %q", i, got, s.want)
		}
	}
	if got := a.GivenUp(1000 + 4999999); len(got) != 0 {
		t.Error(got)
	}
	got := a.GivenUp(1000 + 5000000)
	if len(got) != 1 || got[0].From != "b" || string(got[0].Received) != "autre " || got[0].Got != 1 || got[0].Want != 2 {
		t.Errorf("%+v", got)
	}
	events, err := gelf.Format{}.Incomplete(nil, got[0], received)
	if f := fault.As(err); f == nil || f.Key != "traces.gelf.incomplete" || string(events[0].Raw) != "autre " {
		t.Error(err)
	}
}

// TestAFloodOfFirstChunks holds the bounds, and that what is pushed out is given back.
func TestAFloodOfFirstChunks(t *testing.T) {
	t.Parallel()
	a := gelf.NewAssembler()
	data := strings.Repeat("x", 8000)
	given, size := 0, 0
	for i := range 3000 {
		if _, ok := a.Add(fmt.Sprint(i), chunk(1, 0, 2, data), 0); ok {
			t.Fatal("half a message is whole")
		}
		for _, p := range a.GivenUp(0) {
			given++
			size += len(p.Received)
		}
	}
	if given < 2000 || given > 2999 || size != given*8000 {
		t.Error(given, size)
	}
	// One message longer than an event may be.
	for i := range 128 {
		a.Add("long", chunk(9, i, 128, strings.Repeat("y", 60000)), 0)
	}
	most := 0
	for _, p := range a.GivenUp(0) {
		most = max(most, len(p.Received))
	}
	if most == 0 || most > 2<<20 {
		t.Error(most)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", gelf.Locales)
	if !gelf.Fits(message) || gelf.Fits(`{"a":1}`) {
		t.Error("what fits is not told")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(message))
	f.Add(packed(f, gzipped, message))
	f.Add(packed(f, zlibbed, message))
	f.Add(chunk(1, 0, 2, "x"))
	f.Fuzz(func(t *testing.T, in []byte) {
		a := gelf.NewAssembler()
		whole, ok := a.Add("x", in, 0)
		if !ok {
			if got := a.GivenUp(1 << 40); len(got) != 1 || !bytes.HasSuffix(in, got[0].Received) {
				t.Fatalf("%q: %v", in, got)
			}
			return
		}
		events, err := gelf.Format{}.Parse(nil, whole, received)
		if len(events) != 1 || err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%q: %d events, %v", in, len(events), err)
		}
	})
}
