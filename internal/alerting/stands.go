package alerting

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Stands implements dispatch.Standing: what a call said stands while its alert
// runs; the end of an alert stands once it has ended.
func (s *Service) Stands(ctx context.Context, scope access.Scope, campaign uuid.UUID, purpose string) (stands bool, err error) {
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		var state LaunchState
		if _, err := tx.Row(ctx, `SELECT state FROM alerting_launches WHERE organisation_id = $1 AND id = $2`, []any{scope.Organisation(), campaign}, &state); err != nil {
			return err
		}
		stands = state == Running || state == Ended && Use(purpose) == UseEnd
		return nil
	})
	return stands, err
}
