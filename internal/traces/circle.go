package traces

import (
	"context"

	"tocsin/internal/access"
)

// Named is an account or the number of a patient that a question is about.
type Named struct {
	Word string
	// Since is from when the question is about it, UTC microseconds; zero: always.
	Since int64
}

// Circle knows the accounts and the patients that some questions are about, and
// that no trace tells: who left, which accounts are shared, who is well known.
type Circle interface {
	LeftAccounts(ctx context.Context, scope access.Scope) ([]Named, error)
	SharedAccounts(ctx context.Context, scope access.Scope) ([]Named, error)
	KnownPatients(ctx context.Context, scope access.Scope) ([]Named, error)
	StaffPatients(ctx context.Context, scope access.Scope) ([]Named, error)
}
