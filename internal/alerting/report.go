package alerting

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// Report is the facts of an alert, recomputed from its people, its messages
// and its answers: not from the running figures of the dashboard.
type Report struct {
	Launch        Launch     `json:"launch"`
	Establishment string     `json:"establishment"`
	Zone          string     `json:"zone"`
	At            time.Time  `json:"at"`
	Definition    Definition `json:"definition"`
	Counters      Counters   `json:"counters"`
	// Reached, Answered and Coming are the curves: one instant for each person, sorted,
	// in seconds since the launch.
	Reached  []float64    `json:"reached_s"`
	Answered []float64    `json:"answered_s"`
	Coming   []float64    `json:"coming_s"`
	Delays   ReportDelays `json:"delays"`
	Quotas   []QuotaLine  `json:"quotas"`
	// QuotaMet is when every quota was first reached; zero when never.
	QuotaMet time.Time      `json:"quota_met"`
	Waves    []WaveView     `json:"waves"`
	Units    []ReportUnit   `json:"units"`
	Media    []ReportMedium `json:"media"`
	Cost     ReportCost     `json:"cost"`
	// Failures counts failed messages by medium and reason.
	Failures []ReportFailure `json:"failures"`
	// Unreached are the people nobody could reach, or who were not called, with the reason.
	Unreached []ReportPerson `json:"unreached"`
	Timeline  []Event        `json:"timeline"`
	// Erased is when the names were erased, after the time they are kept; zero before.
	Erased time.Time  `json:"erased,omitzero"`
	Door   ReportDoor `json:"door"`
	// Expected is what the last rehearsal before the launch showed.
	Expected Expected `json:"expected"`
	// Rest was due before a relief counted somebody who came before.
	Rest time.Duration `json:"rest_ns"`
	// Rolls are the services that said who was there already.
	Rolls []Roll `json:"rolls"`
}

// ReportDelays are the times from the launch until a share of the people called
// was reached; nil when that share was never reached.
type ReportDelays struct {
	Reached50 *time.Duration `json:"reached_50_ns"`
	Reached80 *time.Duration `json:"reached_80_ns"`
	Reached95 *time.Duration `json:"reached_95_ns"`
	Quota     *time.Duration `json:"quota_ns"`
}

// ReportUnit is one service on one site.
type ReportUnit struct {
	SiteName    string `json:"site"`
	ServiceName string `json:"service"`
	People      int    `json:"people"`
	Called      int    `json:"called"`
	Reached     int    `json:"reached"`
	Answered    int    `json:"answered"`
	Coming      int    `json:"coming"`
	Arrived     int    `json:"arrived"`
	LeftOut     int    `json:"left_out"`
}

// ReportMedium is what one medium carried, in messages.
type ReportMedium struct {
	Medium    channels.Medium `json:"medium"`
	Sent      int             `json:"sent"`
	Submitted int             `json:"submitted"`
	Delivered int             `json:"delivered"`
	Failed    int             `json:"failed"`
	Withdrawn int             `json:"withdrawn"`
	Expired   int             `json:"expired"`
	Guarded   int             `json:"guarded"`
	Doubled   int             `json:"doubled"`
	Answers   int             `json:"answers"`
}

// ReportFailure counts one reason of failure.
type ReportFailure struct {
	Medium channels.Medium `json:"medium"`
	// Reason has its sentence under "channels.reason.".
	Reason   channels.Reason `json:"reason"`
	Messages int             `json:"messages"`
}

// ReportPerson is someone who was not reached.
type ReportPerson struct {
	LastName    string `json:"last_name"`
	FirstName   string `json:"first_name"`
	SiteName    string `json:"site"`
	ServiceName string `json:"service"`
	// LeftOut says why he was not called; empty when every address was tried or is still silent.
	LeftOut LeftOut `json:"left_out"`
	State   State   `json:"state"`
	// Reason is that of the last failed message, when there is one.
	Reason channels.Reason `json:"reason"`
}

// ReportData gathers the facts of an alert, ended or not. It names who was not
// reached, never who refused. Needs access.AlertReport. Errors: NotFound.
func (s *Service) ReportData(ctx context.Context, scope access.Scope, launch uuid.UUID, now time.Time) (r Report, err error) {
	if err := s.guard.Check(scope, access.AlertReport); err != nil {
		return r, err
	}
	r.At = now
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if r.Launch, err = readLaunch(ctx, tx, scope, launch); err != nil {
			return err
		}
		p, err := s.planOf(ctx, tx, scope, r.Launch)
		if err != nil {
			return err
		}
		r.Definition, r.Establishment, r.Zone, r.Expected, r.Rest = p.Definition, p.Setting.Establishment, p.Setting.Zone, p.expected, p.rest
		at := now
		if !r.Launch.EndedAt.IsZero() {
			at = r.Launch.EndedAt
		}
		if r.Quotas, err = s.namedQuotas(ctx, tx, scope, r.Launch, p, at); err != nil {
			return err
		}
		if r.Waves, err = waveViews(ctx, tx, scope, launch, p); err != nil {
			return err
		}
		if r.Erased, err = erased(ctx, tx, scope, launch); err != nil {
			return err
		}
		if r.Timeline, err = readEvents(ctx, tx, scope, launch); err != nil {
			return err
		}
		if !s.guard.May(scope, access.AlertAnswers) {
			r.Timeline = unnamed(r.Timeline)
		}
		if err := r.messages(ctx, tx, scope); err != nil {
			return err
		}
		if r.Cost, err = s.reportCost(ctx, tx, scope, launch); err != nil {
			return err
		}
		if err := r.people(ctx, tx, scope); err != nil {
			return err
		}
		said, err := readRolls(ctx, tx, scope, launch)
		if err != nil {
			return err
		}
		r.Rolls = said.Rolls
		return r.door(ctx, tx, scope)
	})
	if err != nil {
		return r, err
	}
	r.delays()
	return r, nil
}

// people reads every person once and counts.
func (r *Report) people(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	units, err := unitsOf(ctx, tx, scope, r.Launch.ID)
	if err != nil {
		return err
	}
	r.Units = make([]ReportUnit, len(units))
	for i, u := range units {
		r.Units[i].SiteName, r.Units[i].ServiceName = u.siteName, u.serviceName
	}
	reasons, err := lastReasons(ctx, tx, scope, r.Launch.ID)
	if err != nil {
		return err
	}
	err = tx.Query(ctx, `SELECT id, unit, state, left_out, last_name, first_name, called_us, reached_us, answered_us, meaning, arrived_us, marks
		FROM alerting_recipients WHERE organisation_id = $1 AND launch_id = $2 AND id > $3 ORDER BY id`,
		[]any{scope.Organisation(), r.Launch.ID, r.Launch.first()}, func(row func(...any) error) error {
			var p person
			var called, reached, answered, arrived sql.NullInt64
			if err := row(&p.ID, &p.Unit, &p.State, &p.LeftOut, &p.Last, &p.First, &called, &reached, &answered, &p.Meaning, &arrived, &p.Marks); err != nil {
				return err
			}
			p.Called, p.Reached, p.AnsweredAt, p.Arrived = storage.NullTime(called), storage.NullTime(reached), storage.NullTime(answered), storage.NullTime(arrived)
			r.count(&p, reasons[p.ID])
			return nil
		})
	if err != nil {
		return err
	}
	if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM alerting_answers WHERE organisation_id = $1 AND launch_id = $2 AND late`,
		[]any{scope.Organisation(), r.Launch.ID}, &r.Counters.Late); err != nil {
		return err
	}
	slices.Sort(r.Reached)
	slices.Sort(r.Answered)
	slices.Sort(r.Coming)
	r.Units = slices.DeleteFunc(r.Units, func(u ReportUnit) bool { return u.People+u.LeftOut == 0 })
	return nil
}

// first is an id just before the first recipient of an alert: they are numbered
// from its instant on, so that one alert is read as a range of the table.
func (l Launch) first() uuid.UUID {
	id := l.ID
	for i := 6; i < len(id); i++ {
		id[i] = 0
	}
	return id
}

func (r *Report) count(p *person, reason channels.Reason) {
	u, c := &r.Units[p.Unit], &r.Counters
	named := func() {
		if !r.Erased.IsZero() || p.LeftOut == LeftAsked {
			return
		}
		r.Unreached = append(r.Unreached, ReportPerson{
			LastName: p.Last, FirstName: p.First, SiteName: u.SiteName, ServiceName: u.ServiceName,
			LeftOut: p.LeftOut, State: p.State, Reason: reason,
		})
	}
	if p.LeftOut != "" {
		u.LeftOut++
		c.LeftOut++
		named()
		return
	}
	u.People++
	c.People++
	seconds := func(t time.Time) float64 { return t.Sub(r.Launch.LaunchedAt).Seconds() }
	if !p.Called.IsZero() {
		u.Called++
	}
	if !p.Reached.IsZero() {
		u.Reached++
		c.Reached++
		r.Reached = append(r.Reached, seconds(p.Reached))
	}
	if p.Meaning != "" {
		u.Answered++
		c.Answered++
		r.Answered = append(r.Answered, seconds(p.AnsweredAt))
	}
	if p.Meaning == Coming || p.Meaning == OnSite {
		u.Coming++
		r.Coming = append(r.Coming, seconds(p.AnsweredAt))
	}
	if !p.Arrived.IsZero() {
		u.Arrived++
	}
	c.stand(p)
	if !p.Called.IsZero() && p.Reached.IsZero() && p.Meaning == "" && p.Arrived.IsZero() {
		named()
	}
}

// stand counts where a person stands.
func (c *Counters) stand(p *person) {
	for _, is := range []struct {
		yes bool
		n   *int
	}{
		{p.State == Waiting, &c.Waiting},
		{p.State == Called, &c.Called},
		{p.State == Exhausted, &c.Exhausted},
		{p.State == Unconfirmed, &c.Unconfirmed},
		{p.State == Arrived, &c.Arrived},
		{p.Meaning == Coming, &c.Coming},
		{p.Meaning == OnSite, &c.OnSite},
		{p.Meaning == Unavailable, &c.Unavailable},
		{p.Meaning == CallMe, &c.CallMe},
		{p.Marks&markStopped != 0, &c.Stopped},
		{p.Marks&markUnread != 0, &c.Unread},
	} {
		if is.yes {
			*is.n++
		}
	}
}

// lastReasons gives the reason of the last failure of each person who has one.
func lastReasons(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) (map[uuid.UUID]channels.Reason, error) {
	out := map[uuid.UUID]channels.Reason{}
	err := tx.Query(ctx, `SELECT recipient_id, reason FROM alerting_attempts WHERE organisation_id = $1 AND launch_id = $2 AND failed_us IS NOT NULL ORDER BY failed_us`,
		[]any{scope.Organisation(), launch}, func(row func(...any) error) error {
			var id uuid.UUID
			var reason channels.Reason
			err := row(&id, &reason)
			out[id] = reason
			return err
		})
	return out, err
}

// messages counts what the media carried.
func (r *Report) messages(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	by := map[channels.Medium]*ReportMedium{}
	medium := func(m channels.Medium) *ReportMedium {
		if by[m] == nil {
			by[m] = &ReportMedium{Medium: m}
		}
		return by[m]
	}
	err := tx.Query(ctx, `SELECT medium, state, reason, COUNT(*), COUNT(submitted_us), COUNT(delivered_us), SUM(CASE WHEN doubled THEN 1 ELSE 0 END)
		FROM alerting_attempts WHERE organisation_id = $1 AND launch_id = $2 GROUP BY medium, state, reason ORDER BY medium, state, reason`,
		[]any{scope.Organisation(), r.Launch.ID}, func(row func(...any) error) error {
			var name channels.Medium
			var state AttemptState
			var reason channels.Reason
			var n, submitted, delivered, doubled int
			if err := row(&name, &state, &reason, &n, &submitted, &delivered, &doubled); err != nil {
				return err
			}
			m := medium(name)
			m.Sent, m.Submitted, m.Delivered, m.Doubled = m.Sent+n, m.Submitted+submitted, m.Delivered+delivered, m.Doubled+doubled
			switch state {
			case AttemptFailed:
				m.Failed += n
				r.Failures = append(r.Failures, ReportFailure{name, reason, n})
			case AttemptWithdrawn:
				m.Withdrawn += n
			case AttemptExpired:
				m.Expired += n
			case AttemptGuarded:
				m.Guarded += n
			}
			return nil
		})
	if err != nil {
		return err
	}
	err = tx.Query(ctx, `SELECT source, COUNT(*) FROM alerting_answers WHERE organisation_id = $1 AND launch_id = $2 AND source IN ('sms', 'voice', 'email') GROUP BY source`,
		[]any{scope.Organisation(), r.Launch.ID}, func(row func(...any) error) error {
			var source string
			var n int
			err := row(&source, &n)
			medium(channels.Medium(source)).Answers = n
			return err
		})
	for _, m := range Media() {
		if by[m] != nil {
			r.Counters.Guarded += by[m].Guarded
			r.Media = append(r.Media, *by[m])
		}
	}
	return err
}

// delays reads the times to a share of the people called on the curve.
func (r *Report) delays() {
	called := 0
	for _, u := range r.Units {
		called += u.Called
	}
	share := func(percent int) *time.Duration {
		// The number of people that makes the share, rounded up: 95 % of 10 is 10.
		n := (called*percent + 99) / 100
		if n == 0 || n > len(r.Reached) {
			return nil
		}
		d := time.Duration(r.Reached[n-1] * float64(time.Second)).Round(time.Millisecond)
		return &d
	}
	r.Delays = ReportDelays{Reached50: share(50), Reached80: share(80), Reached95: share(95)}
	for _, e := range r.Timeline {
		if e.Kind == EventQuotaMet {
			r.QuotaMet = e.At
			d := e.At.Sub(r.Launch.LaunchedAt)
			r.Delays.Quota = &d
			break
		}
	}
}

// EachRecipient streams every person of an alert with his attempts and answers,
// in the order of names, for the sheets of the report; memory stays flat. Needs
// access.AlertAnswers; addresses are masked unless the reader may see numbers.
func (s *Service) EachRecipient(ctx context.Context, scope access.Scope, launch uuid.UUID, each func(Recipient) error) error {
	if err := s.guard.Check(scope, access.AlertAnswers); err != nil {
		return err
	}
	whole := s.guard.May(scope, access.DirectoryNumbers)
	return s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		if at, err := erased(ctx, tx, scope, launch); err != nil || !at.IsZero() {
			return err
		}
		units, err := unitsOf(ctx, tx, scope, launch)
		if err != nil {
			return err
		}
		for last := uuid.Nil; ; {
			people, err := readPeople(ctx, tx, scope, launch, `id > $3 ORDER BY id LIMIT $4`, last, portion)
			if err != nil || len(people) == 0 {
				return err
			}
			list, err := s.detail(ctx, tx, scope, people, units, whole)
			if err != nil {
				return err
			}
			for _, r := range list {
				if err := each(r); err != nil {
					return err
				}
			}
			last = people[len(people)-1].ID
		}
	})
}
