package identity

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/vault"
)

// Reseal seals again, under the current key, what an older key sealed: the
// secrets of authenticators, those being set up, and the codes not yet printed.
// It returns how many. Only the program itself may ask.
func (s *Service) Reseal(ctx context.Context, scope access.Scope) (n int, err error) {
	return vault.Reseal(ctx, s.db, scope, s.vault,
		vault.Column{Table: "identity_accounts", Name: "totp_sealed", Key: []string{"id"}, Context: sealedAs},
		vault.Column{Table: "identity_sessions", Name: "totp_pending", Key: []string{"id"}, Of: "account_id", Context: sealedAs},
		vault.Column{Table: "identity_sessions", Name: "codes_pending", Key: []string{"id"}, Context: codesSealedAs},
		vault.Column{Table: "identity_envelopes", Name: "pending", Key: []string{"organisation_id", "id"}, Context: envelopeSealedAs},
	)
}

func codesSealedAs(session uuid.UUID) string { return "identity.codes:" + session.String() }
