package dispatch

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// claim is a lot with the deliveries that are still queued in it.
type claim struct {
	lot   *lot
	items []*item
	// budget is that of its campaign; nil for a gateway without prices.
	budget *budget
}

// pen writes one pass of a clerk.
type pen struct {
	k   *desk
	tx  *storage.Tx
	now time.Time
	// begun is Dispatch.elapsed before the transaction: leases count from it.
	begun time.Duration
	said  *scribe
	// known is what the pass learnt of deliveries that a gateway took.
	known *ledger
}

// anythingDue looks, without writing, whether a claim would find something.
func (k *desk) anythingDue(ctx context.Context) bool {
	var one int
	found := false
	routes := k.d.office.routesOf(k)
	if len(routes) == 0 {
		return false
	}
	now := k.d.clock.Now()
	err := k.d.db.Read(ctx, k.scope, func(tx *storage.Tx) error {
		affordable, args, err := k.mayClaim(ctx, tx, now, 4+len(routes))
		if err != nil {
			return err
		}
		found, err = tx.Row(ctx, `SELECT 1 FROM dispatch_lots WHERE organisation_id = $1 AND medium = $2 AND pending AND holder IS NULL AND NOT withdrawn
			AND due_us <= $3 AND route IN (`+storage.In(len(routes), 4)+`)`+affordable+` LIMIT 1`,
			append(storage.Args(routes, k.scope.Organisation(), string(k.gateway.Medium), storage.Micros(now)), args...), &one)
		return err
	})
	if err != nil {
		k.log.Error("look for due deliveries", "error", err)
	}
	return found
}

// claim takes up to n due lots: this is the intent, committed before any of
// their deliveries is sent.
func (p *pen) claim(ctx context.Context, n int) ([]*claim, error) {
	claims, byID, err := p.findLots(ctx, n)
	if err != nil || len(claims) == 0 {
		return nil, err
	}
	if err := p.readBudgets(ctx, claims); err != nil {
		return nil, err
	}
	ids := sortedIDs(byID)
	lease := p.k.d.leases.until(p.begun)
	err = eachChunk(ids, func(part []uuid.UUID) error {
		_, err := p.tx.Exec(ctx, `UPDATE dispatch_lots SET holder = $2, gateway_id = $3, lease_us = $4 WHERE organisation_id = $1 AND id IN (`+storage.In(len(part), 5)+`)`,
			storage.Args(part, p.k.scope.Organisation(), p.k.d.node, p.k.gateway.ID, lease)...)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, c := range claims {
		c.lot.leaseUntil.Store(p.k.d.leases.mine(p.begun))
		if c.lot.content, err = p.k.texts.get(ctx, p.tx, p.k.scope, c.lot.contentID); err != nil {
			return nil, err
		}
	}
	err = eachChunk(ids, func(part []uuid.UUID) error { return p.readItems(ctx, part, byID) })
	if err != nil {
		return nil, err
	}
	return p.dropEmpty(ctx, claims)
}

func (p *pen) findLots(ctx context.Context, n int) ([]*claim, map[uuid.UUID]*claim, error) {
	var claims []*claim
	byID := make(map[uuid.UUID]*claim)
	routes := p.k.d.office.routesOf(p.k)
	if len(routes) == 0 {
		return nil, nil, nil // another gateway has come back meanwhile
	}
	affordable, args, err := p.k.mayClaim(ctx, p.tx, p.now, 5+len(routes))
	if err != nil {
		return nil, nil, err
	}
	err = p.tx.Query(ctx, `SELECT id, campaign_id, content_id, medium, purpose, wave, priority, quiet, queued_us, expires_us, route FROM dispatch_lots
		WHERE organisation_id = $1 AND medium = $2 AND pending AND holder IS NULL AND NOT withdrawn AND due_us <= $3 AND (expires_us IS NULL OR expires_us > $3)
		AND NOT EXISTS (SELECT 1 FROM dispatch_campaigns c WHERE c.organisation_id = dispatch_lots.organisation_id AND c.id = dispatch_lots.campaign_id AND c.stopped_us IS NOT NULL)
		AND route IN (`+storage.In(len(routes), 5)+`)`+affordable+` ORDER BY priority, wave, due_us LIMIT $4 {{skip_locked}}`,
		append(storage.Args(routes, p.k.scope.Organisation(), string(p.k.gateway.Medium), storage.Micros(p.now), n), args...), func(row func(...any) error) error {
			l := &lot{d: p.k.d}
			var expires sql.NullInt64
			if err := row(&l.id, &l.campaign, &l.contentID, &l.medium, &l.purpose, &l.wave, &l.priority, &l.quiet, &l.queuedUs, &expires, &l.route); err != nil {
				return err
			}
			l.expiresUs = expires.Int64
			c := &claim{lot: l}
			claims = append(claims, c)
			byID[l.id] = c
			return nil
		})
	return claims, byID, err
}

func (p *pen) readItems(ctx context.Context, lots []uuid.UUID, byID map[uuid.UUID]*claim) error {
	return p.tx.Query(ctx, `SELECT id, lot_id, subject_id, address, link, token, attempts, possible_double FROM dispatch_deliveries
		WHERE lot_id IN (`+storage.In(len(lots), 2)+`) AND organisation_id = $1 AND state = 'queued'`,
		storage.Args(lots, p.k.scope.Organisation()), func(row func(...any) error) error {
			it := &item{}
			var lotID uuid.UUID
			if err := row(&it.id, &lotID, &it.subject, &it.address, &it.link, &it.token, &it.attempts, &it.double); err != nil {
				return err
			}
			c := byID[lotID]
			it.lot = c.lot
			c.lot.open++
			c.items = append(c.items, it)
			return nil
		})
}

// dropEmpty closes lots whose deliveries were all withdrawn one by one.
func (p *pen) dropEmpty(ctx context.Context, claims []*claim) ([]*claim, error) {
	kept := claims[:0]
	for _, c := range claims {
		if len(c.items) > 0 {
			kept = append(kept, c)
			continue
		}
		if _, err := p.tx.Exec(ctx, `UPDATE dispatch_lots SET pending = FALSE, remaining = 0, holder = NULL WHERE organisation_id = $1 AND id = $2`,
			p.k.scope.Organisation(), c.lot.id); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// texts keeps the contents in use; only the clerk uses it.
type texts struct{ kept map[uuid.UUID]*text }

// textsMost bounds the memory: contents are shared, so a campaign has few.
const textsMost = 256

func newTexts() *texts { return &texts{kept: make(map[uuid.UUID]*text)} }

func (t *texts) get(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (*text, error) {
	if c, ok := t.kept[id]; ok {
		return c, nil
	}
	var language, subject, body, linkless, answers, recording, reserved string
	if _, err := tx.Row(ctx, `SELECT language, subject, body, linkless, answers, recording, reserved FROM dispatch_contents WHERE organisation_id = $1 AND id = $2`,
		[]any{scope.Organisation(), id}, &language, &subject, &body, &linkless, &answers, &recording, &reserved); err != nil {
		return nil, err
	}
	list, err := decodeAnswers(answers)
	if err != nil {
		return nil, fmt.Errorf("content %s: %w", id, err)
	}
	if len(t.kept) >= textsMost {
		clear(t.kept)
	}
	c := newText(language, subject, body, linkless)
	c.answers = list
	if c.recording, err = decodeRecording(recording); err != nil {
		return nil, fmt.Errorf("content %s: %w", id, err)
	}
	if c.reserved, err = decodeReserved(reserved); err != nil {
		return nil, fmt.Errorf("content %s: %w", id, err)
	}
	t.kept[id] = c
	return c, nil
}
