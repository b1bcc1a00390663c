package reply_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"tocsin/internal/alerting/reply"
)

func paris(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// message is one line of testdata/messages.tsv.
type message struct {
	text string
	want reply.Result
}

func messages(t testing.TB) []message {
	t.Helper()
	file, err := os.ReadFile("testdata/messages.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var out []message
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "# ") {
			continue
		}
		f := strings.SplitN(line, "\t", 4)
		if len(f) != 4 {
			t.Fatalf("not four fields: %q", line)
		}
		m := message{strings.ReplaceAll(f[3], `\n`, "\n"), reply.Result{Kind: reply.Kind(f[0]), Minutes: -1, Key: f[2]}}
		if f[0] == "unknown" {
			m.want.Kind = reply.Unknown
		}
		if f[1] != "" {
			if m.want.Minutes, err = strconv.Atoi(f[1]); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, m)
	}
	return out
}

func TestWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	all := messages(t)
	if len(all) < 250 {
		t.Errorf("only %d messages, want 250", len(all))
	}
	now := time.Date(2026, 3, 11, 3, 10, 0, 0, paris(t))
	for _, m := range all {
		if got := reply.ParseAt(m.text, now, paris(t)); got != m.want {
			t.Errorf("%q: got %+v, want %+v", m.text, got, m.want)
		}
	}
}
