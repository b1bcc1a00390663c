package identity

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Reseal seals again, under the current key, the secrets of authenticators that
// an older key sealed, and returns how many. Only the program itself may ask.
func (s *Service) Reseal(ctx context.Context, scope access.Scope) (n int, err error) {
	if !scope.IsSystem() {
		return 0, fault.New(fault.Denied, "access.denied")
	}
	stale := map[uuid.UUID][]byte{}
	if err := s.db.Read(ctx, everywhere(), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT id, totp_sealed FROM identity_accounts WHERE totp_sealed IS NOT NULL`, nil, func(row func(...any) error) error {
			var id uuid.UUID
			var sealed []byte
			err := row(&id, &sealed)
			if s.vault.Stale(sealed) {
				stale[id] = sealed
			}
			return err
		})
	}); err != nil {
		return 0, err
	}
	for id, sealed := range stale {
		plain, err := s.vault.Open(sealed, sealedAs(id))
		if err != nil {
			return n, err
		}
		fresh, err := s.vault.Seal(plain, sealedAs(id))
		if err != nil {
			return n, err
		}
		// The person may have changed her authenticator in between: hers is newer.
		if err := s.db.Write(ctx, everywhere(), func(tx *storage.Tx) error {
			changed, err := tx.Exec(ctx, `UPDATE identity_accounts SET totp_sealed = $2 WHERE id = $1 AND totp_sealed = $3`, id, fresh, sealed)
			n += int(changed)
			return err
		}); err != nil {
			return n, err
		}
	}
	return n, nil
}
