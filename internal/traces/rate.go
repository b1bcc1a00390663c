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

// Rate is what a source said in the last whole hour, and what it usually says in
// such an hour: the median of the last four weeks, at this hour of the day and of
// the week or weekend; -1 before three are known.
type Rate struct{ Said, Usual int64 }

// Rates gives the rate of every source that spoke in the last four weeks. Needs
// access.TracesRead.
func (s *Service) Rates(ctx context.Context, scope access.Scope) (map[uuid.UUID]Rate, error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return nil, err
	}
	hour := s.opt.Clock.Now().Add(-time.Hour).Truncate(time.Hour)
	out := map[uuid.UUID]Rate{}
	err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		sources, err := readSources(ctx, tx, `organisation_id = $1 AND retired_us IS NULL`, scope.Organisation())
		if err != nil {
			return err
		}
		// The same hour of the days before: 28 lines of each source at most.
		const day = int64(24 * time.Hour / time.Microsecond)
		hours := map[uuid.UUID][]Hour{}
		err = tx.Query(ctx, `SELECT source_id, hour_us, events FROM traces_hours WHERE organisation_id = $1 AND hour_us >= $2 AND hour_us <= $3 AND hour_us % $4 = $5 ORDER BY hour_us`,
			[]any{scope.Organisation(), storage.Micros(hour.Add(-usualSpan)), storage.Micros(hour), day, storage.Micros(hour) % day}, func(row func(...any) error) error {
				var id uuid.UUID
				var h Hour
				var at int64
				if err := row(&id, &at, &h.Events); err != nil {
					return err
				}
				h.From = storage.Time(at)
				hours[id] = append(hours[id], h)
				return nil
			})
		for _, p := range sources {
			list := hours[p.ID]
			if len(list) == 0 {
				continue
			}
			r := Rate{Usual: usual(list, hour, p.Location())}
			if last := list[len(list)-1]; last.From.Equal(hour) {
				r.Said = last.Events
			}
			out[p.ID] = r
		}
		return err
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
