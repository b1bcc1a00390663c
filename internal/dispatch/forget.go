package dispatch

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Forget erases, of a campaign that is over, where its messages went and what
// came back, and keeps what became of each. It works in the caller's transaction
// on at most limit messages, and tells whether more are left.
func (d *Dispatch) Forget(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID, limit int) (more bool, err error) {
	var ids []uuid.UUID
	if err := tx.Query(ctx, `SELECT id FROM dispatch_deliveries WHERE organisation_id = $1 AND campaign_id = $2 AND address <> '' LIMIT $3`,
		[]any{scope.Organisation(), campaign, limit}, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			ids = append(ids, id)
			return err
		}); err != nil {
		return false, err
	}
	if len(ids) > 0 {
		in := storage.In(len(ids), 2)
		for _, query := range []string{
			`UPDATE dispatch_deliveries SET address = '', link = '', token = '' WHERE organisation_id = $1 AND id IN (` + in + `)`,
			`UPDATE dispatch_attempts SET detail = '' WHERE organisation_id = $1 AND delivery_id IN (` + in + `)`,
		} {
			if _, err := tx.Exec(ctx, query, storage.Args(ids, scope.Organisation())...); err != nil {
				return false, err
			}
		}
		if len(ids) == limit {
			return true, nil
		}
	}
	_, err = tx.Exec(ctx, `DELETE FROM dispatch_replies WHERE organisation_id = $1 AND campaign_id = $2 AND relayed`, scope.Organisation(), campaign)
	return false, err
}
