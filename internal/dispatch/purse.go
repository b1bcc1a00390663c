package dispatch

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/storage"
	"tocsin/internal/wire/gsm"
)

// purse is what this node knows of the money of a campaign: its ceiling, what
// the other nodes have spent, and what this one has spent or has in flight. One
// node alone never passes the ceiling by more than one message; among several it
// may, by what the others had in flight when they were last read.
type purse struct {
	mu sync.Mutex
	budget
	// own is what this node has spent since its start, what is in flight included.
	own int64
}

// budget is the money of a campaign as the database tells it to one node, in
// millionths of a euro.
type budget struct {
	ceiling int64
	// limited tells that messages wait at the ceiling: it stops, and nobody lifted it.
	limited bool
	// others is what the other nodes have spent.
	others int64
}

// spend takes the cost of one message before it leaves; false when it must wait.
func (p *purse) spend(cost int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.empty() {
		return false
	}
	p.own += cost
	return true
}

// empty tells, under the lock, that nothing is left.
func (p *purse) empty() bool { return p.limited && p.others+p.own >= p.ceiling }

// giveBack returns the cost of a message that was not accepted.
func (p *purse) giveBack(cost int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.own -= cost
}

func (p *purse) learn(b budget) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.budget = b
}

// purseOf is the purse of a campaign. It is kept as long as the process lives,
// since own counts from its start: a few dozen bytes for each alert.
func (w *watch) purseOf(campaign uuid.UUID) *purse {
	p := w.purses[campaign]
	if p == nil {
		p = &purse{}
		w.purses[campaign] = p
	}
	return p
}

// broke are the campaigns in flight whose purse is empty: what they have in
// flight may not be written yet, so that the database alone would not tell.
func (w *watch) broke() (out []uuid.UUID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, f := range w.flags {
		f.purse.mu.Lock()
		if f.purse.empty() {
			out = append(out, id)
		}
		f.purse.mu.Unlock()
	}
	return out
}

// budgetColumns read the budget of a campaign c, for the node of parameter $1.
const budgetColumns = `c.ceiling_micros, c.ceiling_stops AND c.lifted_us IS NULL, CASE WHEN c.ceiling_stops AND c.lifted_us IS NULL THEN
	COALESCE((SELECT CAST(SUM(s.micros) AS BIGINT) FROM dispatch_spending s WHERE s.organisation_id = c.organisation_id AND s.campaign_id = c.id AND s.node <> $1), 0) ELSE 0 END`

// ceilingLife is how long a ceiling holds: no alert lasts that long, and what is
// older need not be counted at each claim.
const ceilingLife = 90 * 24 * time.Hour

// overspent are the campaigns of the establishment that spent all they may.
func (k *desk) overspent(ctx context.Context, tx *storage.Tx, now time.Time) ([]uuid.UUID, error) {
	out := k.d.watch.broke()
	err := tx.Query(ctx, `SELECT c.id FROM dispatch_campaigns c WHERE c.organisation_id = $1 AND c.ceiling_stops AND c.lifted_us IS NULL AND c.opened_us > $2
		AND (SELECT COALESCE(SUM(s.micros), 0) FROM dispatch_spending s WHERE s.organisation_id = c.organisation_id AND s.campaign_id = c.id) >= c.ceiling_micros`,
		[]any{k.scope.Organisation(), storage.Micros(now.Add(-ceilingLife))}, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			out = append(out, id)
			return err
		})
	return out, err
}

// priced tells whether a message to some destination costs something by this gateway.
func (k *desk) priced() bool {
	for _, p := range k.fares {
		if p > 0 {
			return true
		}
	}
	return false
}

// mayClaim is the condition, in SQL from parameter $from on, that a lot is not
// one of a campaign that spent all it may.
func (k *desk) mayClaim(ctx context.Context, tx *storage.Tx, now time.Time, from int) (where string, args []any, err error) {
	if !k.priced() {
		return "", nil, nil
	}
	over, err := k.overspent(ctx, tx, now)
	if err != nil || len(over) == 0 {
		return "", nil, err
	}
	free := k.freeRoutes()
	where = ` AND (campaign_id NOT IN (` + storage.In(len(over), from) + `) OR route IN (` + storage.In(len(free), from+len(over)) + `))`
	return where, append(storage.Args(over), storage.Args(free)...), nil
}

// freeRoutes are the destinations that cost nothing, or nothing known.
func (k *desk) freeRoutes() []string {
	out := []string{"-"} // never none: an empty list is no SQL
	for _, r := range append(Routes(), "") {
		if k.cost(r, 1) == 0 {
			out = append(out, r)
		}
	}
	return out
}

// cost is the price of a message of so many parts to a destination, 0 when it is not known.
func (k *desk) cost(route string, segments int64) int64 {
	if route == "" && k.gateway.Medium == channels.SMS {
		route = RouteFrance // a lot of a node that knew no routes
	}
	price, _ := k.fares.price(route)
	return max(0, price) * segments
}

// budgetStage takes the cost of the message from the purse of its campaign; at
// the ceiling it goes back to the queue.
func (k *desk) budgetStage(it *item) verdict {
	if k.cost(it.lot.route, 1) == 0 {
		return 0
	}
	it.segments = int64(gsm.Count(it.message(k.d.watch.isolated(k.gateway.Organisation)).Text).Segments)
	it.cost = k.cost(it.lot.route, it.segments)
	if !it.lot.flag.purse.spend(it.cost) {
		it.cost = 0
		return returned
	}
	return 0
}

// settleCost gives the cost of a message back when no gateway took it.
func (it *item) settleCost() {
	if it.cost > 0 && (it.verdict != tried || it.outcome.State != channels.Accepted) {
		it.lot.flag.purse.giveBack(it.cost)
	}
	it.cost = 0
}

// readBudgets reads the budgets of the campaigns of claimed lots.
func (p *pen) readBudgets(ctx context.Context, claims []*claim) error {
	if !p.k.priced() || len(claims) == 0 {
		return nil
	}
	seen := make(map[uuid.UUID]bool)
	for _, c := range claims {
		seen[c.lot.campaign] = true
	}
	budgets := make(map[uuid.UUID]budget, len(seen))
	err := eachChunk(sortedIDs(seen), func(part []uuid.UUID) error {
		return p.tx.Query(ctx, `SELECT c.id, `+budgetColumns+` FROM dispatch_campaigns c WHERE c.organisation_id = $2 AND c.id IN (`+storage.In(len(part), 3)+`)`,
			storage.Args(part, p.k.d.node, p.k.scope.Organisation()), func(row func(...any) error) error {
				var id uuid.UUID
				var b budget
				err := row(&id, &b.ceiling, &b.limited, &b.others)
				budgets[id] = b
				return err
			})
	})
	for _, c := range claims {
		b := budgets[c.lot.campaign]
		c.budget = &b
	}
	return err
}
