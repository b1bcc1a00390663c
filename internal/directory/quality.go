package directory

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// ProvenFor is how long an answer proves that a person can be reached: six months.
const ProvenFor = 182 * 24 * time.Hour

// failuresBad is from how many failures in a row a contact point is a cause.
const failuresBad = 3

// Cause is why somebody may not be reached. The values are stored.
type Cause string

// The causes, the gravest first. One person may have several.
const (
	CauseNoContact  Cause = "no_contact"  // no way at all
	CauseNoMobile   Cause = "no_mobile"   // some way, no mobile
	CauseStopped    Cause = "stopped"     // an operator blocks one of his numbers
	CauseBounced    Cause = "bounced"     // one of his addresses does not exist any more
	CauseFailed     Cause = "failed"      // one of his addresses failed three times in a row
	CauseShared     Cause = "shared"      // one of his numbers is somebody else's too
	CauseNeverTried Cause = "never_tried" // nothing was ever sent to him
	CauseUnproven   Cause = "unproven"    // never answered, or more than six months ago
)

// Causes lists them, the gravest first.
func Causes() []Cause {
	return []Cause{CauseNoContact, CauseNoMobile, CauseStopped, CauseBounced, CauseFailed, CauseShared, CauseNeverTried, CauseUnproven}
}

// Score is the quality of a set of people.
type Score struct {
	People int
	// Proven answered on a contact point of their own within ProvenFor.
	Proven int
	Causes map[Cause]int
}

// Share is Proven over People, from 0 to 1; 0 for nobody.
func (s Score) Share() float64 {
	if s.People == 0 {
		return 0
	}
	return float64(s.Proven) / float64(s.People)
}

// ServiceScore is the quality of one service; Service is Nil for people who have none.
type ServiceScore struct {
	Score
	Service           uuid.UUID
	ServiceName, Site string
}

// Quality is the state of the directory, whole and by service.
type Quality struct {
	Score
	// Services are the weakest first.
	Services []ServiceScore
	// NeverProven counts the services of which nobody is proven.
	NeverProven int
	Computed    time.Time
}

// Quality gives the figures last computed, and computes them when there are
// none. RefreshQuality keeps them fresh.
func (d *Directory) Quality(ctx context.Context, scope access.Scope) (Quality, error) {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return Quality{}, err
	}
	q, err := d.readQuality(ctx, scope)
	if err != nil || !q.Computed.IsZero() {
		return q, err
	}
	if err := d.computeQuality(ctx, scope); err != nil {
		return q, err
	}
	return d.readQuality(ctx, scope)
}

func (d *Directory) readQuality(ctx context.Context, scope access.Scope) (Quality, error) {
	q := Quality{Score: Score{Causes: map[Cause]int{}}}
	err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		places, err := d.organisation.Places(ctx, tx, scope, d.clock.Now())
		if err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT service_id, people, proven, causes, computed_us FROM directory_quality WHERE organisation_id = $1`,
			[]any{scope.Organisation()}, func(row func(...any) error) error {
				var s ServiceScore
				var causes string
				var at int64
				if err := row(&s.Service, &s.People, &s.Proven, &causes, &at); err != nil {
					return err
				}
				if err := json.Unmarshal([]byte(causes), &s.Causes); err != nil {
					return err
				}
				q.Computed = storage.Time(at)
				q.add(s, places)
				return nil
			})
	})
	slices.SortFunc(q.Services, func(a, b ServiceScore) int {
		if a.Share() != b.Share() {
			return int((a.Share() - b.Share()) * 1e9)
		}
		return b.People - a.People
	})
	return q, err
}

func (q *Quality) add(s ServiceScore, places *organisation.Places) {
	q.People += s.People
	q.Proven += s.Proven
	for c, n := range s.Causes {
		q.Causes[c] += n
	}
	if s.People == 0 {
		return
	}
	if place, ok := places.Get(s.Service); ok {
		s.ServiceName, s.Site = place.Name, place.SiteName
	}
	if s.Proven == 0 {
		q.NeverProven++
	}
	q.Services = append(q.Services, s)
}

// RefreshQuality computes again the figures of the establishments where
// something changed. It suits jobs.Task, with an Instance scope, every minute.
func (d *Directory) RefreshQuality(ctx context.Context, scope access.Scope) error {
	if err := d.guard.Check(scope, access.DirectoryRead); err != nil {
		return err
	}
	var stale []uuid.UUID
	// Time alone changes them too: answers grow old.
	old := storage.Micros(d.clock.Now().Add(-6 * time.Hour))
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT s.organisation_id FROM directory_state s WHERE s.quality_stale OR NOT EXISTS
			(SELECT 1 FROM directory_quality q WHERE q.organisation_id = s.organisation_id AND q.computed_us > $1)`, []any{old}, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			stale = append(stale, id)
			return err
		})
	}); err != nil {
		return err
	}
	for _, id := range stale {
		if err := d.computeQuality(ctx, scope.Within(id)); err != nil {
			return err
		}
	}
	return nil
}

// computeQuality sweeps people and contact points side by side, both by
// person, and writes one row per service.
func (d *Directory) computeQuality(ctx context.Context, scope access.Scope) error {
	now := d.clock.Now()
	// The mark goes first: what changes during the sweep marks again.
	if err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE directory_state SET quality_stale = FALSE WHERE organisation_id = $1 AND quality_stale`, scope.Organisation())
		return err
	}); err != nil {
		return err
	}
	scores := map[uuid.UUID]*Score{}
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error { return sweepQuality(ctx, tx, scope, now, scores) }); err != nil {
		return err
	}
	if scores[uuid.Nil] == nil {
		scores[uuid.Nil] = &Score{} // an empty directory has figures too
	}
	rows := make([][]any, 0, len(scores))
	for service, s := range scores {
		causes, err := json.Marshal(s.Causes)
		if err != nil {
			return err
		}
		rows = append(rows, []any{scope.Organisation(), service, s.People, s.Proven, string(causes), storage.Micros(now)})
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM directory_quality WHERE organisation_id = $1`, scope.Organisation()); err != nil {
			return err
		}
		return tx.InsertRows(ctx, "directory_quality", []string{"organisation_id", "service_id", "people", "proven", "causes", "computed_us"}, rows)
	})
}

// qualityColumns are, for one person, the facts that causes are made of. A
// contact point that is shared proves nobody.
const qualityColumns = `p.id, p.service_id,
	COUNT(c.id) AS points,
	SUM(CASE WHEN c.kind = 'mobile' THEN 1 ELSE 0 END) AS mobiles,
	SUM(CASE WHEN c.state = 'stopped' THEN 1 ELSE 0 END) AS stopped,
	SUM(CASE WHEN c.state = 'bounced' THEN 1 ELSE 0 END) AS bounced,
	SUM(CASE WHEN c.failures >= $4 THEN 1 ELSE 0 END) AS failed,
	SUM(CASE WHEN c.shared AND c.kind <> 'extension' THEN 1 ELSE 0 END) AS shared,
	SUM(CASE WHEN c.state <> 'never' THEN 1 ELSE 0 END) AS tried,
	SUM(CASE WHEN c.answered_us > $5 AND NOT c.shared THEN 1 ELSE 0 END) AS proven`

const qualityFrom = ` FROM directory_people p LEFT JOIN directory_contacts c ON c.organisation_id = p.organisation_id AND c.person_id = p.id
	AND c.since_gen <= $2 AND c.until_gen > $2 WHERE ` + working

func sweepQuality(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, scores map[uuid.UUID]*Score) error {
	g, err := generation(ctx, tx, scope)
	if err != nil {
		return err
	}
	args := []any{scope.Organisation(), g, storage.Micros(now), failuresBad, storage.Micros(now.Add(-ProvenFor))}
	return tx.Query(ctx, `SELECT f.service_id, COUNT(*), SUM(CASE WHEN f.proven > 0 THEN 1 ELSE 0 END),
		SUM(CASE WHEN f.points = 0 THEN 1 ELSE 0 END), SUM(CASE WHEN f.points > 0 AND f.mobiles = 0 THEN 1 ELSE 0 END),
		SUM(CASE WHEN f.stopped > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN f.bounced > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN f.failed > 0 THEN 1 ELSE 0 END),
		SUM(CASE WHEN f.shared > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN f.points > 0 AND f.tried = 0 THEN 1 ELSE 0 END), SUM(CASE WHEN f.proven = 0 THEN 1 ELSE 0 END)
		FROM (SELECT `+qualityColumns+qualityFrom+` GROUP BY p.id, p.service_id) f GROUP BY f.service_id`, args, func(row func(...any) error) error {
		var service uuid.NullUUID
		s := &Score{Causes: map[Cause]int{}}
		n := make([]int, len(Causes()))
		if err := row(&service, &s.People, &s.Proven, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7]); err != nil {
			return err
		}
		for at, c := range Causes() {
			if n[at] > 0 {
				s.Causes[c] = n[at]
			}
		}
		scores[service.UUID] = s
		return nil
	})
}

// condition selects, for lists, the people p who have a cause. Its parameters
// are those of working, then failuresBad and the limit of proofs.
func (cause Cause) condition() string {
	with := func(test string) string {
		return ` EXISTS (SELECT 1 FROM directory_contacts c WHERE c.organisation_id = $1 AND c.person_id = p.id AND c.since_gen <= $2 AND c.until_gen > $2` + test + `)`
	}
	switch cause {
	case CauseNoContact:
		return "NOT" + with("")
	case CauseNoMobile:
		return with("") + " AND NOT" + with(" AND c.kind = 'mobile'")
	case CauseStopped:
		return with(" AND c.state = 'stopped'")
	case CauseBounced:
		return with(" AND c.state = 'bounced'")
	case CauseFailed:
		return with(" AND c.failures >= $4")
	case CauseShared:
		return with(" AND c.shared AND c.kind <> 'extension'")
	case CauseNeverTried:
		return with("") + " AND NOT" + with(" AND c.state <> 'never'")
	case CauseUnproven:
		return "NOT" + with(" AND c.answered_us > $5 AND NOT c.shared")
	}
	return "TRUE"
}
