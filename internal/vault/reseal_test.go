package vault_test

import (
	"bytes"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

func safe() fs.FS {
	return fstest.MapFS{"migrations/20260101000000_ward.sql": {Data: []byte(`-- +goose Up
CREATE TABLE ward_safes (organisation_id UUID NOT NULL, id UUID NOT NULL, sealed BYTEA, PRIMARY KEY (organisation_id, id));
`)}}
}

func inSafe(id uuid.UUID) string { return "ward.safe:" + id.String() }

var column = vault.Column{Table: "ward_safes", Name: "sealed", Key: []string{"organisation_id", "id"}, Context: inSafe}

// safes is a table of sealed values of several establishments.
type safes struct {
	t  *testing.T
	db *storage.DB
}

func (s safes) put(house, id uuid.UUID, sealed []byte) {
	s.t.Helper()
	if err := s.db.Write(s.t.Context(), access.System(house, "test"), func(tx *storage.Tx) error {
		return tx.InsertRows(s.t.Context(), "ward_safes", []string{"organisation_id", "id", "sealed"}, [][]any{{house, id, sealed}})
	}); err != nil {
		s.t.Fatal(err)
	}
}

func (s safes) get(id uuid.UUID) (sealed []byte) {
	s.t.Helper()
	if err := s.db.Read(s.t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		_, err := tx.Row(s.t.Context(), `SELECT sealed FROM ward_safes WHERE id = $1`, []any{id}, &sealed)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	return sealed
}

// meddler changes a value while it is being sealed again.
type meddler struct {
	*vault.Vault
	change func()
}

func (m meddler) Seal(plain []byte, context string) ([]byte, error) {
	m.change()
	return m.Vault.Seal(plain, context)
}

func TestResealLeavesNothingUnderAnOlderKey(t *testing.T) {
	storagetest.Each(t, []fs.FS{safe()}, func(t *testing.T, db *storage.DB) {
		v, path := fresh(t)
		s := safes{t, db}
		north, south := storage.NewID(day(1)), storage.NewID(day(1))
		one, two, empty, none, moved := uuid.New(), uuid.New(), uuid.New(), uuid.New(), uuid.New()
		s.put(north, one, seal(t, v, "bruyère", inSafe(one)))
		s.put(south, two, seal(t, v, "", inSafe(two)))
		s.put(north, empty, []byte{})
		s.put(north, none, nil)
		next, err := v.Rotate(day(2))
		if err != nil {
			t.Fatal(err)
		}
		fresh := uuid.New()
		s.put(south, fresh, seal(t, next, "neuf", inSafe(fresh)))
		kept := s.get(fresh)
		scope := access.Instance("test")
		if n, err := vault.Reseal(t.Context(), db, scope, next, column); err != nil || n != 2 {
			t.Fatalf("%d sealed again, want 2: %v", n, err)
		}
		for id, plain := range map[uuid.UUID]string{one: "bruyère", two: ""} {
			got, err := next.Open(s.get(id), inSafe(id))
			if err != nil || string(got) != plain || next.Stale(s.get(id)) {
				t.Errorf("%q %v, under the new key %v", got, err, !next.Stale(s.get(id)))
			}
		}
		if !bytes.Equal(s.get(fresh), kept) || len(s.get(empty)) != 0 || s.get(none) != nil {
			t.Error("what needed nothing was changed")
		}
		if n, err := vault.Reseal(t.Context(), db, scope, next, column); err != nil || n != 0 {
			t.Errorf("again: %d %v", n, err)
		}
		t.Run("a value of another place is refused", func(t *testing.T) {
			s.put(north, moved, seal(t, v, "bruyère", inSafe(one)))
			_, err := vault.Reseal(t.Context(), db, scope, next, column)
			wantFault(t, err, fault.Internal, "vault.damaged")
		})
		t.Run("a person has no such right", func(t *testing.T) {
			_, err := vault.Reseal(t.Context(), db, access.For(north, access.Actor{Kind: access.Person, ID: uuid.New()}, true, access.Administrator), next, column)
			wantFault(t, err, fault.Denied, "access.denied")
		})
		if _, err := vault.Load(path); err != nil {
			t.Error(err)
		}
	})
}

func TestResealKeepsWhatSomebodyChangedMeanwhile(t *testing.T) {
	storagetest.Each(t, []fs.FS{safe()}, func(t *testing.T, db *storage.DB) {
		v, _ := fresh(t)
		s, house, id := safes{t, db}, storage.NewID(day(1)), uuid.New()
		s.put(house, id, seal(t, v, "avant", inSafe(id)))
		next, err := v.Rotate(day(2))
		if err != nil {
			t.Fatal(err)
		}
		theirs := seal(t, next, "après", inSafe(id))
		n, err := vault.Reseal(t.Context(), db, access.Instance("test"), meddler{next, func() {
			if err := db.Write(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE ward_safes SET sealed = $1 WHERE id = $2`, theirs, id)
				return err
			}); err != nil {
				t.Error(err)
			}
		}}, column)
		if err != nil || n != 0 || !bytes.Equal(s.get(id), theirs) {
			t.Errorf("%d sealed again, %v", n, err)
		}
	})
}
