package reply_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tocsin/internal/alerting/reply"
)

// sound tells what no text whatever may produce.
func sound(t *testing.T, text string, got reply.Result) {
	t.Helper()
	switch got.Kind {
	case reply.Unknown, reply.Coming, reply.OnSite, reply.Unavailable, reply.CallMe, reply.Stop:
	default:
		t.Fatalf("%q: kind %q", text, got.Kind)
	}
	if got.Minutes < -1 || got.Minutes > 24*60 || got.Minutes >= 0 && got.Kind != reply.Coming {
		t.Fatalf("%q: %+v", text, got)
	}
	if len(got.Key) > 1 || got.Key != "" && (got.Key[0] < '0' || got.Key[0] > '9') {
		t.Fatalf("%q: key %q", text, got.Key)
	}
	if got.Key != "" && !strings.ContainsFunc(text, func(r rune) bool { return r > 0x7F || string(r) == got.Key }) {
		t.Fatalf("%q: key %q was not typed", text, got.Key)
	}
}

func FuzzParse(f *testing.F) {
	for _, m := range messages(f) {
		f.Add(m.text)
	}
	now := time.Date(2026, 10, 25, 2, 30, 0, 0, paris(f))
	zone := paris(f)
	f.Fuzz(func(t *testing.T, text string) {
		got := reply.ParseAt(text, now, zone)
		sound(t, text, got)
		if again := reply.ParseAt(text, now, zone); again != got {
			t.Fatalf("%q: %+v, then %+v", text, got, again)
		}
		if utf8.RuneCountInString(text) < reply.MaxRunes {
			if spaced := reply.ParseAt("\n"+text+" ", now, zone); !strings.HasSuffix(text, "-") && spaced != got {
				t.Fatalf("%q: %+v, with spaces around %+v", text, got, spaced)
			}
		}
		sound(t, text, reply.Parse(text))
	})
}
