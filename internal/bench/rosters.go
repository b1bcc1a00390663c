package bench

import (
	"context"
	"time"

	"tocsin/internal/directory/oncall/oncalltest"
)

// rosterSeed draws the same rosters on every machine.
const rosterSeed = 2026

// rosterGaps counts the hours that rosters drawn at random do not cover exactly
// once across both changes of hour. The raw limit is the number of hours looked at.
func (b *bench) rosterGaps(ctx context.Context) ([]Result, error) {
	var gaps, looked samples
	began := time.Now()
	hours, wrong, err := oncalltest.Measure(ctx, b.Sizes.Rosters, rosterSeed)
	if err != nil {
		return nil, err
	}
	b.note("roster.gaps: %d rosters, %d hours, %d not covered exactly once, %.1f s", b.Sizes.Rosters, hours, wrong, time.Since(began).Seconds())
	gaps, looked = append(gaps, float64(wrong)), append(looked, float64(hours))
	return []Result{gaps.worst("roster.gaps", "hours", looked, "hours looked at, by a second way of telling the holder")}, nil
}
