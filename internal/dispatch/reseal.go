package dispatch

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/vault"
)

// Reseal seals the secrets of gateways again that an older key of the vault
// sealed, and returns how many. Only the program itself may ask.
func (d *Dispatch) Reseal(ctx context.Context, scope access.Scope) (n int, err error) {
	return vault.Reseal(ctx, d.db, scope, d.vault, vault.Column{
		Table: "dispatch_gateways", Name: "secrets", Key: []string{"organisation_id", "id"}, Context: sealContext,
	})
}
