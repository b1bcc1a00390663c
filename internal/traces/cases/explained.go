package cases

import (
	"context"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Explained tells how many accesses to records the care explained.
type Explained struct {
	// Service is as the events name it, folded; empty for those that name none.
	Service                string
	Explained, Unexplained int64
	// NotJudged could not be held against the care: none was given, or it could
	// not be read.
	NotJudged int64
}

// Share is the part of the judged accesses that the care explains, and whether
// any was judged.
func (e Explained) Share() (float64, bool) {
	if e.Explained+e.Unexplained == 0 {
		return 0, false
	}
	return float64(e.Explained) / float64(e.Explained+e.Unexplained), true
}

// Counted is what a detector counted on a day of the establishment, in days since
// 1 January 1970.
type Counted struct {
	Day         int
	Application string
	Explained
}

// AddExplained adds what was counted since the last time to what is kept. The
// detector calls it, in the name of the establishment.
func (s *Service) AddExplained(ctx context.Context, scope access.Scope, list []Counted) error {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		for _, c := range list {
			if _, err := tx.Exec(ctx, `INSERT INTO traces_shares (organisation_id, day, service, application, explained, unexplained, not_judged) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (organisation_id, day, service, application) DO UPDATE SET explained = traces_shares.explained + excluded.explained,
				unexplained = traces_shares.unexplained + excluded.unexplained, not_judged = traces_shares.not_judged + excluded.not_judged`,
				scope.Organisation(), c.Day, c.Service, c.Application, c.Explained.Explained, c.Unexplained, c.NotJudged); err != nil {
				return err
			}
		}
		return nil
	})
}

// explainedServices is how many services are told.
const explainedServices = 10

// ExplainedShare gives the share of the last FiguresDays, of all and then of the
// services with the most accesses that nothing explains. Needs
// access.TracesCasesPatient.
func (s *Service) ExplainedShare(ctx context.Context, scope access.Scope) (all Explained, services []Explained, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesCasesPatient); err != nil {
		return all, nil, err
	}
	since := s.opt.Clock.Now().AddDate(0, 0, -FiguresDays).Unix() / int64(24*time.Hour/time.Second)
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		all, services = Explained{}, nil
		const sums = `COALESCE(SUM(explained), 0), COALESCE(SUM(unexplained), 0), COALESCE(SUM(not_judged), 0) FROM traces_shares WHERE organisation_id = $1 AND day >= $2`
		args := []any{scope.Organisation(), since}
		if _, err := tx.Row(ctx, `SELECT `+sums, args, &all.Explained, &all.Unexplained, &all.NotJudged); err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT service, `+sums+` GROUP BY service ORDER BY 3 DESC, service LIMIT $3`, append(args, explainedServices), func(row func(...any) error) error {
			var e Explained
			err := row(&e.Service, &e.Explained, &e.Unexplained, &e.NotJudged)
			services = append(services, e)
			return err
		})
	})
	return all, services, err
}

// sweepExplained forgets days that no figure shows any more.
func sweepExplained(ctx context.Context, tx *storage.Tx, now time.Time) error {
	_, err := tx.Exec(ctx, `DELETE FROM traces_shares WHERE day < $1`, now.AddDate(-1, 0, 0).Unix()/int64(24*time.Hour/time.Second))
	return err
}
