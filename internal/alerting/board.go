package alerting

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Board is one snapshot of an alert for the dashboard; pages subscribe to
// Topic(launch). It reads running figures, so that it costs the same at 100 and
// at 100,000 people. Needs access.AlertRead. Errors: NotFound.
func (s *Service) Board(ctx context.Context, scope access.Scope, launch uuid.UUID, now time.Time) (b Board, err error) {
	if err := s.guard.Check(scope, access.AlertRead); err != nil {
		return b, err
	}
	b.At = now
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if b.Launch, err = readLaunch(ctx, tx, scope, launch); err != nil {
			return err
		}
		p, err := s.planOf(ctx, tx, scope, b.Launch)
		if err != nil {
			return err
		}
		if b.Quotas, err = s.namedQuotas(ctx, tx, scope, b.Launch, p, now); err != nil {
			return err
		}
		if b.Waves, err = waveViews(ctx, tx, scope, launch, p); err != nil {
			return err
		}
		b.NextWave = nextWave(b.Launch, b.Waves)
		b.Expected, b.Rest = p.expected, p.rest
		t, err := readTally(ctx, tx, scope, launch)
		if err != nil {
			return err
		}
		b.Counters = t.counters()
		b.Curve = t.points(b.Launch, now)
		if b.Timeline, err = readEvents(ctx, tx, scope, launch); err != nil {
			return err
		}
		if b.Roll, err = readRolls(ctx, tx, scope, launch); err != nil {
			return err
		}
		b.Unmatched, err = countUnmatched(ctx, tx, scope, b.Launch.LaunchedAt)
		return err
	})
	if err != nil {
		return b, err
	}
	if !s.guard.May(scope, access.AlertAnswers) {
		b = b.Unnamed()
	}
	b.Media, err = s.dispatch.View(ctx, inside(scope), launch, now)
	return b, err
}

// Unnamed is the board for who may not see what each person did.
func (b Board) Unnamed() Board {
	b.Timeline = unnamed(b.Timeline)
	return b
}

// unnamed leaves names of agents out of a timeline.
func unnamed(list []Event) []Event {
	out := slices.Clone(list)
	for i, e := range out {
		if slices.Contains([]EventKind{EventManualCall, EventArrival, EventAttached, EventStop}, e.Kind) {
			out[i].Text = ""
		}
	}
	return out
}

// counters reads the totals of a tally.
func (t tally) counters() Counters {
	n := func(name string) int { return t[figure{name, 0}] }
	return Counters{
		People: n("people"), Waiting: n("state." + string(Waiting)), Called: n("state." + string(Called)), Reached: n("reached"), Answered: n("answered"),
		Coming: n("meaning." + string(Coming)), OnSite: n("meaning." + string(OnSite)), Unavailable: n("meaning." + string(Unavailable)),
		CallMe: n("meaning." + string(CallMe)), Arrived: n("state." + string(Arrived)), Exhausted: n("state." + string(Exhausted)),
		Unconfirmed: n("state." + string(Unconfirmed)),
		LeftOut:     n("state." + string(LeftAside)), Stopped: n("stopped"), Unread: n("unread"), Late: n("late"), Guarded: n("guarded"),
		Left: n("left"), Orders: n("orders"),
	}
}

// points adds the changes of each minute up, from the launch to now or the end.
func (t tally) points(l Launch, now time.Time) []CurvePoint {
	last := now
	if !l.EndedAt.IsZero() && l.EndedAt.Before(now) {
		last = l.EndedAt
	}
	n := min(int(last.Sub(l.LaunchedAt)/time.Minute)+1, CurvePoints)
	if n <= 0 {
		return nil
	}
	out := make([]CurvePoint, n)
	var sum CurvePoint
	for i := range out {
		sum.Minute = i
		sum.Reached += t[figure{"curve.reached", i}]
		sum.Answered += t[figure{"curve.answered", i}]
		sum.Coming += t[figure{"curve.coming", i}]
		sum.Arrived += t[figure{"curve.arrived", i}]
		out[i] = sum
	}
	return out
}

func waveViews(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, p *plan) ([]WaveView, error) {
	var out []WaveView
	err := tx.Query(ctx, `SELECT number, state, people, due_us, opened_us FROM alerting_waves WHERE organisation_id = $1 AND launch_id = $2 ORDER BY number`,
		[]any{scope.Organisation(), launch}, func(row func(...any) error) error {
			var v WaveView
			var due int64
			var opened sql.NullInt64
			if err := row(&v.Number, &v.State, &v.People, &due, &opened); err != nil {
				return err
			}
			w := p.wave(v.Number)
			v.Number, v.Name, v.When, v.DueAt, v.OpenedAt = v.Number+1, w.Name, w.When, storage.Time(due), storage.NullTime(opened)
			if turn := w.turn(); turn > 0 {
				v.Relief = p.LaunchedAt.Add(turn)
			}
			out = append(out, v)
			return nil
		})
	return out, err
}

// nextWave is the first hour at which a wave that waits may leave.
func nextWave(l Launch, waves []WaveView) time.Time {
	if l.State != Running {
		return time.Time{}
	}
	for _, w := range waves {
		if w.State == WavePending {
			return w.DueAt
		}
	}
	return time.Time{}
}

// namedQuotas adds the names of sites to the lines of the quota.
func (s *Service) namedQuotas(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch, p *plan, now time.Time) ([]QuotaLine, error) {
	lines, err := s.quotaLines(ctx, tx, scope, l, p, now)
	if err != nil || len(lines) == 0 {
		return lines, err
	}
	units, err := unitsOf(ctx, tx, scope, l.ID)
	for i := range lines {
		for _, u := range units {
			if lines[i].Site != uuid.Nil && u.site == lines[i].Site {
				lines[i].SiteName = u.siteName
			}
		}
	}
	return lines, err
}

func countUnmatched(ctx context.Context, tx *storage.Tx, scope access.Scope, since time.Time) (n int, err error) {
	_, err = tx.Row(ctx, `SELECT COUNT(*) FROM alerting_unmatched WHERE organisation_id = $1 AND at_us >= $2 AND recipient_id IS NULL`,
		[]any{scope.Organisation(), storage.Micros(since)}, &n)
	return n, err
}
