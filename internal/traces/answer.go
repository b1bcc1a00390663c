package traces

import (
	"strings"
	"time"

	"tocsin/internal/fault"
)

// Answer is what the base says to a question.
type Answer struct {
	// Events is what was found, without their originals and keys (Get has
	// both), when the question lists; Groups when it counts.
	Events []Stored
	Groups []Group
	// Total counts the events that fit, or the groups; it is exact up to
	// Question's bounds.
	Total int64
	// More tells that lines follow those given.
	More bool
}

// Group is one line of a count.
type Group struct {
	// Keys are the values of Question.Group, in its order. What differs by case
	// only is one group, under its first form in the order of bytes; a patient is
	// told by his first IPP, or by his first INS when no IPP is known. Groups of
	// the same count follow each other in the order of their keys.
	Keys []string
	// Count is the number of events, or of different values of Question.Distinct:
	// what a source did not say is no value.
	Count int64
	// First and Last bound the events of the group, UTC microseconds.
	First, Last int64
}

// words cuts a free search into what must be found.
func words(text string) []string { return strings.Fields(text) }

// Words gives what Text demands.
func (q *Question) Words() []string { return words(q.Text) }

func zone(name string) (*time.Location, error) {
	l, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil, fault.New(fault.Invalid, "traces.error.zone", "zone", name).At("zone")
	}
	return l, nil
}
