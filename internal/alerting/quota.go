package alerting

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// assumedDelay is when someone who announced no time is expected.
const assumedDelay = 60 * time.Minute

// quotaLines counts, for each line of the quota, who is announced, there, and overdue.
func (s *Service) quotaLines(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch, p *plan, now time.Time) ([]QuotaLine, error) {
	out := make([]QuotaLine, len(p.Definition.Quotas))
	if len(out) == 0 {
		return nil, nil
	}
	for i, q := range p.Definition.Quotas {
		out[i] = QuotaLine{Line: i, Skill: q.Skill, Site: q.Site, From: q.From.Std(), To: q.To.Std(), Needed: q.Needed, Show: p.show(i), Relief: p.Definition.turnOf(q)}
	}
	// Without a grace nobody is ever overdue.
	cutoff := int64(0)
	if grace := p.Definition.Limits.ArrivalGrace.Std(); grace > 0 {
		cutoff = storage.Micros(now.Add(-grace))
	}
	err := tx.Query(ctx, `SELECT line, SUM(CASE WHEN present THEN 1 ELSE 0 END), SUM(CASE WHEN NOT present AND eta_us >= $3 THEN 1 ELSE 0 END),
		SUM(CASE WHEN NOT present AND eta_us < $3 THEN 1 ELSE 0 END)
		FROM alerting_quota_people WHERE organisation_id = $1 AND launch_id = $2 GROUP BY line`,
		[]any{scope.Organisation(), l.ID, cutoff}, func(row func(...any) error) error {
			var line, present, coming, overdue int
			if err := row(&line, &present, &coming, &overdue); err != nil {
				return err
			}
			if line < len(out) {
				out[line].Arrived, out[line].Coming, out[line].Overdue = present, coming, overdue
			}
			return nil
		})
	addResting(out)
	return out, err
}

// linesFor are the lines of the quota that a person may fill by when he is there:
// those that count everyone, and those that ask for one of his skills.
func linesFor(p *plan, skills string, site uuid.UUID, pr presence) (everyone, skilled []int) {
	for i, q := range p.Definition.Quotas {
		when, ok := p.at(q, pr)
		at := when.Sub(p.LaunchedAt)
		switch {
		case !ok, q.Site != uuid.Nil && q.Site != site, at < q.From.Std(), at >= end(q).Std():
		case q.Skill == "":
			everyone = append(everyone, i)
		case strings.Contains(skills, " "+q.Skill+" "):
			skilled = append(skilled, i)
		}
	}
	return everyone, skilled
}

// onePost keeps one of the lines of a turn that ask for a skill, since nobody holds
// two posts: the first that still misses someone, else the first.
func onePost(skilled []int, lines []QuotaLine) []int {
	var out []int
	for n, i := range skilled {
		turn := lines[i].Relief
		if slices.ContainsFunc(skilled[:n], func(j int) bool { return lines[j].Relief == turn }) {
			continue
		}
		best := i
		for _, j := range skilled[n:] {
			if lines[j].Relief == turn && lines[j].Missing() > 0 {
				best = j
				break
			}
		}
		out = append(out, best)
	}
	return out
}

// placeInQuota puts a person where he counts, or nowhere when he does not come.
func (s *Service) placeInQuota(ctx context.Context, tx *storage.Tx, scope access.Scope, l Launch, pl *plan, p *person, site uuid.UUID, now time.Time) error {
	if len(pl.Definition.Quotas) == 0 {
		return nil
	}
	for line := range pl.Definition.Quotas {
		if _, err := tx.Exec(ctx, `DELETE FROM alerting_quota_people WHERE organisation_id = $1 AND launch_id = $2 AND line = $3 AND recipient_id = $4`,
			scope.Organisation(), l.ID, line, p.ID); err != nil {
			return err
		}
	}
	present := !p.Arrived.IsZero() || p.Meaning == OnSite
	if !present && p.Meaning != Coming {
		return nil
	}
	var stays []Stay
	if pl.Definition.relieves() && !p.Arrived.IsZero() {
		var err error
		if stays, err = p.stays(ctx, tx, scope); err != nil {
			return err
		}
	}
	pr := pl.attendance(p, stays)
	everyone, skilled := linesFor(pl, p.Skills, site, pr)
	if len(skilled) > 1 {
		lines, err := s.quotaLines(ctx, tx, scope, l, pl, now)
		if err != nil {
			return err
		}
		skilled = onePost(skilled, lines)
	}
	var rows [][]any
	for _, line := range append(everyone, skilled...) {
		at, _ := pl.at(pl.Definition.Quotas[line], pr)
		there := present && (at.Equal(pr.At) || pr.Back)
		rows = append(rows, []any{scope.Organisation(), l.ID, line, p.ID, storage.Micros(at), there})
	}
	return tx.InsertRows(ctx, "alerting_quota_people", []string{"organisation_id", "launch_id", "line", "recipient_id", "eta_us", "present"}, rows)
}
