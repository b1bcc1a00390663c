package identity

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// EndAllSessions signs everybody out and returns how many sessions ended: those
// that a restored backup holds may have been closed since for a good reason.
// Only the program itself may ask.
func (s *Service) EndAllSessions(ctx context.Context, scope access.Scope) (n int64, err error) {
	if !scope.IsSystem() {
		return 0, fault.New(fault.Denied, "access.denied")
	}
	err = s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
		n, err = tx.Exec(ctx, `DELETE FROM identity_sessions`)
		return err
	})
	return n, err
}
