package dispatch

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// ledger finds the delivery a receipt is about.
type ledger struct {
	byProvider map[string]partOf
	byDelivery map[uuid.UUID]*carried
}

// partOf is one part of a delivery, numbered from 0.
type partOf struct {
	c    *carried
	part int
}

func newLedger() *ledger {
	return &ledger{byProvider: make(map[string]partOf), byDelivery: make(map[uuid.UUID]*carried)}
}

func (l *ledger) addSent(it *item, gateway uuid.UUID) {
	c := &carried{
		delivery: it.id, campaign: it.lot.campaign, subject: it.subject, medium: it.lot.medium, address: it.address,
		purpose: it.lot.purpose, wave: it.lot.wave, gateway: gateway, state: Accepted, parts: len(it.outcome.ProviderIDs),
	}
	if it.outcome.Delivered {
		c.state, c.at, c.done = Delivered, it.at, int64(1)<<min(max(c.parts, 1), partsMost)-1
	}
	l.byDelivery[c.delivery] = c
	for n, id := range it.outcome.ProviderIDs {
		l.byProvider[clean(id, idMost)] = partOf{c, n}
	}
}

func (l *ledger) of(it *item) *carried { return l.byDelivery[it.id] }

// partsMost is how many parts the mask of a delivery can hold.
const partsMost = 62

// hear applies one final receipt; it changes nothing that is already final.
func (p partOf) hear(r channels.Receipt, now time.Time) {
	c := p.c
	if c.provenAfterAll(r) {
		c.from, c.state = c.state, Accepted
	}
	if c.state != Accepted || !r.Final {
		return
	}
	at := r.At
	if at.IsZero() || at.After(now) {
		at = now
	}
	if !r.Delivered {
		c.state, c.reason, c.detail, c.at, c.changed = Failed, r.Reason, clean(r.Detail, detailMost), at, true
		if c.reason == channels.ReasonNone {
			c.reason = channels.ReasonRejected
		}
		return
	}
	c.done |= 1 << min(p.part, partsMost)
	c.changed = true
	if all := int64(1)<<min(max(c.parts, 1), partsMost) - 1; c.done&all == all {
		c.state, c.at = Delivered, at
	}
}

// provenAfterAll tells a call that reached nobody, and whose person called back.
func (c *carried) provenAfterAll(r channels.Receipt) bool {
	return c.state == Failed && c.medium == channels.Voice && r.Final && r.Delivered && r.MessageID == c.delivery
}

// receipts matches what peers told with what was sent; what matches nothing is
// kept, for it may precede the acceptance it follows.
func (p *pen) receipts(ctx context.Context, known *ledger, calls []*brought) error {
	var all []channels.Receipt
	for _, b := range calls {
		for _, r := range b.receipts {
			if r.Final {
				r.ProviderID = clean(r.ProviderID, idMost)
				all = append(all, r)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	if err := p.find(ctx, known, all); err != nil {
		return err
	}
	var orphans [][]any
	for _, r := range all {
		if part, ok := known.find(r); ok {
			part.hear(r, p.now)
		} else if r.ProviderID != "" {
			orphans = append(orphans, []any{
				p.k.scope.Organisation(), storage.NewID(p.now), p.k.gateway.ID, r.ProviderID, r.Delivered,
				string(r.Reason), clean(r.Detail, detailMost), storage.Micros(p.now),
			})
		}
	}
	if err := p.tx.InsertRows(ctx, "dispatch_orphans", []string{"organisation_id", "id", "gateway_id", "provider_id", "delivered", "reason", "detail", "at_us"}, orphans); err != nil {
		return err
	}
	return p.writeHeard(ctx, known)
}

func (l *ledger) find(r channels.Receipt) (partOf, bool) {
	if r.ProviderID != "" {
		if part, ok := l.byProvider[r.ProviderID]; ok {
			return part, true
		}
	}
	c, ok := l.byDelivery[r.MessageID]
	return partOf{c, 0}, ok
}

// find reads the deliveries of the receipts that the pass itself does not know.
func (p *pen) find(ctx context.Context, known *ledger, all []channels.Receipt) error {
	var providers []string
	var deliveries []uuid.UUID
	for _, r := range all {
		if _, ok := known.find(r); ok {
			continue
		}
		if c := p.k.recent.get(r); c != nil {
			known.byDelivery[c.delivery] = c
			known.byProvider[r.ProviderID] = partOf{c, 0}
			continue
		}
		if r.ProviderID != "" {
			providers = append(providers, r.ProviderID)
		} else if r.MessageID != uuid.Nil {
			deliveries = append(deliveries, r.MessageID)
		}
	}
	if err := p.findProviders(ctx, known, providers); err != nil {
		return err
	}
	err := eachChunk(deliveries, func(part []uuid.UUID) error {
		return p.readCarried(ctx, known, `d.provider_id, 0`, ``, `d.id IN (`+storage.In(len(part), 2)+`)`, storage.Args(part, p.k.scope.Organisation()))
	})
	return err
}

func (p *pen) findProviders(ctx context.Context, known *ledger, providers []string) error {
	if err := p.findBy(ctx, providers, `SELECT d.id FROM dispatch_deliveries d WHERE d.organisation_id = $1 AND d.gateway_id = $2 AND d.provider_id = v.p
		ORDER BY d.accepted_us DESC LIMIT 1`, func(ids []uuid.UUID, _ []string) error {
		return p.readCarried(ctx, known, `d.provider_id, 0`, ``, `d.id IN (`+storage.In(len(ids), 2)+`)`, storage.Args(ids, p.k.scope.Organisation()))
	}); err != nil {
		return err
	}
	var missing []string
	for _, id := range providers {
		if _, ok := known.byProvider[id]; !ok {
			missing = append(missing, id)
		}
	}
	return p.findBy(ctx, missing, `SELECT x.delivery_id FROM dispatch_parts x WHERE x.organisation_id = $1 AND x.gateway_id = $2 AND x.provider_id = v.p
		ORDER BY x.id DESC LIMIT 1`, func(ids []uuid.UUID, asked []string) error {
		args := storage.Args(asked, storage.Args(ids, p.k.scope.Organisation(), p.k.gateway.ID)...)
		return p.readCarried(ctx, known, `x.provider_id, x.part`, `JOIN dispatch_parts x ON x.delivery_id = d.id AND x.organisation_id = d.organisation_id`,
			`d.id IN (`+storage.In(len(ids), 3)+`) AND x.gateway_id = $2 AND x.provider_id IN (`+storage.In(len(asked), 3+len(ids))+`)`, args)
	})
}

// findBy looks a peer's ids up one by one, inside one statement, and reads what
// they name. As one list in a condition PostgreSQL would weigh them against
// reading the whole campaign, and choose the campaign: what it knows of the
// column dates from before the first message left, when all of it was empty.
func (p *pen) findBy(ctx context.Context, providers []string, one string, read func(ids []uuid.UUID, asked []string) error) error {
	return eachChunk(providers, func(part []string) error {
		var ids []uuid.UUID
		err := p.tx.Query(ctx, `WITH v(p) AS (VALUES `+column(len(part), 3, p.tx.Engine())+`) SELECT (`+one+`) FROM v`,
			storage.Args(part, p.k.scope.Organisation(), p.k.gateway.ID), func(row func(...any) error) error {
				var id uuid.NullUUID
				err := row(&id)
				if id.Valid {
					ids = append(ids, id.UUID)
				}
				return err
			})
		if err != nil {
			return err
		}
		return eachChunk(ids, func(found []uuid.UUID) error { return read(found, part) })
	})
}

// column writes "($from), ($from+1), …": the values of one column of text.
func column(n, from int, e storage.Engine) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("($" + strconv.Itoa(from+i))
		if i == 0 && e == storage.PostgreSQL {
			b.WriteString("::text")
		}
		b.WriteByte(')')
	}
	return b.String()
}

func (p *pen) readCarried(ctx context.Context, known *ledger, part, join, where string, args []any) error {
	return p.tx.Query(ctx, `SELECT `+part+`, d.id, d.campaign_id, d.subject_id, d.medium, d.address, l.purpose, l.wave, d.gateway_id, d.state, d.parts, d.parts_done
		FROM dispatch_deliveries d JOIN dispatch_lots l ON l.organisation_id = d.organisation_id AND l.id = d.lot_id `+join+`
		WHERE d.organisation_id = $1 AND `+where+` ORDER BY d.accepted_us`, args, func(row func(...any) error) error {
		c := &carried{stored: true}
		var provider *string
		var n int
		var gateway uuid.NullUUID
		if err := row(&provider, &n, &c.delivery, &c.campaign, &c.subject, &c.medium, &c.address, &c.purpose, &c.wave, &gateway, &c.state, &c.parts, &c.done); err != nil {
			return err
		}
		c.gateway = gateway.UUID
		if same, ok := known.byDelivery[c.delivery]; ok {
			c = same // two parts of one message in the same pass
		}
		known.byDelivery[c.delivery] = c
		if provider != nil {
			known.byProvider[*provider] = partOf{c, n} // a peer that reuses its ids means the newest
		}
		return nil
	})
}

// writeHeard writes what receipts changed in deliveries that were stored before this pass.
func (p *pen) writeHeard(ctx context.Context, known *ledger) error {
	var arrived, rows, tries [][]any
	for _, id := range sortedIDs(known.byDelivery) {
		c := known.byDelivery[id]
		if !c.changed {
			continue
		}
		if c.state == Failed {
			tries = append(tries, []any{p.k.scope.Organisation(), storage.NewID(p.now), c.delivery, c.gateway, string(Failed), string(c.reason), c.detail, storage.Micros(c.at)})
		}
		if !c.stored {
			continue
		}
		var settled any
		if c.state != Accepted {
			settled = storage.Micros(c.at)
			p.said.moved(c.campaign, c.medium, c.origin(), c.state)
			p.said.tell(c.fact())
		}
		if c.state == Delivered && c.parts == 1 && c.origin() == Accepted {
			arrived = append(arrived, []any{c.delivery, settled})
			continue
		}
		rows = append(rows, []any{p.k.scope.Organisation(), c.delivery, string(c.state), string(c.reason), c.done, settled})
	}
	delivered := leanUpdate{"state = 'delivered', parts_done = 1, settled_us = v.c1", []string{"uuid", "bigint"}, nil, "state = 'accepted'"}
	n, err := delivered.run(ctx, p.tx, p.k.scope.Organisation(), arrived)
	if err != nil {
		return err
	}
	if n != int64(len(arrived)) {
		return errOutlived
	}
	if _, err := p.tx.UpdateRows(ctx, "dispatch_deliveries", 2, []storage.Column{
		{Name: "organisation_id", Type: "uuid"},
		{Name: "id", Type: "uuid"},
		{Name: "state", Type: "text"},
		{Name: "reason", Type: "text"},
		{Name: "parts_done", Type: "bigint"},
		{Name: "settled_us", Type: "bigint"},
	}, rows); err != nil {
		return err
	}
	return p.tx.InsertRows(ctx, "dispatch_attempts", tryColumns(), tries)
}
