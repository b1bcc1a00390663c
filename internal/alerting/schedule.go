package alerting

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory/oncall"
	"tocsin/internal/fault"
)

// The bounds of a schedule.
const (
	// LateDefault, LateLeast and LateMost are how many minutes late an alert may leave:
	// after a stop of the program a test at ten must not ring at three in the morning.
	LateDefault = 30
	LateLeast   = 1
	LateMost    = 240
	// LastsDefault and LastsMost are how many hours it runs before it ends by itself.
	LastsDefault = 2
	LastsMost    = 24
	// LastDay stands for the last day of each month.
	LastDay = 31
)

// Every is how often a scheduled alert leaves. The values are stored.
type Every string

// The paces.
const (
	Once    Every = "once"
	Monthly Every = "monthly"
)

// Timetable is when a scheduled alert leaves, on the clock of the establishment.
type Timetable struct {
	Every Every `json:"every"`
	// On is the day of one that leaves once, as "2006-01-02".
	On string `json:"on,omitempty"`
	// Day is that of the month, 1 to 31; a month that is shorter gives its last.
	Day int `json:"day,omitempty"`
	// Hour and Minute are those of the wall clock.
	Hour   int `json:"hour"`
	Minute int `json:"minute"`
	// Working moves a monthly one from a Saturday, a Sunday or a public holiday to the next working day.
	Working bool `json:"working"`
}

func (t Timetable) check() error {
	switch {
	case t.Every != Once && t.Every != Monthly:
		return fault.New(fault.Invalid, "alerting.schedule.every").At("every")
	case t.Hour < 0 || t.Hour > 23 || t.Minute < 0 || t.Minute > 59:
		return fault.New(fault.Invalid, "alerting.schedule.hour").At("hour")
	case t.Every == Monthly && (t.Day < 1 || t.Day > LastDay):
		return fault.New(fault.Invalid, "alerting.schedule.day").At("day")
	}
	if _, err := time.Parse(time.DateOnly, t.On); t.Every == Once && err != nil {
		return fault.Wrap(err, fault.Invalid, "alerting.schedule.on").At("on")
	}
	return nil
}

// Next is the first instant after another at which it leaves; zero for none. An hour
// that the change of hour skips is the same number of minutes after the change, one
// that it repeats is the first: once a month, whatever the month.
func (t Timetable) Next(after time.Time, zone *time.Location) time.Time {
	if t.Every == Once {
		day, err := time.Parse(time.DateOnly, t.On)
		if err != nil {
			return time.Time{}
		}
		if at := t.on(day, zone); at.After(after) {
			return at
		}
		return time.Time{}
	}
	y, m, _ := after.In(zone).Date()
	// The month before too: its last days may be holidays.
	for i := -1; i < 14; i++ {
		first := time.Date(y, m+time.Month(i), 1, 0, 0, 0, 0, time.UTC)
		last := first.AddDate(0, 1, -1).Day()
		day := first.AddDate(0, 0, min(t.Day, last)-1)
		for t.Working && !working(day, zone) {
			day = day.AddDate(0, 0, 1)
		}
		if at := t.on(day, zone); at.After(after) {
			return at
		}
	}
	return time.Time{}
}

// on is the hour of the timetable on a day.
func (t Timetable) on(day time.Time, zone *time.Location) time.Time {
	y, m, d := day.Date()
	at := time.Date(y, m, d, t.Hour, t.Minute, 0, 0, zone)
	// Of an hour that comes twice, the first.
	if earlier := at.Add(-time.Hour); earlier.In(zone).Hour() == t.Hour && earlier.In(zone).Day() == d {
		at = earlier
	}
	return at.UTC()
}

// working tells a day on which people work in the offices of the place.
func working(day time.Time, zone *time.Location) bool {
	if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
		return false
	}
	_, holiday := oncall.HolidayOn(oncall.CalendarOf(zone.String()), oncall.DayOf(day, time.UTC))
	return !holiday
}

// ScheduleInput is what a person decides of a scheduled alert.
type ScheduleInput struct {
	Scenario uuid.UUID
	// Mode is Exercise or Test: nothing true leaves by itself.
	Mode      Mode
	Timetable Timetable
	// Late is how many minutes late it may leave, Lasts how many hours it runs.
	Late, Lasts int
}

// Schedule is an alert that leaves by itself.
type Schedule struct {
	ScheduleInput
	ID    uuid.UUID
	Title Localized
	// By planned it; StoppedAt is when somebody stopped it, zero while it lives.
	By        string
	CreatedAt time.Time
	StoppedAt time.Time
	// Next is when it leaves; zero when it does not any more. Dates are the first three.
	Next  time.Time
	Dates []time.Time
	// Runs are the last ones, the newest first.
	Runs []ScheduledRun
}

// RunOutcome is what became of one date. The values are stored.
type RunOutcome string

// The outcomes.
const (
	RunLaunched RunOutcome = "launched"
	RunAwaiting RunOutcome = "awaiting" // a second person must let it leave
	RunLate     RunOutcome = "late"     // the program was stopped at that hour
	RunBusy     RunOutcome = "busy"     // a true alert was running
	RunRefused  RunOutcome = "refused"  // the scenario could not leave
)

// RunOutcomes lists them.
func RunOutcomes() []RunOutcome {
	return []RunOutcome{RunLaunched, RunAwaiting, RunLate, RunBusy, RunRefused}
}

// ScheduledRun is one date of a schedule.
type ScheduledRun struct {
	At      time.Time
	Outcome RunOutcome
	// Launch is the alert; Nil when none left. Ended is when it ended by itself.
	Launch uuid.UUID
	// Why is the reason of a refusal, in the language of the establishment.
	Why string
	// Services are what each service answered, of an alert that left.
	Services []ServiceProof
}

// Left tells that an alert left.
func (r ScheduledRun) Left() bool { return r.Launch != uuid.Nil }

// ServiceProof is how many of one service were reached by a scheduled alert. It
// counts people and names none.
type ServiceProof struct {
	Site, Service             string
	Called, Reached, Answered int
}

// Share is the part of those called who answered, 0 to 1.
func (p ServiceProof) Share() float64 {
	if p.Called == 0 {
		return 0
	}
	return float64(p.Answered) / float64(p.Called)
}

// Evolution is one service over the last alerts of a schedule, the newest first; a
// date without anybody of it has no people called.
type Evolution struct {
	Site, Service string
	Months        []ServiceProof
}

// fallen is by how much a share may fall from one month to the next before it is said.
const fallen = 0.20

// Falls tells that clearly fewer answered than the time before, of enough people.
func (e Evolution) Falls() bool {
	return len(e.Months) > 1 && e.Months[0].Called >= Crowd && e.Months[1].Called >= Crowd && e.Months[1].Share()-e.Months[0].Share() >= fallen
}

// Evolutions puts the services of the runs side by side: those that answer least first.
func (s Schedule) Evolutions() (at []time.Time, out []Evolution) {
	for _, r := range s.Runs {
		if len(r.Services) == 0 {
			continue
		}
		at = append(at, r.At)
		for _, p := range r.Services {
			i := slices.IndexFunc(out, func(e Evolution) bool { return e.Site == p.Site && e.Service == p.Service })
			if i < 0 {
				i = len(out)
				out = append(out, Evolution{Site: p.Site, Service: p.Service})
			}
			for len(out[i].Months) < len(at)-1 {
				out[i].Months = append(out[i].Months, ServiceProof{})
			}
			out[i].Months = append(out[i].Months, p)
		}
	}
	for i := range out {
		for len(out[i].Months) < len(at) {
			out[i].Months = append(out[i].Months, ServiceProof{})
		}
	}
	slices.SortStableFunc(out, func(a, b Evolution) int { return int((a.Months[0].Share() - b.Months[0].Share()) * 1e6) })
	return at, out
}
