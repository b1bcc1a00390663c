package hooks

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/vault"
)

// Reseal seals the secrets of subscriptions and doors again that an older key of
// the vault sealed, those of before their own rotation included, and returns how
// many. Only the program itself may ask.
func (s *Service) Reseal(ctx context.Context, scope access.Scope) (n int, err error) {
	var columns []vault.Column
	for _, table := range []string{"hooks_subscriptions", "hooks_doors"} {
		for _, name := range []string{"secret", "old_secret"} {
			columns = append(columns, vault.Column{Table: table, Name: name, Key: []string{"organisation_id", "id"}, Context: secretOf})
		}
	}
	return vault.Reseal(ctx, s.opt.DB, scope, s.opt.Vault, columns...)
}
