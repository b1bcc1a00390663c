package dispatch

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// Spending is what a campaign has cost so far. Money is in millionths of a euro,
// as Fares are: every operator's price is a whole number of them.
type Spending struct {
	// Micros is the cost of what gateways accepted at a known price, Segments its parts.
	Micros, Segments int64
	// Ceiling is what it may cost; 0 is no ceiling. Stops tells that messages with
	// a price wait once it is reached; else it is only told.
	Ceiling int64
	Stops   bool
	// LiftedAt is when a person let messages pass beyond the ceiling; zero if not.
	LiftedAt time.Time
}

// Held tells that messages with a price wait because of the ceiling.
func (s Spending) Held() bool { return s.Reached() && s.Stops && s.LiftedAt.IsZero() }

// Reached tells that the ceiling was reached.
func (s Spending) Reached() bool { return s.Ceiling > 0 && s.Micros >= s.Ceiling }

// nearShare is from which part of the ceiling, in hundredths, somebody is told.
const nearShare = 80

// Near tells that eight tenths of the ceiling are spent.
func (s Spending) Near() bool { return s.Ceiling > 0 && s.Micros >= s.Ceiling/100*nearShare }

// Spending reads what a campaign has cost, in the caller's transaction. The zero
// value for an unknown one.
func (d *Dispatch) Spending(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID) (Spending, error) {
	return readSpending(ctx, tx, scope, campaign)
}

func readSpending(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID) (s Spending, err error) {
	var lifted sql.NullInt64
	_, err = tx.Row(ctx, `SELECT ceiling_micros, ceiling_stops, lifted_us FROM dispatch_campaigns WHERE organisation_id = $1 AND id = $2`,
		[]any{scope.Organisation(), campaign}, &s.Ceiling, &s.Stops, &lifted)
	if err != nil {
		return s, err
	}
	s.LiftedAt = storage.NullTime(lifted)
	_, err = tx.Row(ctx, `SELECT CAST(COALESCE(SUM(micros), 0) AS BIGINT), CAST(COALESCE(SUM(segments), 0) AS BIGINT) FROM dispatch_spending
		WHERE organisation_id = $1 AND campaign_id = $2`, []any{scope.Organisation(), campaign}, &s.Micros, &s.Segments)
	return s, err
}

// LiftCeiling lets the messages of a campaign pass beyond its ceiling, in the
// caller's transaction; they leave once it is committed and Wake is called. It
// tells whether that changed anything. The ordering room has checked the right.
func (d *Dispatch) LiftCeiling(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, campaign uuid.UUID) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE dispatch_campaigns SET lifted_us = $3 WHERE organisation_id = $1 AND id = $2 AND lifted_us IS NULL AND ceiling_micros > 0`,
		scope.Organisation(), campaign, storage.Micros(now))
	return n > 0, err
}

// Withheld tells which waiting messages of a campaign its ceiling holds back, in
// the caller's transaction; nil when it holds none.
func (d *Dispatch) Withheld(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID) (func(m channels.Medium, address string) bool, error) {
	s, err := readSpending(ctx, tx, scope, campaign)
	if err != nil || !s.Held() {
		return nil, err
	}
	gateways, err := readGateways(ctx, tx, `organisation_id = $1 AND deleted_us IS NULL AND medium = $2`, scope.Organisation(), string(channels.SMS))
	if err != nil {
		return nil, err
	}
	t, err := tariffOf(gateways)
	return func(m channels.Medium, address string) bool {
		_, price, _ := t.Price(m, address)
		return m == channels.SMS && price > 0
	}, err
}

// spent is a row of spending.
type spent struct {
	campaign uuid.UUID
	medium   channels.Medium
}

type expense struct{ segments, micros int64 }

func (s *scribe) spent(it *item) {
	if it.cost > 0 {
		key := spent{it.lot.campaign, it.lot.medium}
		e := s.spending[key]
		s.spending[key] = expense{e.segments + it.segments, e.micros + it.cost}
	}
}

func (s *scribe) writeSpending(ctx context.Context, tx *storage.Tx, scope access.Scope, node string) error {
	keys := make([]spent, 0, len(s.spending))
	for k := range s.spending {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b spent) int {
		return cmp.Or(cmp.Compare(a.campaign.String(), b.campaign.String()), cmp.Compare(a.medium, b.medium))
	})
	for _, k := range keys {
		e := s.spending[k]
		if _, err := tx.Exec(ctx, `INSERT INTO dispatch_spending (organisation_id, campaign_id, medium, node, segments, micros) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (organisation_id, campaign_id, medium, node) DO UPDATE SET segments = dispatch_spending.segments + excluded.segments,
			micros = dispatch_spending.micros + excluded.micros`,
			scope.Organisation(), k.campaign, string(k.medium), node, e.segments, e.micros); err != nil {
			return err
		}
	}
	return nil
}

// Tariff tells what an SMS costs by the gateways of an establishment, as they
// are set: the cheapest of those meant for a destination, whether they live or not.
type Tariff struct{ desks []*desk }

// Tariff reads the prices of a medium. Errors: Denied.
func (d *Dispatch) Tariff(ctx context.Context, scope access.Scope, medium channels.Medium) (Tariff, error) {
	gateways, err := d.Gateways(ctx, scope)
	if err != nil {
		return Tariff{}, err
	}
	return tariffOf(slices.DeleteFunc(gateways, func(g Gateway) bool { return g.Medium != medium }))
}

func tariffOf(gateways []Gateway) (t Tariff, err error) {
	for _, g := range gateways {
		if !g.Enabled {
			continue
		}
		fares, err := ParseFares(g.Fares)
		if err != nil {
			return Tariff{}, err
		}
		t.desks = append(t.desks, &desk{gateway: g, fares: fares})
	}
	return t, nil
}

// Price is the destination of an address and the price of one segment to it, in
// millionths of a euro; known is false when no gateway says it.
func (t Tariff) Price(medium channels.Medium, address string) (route string, micros int64, known bool) {
	route = routeOf(medium, address)
	var best *desk
	for _, k := range t.desks {
		if best == nil || k.before(best, route) {
			best = k
		}
	}
	if best == nil {
		return route, 0, false
	}
	micros, _ = best.fares.price(route)
	return route, max(0, micros), micros >= 0
}
