package dispatch

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// writeAll writes a settlement and what the channel brought, except the claim.
func (p *pen) writeAll(ctx context.Context, s *settlement, calls []*brought) error {
	known := newLedger()
	p.known = known
	for _, it := range s.sent {
		if it.outcome.State == channels.Accepted {
			known.addSent(it, p.k.gateway.ID)
		}
	}
	if err := p.receipts(ctx, known, calls); err != nil {
		return err
	}
	if err := p.writeSent(ctx, s.sent, known); err != nil {
		return err
	}
	if err := p.writeAgain(ctx, s.again); err != nil {
		return err
	}
	if err := p.writeDropped(ctx, s.dropped); err != nil {
		return err
	}
	if err := p.writeLots(ctx, s); err != nil {
		return err
	}
	return p.replies(ctx, calls)
}

// stillQueued keeps the items whose row is still ours to change. Rows change
// under us only when a lease was lost or a crash was recovered, and then a
// second truth must not overwrite the first.
func (p *pen) stillQueued(ctx context.Context, items []*item) ([]*item, error) {
	queued := make(map[uuid.UUID]bool, len(items))
	ids := make([]uuid.UUID, len(items))
	for i, it := range items {
		ids[i] = it.id
	}
	err := eachChunk(ids, func(part []uuid.UUID) error {
		return p.tx.Query(ctx, `SELECT id FROM dispatch_deliveries WHERE organisation_id = $1 AND state = 'queued' AND id IN (`+storage.In(len(part), 2)+`) {{for_update}}`,
			storage.Args(part, p.k.scope.Organisation()), func(row func(...any) error) error {
				var id uuid.UUID
				if err := row(&id); err != nil {
					return err
				}
				queued[id] = true
				return nil
			})
	})
	kept := make([]*item, 0, len(queued))
	for _, it := range items {
		if queued[it.id] {
			kept = append(kept, it)
		}
	}
	return kept, err
}

// mine is stillQueued where it can matter: one process on SQLite is alone.
func (p *pen) mine(ctx context.Context, items []*item) ([]*item, error) {
	if p.k.d.leases.alone || len(items) == 0 {
		return items, nil
	}
	return p.stillQueued(ctx, items)
}

func (p *pen) writeSent(ctx context.Context, sent []*item, known *ledger) error {
	sent, err := p.mine(ctx, sent)
	if err != nil || len(sent) == 0 {
		return err
	}
	var plain, arrived, rows, parts, tries [][]any
	for _, it := range sent {
		row, c := p.sentRow(it, known.of(it)), known.of(it)
		switch {
		case c == nil || c.parts != 1 || c.state == Failed:
			rows = append(rows, row)
		case c.state == Accepted:
			plain = append(plain, []any{row[1], row[5], row[8]})
		default:
			arrived = append(arrived, []any{row[1], row[5], row[8], row[9]})
		}
		for n, id := range it.outcome.ProviderIDs {
			if n > 0 {
				parts = append(parts, []any{p.k.scope.Organisation(), storage.NewID(p.now), p.k.gateway.ID, clean(id, idMost), it.id, n})
			}
		}
		if it.outcome.State == channels.Refused {
			tries = append(tries, p.tryRow(it, Failed))
		}
	}
	if err := p.updateSent(ctx, plain, arrived, rows); err != nil {
		return err
	}
	if err := p.tx.InsertRows(ctx, "dispatch_parts", []string{"organisation_id", "id", "gateway_id", "provider_id", "delivery_id", "part"}, parts); err != nil {
		return err
	}
	return p.tx.InsertRows(ctx, "dispatch_attempts", tryColumns(), tries)
}

// updateSent writes the outcomes: of one part and accepted, of one part and
// arrived already, and all others column by column.
func (p *pen) updateSent(ctx context.Context, plain, arrived, rows [][]any) error {
	org, shared := p.k.scope.Organisation(), []any{p.k.gateway.ID}
	accepted := leanUpdate{"state = 'accepted', reason = '', parts = 1, gateway_id = $2, provider_id = v.c1, accepted_us = v.c2", []string{"uuid", "text", "bigint"}, shared, ""}
	if _, err := accepted.run(ctx, p.tx, org, plain); err != nil {
		return err
	}
	delivered := leanUpdate{
		"state = 'delivered', reason = '', parts = 1, parts_done = 1, gateway_id = $2, provider_id = v.c1, accepted_us = v.c2, settled_us = v.c3",
		[]string{"uuid", "text", "bigint", "bigint"},
		shared, "",
	}
	if _, err := delivered.run(ctx, p.tx, org, arrived); err != nil {
		return err
	}
	_, err := p.tx.UpdateRows(ctx, "dispatch_deliveries", 2, sentColumns(), rows)
	return err
}

func sentColumns() []storage.Column {
	return []storage.Column{
		{Name: "organisation_id", Type: "uuid"},
		{Name: "id", Type: "uuid"},
		{Name: "state", Type: "text"},
		{Name: "reason", Type: "text"},
		{Name: "gateway_id", Type: "uuid"},
		{Name: "provider_id", Type: "text"},
		{Name: "parts", Type: "bigint"},
		{Name: "parts_done", Type: "bigint"},
		{Name: "accepted_us", Type: "bigint"},
		{Name: "settled_us", Type: "bigint"},
	}
}

// sentRow writes the outcome of one delivery, and its receipt when that came
// in the same pass.
func (p *pen) sentRow(it *item, c *carried) []any {
	org, gateway := p.k.scope.Organisation(), p.k.gateway.ID
	campaign, medium := it.lot.campaign, it.lot.medium
	if it.outcome.State == channels.Refused {
		reason := it.outcome.Reason
		if reason == channels.ReasonNone {
			reason = channels.ReasonRejected
		}
		p.said.moved(campaign, medium, Queued, Failed)
		if medium == channels.Voice { // a call to a voicemail takes a line as long as another
			p.said.passed(campaign, medium, it.at)
		}
		p.said.tell(it.fact(FactFailed, reason, it.at))
		return []any{org, it.id, string(Failed), string(reason), gateway, nil, 0, 0, nil, storage.Micros(it.at)}
	}
	p.said.moved(campaign, medium, Queued, c.state)
	p.said.passed(campaign, medium, it.at)
	p.said.spent(it)
	p.said.tell(it.fact(FactAccepted, channels.ReasonNone, it.at))
	var provider, settled any
	if len(it.outcome.ProviderIDs) > 0 {
		provider = clean(it.outcome.ProviderIDs[0], idMost)
	}
	if c.state != Accepted {
		settled = storage.Micros(c.at)
		p.said.tell(c.fact())
	}
	return []any{org, it.id, string(c.state), string(c.reason), gateway, provider, c.parts, c.done, storage.Micros(it.at), settled}
}

// idMost bounds a peer's identifier, detailMost its words.
const (
	idMost     = 200
	detailMost = 500
)

func tryColumns() []string {
	return []string{"organisation_id", "id", "delivery_id", "gateway_id", "state", "reason", "detail", "at_us"}
}

func (p *pen) tryRow(it *item, s State) []any {
	return []any{
		p.k.scope.Organisation(), storage.NewID(p.now), it.id, p.k.gateway.ID, string(s), string(it.outcome.Reason),
		clean(it.outcome.Detail, detailMost), storage.Micros(it.at),
	}
}

// writeAgain moves deliveries to lots that are due at their next try.
func (p *pen) writeAgain(ctx context.Context, again map[againKey]*againLot) error {
	var lots, rows, tries [][]any
	for key, g := range again {
		items, err := p.mine(ctx, g.items)
		if err != nil {
			return err
		}
		if len(items) == 0 {
			continue
		}
		l := key.lot
		var expires any
		if l.expiresUs != 0 {
			expires = l.expiresUs
		}
		lots = append(lots, []any{
			p.k.scope.Organisation(), g.id, l.campaign, l.contentID, string(l.medium), l.purpose, l.wave, l.priority, l.quiet,
			l.queuedUs, g.dueUs, expires, len(items), true, false, l.route,
		})
		for _, it := range items {
			double := it.double || it.outcome.Uncertain
			rows = append(rows, []any{p.k.scope.Organisation(), it.id, g.id, key.attempts, string(it.outcome.Reason), double})
			tries = append(tries, p.tryRow(it, Queued))
			if double && !it.double {
				p.said.count(l.campaign, l.medium, tallyDouble, 1)
				p.said.tell(it.fact(FactDoublePossible, it.outcome.Reason, it.at))
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	if err := p.tx.InsertRows(ctx, "dispatch_lots", lotColumns(), lots); err != nil {
		return err
	}
	if _, err := p.tx.UpdateRows(ctx, "dispatch_deliveries", 2, []storage.Column{
		{Name: "organisation_id", Type: "uuid"},
		{Name: "id", Type: "uuid"},
		{Name: "lot_id", Type: "uuid"},
		{Name: "attempts", Type: "bigint"},
		{Name: "reason", Type: "text"},
		{Name: "possible_double", Type: "boolean"},
	}, rows); err != nil {
		return err
	}
	return p.tx.InsertRows(ctx, "dispatch_attempts", tryColumns(), tries)
}

// writeDropped ends deliveries that were stopped or outdated before they left.
func (p *pen) writeDropped(ctx context.Context, dropped []*item) error {
	dropped, err := p.mine(ctx, dropped)
	if err != nil || len(dropped) == 0 {
		return err
	}
	rows := make([][]any, len(dropped))
	for i, it := range dropped {
		state, kind, reason := Withdrawn, FactWithdrawn, channels.ReasonNone
		if it.verdict == outdated {
			state, kind, reason = Expired, FactExpired, channels.ReasonExpired
		}
		rows[i] = []any{p.k.scope.Organisation(), it.id, string(state), string(reason), storage.Micros(it.at)}
		p.said.moved(it.lot.campaign, it.lot.medium, Queued, state)
		p.said.tell(it.fact(kind, reason, it.at))
	}
	_, err = p.tx.UpdateRows(ctx, "dispatch_deliveries", 2, []storage.Column{
		{Name: "organisation_id", Type: "uuid"},
		{Name: "id", Type: "uuid"},
		{Name: "state", Type: "text"},
		{Name: "reason", Type: "text"},
		{Name: "settled_us", Type: "bigint"},
	}, rows)
	return err
}

// writeLots closes the lots that are done and gives back the others, as long
// as they are still this node's.
func (p *pen) writeLots(ctx context.Context, s *settlement) error {
	ids := make([]uuid.UUID, len(s.finished))
	for i, l := range s.finished {
		ids[i] = l.id
	}
	err := eachChunk(ids, func(part []uuid.UUID) error {
		_, err := p.tx.Exec(ctx, `UPDATE dispatch_lots SET pending = FALSE, remaining = 0, holder = NULL WHERE organisation_id = $1 AND holder = $2
			AND id IN (`+storage.In(len(part), 3)+`)`, storage.Args(part, p.k.scope.Organisation(), p.k.d.node)...)
		return err
	})
	if err != nil {
		return err
	}
	for _, l := range s.released {
		if _, err := p.tx.Exec(ctx, `UPDATE dispatch_lots SET remaining = $4, holder = NULL WHERE organisation_id = $1 AND holder = $2 AND id = $3`,
			p.k.scope.Organisation(), p.k.d.node, l.id, l.back); err != nil {
			return err
		}
	}
	return nil
}

// carried is a delivery that a gateway took, as far as receipts concern it.
type carried struct {
	delivery, campaign, subject uuid.UUID
	medium                      channels.Medium
	address, purpose            string
	wave                        int
	gateway                     uuid.UUID

	state  State
	reason channels.Reason
	detail string
	parts  int
	done   int64
	at     time.Time
	// from is the state before this pass, when it was not Accepted.
	from State
	// stored is true when the row exists already, changed when a receipt changed it.
	stored, changed bool
}

func (c *carried) origin() State {
	if c.from == "" {
		return Accepted
	}
	return c.from
}

func (c *carried) fact() Fact {
	kind := FactDelivered
	if c.state == Failed {
		kind = FactFailed
	}
	return Fact{
		Campaign: c.campaign, Subject: c.subject, Delivery: c.delivery, Medium: c.medium, Address: c.address,
		Kind: kind, Reason: c.reason, Purpose: c.purpose, Wave: c.wave, At: c.at,
	}
}
