package organisation

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Nodes gives every node, closed ones too, the widest kinds first, then by name.
func (s *Service) Nodes(ctx context.Context, scope access.Scope) (out []Node, err error) {
	if err := s.guard.Check(scope, access.OrganisationRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = nodes(ctx, tx, scope)
		return err
	})
	slices.SortStableFunc(out, func(a, b Node) int {
		if a.Kind != b.Kind {
			return a.Kind.level() - b.Kind.level()
		}
		return strings.Compare(storage.Fold(a.Name), storage.Fold(b.Name))
	})
	return out, err
}

// Node gives one node, closed or not. Errors: NotFound.
func (s *Service) Node(ctx context.Context, scope access.Scope, id uuid.UUID) (n Node, err error) {
	if err := s.guard.Check(scope, access.OrganisationRead); err != nil {
		return n, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		n, err = node(ctx, tx, scope, id)
		return err
	})
	return n, err
}

// May tells whether a child of that kind may hang under a parent of this kind.
func (k Kind) May(child Kind) bool { return fits(k, child) }

// Holds tells whether the link is true now or will be: what may still be closed.
func (l Link) Holds() bool { return l.To.IsZero() }
