package app

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// owners has the directory say who answers for what is in the inventory.
type owners struct{ h *House }

// Find implements inventory.Owners.
func (o owners) Find(ctx context.Context, scope access.Scope, text string) (uuid.UUID, error) {
	found, err := o.h.OnCall.Find(ctx, scope, []string{text})
	if err != nil {
		return uuid.Nil, err
	}
	return found[0].ID, nil
}

// Names implements inventory.Owners.
func (o owners) Names(ctx context.Context, tx *storage.Tx, scope access.Scope, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	return o.h.Directory.Names(ctx, tx, scope, ids)
}
