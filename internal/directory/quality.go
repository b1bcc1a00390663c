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
	CauseForeign    Cause = "foreign"     // who answered one of his numbers says that it is not his
	CauseStopped    Cause = "stopped"     // an operator blocks one of his numbers
	CauseBounced    Cause = "bounced"     // one of his addresses does not exist any more
	CauseFailed     Cause = "failed"      // one of his addresses failed three times in a row
	CauseShared     Cause = "shared"      // one of his numbers is somebody else's too
	CauseNeverTried Cause = "never_tried" // nothing was ever sent to him
	CauseUnproven   Cause = "unproven"    // never answered, or more than six months ago
)

// Causes lists them, the gravest first.
func Causes() []Cause {
	return []Cause{CauseNoContact, CauseNoMobile, CauseForeign, CauseStopped, CauseBounced, CauseFailed, CauseShared, CauseNeverTried, CauseUnproven}
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

// frequent tells whether a cause concerned one person in five when the figures
// were last computed.
func frequent(ctx context.Context, tx *storage.Tx, organisation any, cause Cause) (bool, error) {
	people, concerned := 0, 0
	err := tx.Query(ctx, `SELECT people, causes FROM directory_quality WHERE organisation_id = $1`, []any{organisation}, func(row func(...any) error) error {
		var n int
		var text string
		if err := row(&n, &text); err != nil {
			return err
		}
		causes := map[Cause]int{}
		if err := json.Unmarshal([]byte(text), &causes); err != nil {
			return err
		}
		people, concerned = people+n, concerned+causes[cause]
		return nil
	})
	return concerned*5 > people, err
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

// computeQuality sweeps the people and writes one row per service.
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

// Who has a contact point of a sort, by the small indexes of those sorts. $4 and
// $5 are failuresBad and the limit of proofs.
const (
	shown      = `SELECT c.person_id FROM directory_contacts c WHERE c.organisation_id = $1 AND c.since_gen <= $2 AND c.until_gen > $2 AND `
	hasForeign = `p.id IN (` + shown + `c.state = 'foreign')`
	hasStopped = `p.id IN (` + shown + `c.state = 'stopped')`
	hasBounced = `p.id IN (` + shown + `c.state = 'bounced')`
	hasFailed  = `p.id IN (` + shown + `c.state = 'failed' AND c.failures >= $4)`
	hasShared  = `p.id IN (` + shown + `c.shared AND c.kind <> 'extension')`
	isProven   = `COALESCE(p.proven_us > $5, FALSE)`
)

// condition selects the people p who have a cause.
func (cause Cause) condition() string {
	switch cause {
	case CauseNoContact:
		return "p.mobiles = 0 AND p.points = 0"
	case CauseNoMobile:
		return "p.mobiles = 0 AND p.points > 0"
	case CauseForeign:
		return hasForeign
	case CauseStopped:
		return hasStopped
	case CauseBounced:
		return hasBounced
	case CauseFailed:
		return hasFailed
	case CauseShared:
		return hasShared
	case CauseNeverTried:
		return "NOT p.tried AND p.points > 0"
	case CauseUnproven:
		return "NOT " + isProven
	}
	return "TRUE"
}

func sweepQuality(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, scores map[uuid.UUID]*Score) error {
	g, err := generation(ctx, tx, scope)
	if err != nil {
		return err
	}
	args := []any{scope.Organisation(), g, storage.Micros(now), failuresBad, storage.Micros(now.Add(-ProvenFor))}
	columns := "SUM(CASE WHEN " + isProven + " THEN 1 ELSE 0 END)"
	for _, c := range Causes() {
		columns += ", SUM(CASE WHEN " + c.condition() + " THEN 1 ELSE 0 END)"
	}
	return tx.Query(ctx, `SELECT p.service_id, COUNT(*), `+columns+` FROM directory_people p WHERE `+working+` GROUP BY p.service_id`, args, func(row func(...any) error) error {
		var service uuid.NullUUID
		s := &Score{Causes: map[Cause]int{}}
		n := make([]int, len(Causes()))
		into := []any{&service, &s.People, &s.Proven}
		for at := range n {
			into = append(into, &n[at])
		}
		if err := row(into...); err != nil {
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
