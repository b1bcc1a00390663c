package cases

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
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

// sharesAtOnce is how many shares one statement stores.
const sharesAtOnce = 100

// addShares adds what the care said of the accesses of the establishments where
// detection is in service. It runs in the transaction that counts them as
// examined and stores the place: what is looked at again is counted once.
func addShares(ctx context.Context, tx *storage.Tx, open map[uuid.UUID]bool, all map[traces.Count]traces.Share) error {
	clean := map[traces.Count]traces.Share{} // names that differ by what an engine does not keep are one
	for k, n := range all {
		if k.Service, k.Application = whole(k.Service), whole(k.Application); open[k.Organisation] {
			clean[k] = clean[k].Plus(n)
		}
	}
	// Always in the same order: two nodes that add to the same rows do not wait for
	// one another in a circle.
	for keys := range slices.Chunk(slices.SortedFunc(maps.Keys(clean), byCount), sharesAtOnce) {
		var rows []string
		var args []any
		for _, k := range keys {
			n := len(args)
			rows = append(rows, fmt.Sprintf("($%d, $%d, $%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5, n+6, n+7))
			args = append(args, k.Organisation, k.Day, k.Service, k.Application, clean[k].Explained, clean[k].Unexplained, clean[k].NotJudged)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_shares (organisation_id, day, service, application, explained, unexplained, not_judged) VALUES `+strings.Join(rows, ", ")+`
			ON CONFLICT (organisation_id, day, service, application) DO UPDATE SET explained = traces_shares.explained + excluded.explained,
			unexplained = traces_shares.unexplained + excluded.unexplained, not_judged = traces_shares.not_judged + excluded.not_judged`, args...); err != nil {
			return err
		}
	}
	return nil
}

func byCount(a, b traces.Count) int {
	return cmp.Or(bytes.Compare(a.Organisation[:], b.Organisation[:]), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Application, b.Application))
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
	since := figuresFrom(s.opt.Clock.Now()).Unix() / int64(24*time.Hour/time.Second)
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
