package alerting

import (
	"testing"
	"time"
)

// Those announced fill the quota eight times in ten, and one fewer would not.
func TestBookedIsCalibrated(t *testing.T) {
	t.Parallel()
	d := newDice(1, 1)
	const nights = 20_000
	for _, rate := range []float64{0.5, 0.75, 0.92, 0.99} {
		for _, needed := range []int{1, 5, 12, 60, 400} {
			filled := func(announced int) float64 {
				full := 0
				for range nights / 10 {
					come := 0
					for range announced {
						if d.happens(rate) {
							come++
						}
					}
					if come >= needed {
						full++
					}
				}
				return float64(full) / (nights / 10)
			}
			n := booked(needed, rate)
			if got := filled(n); got < sureness-0.04 {
				t.Errorf("%d posts, %g come: with %d announced the quota is filled %.2f of the time", needed, rate, n, got)
			}
			if got := filled(n - 1); n > needed && got > sureness+0.04 {
				t.Errorf("%d posts, %g come: %d announced are too many, %d fill it %.2f of the time", needed, rate, n, n-1, got)
			}
		}
	}
	if booked(12, 1) != 12 || booked(0, 0.5) != 0 || booked(-1, 0.5) != 0 {
		t.Error("without a doubt there is nobody over")
	}
	// One post left of twelve, and nine in ten come: one announced is enough.
	if (QuotaLine{Needed: 12, Arrived: 11, Coming: 1, Show: Show{Rate: 0.9}}).Missing() != 0 {
		t.Error("eleven there and one coming do not fill twelve posts")
	}
}

// What is learnt is that of the narrowest kind with enough people; a stated
// fallback otherwise; and the hand of the scenario before all.
func TestSharesAreLearntOfKindsWithEnoughPeople(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	m := newMemory()
	put := func(skill string, day time.Weekday, hour, awaited, arrived int) {
		m.cells[learntKey{skill, int(day), hour, ""}] = Learnt{Awaited: awaited, Arrived: arrived}
	}
	d := Definition{Quotas: []Quota{{Skill: "iade", Needed: 12}, {Needed: 5}, {Skill: "iade", Needed: 1, Show: 70}}}
	if got := d.shows(m, monday); got[0] != (Show{Rate: 1, From: OfNobody}) || got[2] != (Show{Rate: 0.7, ByHand: true}) {
		t.Errorf("nothing learnt: %+v", got)
	}
	put("", time.Sunday, 14, 100, 80)
	put("iade", time.Monday, 2, SampleLeast-1, 10)
	if got := d.shows(m, monday); got[0] != (Show{0.8, OfAll, 100, false}) || got[1] != (Show{0.8, OfAll, 100, false}) {
		t.Errorf("too few IADE: %+v", got)
	}
	put("iade", time.Saturday, 23, 200, 190)
	if got := d.shows(m, monday)[0]; got.From != OfSkill || got.Of != 200+SampleLeast-1 {
		t.Errorf("IADE at any hour: %+v", got)
	}
	put("iade", time.Tuesday, 5, 40, 30)
	if got := d.shows(m, monday)[0]; got.From != OfSkillThen || got.Of != 40+SampleLeast-1 {
		t.Errorf("IADE on weekday nights: %+v", got)
	}
	put("iade", time.Tuesday, 5, 1000, 1)
	if got := d.shows(m, monday)[0]; got.Rate != showFloor {
		t.Errorf("a share below half is not believed: %+v", got)
	}
}
