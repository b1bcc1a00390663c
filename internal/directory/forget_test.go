package directory_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/storage"
)

// The numbers of who left are erased once the departure can no more be a mistake
// of an import; those of who stays are not touched.
func TestNumbersGoWithThePerson(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		ctx := t.Context()
		h.load(t, staffFile)
		page, err := h.People(ctx, h.scope, directory.Filter{})
		if err != nil || len(page.People) != 3 {
			t.Fatalf("%d people, %v", len(page.People), err)
		}
		gone, stays := page.People[0].ID, page.People[1].ID
		if err := h.Depart(ctx, h.scope, gone); err != nil {
			t.Fatal(err)
		}
		count := func(query string, arg any) (n int) {
			t.Helper()
			if err := h.db.Read(ctx, h.scope, func(tx *storage.Tx) error {
				_, err := tx.Row(ctx, query, []any{arg}, &n)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		rows := func(person uuid.UUID) int {
			return count(`SELECT COUNT(*) FROM directory_contacts WHERE person_id = $1`, person)
		}
		sweep := func() {
			t.Helper()
			if err := h.Sweep(ctx, access.Instance("test")); err != nil {
				t.Fatal(err)
			}
		}
		h.clock.Advance(directory.UndoFor - time.Minute)
		if sweep(); rows(gone) == 0 {
			t.Error("the numbers went while the departure could be taken back")
		}
		h.clock.Advance(2 * time.Minute)
		sweep()
		sweep()
		if rows(gone) != 0 || rows(stays) == 0 {
			t.Errorf("%d rows of who left, %d of who stays", rows(gone), rows(stays))
		}
		p, err := h.Person(ctx, h.scope, gone)
		if err != nil || len(p.Contacts) != 0 || p.LastName == "" {
			t.Errorf("who left is now %+v, %v", p, err)
		}
		if n := count(`SELECT COUNT(*) FROM journal_entries WHERE action = $1`, "directory.forget"); n != 1 {
			t.Errorf("%d lines in the journal", n)
		}
		if err := h.Return(ctx, h.scope, gone); err != nil {
			t.Errorf("back again: %v", err)
		}
	})
}
