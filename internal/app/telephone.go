package app

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting/telephone"
	"tocsin/internal/identity"
)

// ownNumber is where the program reaches the account of who asks; empty for none.
func (h *House) ownNumber(ctx context.Context, scope access.Scope) (string, error) {
	reach, err := h.Accounts.OwnReach(ctx, scope)
	return reach.Mobile, err
}

// callers tells « Le poste de commande téléphonique » who is on the line.
type callers struct{ accounts *identity.Service }

// Recognise implements telephone.Accounts.
func (c callers) Recognise(ctx context.Context, scope access.Scope, from []string, number, pin string) (telephone.Caller, error) {
	who, err := c.accounts.Recognise(ctx, scope, from, number, pin)
	return telephone.Caller(who), err
}

// OnTelephone implements telephone.Accounts.
func (c callers) OnTelephone(ctx context.Context, scope access.Scope, account uuid.UUID) (access.Scope, error) {
	return c.accounts.OnTelephone(ctx, scope, account)
}

// TelephoneStep implements telephone.Accounts.
func (c callers) TelephoneStep(ctx context.Context, scope access.Scope, step string) error {
	return c.accounts.TelephoneStep(ctx, scope, step)
}
