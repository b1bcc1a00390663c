package stamp_test

import (
	"testing"
	"time"

	"tocsin/internal/wire/stamp"
)

func TestParse(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 11, 30, 14, 5, 6, 0, time.UTC)
	cases := map[string]time.Time{
		"2026-11-30T14:05:06Z":            want,
		"2026-11-30T15:05:06+01:00":       want,
		"2026-11-30t15:05:06+0100":        want,
		"2026-11-30T15:05:06+01":          want,
		"2026-11-30 15:05:06":             want,
		"2026-11-30 15:05:06 +0100 CET":   want,
		"2026-11-30 14:05:06 UTC":         want,
		"2026-11-30T14:05:06.123456789Z":  want.Add(123456 * time.Microsecond),
		"2026-11-30 15:05:06,5":           want.Add(500 * time.Millisecond),
		"2026-11-30T15:05":                want.Add(-6 * time.Second),
		"2026-11-30":                      time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC),
		"30/11/2026 15:05:06":             want,
		"30/11/2026 à 15:05:06":           want,
		"30/11/2026":                      time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC),
		"20261130150506":                  want,
		"20261130150506.25+0100":          want.Add(250 * time.Millisecond),
		"20261130":                        time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC),
		"202611301505":                    want.Add(-6 * time.Second),
		"1796047506":                      want,
		"1796047506.5":                    want.Add(500 * time.Millisecond),
		"1796047506000":                   want,
		"1796047506000000":                want,
		"1796047506000000000":             want,
		"2026-02-29T00:00:00Z":            {},
		"2026-13-01T00:00:00Z":            {},
		"2026-11-30T24:00:00Z":            {},
		"2026-11-30T14:05:06Z and more":   {},
		"99999999999999999999999":         {},
		"hier":                            {},
		"":                                {},
		"2026-11-30T14:05:06+99:00":       {},
		"2028-02-29T12:00:00Z":            time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC),
		"2016-12-31T23:59:60Z":            time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC),
		"2026-11-30T14:05:06.000-00:00":   want,
		"2026-11-30 15:05:06.250 -0500 x": time.Date(2026, 11, 30, 20, 5, 6, 250e6, time.UTC),
	}
	for text, want := range cases {
		got, ok := stamp.Parse(text, paris)
		if ok == want.IsZero() {
			t.Errorf("%q: read %v", text, ok)
		} else if ok && got != want.UnixMicro() {
			t.Errorf("%q: %v, want %v", text, time.UnixMicro(got).UTC(), want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("2026-11-30T14:05:06.123+01:00")
	f.Add("30/11/2026 15:05:06")
	f.Add("20261130150506.25+0100")
	f.Add("1796047506000")
	f.Fuzz(func(_ *testing.T, s string) {
		stamp.Parse(s, time.UTC)
		if _, n := stamp.ISO(s, time.UTC); n > len(s) {
			panic("more was read than there is")
		}
	})
}

func BenchmarkISO(b *testing.B) {
	for b.Loop() {
		stamp.ISO("2026-11-30T14:05:06.123456+01:00", nil)
	}
}
