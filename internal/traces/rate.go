package traces

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// usualSpan is how far back the usual rate of a source is learnt from.
const usualSpan = 28 * 24 * time.Hour

func readHours(ctx context.Context, tx *storage.Tx, scope access.Scope, source uuid.UUID, since time.Time) (out []Hour, err error) {
	err = tx.Query(ctx, `SELECT hour_us, events, failures FROM traces_hours WHERE organisation_id = $1 AND source_id = $2 AND hour_us >= $3 ORDER BY hour_us`,
		[]any{scope.Organisation(), source, storage.Micros(since)}, func(row func(...any) error) error {
			var h Hour
			var at int64
			if err := row(&at, &h.Events, &h.Failures); err != nil {
				return err
			}
			h.From = storage.Time(at)
			out = append(out, h)
			return nil
		})
	return out, err
}

func readSamples(ctx context.Context, tx *storage.Tx, scope access.Scope, source uuid.UUID) (out []Sample, err error) {
	err = tx.Query(ctx, `SELECT received_us, reason, sample FROM traces_samples WHERE organisation_id = $1 AND source_id = $2 ORDER BY id DESC`,
		[]any{scope.Organisation(), source}, func(row func(...any) error) error {
			var x Sample
			var at int64
			if err := row(&at, &x.Reason, &x.Text); err != nil {
				return err
			}
			x.Received = storage.Time(at)
			out = append(out, x)
			return nil
		})
	return out, err
}

// usual is the median of what was said at this hour of the day on days of this
// kind (week or weekend), hours of silence between the first and now counted as
// none; -1 when fewer than three such days are known.
func usual(hours []Hour, now time.Time, l *time.Location) int64 {
	if len(hours) == 0 {
		return -1
	}
	said := make(map[int64]int64, len(hours))
	for _, h := range hours {
		said[h.From.Unix()] = h.Events
	}
	rest := func(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }
	here := now.In(l).Truncate(time.Hour)
	var counts []int64
	for at := here.Add(-24 * time.Hour); !at.Before(hours[0].From); at = at.Add(-24 * time.Hour) {
		if rest(at) == rest(here) {
			counts = append(counts, said[at.Unix()])
		}
	}
	if len(counts) < 3 {
		return -1
	}
	slices.Sort(counts)
	return counts[len(counts)/2]
}
