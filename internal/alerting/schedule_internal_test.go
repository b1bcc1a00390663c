package alerting

import (
	"testing"
	"time"
)

// The hour is that of the wall clock, once a month, whatever the change of hour does.
func TestNextOfATimetable(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		table       Timetable
		zone, after string
		want        []string
	}{
		"winter and summer":                                     {Timetable{Every: Monthly, Day: 15, Hour: 10}, "Europe/Paris", "2026-02-20T00:00:00Z", []string{"2026-03-15T09:00:00Z", "2026-04-15T08:00:00Z"}},
		"an hour that is skipped (29 March 2026)":               {Timetable{Every: Monthly, Day: 29, Hour: 2, Minute: 30}, "Europe/Paris", "2026-03-01T00:00:00Z", []string{"2026-03-29T01:30:00Z", "2026-04-29T00:30:00Z"}},
		"an hour that comes twice (25 October 2026): the first": {Timetable{Every: Monthly, Day: 25, Hour: 2, Minute: 30}, "Europe/Paris", "2026-10-01T00:00:00Z", []string{"2026-10-25T00:30:00Z", "2026-11-25T01:30:00Z"}},
		"a short month gives its last day":                      {Timetable{Every: Monthly, Day: 31, Hour: 10}, "Europe/Paris", "2026-01-31T12:00:00Z", []string{"2026-02-28T09:00:00Z", "2026-03-31T08:00:00Z"}},
		"the first of May and a week-end: the next working day": {Timetable{Every: Monthly, Day: 1, Hour: 10, Working: true}, "Europe/Paris", "2026-04-15T00:00:00Z", []string{"2026-05-04T08:00:00Z", "2026-06-01T08:00:00Z"}},
		"the last day moves into the next month":                {Timetable{Every: Monthly, Day: 31, Hour: 10, Working: true}, "Europe/Paris", "2026-05-30T00:00:00Z", []string{"2026-06-01T08:00:00Z", "2026-06-30T08:00:00Z"}},
		"the abolition of slavery in La Réunion":                {Timetable{Every: Monthly, Day: 20, Hour: 9, Working: true}, "Indian/Reunion", "2027-12-01T00:00:00Z", []string{"2027-12-21T05:00:00Z"}},
		"once": {Timetable{Every: Once, On: "2026-12-24", Hour: 11}, "Europe/Paris", "2026-11-30T00:00:00Z", []string{"2026-12-24T10:00:00Z", ""}},
	} {
		zone, err := time.LoadLocation(tc.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, tc.after)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range tc.want {
			at = tc.table.Next(at, zone)
			if got := at.Format(time.RFC3339); want == "" && !at.IsZero() || want != "" && got != want {
				t.Errorf("%s: date %d is %s, want %s", name, i+1, got, want)
			}
		}
	}
}

// Every month has exactly one date, for every day and hour, in every zone.
func TestEveryMonthHasOneDate(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Paris", "America/Miquelon", "Indian/Reunion"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for day := 1; day <= LastDay; day += 3 {
			for hour := range 24 {
				table := Timetable{Every: Monthly, Day: day, Hour: hour, Minute: 30}
				at := time.Date(2026, 1, 1, 0, 0, 0, 0, zone).Add(-time.Second)
				for month := time.January; month <= time.December; month++ {
					at = table.Next(at, zone)
					if local := at.In(zone); local.Month() != month || local.Year() != 2026 {
						t.Fatalf("%s, day %d at %d:30: %s instead of month %d", name, day, hour, local, month)
					}
				}
			}
		}
	}
}

// The services side by side, those that answer least first; a clear fall is said.
func TestEvolutionOfServices(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	s := Schedule{Runs: []ScheduledRun{
		{At: at, Services: []ServiceProof{{"", "Bloc", 10, 9, 9}, {"", "Réa", 10, 8, 5}, {"", "SSR", 2, 0, 0}}},
		{At: at.AddDate(0, -1, 0), Outcome: RunLate},
		{At: at.AddDate(0, -2, 0), Services: []ServiceProof{{"", "Bloc", 10, 10, 10}, {"", "Réa", 10, 10, 9}, {"", "SSR", 2, 2, 2}}},
	}}
	dates, list := s.Evolutions()
	if len(dates) != 2 || len(list) != 3 || list[0].Service != "SSR" || list[1].Service != "Réa" {
		t.Fatalf("%v %+v", dates, list)
	}
	if list[0].Falls() || !list[1].Falls() || list[2].Falls() {
		t.Error("a fall of two people is nothing, one of forty points in a hundred is said, one of ten is not")
	}
}
