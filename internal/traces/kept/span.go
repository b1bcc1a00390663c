package kept

import (
	"slices"
	"time"

	"tocsin/internal/traces"
)

// Span is a period told from the day on which the question is asked.
type Span string

// The spans. Weeks begin on Monday.
const (
	LastDay   Span = "24h"
	Yesterday Span = "hier"
	LastWeek  Span = "7j"
	WeekPast  Span = "semaine_passee"
	LastMonth Span = "30j"
	MonthPast Span = "mois_passe"
	ThisMonth Span = "mois_en_cours"
	HalfYear  Span = "6m"
)

// Spans lists them in the order they are shown.
func Spans() []Span {
	return []Span{LastDay, Yesterday, LastWeek, WeekPast, LastMonth, MonthPast, ThisMonth, HalfYear}
}

// Known tells whether it is one of Spans.
func (s Span) Known() bool { return slices.Contains(Spans(), s) }

// Period is the span as of an instant, in a zone. Those that are counted back end
// at the next minute, so that what was just received is in.
func (s Span) Period(now time.Time, zone *time.Location) traces.Period {
	at := now.In(zone)
	day := time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, zone)
	month := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, zone)
	end := at.Truncate(time.Minute).Add(time.Minute)
	out := traces.Period{From: end.AddDate(0, 0, -7), To: end, Zone: zone.String()}
	switch s {
	case LastDay:
		out.From = end.Add(-24 * time.Hour)
	case Yesterday:
		out.From, out.To = day.AddDate(0, 0, -1), day
	case WeekPast:
		monday := day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
		out.From, out.To = monday.AddDate(0, 0, -7), monday
	case LastMonth:
		out.From = end.AddDate(0, 0, -30)
	case MonthPast:
		out.From, out.To = month.AddDate(0, -1, 0), month
	case ThisMonth:
		out.From = month
	case HalfYear:
		out.From = end.AddDate(0, -6, 0)
	}
	return out
}
