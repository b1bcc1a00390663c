package dispatch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// The times of a share. As for lots, nobody compares clocks: a node gives its
// share up shareKeep after it began its last renewal, others take it once they
// have watched the renewals stand still for shareGone.
const (
	shareEvery = 500 * time.Millisecond
	shareKeep  = 4 * time.Second
	shareGone  = 5 * time.Second
)

// shares divides the contracts of the gateways between the nodes that drive
// them, so that all of them together never do more than one was allowed to.
type shares struct {
	d    *Dispatch
	bell chan struct{}
	// writing is held while rows of this node are written or deleted: a renewal under
	// way must not bring back what leave gave back, or the others would wait for a
	// node that has gone.
	writing sync.Mutex
	// others are the last renewals seen of the other nodes, and number counts
	// ours; only the task uses them.
	others *sightings[claimKey]
	number int64
}

type claimKey struct {
	gateway uuid.UUID
	node    string
}

func newShares(d *Dispatch) *shares {
	return &shares{d: d, bell: make(chan struct{}, 1), others: newSightings[claimKey](shareGone)}
}

// claimRow is one node's share of one gateway, as the database has it.
type claimRow struct {
	claimant
	number       int64
	up, carrying bool
}

// renew says what this node holds and needs, and takes its part: one short
// transaction for all the gateways of the node.
func (s *shares) renew(ctx context.Context) (bool, error) {
	if s.d.leases.alone {
		return false, nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	desks := slices.DeleteFunc(slices.Clone(*s.d.office.list.Load()), func(k *desk) bool { return k.closing.Load() })
	if len(desks) == 0 {
		return false, nil
	}
	// A renewal that takes longer than what it renews is worth nothing.
	ctx, cancel := context.WithTimeout(ctx, shareKeep)
	defer cancel()
	begun := s.d.elapsed()
	s.number++
	granted := make(map[*desk]grant, len(desks))
	err := s.d.db.Write(ctx, access.Instance("dispatch.shares"), func(tx *storage.Tx) error {
		rows, err := s.lock(ctx, tx, desks)
		if err != nil {
			return err
		}
		dead, err := s.bury(ctx, tx, rows)
		if err != nil {
			return err
		}
		var mine [][]any
		for _, k := range desks {
			row := s.own(k, rows[k.gateway.ID])
			all := []claimant{row.claimant}
			for _, other := range rows[k.gateway.ID] {
				if other.node != s.d.node && !dead[claimKey{k.gateway.ID, other.node}] {
					all = append(all, other.claimant)
				}
			}
			contract := k.share.contract
			g := contract.within(contract.fair(s.d.node, all), s.d.node, all)
			k.share.lower(g) // before others can read that it is free
			granted[k] = g
			used := k.using()
			held := g.atLeast(used)
			mine = append(mine, []any{
				k.gateway.Organisation, k.gateway.ID, s.d.node, s.number, row.able, row.busy, row.up, row.carrying, held.rate, held.links, held.lots, used.links,
			})
		}
		return writeShares(ctx, tx, mine)
	})
	if err != nil {
		return false, err
	}
	for k, g := range granted {
		poor := !k.share.canSend()
		k.share.grant(g, begun+shareKeep)
		if poor && k.share.canSend() {
			k.pause.soon()
			k.wake()
		}
	}
	return false, nil
}

// lock lets one node at a time divide these gateways, and reads how they are divided.
func (s *shares) lock(ctx context.Context, tx *storage.Tx, desks []*desk) (map[uuid.UUID][]claimRow, error) {
	ids := make(map[uuid.UUID]bool, len(desks))
	for _, k := range desks {
		ids[k.gateway.ID] = true
	}
	rows := make(map[uuid.UUID][]claimRow)
	return rows, eachChunk(sortedIDs(ids), func(part []uuid.UUID) error {
		if _, err := tx.Exec(ctx, `SELECT id FROM dispatch_gateways WHERE id IN (`+storage.In(len(part), 1)+`) ORDER BY organisation_id, id {{for_update}}`, storage.Args(part)...); err != nil {
			return err
		}
		return tx.Query(ctx, `SELECT gateway_id, node, number, able, busy, up, carrying, rate, links, lots FROM dispatch_shares WHERE gateway_id IN (`+storage.In(len(part), 1)+`)`,
			storage.Args(part), func(row func(...any) error) error {
				var id uuid.UUID
				var r claimRow
				err := row(&id, &r.node, &r.number, &r.able, &r.busy, &r.up, &r.carrying, &r.held.rate, &r.held.links, &r.held.lots)
				rows[id] = append(rows[id], r)
				return err
			})
	})
}

// bury removes the shares of nodes that no longer renew.
func (s *shares) bury(ctx context.Context, tx *storage.Tx, rows map[uuid.UUID][]claimRow) (map[claimKey]bool, error) {
	numbers := make(map[claimKey]int64)
	for gateway, list := range rows {
		for _, r := range list {
			if r.node != s.d.node {
				numbers[claimKey{gateway, r.node}] = r.number
			}
		}
	}
	dead := make(map[claimKey]bool)
	for _, key := range s.others.still(s.d.elapsed(), numbers) {
		dead[key] = true
		if _, err := tx.Exec(ctx, `DELETE FROM dispatch_shares WHERE gateway_id = $1 AND node = $2`, key.gateway, key.node); err != nil {
			return nil, err
		}
	}
	return dead, nil
}

// own is what this node says of itself about a gateway. Whether the operator
// answers it is known only while it has a connection to ask by.
func (s *shares) own(k *desk, rows []claimRow) claimRow {
	row := claimRow{claimant: claimant{node: s.d.node, able: true}}
	for _, r := range rows {
		if r.node == s.d.node {
			row.able = r.able
		}
	}
	links, _ := k.share.links()
	linked := k.share.contract.links == 0 || links > 0
	if linked {
		row.able = !k.pause.isDead()
	}
	row.busy = linked && (k.hungry() || k.holding.Load() > 0)
	row.up = linked && k.channel.Health().Up && !k.pause.isDown()
	row.carrying = linked && k.d.office.carries(k)
	row.held = k.share.current().atLeast(k.using())
	return row
}

// using is what the node uses of the contract, whatever it is granted: a
// connection takes a moment to close, and what is in flight is in flight.
func (k *desk) using() grant {
	_, used := k.share.links()
	if k.share.contract.links == 0 {
		used = 0
	}
	return grant{links: used, lots: (k.holding.Load() + int64(k.lot) - 1) / int64(k.lot)}
}

func writeShares(ctx context.Context, tx *storage.Tx, rows [][]any) error {
	for _, r := range rows {
		if _, err := tx.Exec(ctx, `INSERT INTO dispatch_shares (organisation_id, gateway_id, node, number, able, busy, up, carrying, rate, links, lots, used)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
			ON CONFLICT (organisation_id, gateway_id, node) DO UPDATE SET number = excluded.number, able = excluded.able, busy = excluded.busy,
			up = excluded.up, carrying = excluded.carrying, rate = excluded.rate, links = excluded.links, lots = excluded.lots, used = excluded.used`, r...); err != nil {
			return err
		}
	}
	return nil
}

// leave gives back the share of a desk that has closed. If that fails, the
// other nodes see soon enough that it is not renewed.
func (s *shares) leave(ctx context.Context, k *desk) {
	if s.d.leases.alone {
		return
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shareKeep)
	defer cancel()
	if err := s.d.db.Write(ctx, k.scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM dispatch_shares WHERE organisation_id = $1 AND gateway_id = $2 AND node = $3`, k.gateway.Organisation, k.gateway.ID, s.d.node)
		return err
	}); err != nil {
		k.log.Warn("the share of a gateway was not given back", "error", err)
	}
}

// elsewhere is what the other nodes say of a gateway: whether it is up, whether
// they carry messages by it, and the connections they use.
type elsewhere struct {
	up, carrying bool
	used         int64
}

func readElsewhere(ctx context.Context, tx *storage.Tx, org uuid.UUID, node string) (map[uuid.UUID]elsewhere, error) {
	out := make(map[uuid.UUID]elsewhere)
	err := tx.Query(ctx, `SELECT gateway_id, up, carrying, used FROM dispatch_shares WHERE organisation_id = $1 AND node <> $2`, []any{org, node}, func(row func(...any) error) error {
		var id uuid.UUID
		var e elsewhere
		err := row(&id, &e.up, &e.carrying, &e.used)
		known := out[id]
		out[id] = elsewhere{known.up || e.up, known.carrying || e.carrying, known.used + e.used}
		return err
	})
	return out, err
}
