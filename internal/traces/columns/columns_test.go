package columns_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
)

var semicolons = columns.Cut{Kind: columns.CSV, Delimiter: ";", Encoding: "utf-8", Header: true}

func open(t testing.TB, text string, cut columns.Cut, from columns.Position) *columns.Reader {
	t.Helper()
	r, err := columns.Open(strings.NewReader(text), int64(len(text)), cut, from)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func all(t testing.TB, r *columns.Reader) (out []columns.Row) {
	t.Helper()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, row)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func cells(rows []columns.Row) (out [][]string) {
	for _, r := range rows {
		out = append(out, r.Cells)
	}
	return out
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", columns.Locales)
}

func TestRowsOfCSV(t *testing.T) {
	t.Parallel()
	cases := map[string][][]string{
		"a;b\n1;2\n":                  {{"1", "2"}},
		"a;b\r\n1;2":                  {{"1", "2"}},
		"a;b\n\"x;y\";\"d\"\"e\"\n":   {{"x;y", `d"e`}},
		"a;b\n\"l1\nl2\";2\n3;4\n":    {{"l1\nl2", "2"}, {"3", "4"}},
		"a;b\n\n ; \n1;2\n":           {{"1", "2"}},
		"\ufeffa;b\n1;2\n":            {{"1", "2"}},
		"a;b\nl'\"ami\";2\n":          {{`l'"ami"`, "2"}},
		"a;b\n\"un \"mot\" dit\";2\n": {{`un "mot" dit`, "2"}},
		"a;b\n\xe9t\xe9;2\n":          {{"été", "2"}},
		"a;b\n1\x00;2\n":              {{"1\ufffd", "2"}},
		"a;b\n":                       nil,
		"":                            nil,
	}
	for text, want := range cases {
		if got := cells(all(t, open(t, text, semicolons, columns.Position{}))); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAQuoteThatNeverClosesCostsItsLineOnly(t *testing.T) {
	t.Parallel()
	rows := all(t, open(t, "a;b\n\"ouvert;1\n2;3\n4;5\n", semicolons, columns.Position{}))
	if len(rows) != 3 || rows[0].Problem == nil || string(rows[0].Raw) != "\"ouvert;1" || rows[1].Cells[1] != "3" || rows[2].Line != 4 {
		t.Errorf("%+v", rows)
	}
}

// TestReadingGoesOnFromAnyRow reads a file from each of its boundaries.
func TestReadingGoesOnFromAnyRow(t *testing.T) {
	t.Parallel()
	text := "titre\na;b\n1;2\n\"x\ny\";3\n\n4;5\n"
	wide := utf16Bytes(text)
	for name, c := range map[string]struct {
		text string
		cut  columns.Cut
	}{
		"utf-8":  {text, columns.Cut{Kind: columns.CSV, Delimiter: ";", Encoding: "utf-8", Header: true, Skip: 1}},
		"utf-16": {wide, columns.Cut{Kind: columns.CSV, Delimiter: ";", Encoding: "utf-16le", Header: true, Skip: 1}},
		"plain":  {text, columns.Cut{Kind: columns.CSV, Delimiter: ";", Encoding: "utf-8"}},
		"book":   {string(book(t, [][]any{{"titre"}, {"a", "b"}, {"1", "2"}, {}, {"4", "5"}})), columns.Cut{Kind: columns.XLSX, Header: true, Skip: 1}},
	} {
		whole := all(t, open(t, c.text, c.cut, columns.Position{}))
		if len(whole) < 2 {
			t.Fatalf("%s: %d rows", name, len(whole))
		}
		for i, row := range whole {
			rest := all(t, open(t, c.text, c.cut, row.After))
			if !reflect.DeepEqual(cells(rest), cells(whole[i+1:])) || len(rest) > 0 && rest[0].Line != whole[i+1].Line {
				t.Errorf("%s: after row %d: %q, want %q", name, i, cells(rest), cells(whole[i+1:]))
			}
		}
	}
}

func utf16Bytes(text string) string {
	var b bytes.Buffer
	b.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune(text)) {
		b.Write(binary.LittleEndian.AppendUint16(nil, u))
	}
	return b.String()
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	text := "a;b\nœuf €;Ċ\n" // U+010A: one of its bytes is an end of line
	latin, err := charmap.ISO8859_15.NewEncoder().String("a;b\nœuf €;x\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ encoding, text, second string }{{"utf-16le", utf16Bytes(text), "Ċ"}, {"iso-8859-15", latin, "x"}} {
		cut := semicolons
		cut.Encoding = c.encoding
		rows := all(t, open(t, c.text, cut, columns.Position{}))
		if len(rows) != 1 || rows[0].Cells[0] != "œuf €" || rows[0].Cells[1] != c.second || !rows[0].Whole {
			t.Errorf("%s: %+v", c.encoding, rows)
		}
	}
}

func TestFixedWidth(t *testing.T) {
	t.Parallel()
	cut := columns.Cut{Kind: columns.Fixed, Encoding: "utf-8", Skip: 1, Fields: []columns.Field{{Name: "date", From: 1, To: 10}, {Name: "qui", From: 12, To: 20}, {Name: "ipp", From: 21, To: 99}}}
	r := open(t, "ENTETE\n2026-11-30 été      8001\ncourt\n", cut, columns.Position{})
	if got := cells(all(t, r)); !reflect.DeepEqual(got, [][]string{{"2026-11-30", "été", "8001"}, {"court", "", ""}}) || r.Header()[1] != "qui" {
		t.Errorf("%q", got)
	}
}

func book(t testing.TB, rows [][]any) []byte {
	t.Helper()
	f := excelize.NewFile()
	for i, row := range rows {
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := errors.Join(f.Write(&b), f.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWorkbook(t *testing.T) {
	t.Parallel()
	content := book(t, [][]any{{"Date", "Utilisateur"}, {time.Date(2026, 11, 30, 14, 5, 0, 0, time.UTC), "durand"}, {46356.5871, "=1+1"}})
	rows := all(t, open(t, string(content), columns.Cut{Kind: columns.XLSX, Header: true}, columns.Position{}))
	if len(rows) != 2 || rows[0].Cells[1] != "durand" || string(rows[1].Raw) != `["46356.5871","=1+1"]` || rows[1].Line != 3 {
		t.Errorf("%+v %s", rows, rows[1].Raw)
	}
	if _, err := columns.Open(strings.NewReader("a;b"), 3, columns.Cut{Kind: columns.XLSX}, columns.Position{}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// TestHostileLines reads what should not be: a line of 100 MB costs the memory of
// its beginning, and 20,000 columns are one bad row.
func TestHostileLines(t *testing.T) {
	before := allocated()
	size := int64(100<<20) + 20
	r, err := columns.Open(endless{size}, size, semicolons, columns.Position{})
	if err != nil {
		t.Fatal(err)
	}
	rows := all(t, r)
	if len(rows) != 2 || rows[0].Problem == nil || len(rows[0].Raw) != traces.MaxRaw || rows[0].Length != 100<<20 || rows[1].Cells[0] != "fin" {
		t.Errorf("%d rows", len(rows))
	}
	if used := allocated() - before; used > 64<<20 {
		t.Errorf("%d MB allocated for one line", used>>20)
	}
	rows = all(t, open(t, "a;b\n"+strings.Repeat("x;", 20000)+"\n1;2\n", semicolons, columns.Position{}))
	if len(rows) != 2 || rows[0].Problem == nil || rows[0].Problem.Key != "traces.columns.row.wide" || rows[1].Problem != nil {
		t.Errorf("%+v", rows[1])
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// endless is "a;b", a line of 100 MB, and a last line.
type endless struct{ size int64 }

func (e endless) ReadAt(p []byte, at int64) (int, error) {
	head, tail := []byte("a;b\n"), []byte("\nfin;1\n")
	for i := range p {
		switch n := at + int64(i); {
		case n >= int64(len(head))+100<<20+int64(len(tail)):
			return i, io.EOF
		case n < int64(len(head)):
			p[i] = head[n]
		case n < int64(len(head))+100<<20:
			p[i] = 'z'
		default:
			p[i] = tail[n-int64(len(head))-100<<20]
		}
	}
	return len(p), nil
}

func TestTimes(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 11, 30, 14, 5, 0, 0, paris).UnixMicro()
	for _, c := range []struct{ way, text string }{
		{"auto", "2026-11-30T14:05:00+01:00"},
		{"auto", "30/11/2026 14:05:00"},
		{"auto", "20261130140500"},
		{"auto", "1796043900"},
		{"dmy", "30/11/2026 14:05"},
		{"dmy", "30.11.26 14h05"},
		{"dmy", "30-11-2026 14:05:00.000"},
		{"dmy", "30 nov. 2026 à 14:05"},
		{"dmy", "30 novembre 2026 14h05"},
		{"mdy", "11/30/2026 2:05 PM"},
		{"mdy", "11/30/2026 02:05:00 PM"},
		{"mdy", "Nov 30, 2026 14:05"},
		{"ymd", "2026/11/30 14:05"},
		{"ymd", "2026.11.30 13:05:00Z"},
		{"excel", "46356.586805555555"},
		{"excel", "46356,586805555555"},
		{"epoch", "1796043900000"},
	} {
		e, err := event(t, columns.Rule{Place: "at", Columns: []string{"quand"}, Times: []string{c.way}}, "quand\n"+c.text+"\n", paris)
		if err != nil || e.At != want || e.AtGuessed {
			t.Errorf("%s %q: %v %v", c.way, c.text, time.UnixMicro(e.At).In(paris), err)
		}
	}
	for _, c := range []struct{ way, text string }{{"dmy", "31/02/2026 10:00"}, {"dmy", "30/11/2026 25:00"}, {"mdy", "30/11/2026 10:00"}, {"excel", "59"}, {"dmy", "hier"}, {"mdy", "11/30/2026 14:05 PM"}} {
		e, err := event(t, columns.Rule{Place: "at", Columns: []string{"quand"}, Times: []string{c.way}}, "quand\n"+c.text+"\n", paris)
		if !fault.Is(err, fault.Invalid) || !e.AtGuessed || len(e.Extra) != 1 || e.Extra[0].Value != c.text {
			t.Errorf("%s %q: %+v %v", c.way, c.text, e, err)
		}
	}
}

func event(t *testing.T, r columns.Rule, text string, zone *time.Location) (traces.Event, error) {
	t.Helper()
	cut := semicolons
	reader := open(t, text, cut, columns.Position{})
	p, err := columns.Mapping{Cut: cut, Rules: []columns.Rule{r}}.Plan(reader.Header(), zone, columns.Files)
	if err != nil {
		t.Fatal(err)
	}
	row, err := reader.Next()
	if err != nil {
		t.Fatal(err)
	}
	return p.Event(row, 7)
}

func TestParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ part, separator, in, want string }{
		{"", "", "DURAND Anne", "DURAND Anne"},
		{"natural", "", "DURAND-PETIT Anne Marie", "Anne Marie DURAND-PETIT"},
		{"natural", "", "Durand, Anne", "Anne Durand"},
		{"natural", "", "DURAND", "DURAND"},
		{"before", " - ", "8001 - DURAND", "8001"},
		{"after", " - ", "8001 - DURAND", "DURAND"},
		{"after", " - ", "8001", ""},
		{"within", "", "DURAND Anne (adurand)", "adurand"},
		{"outside", "", "DURAND Anne (adurand)", "DURAND Anne"},
		{"within", "", "DURAND", ""},
	} {
		e, err := event(t, columns.Rule{Place: "person", Columns: []string{"qui"}, Part: c.part, Separator: c.separator}, "qui\n"+c.in+"\n", time.UTC)
		if err != nil || e.Person != c.want {
			t.Errorf("%s %q: %q %v", c.part, c.in, e.Person, err)
		}
	}
}

// TestAnExport puts a line of a DPI into the model: what is mapped, what is not,
// and the original.
func TestAnExport(t *testing.T) {
	t.Parallel()
	text := "Date;Heure;Utilisateur;Type;IPP;Patient;Résultat;Couleur\n30/11/2026;14:05;DURAND Anne (adurand);CS;8001;PETIT Paul;1;bleu\n"
	m := columns.Mapping{Cut: semicolons, Rules: []columns.Rule{
		{Place: "at", Columns: []string{"Date", "Heure"}, Times: []string{"dmy"}},
		{Place: "account", Columns: []string{"utilisateur"}, Part: "within"},
		{Place: "person", Columns: []string{"Utilisateur"}, Part: "outside"},
		{Place: "action", Columns: []string{"Type"}, Words: map[string]string{"cs": "read"}},
		{Place: "ipp", Columns: []string{"IPP"}},
		{Place: "outcome", Columns: []string{"Résultat"}, Words: map[string]string{"1": "success"}},
		{Place: "application", Constant: "DxCare"},
	}}
	r := open(t, text, m.Cut, columns.Position{})
	p, err := m.Plan(r.Header(), time.UTC, columns.Files)
	if err != nil {
		t.Fatal(err)
	}
	e, err := p.Event(all(t, r)[0], 7)
	if err != nil {
		t.Fatal(err)
	}
	want := traces.Event{
		Collector: "files", At: time.Date(2026, 11, 30, 14, 5, 0, 0, time.UTC).UnixMicro(), Received: 7, Account: "adurand", Person: "DURAND Anne", Action: traces.Read, Verb: "CS",
		IPP: "8001", Outcome: traces.Success, Application: "DxCare", Severity: -1, Raw: []byte("30/11/2026;14:05;DURAND Anne (adurand);CS;8001;PETIT Paul;1;bleu"),
		Extra: []traces.Pair{{Name: "Utilisateur", Value: "DURAND Anne (adurand)"}, {Name: "Patient", Value: "PETIT Paul"}, {Name: "Couleur", Value: "bleu"}},
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("%+v\nwant %+v", e, want)
	}
	if _, err := m.Plan([]string{"Date", "Heure"}, time.UTC, "files"); !fault.Is(err, fault.Invalid) {
		t.Error("a header without a mapped column is refused:", err)
	}
	b, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := columns.Decode(b)
	if m.Form = 1; err != nil || !reflect.DeepEqual(back, m) {
		t.Errorf("%+v %v", back, err)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	rows := all(t, open(t, "id;b\n1;x\n1;y\n1;x\n", semicolons, columns.Position{}))
	for _, c := range []struct {
		key           []string
		first, second bool // the same as the row before
	}{{nil, false, true}, {[]string{"id"}, true, true}} {
		p, err := columns.Mapping{Cut: semicolons, Rules: []columns.Rule{{Place: "ipp", Columns: []string{"id"}}}, Key: c.key}.Plan([]string{"id", "b"}, time.UTC, "files")
		if err != nil {
			t.Fatal(err)
		}
		a, counted := p.Identity(rows[0])
		b, _ := p.Identity(rows[1])
		d, _ := p.Identity(rows[2])
		if (a == b) != c.first || (a == d) != c.second || counted != (c.key == nil) {
			t.Errorf("%v: %v %v %v", c.key, a == b, a == d, counted)
		}
	}
}

func TestGuess(t *testing.T) {
	t.Parallel()
	text := "Extraction du 30/11/2026\nDATE_ACCES;HEURE;CODE_AGENT;NOM_PRENOM;TYPE_ACTION;IPP;N° séjour;ADR;COULEUR\n" +
		"30/11/2026;14:05:01;adurand;DURAND Anne;Consultation;8001;260001;10.1.2.3;bleu\n29/11/2026;09:12:44;bmartin;MARTIN Bob;Impression;8002;260002;10.1.2.4;vert\n13/11/2026;09:12:44;bmartin;MARTIN Bob;Consultation;8002;260003;10.1.2.4;vert\n"
	encoded, err := charmap.Windows1252.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	file := strings.NewReader(encoded)
	cut, err := columns.Recognise(file, file.Size())
	if err != nil || !reflect.DeepEqual(cut, columns.Cut{Kind: columns.CSV, Delimiter: ";", Encoding: "windows-1252", Header: true, Skip: 1}) {
		t.Fatalf("%+v %v", cut, err)
	}
	s, err := columns.Look(file, file.Size(), cut, 50)
	if err != nil {
		t.Fatal(err)
	}
	guesses, _ := columns.Propose(s.Header, s.Cells())
	got := map[string]string{}
	for _, g := range guesses {
		got[g.Place] = strings.Join(g.Columns, "+")
		if g.Confidence < columns.Least || g.Confidence > 100 {
			t.Errorf("%+v", g)
		}
	}
	want := map[string]string{"at": "DATE_ACCES+HEURE", "account": "CODE_AGENT", "person": "NOM_PRENOM", "action": "TYPE_ACTION", "ipp": "IPP", "stay": "N° séjour", "address": "ADR"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v\nwant %v", got, want)
	}
	rules := make([]columns.Rule, len(guesses))
	for i, g := range guesses {
		rules[i] = g.Rule
	}
	p, err := columns.Mapping{Cut: cut, Rules: rules}.Plan(s.Header, time.UTC, "files")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range s.Rows {
		if e, err := p.Event(row, 1); err != nil || e.AtGuessed || e.Account == "" || e.Action == traces.Unsaid {
			t.Errorf("%+v %v", e, err)
		}
	}
}

func TestMappingsThatAreRefused(t *testing.T) {
	t.Parallel()
	for key, m := range map[string]columns.Mapping{
		"traces.columns.kind":      {},
		"traces.columns.delimiter": {Cut: columns.Cut{Kind: "csv", Delimiter: "\"", Encoding: "utf-8"}},
		"traces.columns.encoding":  {Cut: columns.Cut{Kind: "csv", Delimiter: ";", Encoding: "ebcdic"}},
		"traces.columns.fields":    {Cut: columns.Cut{Kind: "fixed", Encoding: "utf-8"}},
		"traces.columns.field":     {Cut: columns.Cut{Kind: "fixed", Encoding: "utf-8", Fields: []columns.Field{{Name: "a", From: 3, To: 2}}}},
		"traces.columns.place":     {Cut: semicolons, Rules: []columns.Rule{{Place: "organisation", Columns: []string{"a"}}}},
		"traces.columns.rule":      {Cut: semicolons, Rules: []columns.Rule{{Place: "ipp"}}},
		"traces.columns.part":      {Cut: semicolons, Rules: []columns.Rule{{Place: "ipp", Columns: []string{"a"}, Part: "before"}}},
		"traces.columns.time":      {Cut: semicolons, Rules: []columns.Rule{{Place: "at", Columns: []string{"a"}, Times: []string{"x"}}}},
		"traces.columns.word":      {Cut: semicolons, Rules: []columns.Rule{{Place: "action", Columns: []string{"a"}, Words: map[string]string{"C": "dance"}}}},
	} {
		if f := fault.As(m.Check()); f == nil || f.Key != key || f.Field == "" {
			t.Errorf("%s: %v", key, f)
		}
	}
	if _, err := columns.Decode([]byte(`{"form":2}`)); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

// FuzzRows holds, on any file and any way of cutting: no panic, an end, each byte
// of the file at most once, and the same rows when reading goes on in the middle.
func FuzzRows(f *testing.F) {
	f.Add("a;b\n\"x\ny\";2\n", uint8(0))
	f.Add("\xff\xfea\x00\n\x00", uint8(3))
	f.Add("\"\"\";\"\r\n;;\n\"", uint8(1))
	f.Fuzz(func(t *testing.T, text string, how uint8) {
		encodings := columns.Encodings()
		cut := columns.Cut{Kind: columns.CSV, Delimiter: ";", Encoding: encodings[int(how)%len(encodings)], Header: how&8 != 0, NoQuote: how&16 != 0}
		if how&32 != 0 {
			cut = columns.Cut{Kind: columns.Fixed, Encoding: cut.Encoding, Fields: []columns.Field{{Name: "a", From: 2, To: 4}, {Name: "b", From: 3, To: 900}}}
		}
		rows := all(t, open(t, text, cut, columns.Position{}))
		total, last := 0, columns.Position{}
		for _, r := range rows {
			if total += len(r.Raw); r.After.Offset <= last.Offset || r.After.Line <= last.Line {
				t.Fatalf("%q: %+v after %+v", text, r.After, last)
			}
			last = r.After
		}
		if total > len(text) || last.Offset > int64(len(text)) {
			t.Fatalf("%q: %d bytes up to %d", text, total, last.Offset)
		}
		if n := len(rows) / 2; n > 0 {
			if rest := all(t, open(t, text, cut, rows[n-1].After)); !reflect.DeepEqual(cells(rest), cells(rows[n:])) {
				t.Fatalf("%q: after row %d: %q, want %q", text, n, cells(rest), cells(rows[n:]))
			}
		}
	})
}

// BenchmarkRows measures a CSV of an application, from bytes to events.
func BenchmarkRows(b *testing.B) {
	line := "30/11/2026;14:05:01;adurand;DURAND Anne;Consultation;8001234;260001;10.1.2.3;poste-12;Dossier de soins;Cardiologie\n"
	text := "DATE;HEURE;AGENT;NOM;ACTION;IPP;IEP;IP;POSTE;MODULE;SERVICE\n" + strings.Repeat(line, 10000)
	r := open(b, text, semicolons, columns.Position{})
	guesses, _ := columns.Propose(r.Header(), cells(all(b, r))[:50])
	m := columns.Mapping{Cut: semicolons}
	for _, g := range guesses {
		m.Rules = append(m.Rules, g.Rule)
	}
	p, err := m.Plan(r.Header(), time.UTC, "files")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		for _, row := range all(b, open(b, text, semicolons, columns.Position{})) {
			if _, err := p.Event(row, 1); err != nil {
				b.Fatal(err)
			}
			p.Identity(row)
		}
	}
	b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "rows/s")
}

// TestAZipBombIsRefused opens a workbook whose sheet unpacks to a thousand times
// its size.
func TestAZipBombIsRefused(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("xl/worksheets/sheet1.xml")
	if err == nil {
		_, err = io.CopyN(w, zeros{}, 30<<20)
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	if b.Len() > 100<<10 {
		t.Fatalf("no bomb: %d bytes", b.Len())
	}
	if _, err := columns.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), columns.Cut{Kind: columns.XLSX}, columns.Position{}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
