package directory

import (
	"context"
	"embed"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Locales holds the sentences of this room; those of directory/phone stand beside it.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Migrations holds the tables of this room.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// HumanPurpose is the purpose of the key New needs: vault.DeriveKey(HumanPurpose).
const HumanPurpose = "directory.human"

// Directory is what can be done with people and the ways to reach them.
type Directory struct {
	db           *storage.DB
	guard        *access.Guard
	clock        clock.Clock
	organisation *organisation.Service
	key          vault.Derived
	reference    *Reference
	onCall       OnCallDesk
	devices      DeviceDesk
	// unlinked tells that people changed since humans were last linked.
	unlinked atomic.Bool
	// working lets one import compute or write at a time in this process.
	working sync.Mutex
}

// New returns the directory; key hashes the evidence that two rows are one human being.
func New(db *storage.DB, guard *access.Guard, c clock.Clock, org *organisation.Service, key vault.Derived) (*Directory, error) {
	reference, err := LoadReference()
	if err != nil {
		return nil, fmt.Errorf("directory: %w", err)
	}
	d := &Directory{db: db, guard: guard, clock: c, organisation: org, key: key, reference: reference}
	d.unlinked.Store(true) // another node, or another life of this one, may have written
	return d, nil
}

// Reference gives the built-in métiers and qualifications.
func (d *Directory) Reference() *Reference { return d.reference }

// forever is the end of a version that nothing replaced.
const forever = math.MaxInt64

// generation is the one that is shown; 0 before the first import.
func generation(ctx context.Context, tx *storage.Tx, scope access.Scope) (g int64, err error) {
	_, err = tx.Row(ctx, `SELECT generation FROM directory_state WHERE organisation_id = $1`, []any{scope.Organisation()}, &g)
	return g, err
}
