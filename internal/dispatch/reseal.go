package dispatch

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Reseal seals the secrets of every gateway again under the current key of the
// vault, and returns how many. Only the program itself may ask.
func (d *Dispatch) Reseal(ctx context.Context, scope access.Scope) (n int, err error) {
	if !scope.IsSystem() {
		return 0, fault.New(fault.Denied, "access.denied")
	}
	type secret struct {
		organisation, id uuid.UUID
		sealed           []byte
	}
	var all []secret
	if err := d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, id, secrets FROM dispatch_gateways WHERE deleted_us IS NULL`, nil, func(row func(...any) error) error {
			var one secret
			err := row(&one.organisation, &one.id, &one.sealed)
			all = append(all, one)
			return err
		})
	}); err != nil {
		return 0, err
	}
	for _, one := range all {
		plain, err := d.vault.Open(one.sealed, sealContext(one.id))
		if err != nil {
			return n, err
		}
		fresh, err := d.vault.Seal(plain, sealContext(one.id))
		if err != nil {
			return n, err
		}
		// Somebody may have changed the gateway in between: theirs is newer.
		if err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
			changed, err := tx.Exec(ctx, `UPDATE dispatch_gateways SET secrets = $3 WHERE organisation_id = $1 AND id = $2 AND secrets = $4`,
				one.organisation, one.id, fresh, one.sealed)
			n += int(changed)
			return err
		}); err != nil {
			return n, err
		}
	}
	return n, nil
}
