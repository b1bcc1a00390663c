package inventory_test

import (
	"context"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/inventory"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// staff is a directory of a few people.
type staff map[string]uuid.UUID

func (s staff) Find(_ context.Context, _ access.Scope, text string) (uuid.UUID, error) {
	if id, found := s[text]; found {
		return id, nil
	}
	return uuid.Nil, fault.New(fault.Invalid, "directory.oncall.person_not_found", "name", text)
}

func (s staff) Names(_ context.Context, _ *storage.Tx, _ access.Scope, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	out := map[uuid.UUID]string{}
	for name, id := range s {
		for _, wanted := range ids {
			if wanted == id {
				out[id] = name
			}
		}
	}
	return out, nil
}

// house is an establishment with its inventory.
type house struct {
	*inventory.Service
	t     *testing.T
	db    *storage.DB
	org   *organisation.Service
	guard *access.Guard
	clock *clock.Fake
	scope access.Scope
	staff staff
}

func rooms() []fs.FS {
	return []fs.FS{organisation.Migrations, journal.Migrations, inventory.Migrations}
}

// each runs a suite on both engines.
func each(t *testing.T, suite func(t *testing.T, h *house)) {
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) { suite(t, newHouse(t, db)) })
}

func newHouse(t *testing.T, db *storage.DB) *house {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: db, guard: guard, clock: clock.NewFake(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)), staff: staff{"DUPONT Anne": uuid.New(), "MARTIN Paul": uuid.New()}}
	h.org = organisation.New(db, guard, h.clock)
	h.Service = inventory.New(inventory.Options{DB: db, Guard: guard, Clock: h.clock, Organisation: h.org, Owners: h.staff})
	h.scope = h.establishment("CHU de Valbrume")
	return h
}

func (h *house) establishment(name string) access.Scope {
	h.t.Helper()
	e, err := h.org.Create(h.t.Context(), access.Instance("test"), organisation.Establishment{Name: name})
	h.must(err)
	return h.as(e.ID, access.Administrator)
}

func (h *house) as(organisation uuid.UUID, role access.Role) access.Scope {
	return access.For(organisation, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Mme Admin"}, true, role)
}

// node adds a site, or a care service under one.
func (h *house) node(scope access.Scope, kind organisation.Kind, name string, parent uuid.UUID) uuid.UUID {
	h.t.Helper()
	n, err := h.org.AddNode(h.t.Context(), scope, organisation.Node{Kind: kind, Name: name}, parent)
	h.must(err)
	return n.ID
}

func (h *house) save(i inventory.Item) inventory.Item {
	h.t.Helper()
	out, err := h.Save(h.t.Context(), h.scope, i)
	h.must(err)
	return out
}

func (h *house) get(id uuid.UUID) inventory.Sheet {
	h.t.Helper()
	out, err := h.Get(h.t.Context(), h.scope, id)
	h.must(err)
	return out
}

func (h *house) list(f inventory.Filter) inventory.Page {
	h.t.Helper()
	out, err := h.List(h.t.Context(), h.scope, f)
	h.must(err)
	return out
}

// named gives the only thing of a name.
func (h *house) named(name string) inventory.Named {
	h.t.Helper()
	page := h.list(inventory.Filter{Text: name})
	for _, n := range page.Items {
		if n.Name == name {
			return n
		}
	}
	h.t.Fatalf("no %q among %d", name, page.Total)
	return inventory.Named{}
}

// staged reads a file and proposes its columns.
func (h *house) staged(content string) inventory.Import {
	h.t.Helper()
	src, err := table.Open(strings.NewReader(content), int64(len(content)), "parc.csv", table.DefaultLimits())
	h.must(err)
	i, err := h.Stage(h.t.Context(), h.scope, src, inventory.File{Name: "parc.csv", Source: "Biomédical", Kind: inventory.Biomedical})
	h.must(err)
	h.must(src.Close())
	return i
}

// compared takes a file up to its preview, with the columns as they are proposed.
func (h *house) compared(content string) inventory.Import {
	h.t.Helper()
	i := h.staged(content)
	i, err := h.Map(h.t.Context(), h.scope, i.ID, i.Mapping)
	h.must(err)
	return i
}

func (h *house) applied(content string, retire bool) inventory.Import {
	h.t.Helper()
	i, err := h.Apply(h.t.Context(), h.scope, h.compared(content).ID, retire)
	h.must(err)
	return i
}

// number reads one figure of the database.
func (h *house) number(query string, args ...any) (n int) {
	h.t.Helper()
	h.must(h.db.Read(h.t.Context(), h.scope, func(tx *storage.Tx) error {
		_, err := tx.Row(h.t.Context(), query, args, &n)
		return err
	}))
	return n
}

func (h *house) journaled(action string) int {
	h.t.Helper()
	return h.number(`SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND action = $2`, h.scope.Organisation(), action)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func wants(t *testing.T, err error, key string) {
	t.Helper()
	if e := fault.As(err); e == nil || e.Key != key {
		t.Errorf("got %v, want %s", err, key)
	}
}
