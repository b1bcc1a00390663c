package i18n_test

import (
	"math"
	"testing"
	"time"

	"tocsin/internal/i18n"

	_ "time/tzdata"
)

// spaced makes the no-break spaces of the expected texts readable: ~ is the
// plain one, ' the narrow one.
func spaced(text string) string {
	out := []rune(text)
	for i, r := range out {
		switch r {
		case '~':
			out[i] = '\u00a0'
		case '\'':
			out[i] = '\u202f'
		}
	}
	return string(out)
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	french, english := voices(t)
	type pair struct{ gotFr, fr, gotEn, en string }
	both := func(f func(l *i18n.Localizer) string, fr, en string) pair {
		return pair{f(french), fr, f(english), en}
	}
	integer := func(n int) func(*i18n.Localizer) string { return func(l *i18n.Localizer) string { return l.Int(n) } }
	percent := func(v float64) func(*i18n.Localizer) string {
		return func(l *i18n.Localizer) string { return l.Percent(v) }
	}
	size := func(n int64) func(*i18n.Localizer) string {
		return func(l *i18n.Localizer) string { return l.Bytes(n) }
	}
	for _, c := range []pair{
		both(integer(0), "0", "0"),
		both(integer(999), "999", "999"),
		both(integer(4300), "4'300", "4,300"),
		both(integer(-410000), "-410'000", "-410,000"),
		both(integer(1234567), "1'234'567", "1,234,567"),
		both(integer(math.MinInt), "-9'223'372'036'854'775'808", "-9,223,372,036,854,775,808"),
		both(percent(0), "0~%", "0%"),
		both(percent(0.0001), "1~%", "1%"),
		both(percent(0.125), "13~%", "13%"),
		both(percent(4299.0/4300), "99~%", "99%"),
		both(percent(1), "100~%", "100%"),
		both(percent(math.NaN()), "–", "–"),
		both(percent(math.Inf(1)), "–", "–"),
		both(size(0), "0~o", "0~B"),
		both(size(999), "999~o", "999~B"),
		both(size(1000), "1,0~ko", "1.0~kB"),
		both(size(20_480), "20~ko", "20~kB"),
		both(size(999_600), "1,0~Mo", "1.0~MB"),
		both(size(1_500_000_000), "1,5~Go", "1.5~GB"),
		both(size(math.MaxInt64), "9'223~Po", "9,223~PB"),
		both(func(l *i18n.Localizer) string { return l.Decimal(2.345, 1) }, "2,3", "2.3"),
	} {
		if want := spaced(c.fr); c.gotFr != want {
			t.Errorf("fr: got %q, want %q", c.gotFr, want)
		}
		if want := c.en; c.gotEn != spaced(want) {
			t.Errorf("en: got %q, want %q", c.gotEn, want)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	french, english := voices(t)
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	reunion, err := time.LoadLocation("Indian/Reunion")
	if err != nil {
		t.Fatal(err)
	}
	night := time.Date(2026, 4, 30, 22, 5, 0, 0, time.UTC)
	for got, want := range map[string]string{
		french.Date(night, paris):           "1er~mai 2026",
		english.Date(night, paris):          "1~May 2026",
		french.Date(night, time.UTC):        "30~avril 2026",
		french.Clock(night, paris):          "00:05",
		french.Clock(night, reunion):        "02:05",
		french.DateTime(night, paris):       "1er~mai 2026 à 00:05",
		english.DateTime(night, paris):      "1~May 2026 at 00:05",
		french.ShortDate(night, paris):      "01/05/2026",
		french.Weekday(time.Sunday):         "dimanche",
		french.Weekday(time.Saturday):       "samedi",
		english.Weekday(time.Saturday):      "Saturday",
		french.Month(time.December):         "décembre",
		french.Month(time.August):           "août",
		french.Weekday(time.Weekday(7)):     "%!Weekday(7)",
		english.Month(time.Month(13)):       "%!Month(13)",
		french.Date(time.Time{}, paris)[:3]: "1er",
	} {
		if got != spaced(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	french, english := voices(t)
	cases := []struct {
		d      time.Duration
		fr, en string
	}{
		{0, "0~s", "0~s"},
		{350 * time.Millisecond, "350~ms", "350~ms"},
		{45 * time.Second, "45~s", "45~s"},
		{3*time.Minute + 20*time.Second, "3~min~20~s", "3~min~20~s"},
		{5 * time.Minute, "5~min", "5~min"},
		{12*time.Minute + 40*time.Second, "12~min", "12~min"},
		{time.Hour, "1~h", "1~h"},
		{2*time.Hour + 10*time.Minute, "2~h~10", "2~h~10~min"},
		{2*time.Hour + 5*time.Minute, "2~h~05", "2~h~5~min"},
		{24 * time.Hour, "1~j", "1~d"},
		{76 * time.Hour, "3~j~4~h", "3~d~4~h"},
		{-45 * time.Second, "-45~s", "-45~s"},
		{math.MinInt64, "-106'751~j~23~h", "-106,751~d~23~h"},
	}
	for _, c := range cases {
		if got, want := french.Duration(c.d), spaced(c.fr); got != want {
			t.Errorf("fr %v: got %q, want %q", c.d, got, want)
		}
		if got, want := english.Duration(c.d), spaced(c.en); c.d != math.MinInt64 && got != want {
			t.Errorf("en %v: got %q, want %q", c.d, got, want)
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	french, english := voices(t)
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	cases := []struct {
		ago    time.Duration
		fr, en string
	}{
		{0, "à l’instant", "just now"},
		{9 * time.Second, "à l’instant", "just now"},
		{45 * time.Second, "il y a 45~s", "45~s ago"},
		{3*time.Minute + 20*time.Second, "il y a 3~min", "3~min ago"},
		{130 * time.Minute, "il y a 2~h~10", "2~h~10~min ago"},
		{25 * time.Hour, "il y a 1~jour", "1~day ago"},
		{72 * time.Hour, "il y a 3~jours", "3~days ago"},
		{-3 * time.Minute, "dans 3~min", "in 3~min"},
		{-5 * time.Second, "dans 5~s", "in 5~s"},
	}
	for _, c := range cases {
		if got, want := french.Ago(now.Add(-c.ago), now), spaced(c.fr); got != want {
			t.Errorf("fr %v: got %q, want %q", c.ago, got, want)
		}
		if got, want := english.Ago(now.Add(-c.ago), now), spaced(c.en); got != want {
			t.Errorf("en %v: got %q, want %q", c.ago, got, want)
		}
	}
}
