package directory_test

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

var morning = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func rooms() []fs.FS {
	return []fs.FS{organisation.Migrations, directory.Migrations, journal.Migrations}
}

// hospital is a directory with one establishment and somebody who may do everything in it.
type hospital struct {
	*directory.Directory
	db    *storage.DB
	org   *organisation.Service
	clock *clock.Fake
	scope access.Scope
}

func each(t *testing.T, suite func(t *testing.T, h hospital)) {
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) { suite(t, newHospital(t, db)) })
}

func newHospital(t testing.TB, db *storage.DB) hospital {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	h := hospital{db: db, clock: clock.NewFake(morning)}
	h.org = organisation.New(db, guard, h.clock)
	h.Directory, err = directory.New(db, guard, h.clock, h.org, vault.Derived{Key: "k1", Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	h.scope = h.establishment(t, "CHU de Valbrume")
	return h
}

func (h hospital) establishment(t testing.TB, name string) access.Scope {
	t.Helper()
	e, err := h.org.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return access.System(e.ID, "test")
}

func (h hospital) as(roles ...access.Role) access.Scope {
	return access.For(h.scope.Organisation(), access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Quelqu’un"}, true, roles...)
}

func (h hospital) save(t testing.TB, scope access.Scope, p directory.Person) directory.Person {
	t.Helper()
	saved, err := h.Save(t.Context(), scope, p)
	if err != nil {
		t.Fatalf("save %s: %v", p.Name(), err)
	}
	return saved
}

// places creates a site and its services, in this order.
func (h hospital) places(t testing.TB, site string, services ...string) []uuid.UUID {
	t.Helper()
	n, err := h.org.AddNode(t.Context(), h.scope, organisation.Node{Kind: organisation.Site, Name: site}, uuid.Nil)
	if err != nil {
		t.Fatal(err)
	}
	out := []uuid.UUID{n.ID}
	for _, name := range services {
		s, err := h.org.AddNode(t.Context(), h.scope, organisation.Node{Kind: organisation.CareService, Name: name}, n.ID)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s.ID)
	}
	return out
}

func (h hospital) resolve(t testing.TB, scope access.Scope, include, exclude directory.Rule) []directory.Target {
	t.Helper()
	var out []directory.Target
	err := h.db.Read(t.Context(), scope, func(tx *storage.Tx) error {
		return h.Resolve(t.Context(), tx, scope, include, exclude, h.clock.Now(), func(target directory.Target) error {
			out = append(out, target)
			return nil
		})
	})
	if err != nil {
		t.Fatalf("resolve: %v", err)
	}
	return out
}

func names(targets []directory.Target) string {
	var out []string
	for _, target := range targets {
		out = append(out, target.LastName)
	}
	slices.Sort(out)
	return fmt.Sprint(out)
}

func (h hospital) record(t testing.TB, events ...directory.ContactEvent) {
	t.Helper()
	if err := h.db.Write(t.Context(), h.scope, func(tx *storage.Tx) error {
		return h.Record(context.WithoutCancel(t.Context()), tx, h.scope, h.clock.Now(), events)
	}); err != nil {
		t.Fatalf("record: %v", err)
	}
}

func wantFault(t testing.TB, err error, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Key != key {
		t.Errorf("error = %v, want %s", err, key)
	}
}

func contact(kind, address string) directory.ContactPoint {
	return directory.ContactPoint{Contact: directory.Contact{Kind: kind, Address: address}}
}
