package bench_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tocsin/internal/bench"
	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
)

func TestStatistics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		in          bench.Samples
		median, p95 float64
	}{
		{"none", nil, 0, 0},
		{"one", bench.Samples{7}, 7, 7},
		{"two", bench.Samples{4, 2}, 3, 4},
		{"three, out of order", bench.Samples{9, 1, 5}, 5, 9},
		{"twenty", bench.Samples{20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, 10.5, 19},
		{"one slow request of thirty is not the p95", append(slices.Repeat(bench.Samples{10}, 29), 900), 10, 10},
		{"two slow of thirty are", append(slices.Repeat(bench.Samples{10}, 28), 900, 950), 10, 900},
	} {
		if got := c.in.Median(); got != c.median {
			t.Errorf("%s: median %g, want %g", c.name, got, c.median)
		}
		if got := c.in.Percentile(95); got != c.p95 {
			t.Errorf("%s: p95 %g, want %g", c.name, got, c.p95)
		}
	}
	for in, want := range map[float64]float64{0: 0, 3: 3, 1.23456: 1.235, 0.000123456: 0.0001235, 48079.33: 48079, 123456.7: 123457, -2.34567: -2.346} {
		if got := bench.Round(in); got != want {
			t.Errorf("%g is rounded to %g, want %g", in, got, want)
		}
	}
}

func TestFiguresOfRuns(t *testing.T) {
	t.Parallel()
	s, raw := bench.Samples{3, 1, 2}, bench.Samples{10, 30, 20}
	want := bench.Result{ID: "a.b", Value: 2, Unit: "s", Min: 1, Max: 3, Runs: 3, Reference: 20, ReferenceName: "raw"}
	if got := s.Result("a.b", "s", raw, "raw"); got != want {
		t.Errorf("%+v", got)
	}
	want.Value = 3
	if got := s.Worst("a.b", "s", raw, "raw"); got != want {
		t.Errorf("what must never be exceeded is told by its worst: %+v", got)
	}
}

func TestShapeOfTheJSON(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := bench.WriteJSON(&out, []bench.Result{{ID: "sms4300.first_ms", Value: 120.5, Unit: "ms", Min: 100, Max: 140, Runs: 3, Reference: 1, ReferenceName: "bare"}}); err != nil {
		t.Fatal(err)
	}
	var got map[string][]map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if len(got) != 1 || len(got["results"]) != 1 {
		t.Fatalf("%v", got)
	}
	fields := slices.Sorted(maps.Keys(got["results"][0]))
	if want := []string{"id", "max", "min", "reference", "reference_name", "runs", "unit", "value"}; !slices.Equal(fields, want) {
		t.Errorf("%v, want %v", fields, want)
	}
	out.Reset()
	if err := bench.WriteJSON(&out, nil); err != nil || !strings.Contains(out.String(), "[]") {
		t.Errorf("no figure is an empty list: %v %s", err, out.String())
	}
}

func TestTableNamesEveryFigure(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := bench.WriteTable(&out, []bench.Result{{ID: "crash.lost", Unit: "people", Runs: 1, Reference: 20000, ReferenceName: "people called"}}); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(out.String()), "\n"); len(lines) != 2 || !strings.Contains(lines[1], "crash.lost") || !strings.Contains(lines[1], "people called") {
		t.Errorf("%s", out.String())
	}
}

func TestIDsOfTheIssue(t *testing.T) {
	t.Parallel()
	want := []string{
		"sms4300.first_ms", "sms4300.last_s", "sms100k.last_s", "sms100k.rss_mb", "sms100k.ratio", "sms100k.ratio_fast", "email4300.ratio",
		"sms100k.pg3_cpu_ratio", "sms100k.pg3_doubles", "crash.lost", "crash.doubles_per_kill", "crash.resume_s", "crashpg3.lost", "crashpg3.resume_s",
		"cut.lost", "cut.other_delay_s", "killswitch.late", "partition.lost", "partition.unflagged_doubles", "busy.first_ms", "busy.contract_pct",
		"answers.rate", "answers.visible_p95_ms", "answers.burst_visible_p95_ms", "import100k.preview_s", "import100k.commit_s", "import100k.rss_mb", "restore100k.s", "restore100k.diff", "pages100k.ttfb_p95_ms",
		"answerpage.bytes", "answerpage.usable_s",
	}
	if !slices.Equal(bench.IDs(), want) {
		t.Errorf("%v", bench.IDs())
	}
}

func TestIDsOfTheMedia(t *testing.T) {
	t.Parallel()
	if want := []string{"roster.gaps", "voice4300.busy_pct", "voice4300.over_limit_pct", "voice.key_visible_p95_ms", "peers.email_ratio", "trunk3.over", "rehearsal.4300x200_s", "push.ratio", "voice500.ok", "voice500.tick_p999_ms", "voice500.rss_delta_mb"}; !slices.Equal(bench.MediaIDs(), want) {
		t.Errorf("%v", bench.MediaIDs())
	}
}

func TestIDsBesidePeers(t *testing.T) {
	t.Parallel()
	if want := []string{"peers.email_ratio", "peers.voice_ratio"}; !slices.Equal(bench.PeerIDs(), want) {
		t.Errorf("%v", bench.PeerIDs())
	}
}

func TestChoice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		only string
		want []string
	}{
		{"", bench.IDs()},
		{"sms4300", []string{"sms4300.first_ms", "sms4300.last_s"}},
		{"sms4300.first_ms", []string{"sms4300.first_ms"}},
		{"crash.lost, answerpage", []string{"crash.lost", "answerpage.bytes", "answerpage.usable_s"}},
	} {
		got, err := bench.Choose(c.only)
		if err != nil {
			t.Errorf("%q: %v", c.only, err)
		}
		if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(slices.Values(c.want))) {
			t.Errorf("%q chooses %v", c.only, got)
		}
	}
	for _, only := range []string{"sms", "sms4300.", "sms4300.first", "crash,nothing"} {
		if _, err := bench.Choose(only); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", only, err)
		}
	}
}

func TestKindsOfPages(t *testing.T) {
	t.Parallel()
	const id = "0192f7a0-5f7c-7a3e-8a57-0123456789ab"
	for path, want := range map[string]string{
		"/":                             "/?",
		"/annuaire/" + id:               "/annuaire/{id}?",
		"/annuaire?q=martin&page=":      "/annuaire?q",
		"/annuaire?tri=nom&q=a":         "/annuaire?q&tri",
		"/imports/" + id + "/lignes/12": "/imports/{id}/lignes/{n}?",
		"/alertes/" + id + "/personnes?apres=" + id: "/alertes/{id}/personnes?apres",
	} {
		if got := bench.Kind(path); got != want {
			t.Errorf("%s is of kind %s, want %s", path, got, want)
		}
	}
}

func parse(t *testing.T, text string) *html.Node {
	t.Helper()
	page, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func TestLinksOfAPage(t *testing.T) {
	t.Parallel()
	page := parse(t, `<a href="/annuaire">A</a><a href="https://ailleurs.example/">B</a><a href="//ailleurs.example/">C</a><a href="#ici">D</a>
		<form action="/recherche"><input type="search" name="q"><input type="hidden" name="tri" value="nom"><input type="checkbox" name="x"></form>
		<form method="POST" action="/sortie"><input name="y"></form>`)
	if got, want := bench.PageLinks(page), []string{"/annuaire", "/recherche?q=martin&tri=nom"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestResourcesWithoutScript(t *testing.T) {
	t.Parallel()
	page := parse(t, `<link rel="stylesheet" href="/a.css"><link rel="icon" href="data:,"><link rel="alternate" href="/en"><script src="/a.js"></script><img src="/logo.svg">`)
	if got, want := bench.Resources(page), []string{"/a.css", "/logo.svg"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestStaffFile(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := bench.Staff(&out, 20_000); err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(rows) != 20_001 {
		t.Fatalf("%d rows", len(rows))
	}
	numbers := map[string]bool{}
	for n, row := range rows[1:] {
		cells := strings.Split(row, ";")
		if len(cells) != 9 {
			t.Fatalf("%q", row)
		}
		written := "33" + strings.ReplaceAll(cells[6], " ", "")[1:]
		if written != bench.Number(n) {
			t.Fatalf("%s in the file, %s by the bare client", written, bench.Number(n))
		}
		numbers[written] = true
	}
	if len(numbers) != 20_000 {
		t.Errorf("%d numbers for 20,000 people", len(numbers))
	}
}

func TestEachMessageHasItsOwnLink(t *testing.T) {
	t.Parallel()
	text := "Venez. Réponse : https://tocsin.banc.example/r/xxxxxxxxxxxx"
	one, two := bench.Links(text, 1), bench.Links(text, 2)
	if one == two || len(one) != len(text) || !strings.HasSuffix(one, "/r/000000000001") {
		t.Errorf("%q %q", one, two)
	}
	if got := bench.Links("court", 3); got != "court" {
		t.Errorf("%q", got)
	}
}

func TestSlowLine(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 10_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := w.Write([]byte(body)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	const delay, rate = 50 * time.Millisecond, 50_000
	octets, took, err := bench.Through(t.Context(), server.Listener.Addr().String(), server.URL, delay, rate)
	if err != nil {
		t.Fatal(err)
	}
	if octets < len(body) || octets > len(body)+500 {
		t.Errorf("%d octets for a body of %d", octets, len(body))
	}
	// A handshake, a request and its answer are two round trips; the body takes 0.2 s.
	if least := 4*delay + time.Duration(len(body))*time.Second/rate; took < least || took > least+2*time.Second {
		t.Errorf("took %s, want little more than %s", took, least)
	}
}

func TestFileSystemIsNamed(t *testing.T) {
	t.Parallel()
	if got := bench.FileSystem(t.TempDir()); got == "" {
		t.Error("no name at all")
	}
	if got := bench.FileSystem("/proc/self"); got != "proc" && got != "unknown" {
		t.Errorf("/proc is on %q", got)
	}
}

func TestUnknownFigure(t *testing.T) {
	t.Parallel()
	if results, err := bench.Run(t.Context(), bench.Options{Only: "vitesse"}); !fault.Is(err, fault.Invalid) || results != nil {
		t.Errorf("%v %v", results, err)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", bench.Locales)
}
