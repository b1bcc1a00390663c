package dispatch

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Allow raises the total limit of a campaign by more messages, for an alert
// that grew while it ran. A campaign without limit keeps none.
func (d *Dispatch) Allow(ctx context.Context, tx *storage.Tx, scope access.Scope, campaign uuid.UUID, more int) error {
	_, err := tx.Exec(ctx, `UPDATE dispatch_campaigns SET max_total = max_total + $3 WHERE organisation_id = $1 AND id = $2 AND max_total > 0`,
		scope.Organisation(), campaign, max(0, more))
	return err
}
