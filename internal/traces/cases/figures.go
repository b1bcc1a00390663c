package cases

import (
	"context"
	"slices"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// FiguresDays is how far back figures look.
const FiguresDays = 30

// figuresFrom is the day, UTC, from which figures are told: the same for all of
// them, so that they can be held against each other.
func figuresFrom(now time.Time) time.Time {
	return now.UTC().AddDate(0, 0, -FiguresDays).Truncate(24 * time.Hour)
}

// Figures say what detection costs and what it gives, over FiguresDays.
type Figures struct {
	Kind Kind
	// Examined counts the events looked at: accesses to records for patients.
	Examined int64
	Hits     int64
	Cases    int64
	// Waiting are open now; the others were closed in the time.
	Waiting, Justified, Confirmed, Dismissed int64
	// Median is the time from the opening of a case to its closing; zero for none.
	Median time.Duration
	Rules  []RuleFigures
}

// RuleFigures are those of one rule.
type RuleFigures struct {
	Rule, Title              string
	Hits                     int64
	Cases, Decided, Wellseen int64
}

// PerThousand is how many of something come with a thousand events examined.
func (f Figures) PerThousand(n int64) float64 {
	if f.Examined == 0 {
		return 0
	}
	return float64(n) * 1000 / float64(f.Examined)
}

// Share is the part of decided cases that was confirmed, and whether any was decided.
func (f Figures) Share() (float64, bool) {
	all := f.Justified + f.Confirmed + f.Dismissed
	if all == 0 {
		return 0, false
	}
	return float64(f.Confirmed) / float64(all), true
}

// Figures gives those of the kinds that one may see. Needs access.TracesCases.
func (s *Service) Figures(ctx context.Context, scope access.Scope) (out []Figures, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return nil, err
	}
	since := figuresFrom(s.opt.Clock.Now())
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out = nil
		for _, k := range s.may(scope) {
			f, err := figures(ctx, tx, scope, k, since)
			if err != nil {
				return err
			}
			out = append(out, f)
		}
		return nil
	})
	return out, err
}

func figures(ctx context.Context, tx *storage.Tx, scope access.Scope, k Kind, since time.Time) (Figures, error) {
	f := Figures{Kind: k}
	args := []any{scope.Organisation(), string(k), storage.Micros(since)}
	if _, err := tx.Row(ctx, `SELECT COALESCE(SUM(events), 0) FROM traces_examined_days WHERE organisation_id = $1 AND kind = $2 AND day_us >= $3`, args, &f.Examined); err != nil {
		return f, err
	}
	byRule := map[string]*RuleFigures{}
	of := func(rule string) *RuleFigures {
		if byRule[rule] == nil {
			byRule[rule] = &RuleFigures{Rule: rule}
		}
		return byRule[rule]
	}
	err := tx.Query(ctx, `SELECT rule, SUM(hits) FROM traces_hit_days WHERE organisation_id = $1 AND kind = $2 AND day_us >= $3 GROUP BY rule`, args, func(row func(...any) error) error {
		var rule string
		var n int64
		err := row(&rule, &n)
		of(rule).Hits = n
		f.Hits += n
		return err
	})
	if err != nil {
		return f, err
	}
	err = tx.Query(ctx, `SELECT rule, MAX(title), state, COUNT(*) FROM traces_cases WHERE organisation_id = $1 AND kind = $2 AND opened_us >= $3 GROUP BY rule, state`, args, func(row func(...any) error) error {
		var rule, title string
		var state State
		var n int64
		err := row(&rule, &title, &state, &n)
		r := of(rule)
		r.Title = title
		r.Cases, f.Cases = r.Cases+n, f.Cases+n
		if !state.Open() {
			r.Decided += n
		}
		switch state {
		case Confirmed:
			r.Wellseen, f.Confirmed = r.Wellseen+n, f.Confirmed+n
		case Justified:
			f.Justified += n
		case Dismissed:
			f.Dismissed += n
		case Waiting, Assigned:
			f.Waiting += n
		}
		return err
	})
	if err != nil {
		return f, err
	}
	for _, r := range byRule {
		f.Rules = append(f.Rules, *r)
	}
	slices.SortFunc(f.Rules, func(a, b RuleFigures) int {
		if a.Cases != b.Cases {
			return int(b.Cases - a.Cases)
		}
		if a.Rule < b.Rule {
			return -1
		}
		return 1
	})
	f.Median, err = median(ctx, tx, args)
	return f, err
}

// median is the time to handle of half the cases.
func median(ctx context.Context, tx *storage.Tx, args []any) (time.Duration, error) {
	var spans []int64
	err := tx.Query(ctx, `SELECT closed_us - opened_us FROM traces_cases WHERE organisation_id = $1 AND kind = $2 AND opened_us >= $3 AND closed_us IS NOT NULL`, args, func(row func(...any) error) error {
		var n int64
		err := row(&n)
		spans = append(spans, n)
		return err
	})
	if err != nil || len(spans) == 0 {
		return 0, err
	}
	slices.Sort(spans)
	return time.Duration(spans[len(spans)/2]) * time.Microsecond, nil
}
