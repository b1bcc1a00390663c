package demo

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"time"
)

// rosterDays is how many days the planning speaks of, from yesterday on.
const rosterDays = 5

// WriteRoster writes who works when around today, as planning programs export
// it: one row for each person and day, a day without work marked as rest.
// Students and outside workers are in no planning.
func (e Establishment) WriteRoster(w io.Writer, today time.Time) error {
	c := csv.NewWriter(w)
	c.Comma, c.UseCRLF = ';', true
	if err := c.Write([]string{"Matricule", "Date", "Horaire"}); err != nil {
		return fmt.Errorf("write the roster: %w", err)
	}
	first := today.AddDate(0, 0, -1)
	for i, p := range e.People {
		if p.Matricule == "" || slices.Contains([]string{"Externe", "Étudiant", "Libéral", "Prestataire"}, p.Status) {
			continue
		}
		for d := range rosterDays {
			on := first.AddDate(0, 0, d)
			if err := c.Write([]string{p.Matricule, on.Format(day), hours(i, on, p.Nights)}); err != nil {
				return fmt.Errorf("write the roster: %w", err)
			}
		}
	}
	c.Flush()
	return c.Error()
}

// hours is the work of the i-th person on a day. Nights work two days of five,
// the others five of seven, on one of three shifts.
func hours(i int, on time.Time, nights bool) string {
	turn := i + on.YearDay()
	switch {
	case nights && turn%5 < 2:
		return "19:00-07:00"
	case nights || turn%7 > 4:
		return "repos"
	}
	return []string{"06:45-14:15", "08:30-16:30", "13:45-21:15"}[i%3]
}
