package oncall_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory/oncall"
	"tocsin/internal/directory/oncall/oncalltest"
)

func day(t testing.TB, text string) oncall.Day {
	t.Helper()
	d, err := oncall.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func utc(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}

var (
	alice, bruno, chloe = uuid.UUID{1}, uuid.UUID{2}, uuid.UUID{3}
	cadre, rea          = uuid.UUID{0xC}, uuid.UUID{0xD}
)

// weekly is Alice then Bruno, by week from a Monday at eight.
func weekly(t testing.TB) oncall.Function {
	return oncall.Function{ID: cadre, Name: "Cadre de garde", Zone: "Europe/Paris", Roster: oncall.Roster{
		Calendar: oncall.Metropole, Rotations: []oncall.Rotation{{
			ID: uuid.UUID{9}, Start: day(t, "2026-03-23"), Handover: 8 * 60, Every: 1, Unit: oncall.Weekly, Members: []uuid.UUID{alice, bruno},
		}},
	}}
}

func book(t testing.TB, left map[uuid.UUID]time.Time, r []oncall.Replacement, functions ...oncall.Function) *oncall.Book {
	t.Helper()
	b, err := oncall.NewBook(functions, r, left)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// told writes spans as one reads them, in Paris.
func told(spans []oncall.Span) string {
	names := map[uuid.UUID]string{alice: "Alice", bruno: "Bruno", chloe: "Chloé", uuid.Nil: "-"}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	var out []string
	for _, s := range spans {
		out = append(out, fmt.Sprintf("%s %s %s (%s)", s.From.In(paris).Format("02/01 15:04"), names[s.Person], s.Via, s.To.Sub(s.From)))
	}
	return strings.Join(out, "\n")
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(want))
	}
}

// TestAWeekAcrossEachChangeOfHour: the week of spring lasts 167 hours, that of autumn 169.
func TestAWeekAcrossEachChangeOfHour(t *testing.T) {
	t.Parallel()
	b := book(t, nil, nil, weekly(t))
	want(t, told(b.Spans(cadre, utc("2026-03-23T07:00:00Z"), utc("2026-04-06T06:00:00Z"))), `
23/03 08:00 Alice rotation (167h0m0s)
30/03 08:00 Bruno rotation (168h0m0s)`)
	want(t, told(b.Spans(cadre, utc("2026-10-19T06:00:00Z"), utc("2026-11-02T07:00:00Z"))), `
19/10 08:00 Alice rotation (169h0m0s)
26/10 08:00 Bruno rotation (168h0m0s)`)
}

// TestAHandoverInTheHourThatIsSkippedOrTwice: at 02:30 the skipped hour hands over
// at 03:00, the double one at its first 02:30.
func TestAHandoverInTheHourThatIsSkippedOrTwice(t *testing.T) {
	t.Parallel()
	f := weekly(t)
	f.Rotations[0].Unit, f.Rotations[0].Handover = oncall.Daily, 2*60+30
	b := book(t, nil, nil, f)
	want(t, told(b.Spans(cadre, utc("2026-03-28T01:30:00Z"), utc("2026-03-30T00:30:00Z"))), `
28/03 02:30 Bruno rotation (23h30m0s)
29/03 03:00 Alice rotation (23h30m0s)`)
	want(t, told(b.Spans(cadre, utc("2026-10-24T00:30:00Z"), utc("2026-10-26T01:30:00Z"))), `
24/10 02:30 Bruno rotation (24h0m0s)
25/10 02:30 Alice rotation (25h0m0s)`)
}

func TestNightsWeekendsAndHolidaysAreNotGapsByDay(t *testing.T) {
	t.Parallel()
	f := weekly(t)
	night := oncall.Hours{Nights: true, From: 18*60 + 30, To: 8*60 + 30, Weekends: true, Holidays: true}
	f.Needed, f.Rotations[0].Hours = night, night
	b := book(t, nil, nil, f)
	// Friday 1 May is a holiday; its week-end follows.
	want(t, told(b.Spans(cadre, utc("2026-04-30T06:00:00Z"), utc("2026-05-04T08:00:00Z"))), `
30/04 08:00 Bruno rotation (30m0s)
30/04 08:30 - idle (10h0m0s)
30/04 18:30 Bruno rotation (85h30m0s)
04/05 08:00 Alice rotation (30m0s)
04/05 08:30 - idle (1h30m0s)`)
}

func TestTheLastReplacementWins(t *testing.T) {
	t.Parallel()
	from := utc("2026-04-01T06:00:00Z")
	b := book(t, nil, []oncall.Replacement{
		{ID: uuid.UUID{2}, Function: cadre, Person: chloe, From: from, To: from.Add(10 * time.Hour)},
		{ID: uuid.UUID{3}, Function: cadre, Person: alice, From: from.Add(2 * time.Hour), To: from.Add(4 * time.Hour)},
	}, weekly(t))
	want(t, told(b.Spans(cadre, from.Add(-time.Hour), from.Add(11*time.Hour))), `
01/04 07:00 Bruno rotation (1h0m0s)
01/04 08:00 Chloé replacement (2h0m0s)
01/04 10:00 Alice replacement (2h0m0s)
01/04 12:00 Chloé replacement (6h0m0s)
01/04 18:00 Bruno rotation (1h0m0s)`)
}

// TestWhoLeftHoldsNothing: his turns go to the fallback, or are gaps that are said.
func TestWhoLeftHoldsNothing(t *testing.T) {
	t.Parallel()
	left := map[uuid.UUID]time.Time{bruno: utc("2026-04-02T00:00:00Z")}
	f := weekly(t)
	from, to := utc("2026-04-01T22:00:00Z"), utc("2026-04-06T07:00:00Z")
	want(t, told(book(t, left, nil, f).Spans(cadre, from, to)), `
02/04 00:00 Bruno rotation (2h0m0s)
02/04 02:00 - gap (102h0m0s)
06/04 08:00 Alice rotation (1h0m0s)`)
	f.Fallback = oncall.Step{Kind: oncall.ToFunction, ID: rea}
	second := weekly(t)
	second.ID, second.Rotations[0].Members = rea, []uuid.UUID{chloe}
	want(t, told(book(t, left, nil, f, second).Spans(cadre, from, to)), `
02/04 00:00 Bruno rotation (2h0m0s)
02/04 02:00 Chloé fallback (102h0m0s)
06/04 08:00 Alice rotation (1h0m0s)`)
}

// TestFallbacksInARingEnd: two functions that lend each other have a gap, not a crash.
func TestFallbacksInARingEnd(t *testing.T) {
	t.Parallel()
	a, c := weekly(t), weekly(t)
	a.Rotations, c.Rotations, c.ID = nil, nil, rea
	a.Fallback, c.Fallback = oncall.Step{Kind: oncall.ToFunction, ID: rea}, oncall.Step{Kind: oncall.ToFunction, ID: cadre}
	from := utc("2026-04-01T22:00:00Z")
	if spans := book(t, nil, nil, a, c).Spans(cadre, from, from.Add(time.Hour)); len(spans) != 1 || spans[0].Via != oncall.Gap {
		t.Errorf("%+v", spans)
	}
}

// TestEveryHourIsCoveredOnce draws rosters and compares with a second way.
func TestEveryHourIsCoveredOnce(t *testing.T) {
	t.Parallel()
	hours, wrong, err := oncalltest.Measure(t.Context(), 200, 42)
	if err != nil || wrong > 0 || hours < 200*2*240 {
		t.Errorf("%d hours of %d are not covered exactly once: %v", wrong, hours, err)
	}
}

func TestHolidays(t *testing.T) {
	t.Parallel()
	for year, easter := range map[int]string{2024: "2024-03-31", 2025: "2025-04-20", 2026: "2026-04-05", 2027: "2027-03-28", 2038: "2038-04-25", 2285: "2285-03-22"} {
		if got := oncall.Easter(year).String(); got != easter {
			t.Errorf("Easter %d is %s, want %s", year, got, easter)
		}
	}
	for calendar, days := range map[oncall.Calendar]string{
		oncall.Metropole:     "2026-01-01 2026-04-06 2026-05-01 2026-05-08 2026-05-14 2026-05-25 2026-07-14 2026-08-15 2026-11-01 2026-11-11 2026-12-25",
		oncall.AlsaceMoselle: "2026-01-01 2026-04-03 2026-04-06 2026-05-01 2026-05-08 2026-05-14 2026-05-25 2026-07-14 2026-08-15 2026-11-01 2026-11-11 2026-12-25 2026-12-26",
		oncall.Mayotte:       "2026-01-01 2026-04-06 2026-04-27 2026-05-01 2026-05-08 2026-05-14 2026-05-25 2026-07-14 2026-08-15 2026-11-01 2026-11-11 2026-12-25",
	} {
		var got []string
		for _, h := range oncall.Holidays(calendar, 2026) {
			got = append(got, h.Day.String())
		}
		if strings.Join(got, " ") != days {
			t.Errorf("%s: %v", calendar, got)
		}
	}
	for calendar, abolition := range map[oncall.Calendar]string{
		oncall.Martinique: "2026-05-22", oncall.Guadeloupe: "2026-05-27", oncall.SaintMartin: "2026-05-28", oncall.Guyane: "2026-06-10",
		oncall.SaintBarthelemy: "2026-10-09", oncall.Reunion: "2026-12-20",
	} {
		if name, is := oncall.HolidayOn(calendar, day(t, abolition)); !is || name != "abolition" {
			t.Errorf("%s: %s is no holiday", calendar, abolition)
		}
	}
	for zone, calendar := range map[string]oncall.Calendar{
		"Europe/Paris": oncall.Metropole, "Indian/Reunion": oncall.Reunion, "Indian/Mayotte": oncall.Mayotte, "America/Cayenne": oncall.Guyane,
		"America/Guadeloupe": oncall.Guadeloupe, "America/Martinique": oncall.Martinique, "America/Miquelon": oncall.SaintPierreMiquelon,
		"America/St_Barthelemy": oncall.SaintBarthelemy, "America/Marigot": oncall.SaintMartin,
	} {
		if got := oncall.CalendarOf(zone); got != calendar {
			t.Errorf("%s has the holidays of %s", zone, got)
		}
	}
}
