package dispatch

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// The rooms of nodes that died: how often they are looked for, for how long the word
// of their node must stand still, and for how long the follow-up tells of them.
const (
	lostLook     = 2 * time.Second
	lostPatience = 10 * time.Second
	lostShown    = 30 * time.Minute
)

// roomKey is the conference of a campaign on one node.
type roomKey struct {
	organisation, campaign uuid.UUID
	node                   string
}

// lookForLost closes the rooms of nodes that died: nobody is in them any more, and
// nobody else would say so. Alone on its database a node knows at once.
func (s *halls) lookForLost(ctx context.Context) (bool, error) {
	seen, dead := make(map[roomKey]int64), []roomKey(nil)
	err := s.d.db.Read(ctx, access.Instance("dispatch.conferences"), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, campaign_id, node, seen_us FROM dispatch_conferences WHERE present > 0 AND node <> $1`,
			[]any{s.d.node}, func(row func(...any) error) error {
				var key roomKey
				var at int64
				err := row(&key.organisation, &key.campaign, &key.node, &at)
				seen[key] = at
				if s.d.leases.alone {
					dead = append(dead, key)
				}
				return err
			})
	})
	if err != nil {
		return false, err
	}
	if !s.d.leases.alone {
		dead = s.others.still(s.d.elapsed(), seen)
	}
	for _, key := range dead {
		if err := s.lose(ctx, key, seen[key]); err != nil {
			return false, err
		}
	}
	return false, nil
}

// lose notes that a room is gone with those who were in it. One whose node spoke
// meanwhile, or that another node found first, stays as it is.
func (s *halls) lose(ctx context.Context, key roomKey, seen int64) error {
	scope := access.System(key.organisation, "dispatch")
	return s.d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		var lost int
		found, err := tx.Row(ctx, `UPDATE dispatch_conferences SET lost = present, present = 0
			WHERE organisation_id = $1 AND campaign_id = $2 AND node = $3 AND seen_us = $4 AND present > 0 RETURNING lost`,
			[]any{key.organisation, key.campaign, key.node, seen}, &lost)
		if err != nil || !found {
			return err
		}
		return journal.Append(ctx, tx, scope, s.d.clock.Now(), journal.Entry{
			Action: "dispatch.conference.lost", ObjectKind: "alert", ObjectID: key.campaign.String(), After: map[string]int{"present": lost},
		})
	})
}
