package reply_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/alerting/reply"
)

// An hour of the day is counted on the wall clock of the person, whatever the
// night, and 24 hours later at most.
func TestHoursOfTheDay(t *testing.T) {
	t.Parallel()
	zone := paris(t)
	reunion, err := time.LoadLocation("Indian/Reunion")
	if err != nil {
		t.Fatal(err)
	}
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, zone)
	}
	for _, c := range []struct {
		text string
		now  time.Time
		zone *time.Location
		want int
	}{
		{"à 14h", at(3, 11, 13, 20), zone, 40},
		{"à 14h", at(3, 11, 14, 0), zone, 0},
		{"à 14h", at(3, 11, 14, 5), zone, 0},     // the message travelled
		{"à 14h", at(3, 11, 15, 30), zone, 1350}, // tomorrow's
		{"à 8h", at(3, 11, 23, 0), zone, 540},
		{"à 2h", at(3, 11, 13, 0), zone, 60}, // of the afternoon
		{"à 02h00", at(3, 11, 13, 0), zone, 780},
		{"vers minuit", at(3, 11, 23, 30), zone, 30},
		{"à 0h30", at(3, 11, 23, 30), zone, 60},
		{"à 14h30m", at(3, 11, 14, 0), zone, 30},
		{"j'arrive à 14h01", time.Date(2026, 3, 11, 14, 0, 30, 0, zone), zone, 1},
		{"demain 8h", at(3, 11, 22, 0), zone, 600},
		{"demain 8h", at(3, 12, 1, 0), zone, 420},
		{"je viens demain", at(3, 11, 22, 0), zone, 600},
		{"je viens demain soir", at(3, 11, 22, 0), zone, 1320},
		{"je viens ce soir", at(3, 11, 16, 0), zone, 240},
		{"je viens ce soir", at(3, 11, 21, 0), zone, -1},
		// The hour between two and three does not exist, then happens twice.
		{"à 4h", at(3, 29, 1, 30), zone, 90},
		{"à 4h", time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC), zone, 150},
		{"dans 2h", at(3, 29, 1, 30), zone, 120},
		// Midnight in Paris is already three in the morning in Saint-Denis.
		{"à 4h", at(1, 15, 0, 0), reunion, 60},
		{"à 4h", time.Date(2026, 1, 15, 3, 0, 0, 0, time.UTC), nil, 60},
	} {
		got := reply.ParseAt(c.text, c.now, c.zone)
		if want := (reply.Result{Kind: reply.Coming, Minutes: c.want}); got != want {
			t.Errorf("%q at %s: %+v, want %+v", c.text, c.now.Format(time.RFC3339), got, want)
		}
	}
}

func TestWithoutAClockAnHourIsStillAPromise(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"vers 14h", "j'arrive à 14h30", "midi", "at 2 pm"} {
		if got, want := reply.Parse(text), (reply.Result{Kind: reply.Coming, Minutes: -1}); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
	if got, want := reply.Parse("dans 20 min"), (reply.Result{Kind: reply.Coming, Minutes: 20}); got != want {
		t.Errorf("a delay needs no clock: %+v, want %+v", got, want)
	}
}

// A promise further than a day is not for this alert: a person reads it.
func TestATooDistantPromiseIsNone(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 11, 12, 0, 0, 0, paris(t))
	for _, text := range []string{"je viens demain soir", "je viens lundi", "je viens la semaine prochaine"} {
		if got, want := reply.ParseAt(text, noon, paris(t)), (reply.Result{Minutes: -1}); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}

// Case, accents and the apostrophe of the telephone change nothing.
func TestSpellingChangesNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 11, 3, 10, 0, 0, paris(t))
	plain := strings.NewReplacer("é", "e", "è", "e", "ê", "e", "à", "a", "ù", "u", "ô", "o", "î", "i", "ç", "c", "â", "a", "û", "u", "É", "E")
	for _, m := range messages(t) {
		for how, text := range map[string]string{
			"in capitals":                  strings.ToUpper(m.text),
			"without accents":              plain.Replace(m.text),
			"with typographic apostrophes": strings.ReplaceAll(m.text, "'", "’"),
			"with no-break spaces":         strings.ReplaceAll(m.text, " ", "\u00a0"),
			"with carriage returns":        strings.ReplaceAll(m.text, "\n", "\r\n"),
		} {
			if got := reply.ParseAt(text, now, paris(t)); got != m.want {
				t.Errorf("%q %s: %+v, want %+v", text, how, got, m.want)
			}
		}
	}
}

// What lies beyond the bound is not read, and costs nothing.
func TestALongTextIsReadInPart(t *testing.T) {
	words := strings.Repeat("é ", reply.MaxRunes/2)
	if got := reply.Parse("j'arrive " + words + " je ne peux pas venir"); got.Kind != reply.Coming {
		t.Errorf("read beyond the bound: %+v", got)
	}
	for _, unit := range []string{"1 ", "pas ", "il y a ", "1h30 ", "j'", "a'", "06.", "\n", "le a ecrit :\n", "?", "oui,", "é", "\xff", "vingt-", "mon mari "} {
		short := strings.Repeat(unit, reply.MaxRunes)
		long := strings.Repeat(unit, 500*reply.MaxRunes)
		few := testing.AllocsPerRun(1, func() { reply.Parse(short) })
		many := testing.AllocsPerRun(1, func() { reply.Parse(long) })
		if many > few+10 {
			t.Errorf("%q: %v allocations for a long text, %v for a short one", unit, many, few)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	all := messages(b)
	for b.Loop() {
		for _, m := range all {
			reply.Parse(m.text)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(all)), "ns/message")
}

func BenchmarkParseLongest(b *testing.B) {
	for _, unit := range []string{"1 ", "pas ", "a'", "vingt-", "le a ecrit :\n", "mon mari "} {
		text := strings.Repeat(unit, reply.MaxRunes)
		b.Run(strings.TrimSpace(unit), func(b *testing.B) {
			for b.Loop() {
				reply.Parse(text)
			}
		})
	}
}
