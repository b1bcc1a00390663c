package feed

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/vault"
)

// Reseal seals the passwords of servers again that an older key of the vault
// sealed, and returns how many. Only the program itself may ask.
func (s *Service) Reseal(ctx context.Context, scope access.Scope) (n int, err error) {
	return vault.Reseal(ctx, s.DB, scope, s.Vault, vault.Column{
		Table: "directory_feeds", Name: "secrets", Key: []string{"organisation_id", "id"}, Context: sealContext,
	})
}
