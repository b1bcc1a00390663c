// Package oncall is « Astreintes et gardes »: who holds a function (« Cadre de
// garde », « Astreinte réanimation ») at any instant, who replaces him, and
// whom to call next when he does not answer.
//
// It promises that every instant is held by exactly one person or is a gap that
// is said, across the days of 23 and 25 hours too; that hours are those of the
// wall clock of the place; and that an alert to a function reaches who holds it
// when the alert leaves.
//
// It never says why somebody is replaced, never puts a number in a calendar that
// leaves the house, and never confuses astreintes with plannings: who works on
// site is told by the plannings of the directory.
package oncall
