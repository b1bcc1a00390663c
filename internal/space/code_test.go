package space_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/space"
	"tocsin/internal/storage"
)

const chosen = "482957"

// coded is the open space of somebody who chose a code.
func (w *ward) coded(p directory.Person) space.Holder {
	w.t.Helper()
	h := w.holder(p)
	if err := w.SetCode(w.t.Context(), h, "", chosen, "192.0.2.1"); err != nil {
		w.t.Fatal(err)
	}
	return h
}

// program is the establishment's own scope, as the outbox has it.
func (w *ward) program() access.Scope { return access.System(w.scope.Organisation(), "test") }

func (w *ward) judge(p directory.Person, code string, way space.Way) error {
	return w.JudgeCode(w.t.Context(), w.program(), p.ID, code, way)
}

func (w *ward) journalled(action string) (n int) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), w.program(), func(tx *storage.Tx) error {
		_, err := tx.Row(w.t.Context(), `SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND action = $2`, []any{w.scope.Organisation(), action}, &n)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// A person chooses a code in his space; it is his, in his establishment, nobody
// reads it in the database, and nobody but the program has it judged.
func TestACodeIsItsOwners(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		one, other := w.agent(1), w.agent(2)
		h := w.coded(one)
		if has, err := w.HasCode(t.Context(), w.program(), one.ID); err != nil || !has {
			t.Errorf("has %v, %v", has, err)
		}
		if err := w.judge(one, chosen, space.ByCall); err != nil {
			t.Errorf("the right code: %v", err)
		}
		for what, err := range map[string]error{
			"another's":             w.judge(other, chosen, space.ByCall),
			"no code":               w.judge(one, "", space.ByCall),
			"a longer one":          w.judge(one, chosen+"1", space.ByCall),
			"another establishment": w.JudgeCode(t.Context(), access.System(w.establishment("EHPAD").Organisation(), "test"), one.ID, chosen, space.ByCall),
		} {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := w.JudgeCode(t.Context(), w.scope, one.ID, chosen, space.ByCall); !fault.Is(err, fault.Denied) {
			t.Errorf("a person has a code judged: %v", err)
		}
		if _, err := w.HasCode(t.Context(), w.scope, one.ID); !fault.Is(err, fault.Denied) {
			t.Errorf("a person asks who has a code: %v", err)
		}
		var sealed []byte
		if err := w.db.Read(t.Context(), w.program(), func(tx *storage.Tx) error {
			_, err := tx.Row(t.Context(), `SELECT sealed FROM space_codes WHERE organisation_id = $1 AND person_id = $2`, []any{w.scope.Organisation(), one.ID}, &sealed)
			return err
		}); err != nil || len(sealed) == 0 || bytes.Contains(sealed, []byte(chosen)) {
			t.Errorf("kept as %q, %v", sealed, err)
		}
		if since, err := w.OwnCodeSince(t.Context(), h); err != nil || since.IsZero() {
			t.Errorf("since %v, %v", since, err)
		}
		if n := w.journalled("space.code.set"); n != 1 {
			t.Errorf("%d lines in the journal", n)
		}
	})
}

// Another code is chosen with the one of before; one that was forgotten is erased by
// who keeps the directory, and by nobody else.
func TestACodeIsChangedWithTheOneOfBefore(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		one := w.agent(1)
		h := w.coded(one)
		w.wants(w.SetCode(t.Context(), h, "", "739164", ""), "space.code.wrong")
		w.wants(w.SetCode(t.Context(), h, "111112", "739164", ""), "space.code.wrong")
		for _, easy := range []string{"", "12345", "123456", "000000", "123123", "123456789", "48295a"} {
			if err := w.SetCode(t.Context(), h, chosen, easy, ""); !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", easy, err)
			}
		}
		if err := w.SetCode(t.Context(), h, "48 29 57", "73 91 64", ""); err != nil {
			t.Fatal(err)
		}
		if err := w.judge(one, chosen, space.ByCall); !fault.Is(err, fault.Invalid) {
			t.Errorf("the code of before: %v", err)
		}
		if err := w.judge(one, "739164", space.ByCall); err != nil {
			t.Errorf("the new one: %v", err)
		}
		reader := access.For(w.scope.Organisation(), w.scope.Actor(), true, access.CrisisCell)
		if err := w.EraseCode(t.Context(), reader, one.ID); !fault.Is(err, fault.Denied) {
			t.Errorf("who does not keep the directory: %v", err)
		}
		if err := w.EraseCode(t.Context(), w.establishment("EHPAD"), one.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment: %v", err)
		}
		if err := w.EraseCode(t.Context(), w.scope, one.ID); err != nil {
			t.Fatal(err)
		}
		if has, err := w.HasCode(t.Context(), w.program(), one.ID); err != nil || has {
			t.Errorf("once erased: %v, %v", has, err)
		}
		if err := w.SetCode(t.Context(), h, "", "850273", ""); err != nil {
			t.Errorf("a new one: %v", err)
		}
		if n := w.journalled("space.code.erase"); n != 1 {
			t.Errorf("%d lines in the journal", n)
		}
	})
}

// Ten thousand wrong codes by calls that come in, one a second: a few dozen are judged
// at all; the owner is recognised meanwhile on the call that we make, and in his space.
func TestTenThousandWrongCodes(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		one := w.agent(1)
		h := w.coded(one)
		tries := 10_000
		if testing.Short() {
			tries = 1_000
		}
		judged := 0
		for n := range tries {
			w.clock.Advance(time.Second)
			err := w.judge(one, fmt.Sprintf("%06d", 900_000-n), space.ByCallback)
			if fault.Is(err, fault.Invalid) {
				judged++
			} else if !fault.Is(err, fault.TooMany) {
				t.Fatal(err)
			}
		}
		if judged > 50 {
			t.Errorf("%d wrong codes were judged", judged)
		}
		if err := w.judge(one, chosen, space.ByCallback); !fault.Is(err, fault.TooMany) {
			t.Errorf("the right code while one must wait: %v", err)
		}
		if err := w.judge(one, chosen, space.ByCall); err != nil {
			t.Errorf("on a call of ours: %v", err)
		}
		if err := w.SetCode(t.Context(), h, chosen, "739164", ""); err != nil {
			t.Errorf("in his space: %v", err)
		}
		if n := w.journalled("space.code.wrong"); n == 0 || n > 8 {
			t.Errorf("%d lines in the journal", n)
		}
	})
}

// A hundred codes tried at the same instant are worth no more than one after the other.
func TestWrongCodesAtTheSameInstant(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		one := w.agent(1)
		w.coded(one)
		var mu sync.Mutex
		judged := 0
		var all sync.WaitGroup
		for n := range 40 {
			all.Go(func() {
				if fault.Is(w.judge(one, fmt.Sprintf("%06d", 111_213+n), space.ByCall), fault.Invalid) {
					mu.Lock()
					defer mu.Unlock()
					judged++
				}
			})
		}
		all.Wait()
		if judged != 6 { // five are free, and the sixth makes wait
			t.Errorf("%d wrong codes were judged at once", judged)
		}
		if err := w.judge(one, chosen, space.ByCall); !fault.Is(err, fault.TooMany) {
			t.Errorf("the right one meanwhile: %v", err)
		}
		w.clock.Advance(3 * time.Second)
		if err := w.judge(one, chosen, space.ByCall); err != nil {
			t.Errorf("the right one afterwards: %v", err)
		}
	})
}

// Who leaves has no code any more, at once, and the sweep forgets it.
func TestWhoLeavesHasNoCode(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		one := w.agent(1)
		w.coded(one)
		one, err := w.dir.Person(t.Context(), w.scope, one.ID)
		if err != nil {
			t.Fatal(err)
		}
		one.ContractEnd = w.clock.Now().Add(-24 * time.Hour)
		if _, err := w.dir.Save(t.Context(), w.scope, one); err != nil {
			t.Fatal(err)
		}
		if has, err := w.HasCode(t.Context(), w.program(), one.ID); err != nil || has {
			t.Errorf("has %v, %v", has, err)
		}
		if _, err := w.Sweep(t.Context(), w.clock.Now()); err != nil {
			t.Fatal(err)
		}
		if since, err := w.CodeSince(t.Context(), w.scope, one.ID); err != nil || !since.IsZero() {
			t.Errorf("since %v, %v", since, err)
		}
	})
}
