package journal_test

import (
	"io/fs"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

var t0 = time.Date(2026, 11, 22, 2, 59, 0, 0, time.UTC)

func TestJournal(t *testing.T) {
	storagetest.Each(t, []fs.FS{journal.Migrations}, func(t *testing.T, db *storage.DB) {
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		nord, sud := storage.NewID(t0), storage.NewID(t0)
		claire := access.Actor{Kind: access.Person, ID: storage.NewID(t0), Name: "Claire Lefèvre", From: "10.0.0.7"}
		auditor := access.For(nord, claire, true, access.Auditor)
		for i, e := range []journal.Entry{
			{Action: "directory.person.update", ObjectKind: "person", ObjectID: "p1", ObjectName: "Zoé Müller", Before: map[string]string{"service": "Urgences"}, After: map[string]string{"service": "Réanimation"}},
			{Action: "alerting.launch", ObjectKind: "launch", ObjectID: "l1", ObjectName: "Plan blanc"},
		} {
			if err := db.Write(t.Context(), auditor, func(tx *storage.Tx) error {
				return journal.Append(t.Context(), tx, auditor, t0.Add(time.Duration(i)*time.Minute), e)
			}); err != nil {
				t.Fatal(err)
			}
		}
		r := journal.NewReader(db, guard)
		search := func(s access.Scope, f journal.Filter) []string {
			t.Helper()
			records, err := r.Search(t.Context(), s, f)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, rec := range records {
				got = append(got, rec.Action+"/"+rec.ObjectID+"/"+rec.Actor.Name+"/"+rec.Actor.From)
			}
			return got
		}
		for name, c := range map[string]struct {
			f    journal.Filter
			want int
		}{
			"all":           {journal.Filter{}, 2},
			"accents":       {journal.Filter{Text: "reanimation"}, 1},
			"percent":       {journal.Filter{Text: "%"}, 0},
			"action prefix": {journal.Filter{Action: "directory."}, 1},
			"actor":         {journal.Filter{Actor: claire.ID}, 2},
			"other actor":   {journal.Filter{Actor: uuid.New()}, 0},
			"object":        {journal.Filter{ObjectKind: "launch", ObjectID: "l1"}, 1},
			"from":          {journal.Filter{From: t0.Add(time.Second)}, 1},
			"to":            {journal.Filter{To: t0.Add(time.Second)}, 1},
			"limit":         {journal.Filter{Limit: 1}, 1},
		} {
			if got := search(auditor, c.f); len(got) != c.want {
				t.Errorf("%s: %d records %v, want %d", name, len(got), got, c.want)
			}
		}
		if got := search(auditor, journal.Filter{}); got[0] != "alerting.launch/l1/Claire Lefèvre/10.0.0.7" {
			t.Errorf("newest first with who and from where, got %v", got)
		}
		if got := search(access.For(sud, claire, true, access.Auditor), journal.Filter{}); len(got) != 0 {
			t.Errorf("another establishment reads %v", got)
		}
		if _, err := r.Search(t.Context(), access.For(nord, claire, true, access.Reader), journal.Filter{}); !fault.Is(err, fault.Denied) {
			t.Errorf("a reader searched the journal: %v", err)
		}
	})
}

func TestNoEntryWithoutItsChange(t *testing.T) {
	storagetest.Each(t, []fs.FS{journal.Migrations}, func(t *testing.T, db *storage.DB) {
		scope := access.System(storage.NewID(t0), "test")
		fails := fault.New(fault.Conflict, "test")
		if err := db.Write(t.Context(), scope, func(tx *storage.Tx) error {
			if err := journal.Append(t.Context(), tx, scope, t0, journal.Entry{Action: "x"}); err != nil {
				return err
			}
			return fails
		}); !fault.Is(err, fault.Conflict) {
			t.Fatal(err)
		}
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		records, err := journal.NewReader(db, guard).Search(t.Context(), scope, journal.Filter{})
		if err != nil || len(records) != 0 {
			t.Fatalf("records %v, error %v", records, err)
		}
	})
}
