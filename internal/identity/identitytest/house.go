package identitytest

import (
	"io/fs"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/identity"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Cheap is a cost that keeps tests quick. It protects nothing.
func Cheap() identity.Cost { return identity.Cost{Memory: 64, Passes: 1, Lanes: 1} }

// Morning is when the clock of a House starts: 22 November 2026, 08:00 UTC.
func Morning() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) }

// Rooms are the migrations a House needs.
func Rooms() []fs.FS {
	return []fs.FS{organisation.Migrations, identity.Migrations, journal.Migrations}
}

// House is an instance with its accounts, on one database.
type House struct {
	DB            *storage.DB
	Clock         *clock.Fake
	Guard         *access.Guard
	Vault         *vault.Vault
	Organisations *organisation.Service
	Identity      *identity.Service
	Journal       *journal.Reader
}

// Origin is the public address of a House.
func Origin() *url.URL { return &url.URL{Scheme: "https", Host: "tocsin.test"} }

// New builds a House on a database that has Rooms.
func New(t testing.TB, db *storage.DB) *House {
	t.Helper()
	h := &House{DB: db, Clock: clock.NewFake(Morning())}
	var err error
	if h.Guard, err = access.NewGuard(); err != nil {
		t.Fatalf("guard: %v", err)
	}
	if h.Vault, err = vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), Morning()); err != nil {
		t.Fatalf("vault: %v", err)
	}
	h.Organisations = organisation.New(db, h.Guard, h.Clock)
	h.Journal = journal.NewReader(db, h.Guard)
	h.Identity = h.Node(t)
	return h
}

// Node is another process on the same database and keyring.
func (h *House) Node(t testing.TB) *identity.Service {
	t.Helper()
	s, err := identity.New(identity.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Vault: h.Vault, Organisations: h.Organisations, Origin: Origin(), Cost: Cheap(),
	})
	if err != nil {
		t.Fatalf("identity: %v", err)
	}
	return s
}

// Establishment adds an establishment to the instance.
func (h *House) Establishment(t testing.TB, name string) uuid.UUID {
	t.Helper()
	e, err := h.Organisations.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: name})
	if err != nil {
		t.Fatalf("establishment %s: %v", name, err)
	}
	return e.ID
}

// Person adds a person with these roles and signs her in.
func (h *House) Person(t testing.TB, establishment uuid.UUID, login string, roles ...access.Role) *Person {
	t.Helper()
	return Join(t, h.Identity, h.Clock, establishment, login, roles...)
}
