package jsonl_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/jsonl"
)

const received = int64(1796047506000000) // 2026-11-30T14:05:06Z

const ecs = `{"@timestamp":"2026-11-30T14:05:06.123Z","user":{"name":"a.martin","full_name":"MARTIN Alice"},"event":{"action":"consultation","outcome":"success"},"patient":{"ipp":"8000012345"},"host":{"name":"W-2310-04"},"source":{"ip":"10.1.2.3"},"service":{"name":"DPI"},"uf":"2310","document":"D-778812","http":{"status":200,"ok":true,"tags":["a","b"]},"message":"Compte rendu"}`

func parse(t testing.TB, in string) ([]traces.Event, error) {
	t.Helper()
	return jsonl.New(nil, nil).Parse(nil, []byte(in), received)
}

func keys(err error) []string {
	if err == nil {
		return nil
	}
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		var out []string
		for _, e := range joined.Unwrap() {
			out = append(out, keys(e)...)
		}
		return out
	}
	return []string{strings.TrimPrefix(fault.As(err).Key, "traces.jsonl.")}
}

func TestECS(t *testing.T) {
	t.Parallel()
	events, err := parse(t, ecs)
	if err != nil || len(events) != 1 {
		t.Fatal(err, len(events))
	}
	e := events[0]
	got := fmt.Sprint([]any{e.Account, e.Person, e.Action, e.Verb, e.Outcome, e.IPP, e.Workstation, e.Address, e.Application, e.Service, e.Document, e.Message, e.At, e.AtGuessed, e.Severity})
	want := "[a.martin MARTIN Alice read consultation success 8000012345 W-2310-04 10.1.2.3 DPI 2310 D-778812 Compte rendu 1796047506123000 false -1]"
	if got != want || string(e.Raw) != ecs {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	wantExtra := []traces.Pair{{Name: "http.status", Value: "200"}, {Name: "http.ok", Value: "true"}, {Name: "http.tags", Value: "a"}, {Name: "http.tags", Value: "b"}}
	if !slices.Equal(e.Extra, wantExtra) {
		t.Error(e.Extra)
	}
}

func TestOurOwnNamesAndFrench(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"at":1796047506,"account":"a","action":"print","outcome":"denied","severity":"warning","ins":"269054958815780"}`:       "1796047506000000 a print print denied 4  269054958815780",
		`{"horodatage":"30/11/2026 14:05:06","utilisateur":"a","action":"Impression","resultat":"OK","niveau":"3","ipp":"8001"}`: "1796047506000000 a print Impression success 3 8001 ",
		`{"time":"2026-11-30T14:05:06Z","patient":"269054958815780","action":"LECTURE_DOSSIER"}`:                                 "1796047506000000  unsaid LECTURE_DOSSIER unsaid -1  269054958815780",
		`{"@timestamp":"2026-11-30T14:05:06Z","event":{"category":["authentication"],"type":["start"],"outcome":"failure"}}`:     "1796047506000000  login  denied -1  ",
		`{"@timestamp":"2026-11-30T14:05:06Z","event":{"category":"authentication","type":"end","outcome":"unknown"}}`:           "1796047506000000  logout  unsaid -1  ",
	} {
		events, err := parse(t, in)
		e := events[0]
		got := fmt.Sprint(e.At, " ", e.Account, " ", e.Action, " ", e.Verb, " ", e.Outcome, " ", e.Severity, " ", e.IPP, " ", e.INS)
		if err != nil || got != want || slices.ContainsFunc(e.Extra, func(p traces.Pair) bool { return p.Name == "" }) {
			t.Errorf("%s:\n got %s\nwant %s\n%v %v", in, got, want, err, e.Extra)
		}
	}
}

// TestWinlogbeat reads a refusal as Winlogbeat 8 sends it.
func TestWinlogbeat(t *testing.T) {
	t.Parallel()
	events, err := parse(t, `{"@timestamp":"2026-11-30T14:05:00.123Z","@metadata":{"beat":"winlogbeat"},"event":{"code":"4625","action":"logon-failed","category":["authentication"],"outcome":"failure","created":"2026-11-30T14:05:01Z","provider":"Microsoft-Windows-Security-Auditing"},"winlog":{"channel":"Security","event_id":"4625","event_data":{"LogonType":"3","TargetUserName":"a.martin"},"provider_name":"Microsoft-Windows-Security-Auditing"},"user":{"name":"a.martin","domain":"CHU"},"source":{"ip":"10.1.2.3","domain":"W-2310-04"},"host":{"name":"DC1"},"log":{"level":"information"},"message":"Échec d’ouverture de session"}`)
	e := events[0]
	got := fmt.Sprint([]any{e.Action, e.Outcome, e.Account, e.Address, e.Workstation, e.Application, e.Severity, e.At})
	if want := "[login denied a.martin 10.1.2.3 W-2310-04 Microsoft-Windows-Security-Auditing 6 1796047500123000]"; err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
	for _, p := range []traces.Pair{{Name: "host.name", Value: "DC1"}, {Name: "event.code", Value: "4625"}, {Name: "winlog.event_data.LogonType", Value: "3"}} {
		if !slices.Contains(e.Extra, p) {
			t.Errorf("no %v in %v", p, e.Extra)
		}
	}
}

func TestAMappingOfOnesOwn(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	f := jsonl.New(jsonl.Mapping{"d.h": traces.PlaceAt, "q": traces.PlaceAccount, "x": traces.PlaceIgnored}, paris)
	events, err := f.Parse(nil, []byte(`{"d":{"h":"2026-11-30 15:05:06"},"q":"a","user":"b","x":"c"}`), received)
	if err != nil || events[0].At != received || events[0].Account != "a" || fmt.Sprint(events[0].Extra) != "[{user b}]" {
		t.Errorf("%+v %v", events, err)
	}
	if d := f.Describe(); len(d.Maps) != 4 || d.Name != "jsonl" {
		t.Error(d)
	}
}

// TestOneBadLineCostsNoOther holds that whatever is between the good ones is
// kept, and said.
func TestOneBadLineCostsNoOther(t *testing.T) {
	t.Parallel()
	cases := []struct{ in, raws, problems string }{
		{"{\"user\":\"a\"}\n{\"user\":\"b\"}\n", `{"user":"a"}|{"user":"b"}`, "[]"},
		{"[{\"user\":\"a\"},{\"user\":\"b\"}]", `{"user":"a"}|{"user":"b"}`, "[]"},
		{"{\"user\":\"a\"}\n{oops}\r\n{\"user\":\"b\"}", `{"user":"a"}|{oops}|{"user":"b"}`, "[syntax]"},
		{"{\"user\":\"a\"}\noops\n\n{\"user\":\"b\"}", `{"user":"a"}|oops|{"user":"b"}`, "[syntax]"},
		{"{\"user\":\"a\"}\n{\"user\":\"b", `{"user":"a"}|{"user":"b`, "[cut]"},
		{"{\"user\":\"a\"} 12 {}", `{"user":"a"}|12|{}`, "[no_object]"},
		{"[{\"user\":\"a\"},oops,{}]", `{"user":"a"}|oops,{}]`, "[syntax]"},
		{"", "", "[empty]"},
		{" \n", " \n", "[empty]"},
		{"[]", "[]", "[empty]"},
		{"null", "null", "[no_object]"},
		{strings.Repeat("[", 70), strings.Repeat("[", 70), "[deep]"},
		{`{"a":` + strings.Repeat(`{"a":`, 70), `{"a":` + strings.Repeat(`{"a":`, 70), "[deep]"},
		{`{"time":"hier","user":"a"}`, `{"time":"hier","user":"a"}`, "[value]"},
	}
	for _, c := range cases {
		events, err := parse(t, c.in)
		var raws []string
		for _, e := range events {
			raws = append(raws, string(e.Raw))
		}
		if got := strings.Join(raws, "|"); got != c.raws || fmt.Sprint(keys(err)) != c.problems {
			t.Errorf("%.80q: %q %v, want %q %s", c.in, got, keys(err), c.raws, c.problems)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"user":"a"`)
	for i := range 5000 {
		fmt.Fprintf(&b, `,"n%d":%d`, i, i)
	}
	fmt.Fprintf(&b, `,"ip":"10.0.0.1","message":%q}`, strings.Repeat("é", 10000))
	events, err := parse(t, b.String())
	e := events[0]
	if err != nil || len(e.Extra) != traces.MaxExtra || e.Address != "10.0.0.1" || len(e.Message) != traces.MaxText || string(e.Raw) != b.String() {
		t.Error(err, len(e.Extra), e.Address, len(e.Message))
	}
	if events, _ := parse(t, `{"time":"hier","timestamp":1796047506,"d":1,"date":"x"}`); fmt.Sprint(events[0].Extra) != "[{time hier} {d 1} {date x}]" || events[0].At != received {
		t.Error(events[0].Extra)
	}
	events, err = parse(t, `{"message":"`+"\xe9t\xe9"+`"}`)
	if err != nil || events[0].Message != "été" || string(events[0].Raw) != `{"message":"`+"\xe9t\xe9"+`"}` {
		t.Error(err, events[0].Message)
	}
}

func TestNoEndOfEvents(t *testing.T) {
	t.Parallel()
	in := "[" + strings.Repeat("{},", jsonl.MaxEvents+10) + "{}]"
	events, err := parse(t, in)
	if len(events) != jsonl.MaxEvents+1 || fmt.Sprint(keys(err)) != "[many]" || string(events[jsonl.MaxEvents].Raw) != strings.Repeat("{},", 10)+"{}]" {
		t.Error(len(events), keys(err))
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	if !jsonl.Fits(`{"a":1}`) || !jsonl.Fits("{\n}") || jsonl.Fits("{a}") || jsonl.Fits("[1]") || jsonl.Fits("{") {
		t.Error("what fits is not told")
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", jsonl.Locales)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(ecs))
	f.Add([]byte("{\"a\":1}\noops\n[{\"b\":2}]"))
	f.Add([]byte("[{\"time\":\"30/11/2026 14:05:06\",\"x\":\"\\ud83d\\ude00\"},{},1]"))
	format := jsonl.New(nil, nil)
	f.Fuzz(func(t *testing.T, in []byte) {
		events, _ := format.Parse(nil, in, received)
		if len(events) == 0 {
			t.Fatalf("%q: nothing", in)
		}
		for _, e := range events {
			if !bytes.Contains(in, e.Raw) {
				t.Fatalf("%q: raw %q", in, e.Raw)
			}
		}
	})
}
