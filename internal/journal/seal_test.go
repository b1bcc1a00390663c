package journal_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

// book is a journal with its sealer, in which one writes and cheats.
type book struct {
	t     *testing.T
	db    *storage.DB
	vault *vault.Vault
	*journal.Sealer
	*journal.Reader
	scope access.Scope
	n     int
}

func onBoth(t *testing.T, do func(t *testing.T, b *book)) {
	t.Parallel()
	storagetest.Each(t, []fs.FS{journal.Migrations}, func(t *testing.T, db *storage.DB) {
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		v, err := vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), t0)
		if err != nil {
			t.Fatal(err)
		}
		do(t, &book{t: t, db: db, vault: v, Sealer: journal.NewSealer(db, v), Reader: journal.NewReader(db, guard), scope: access.System(storage.NewID(t0), "test")})
	})
}

func (b *book) write(n int) {
	b.t.Helper()
	if err := b.db.Write(b.t.Context(), b.scope, func(tx *storage.Tx) error {
		for range n {
			b.n++
			if err := journal.Append(b.t.Context(), tx, b.scope, t0.Add(time.Duration(b.n)*time.Second), journal.Entry{
				Action: "directory.person.update", ObjectKind: "person", ObjectID: fmt.Sprint(b.n), ObjectName: "Zoé 12:34,", After: map[string]int{"n": b.n},
			}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) seal(day int) {
	b.t.Helper()
	for {
		more, err := b.Seal(b.t.Context(), access.Instance("journal"), t0.AddDate(0, 0, day))
		if err != nil {
			b.t.Fatal(err)
		}
		if !more {
			return
		}
	}
}

// cheat writes in the database as somebody who holds it.
func (b *book) cheat(query string) {
	b.t.Helper()
	if err := b.db.Write(b.t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		n, err := tx.Exec(b.t.Context(), query)
		if n == 0 {
			b.t.Errorf("nothing was changed by %s", query)
		}
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) verdict() journal.Verdict {
	b.t.Helper()
	v, err := b.Verify(b.t.Context(), b.scope, b.vault, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *book) export() string {
	b.t.Helper()
	var out bytes.Buffer
	if _, err := b.Export(b.t.Context(), b.scope, b.vault, t0, &out); err != nil {
		b.t.Fatal(err)
	}
	return out.String()
}

// independent is what the script says of an export.
func independent(t *testing.T, text string) (said string, holds bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "journal.jsonl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("node", "../../docs/verifier-journal.mjs", file).CombinedOutput()
	return string(out), err == nil
}

func TestAChainThatHolds(t *testing.T) {
	onBoth(t, func(t *testing.T, b *book) {
		if v := b.verdict(); v != (journal.Verdict{}) {
			t.Errorf("an empty journal: %+v", v)
		}
		b.write(450) // more than two batches
		if v := b.verdict(); v.Waiting != 450 || !v.OldestWaiting.Equal(t0.Add(time.Second)) {
			t.Errorf("before the seal: %+v", v)
		}
		b.seal(0)
		b.write(3)
		b.seal(1)
		if v := b.verdict(); v != (journal.Verdict{Sealed: 453}) {
			t.Errorf("after the seal: %+v", v)
		}
		if said, holds := independent(t, b.export()); !holds || !strings.Contains(said, "453 entries") {
			t.Errorf("the script says %s", said)
		}
		if v, err := b.Verify(t.Context(), b.scope, b.vault, 10); err != nil || v.Break != "" {
			t.Errorf("the last ten: %+v %v", v, err)
		}
		// A rotation later, what was signed before still holds.
		next, err := b.vault.Rotate(t0)
		if err != nil {
			t.Fatal(err)
		}
		b.vault, b.Sealer = next, journal.NewSealer(b.db, next)
		b.write(1)
		b.seal(2)
		if v := b.verdict(); v != (journal.Verdict{Sealed: 454}) {
			t.Errorf("after a rotation: %+v", v)
		}
	})
}

func TestWhatIsDoneToAJournalShows(t *testing.T) {
	onBoth(t, func(t *testing.T, b *book) {
		b.write(30)
		b.seal(0)
		b.write(10)
		b.seal(1)
		whole := b.export()
		for name, c := range map[string]struct {
			do, undo string
			want     journal.Break
			number   int64
		}{
			"words changed":   {`UPDATE journal_entries SET after_json = '{}' WHERE seal_number = 7`, `UPDATE journal_entries SET after_json = '{"n":7}' WHERE seal_number = 7`, journal.Changed, 7},
			"instant changed": {`UPDATE journal_entries SET at_us = at_us + 1 WHERE seal_number = 9`, `UPDATE journal_entries SET at_us = at_us - 1 WHERE seal_number = 9`, journal.Changed, 9},
			"head forged":     {`UPDATE journal_heads SET number = 39 WHERE number = 40`, `UPDATE journal_heads SET number = 40 WHERE number = 39`, journal.Unsigned, 39},
		} {
			t.Run(name, func(t *testing.T) {
				mine := *b
				mine.t = t
				mine.cheat(c.do)
				if v := mine.verdict(); v.Break != c.want || v.Number != c.number {
					t.Errorf("%+v, want %s at %d", v, c.want, c.number)
				}
				if said, holds := independent(t, mine.export()); holds {
					t.Errorf("the script says %s", said)
				}
				mine.cheat(c.undo)
			})
		}
		if b.export() != whole {
			t.Fatal("the journal did not come back")
		}
		// What follows cannot be undone: each in its turn, from the end.
		b.cheat(`DELETE FROM journal_entries WHERE seal_number = 40`)
		if v := b.verdict(); v.Break != journal.Missing || v.Number != 40 {
			t.Errorf("the end cut off: %+v", v)
		}
		b.cheat(`DELETE FROM journal_entries WHERE seal_number = 12`)
		if v := b.verdict(); v.Break != journal.Missing || v.Number != 12 {
			t.Errorf("an entry taken out: %+v", v)
		}
		b.cheat(`UPDATE journal_entries SET erased_us = 1, seal_digest = seal_chain WHERE seal_number = 8`)
		if v := b.verdict(); v.Break != journal.Rechained || v.Number != 8 {
			t.Errorf("an entry said to be erased: %+v", v)
		}
		b.cheat(`DELETE FROM journal_heads`)
		b.cheat(`DELETE FROM journal_entries WHERE seal_number > 7`)
		if v := b.verdict(); v.Break != journal.Unsigned || v.Number != 7 {
			t.Errorf("no head at all: %+v", v)
		}
	})
}

func TestWordsAreErasedAndTheChainHolds(t *testing.T) {
	onBoth(t, func(t *testing.T, b *book) {
		b.write(5)
		records, err := b.Search(t.Context(), b.scope, journal.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		id := records[2].ID
		wantFault(t, b.Erase(t.Context(), b.scope, t0, id, "article 17"), fault.Conflict, "journal.erase.unsealed")
		b.seal(0)
		wantFault(t, b.Erase(t.Context(), b.scope, t0, id, ""), fault.Invalid, "journal.erase.reason")
		wantFault(t, b.Erase(t.Context(), access.System(uuid.New(), "other"), t0, id, "article 17"), fault.NotFound, "journal.erase.unknown")
		auditor := access.For(b.scope.Organisation(), access.Actor{Kind: access.Person, ID: uuid.New()}, true, access.Auditor)
		if err := b.Erase(t.Context(), auditor, t0, id, "article 17"); !fault.Is(err, fault.Denied) {
			t.Errorf("an auditor erases: %v", err)
		}
		for range 2 { // twice is once
			if err := b.Erase(t.Context(), b.scope, t0, id, "article 17"); err != nil {
				t.Fatal(err)
			}
		}
		b.seal(0)
		if v := b.verdict(); v != (journal.Verdict{Sealed: 6, Erased: 1}) {
			t.Errorf("%+v", v)
		}
		text := b.export()
		if said, holds := independent(t, text); !holds {
			t.Errorf("the script says %s", said)
		}
		if strings.Contains(text, `"object_id":"3"`) || strings.Contains(text, `{\"n\":3}`) {
			t.Errorf("the words are still there: %s", text)
		}
	})
}

func TestAForgedExportIsFound(t *testing.T) {
	onBoth(t, func(t *testing.T, b *book) {
		b.write(4)
		b.seal(0)
		text := b.export()
		lines := strings.SplitAfter(text, "\n")
		for name, forged := range map[string]string{
			"a letter":       strings.Replace(text, `"n\":2`, `"n\":9`, 1),
			"a line less":    lines[0] + lines[1] + strings.Join(lines[3:], ""),
			"no head":        strings.Join(lines[:5], ""),
			"another key":    strings.Replace(text, `"keys":{"`, `"keys":{"00`, 1),
			"lines swapped":  lines[0] + lines[2] + lines[1] + strings.Join(lines[3:], ""),
			"not an export":  "{}\n",
			"not even JSON":  "bonjour\n",
			"marked erased":  strings.Replace(text, `"salt"`, `"erased":true,"salt"`, 1) + "x",
			"other hospital": strings.Replace(text, b.scope.Organisation().String(), uuid.NewString(), 1),
		} {
			if forged == text {
				t.Fatalf("%s: nothing was forged", name)
			}
			if said, holds := independent(t, forged); holds {
				t.Errorf("%s: the script says %s", name, said)
			}
		}
		other, err := vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), t0)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := b.Verify(t.Context(), b.scope, other, 0); err != nil || v.Break != journal.Unsigned {
			t.Errorf("another keyring: %+v %v", v, err)
		}
	})
}

func TestSentences(t *testing.T) { i18ntest.Room(t, ".", journal.Locales) }

func wantFault(t *testing.T, err error, kind fault.Kind, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Kind != kind || f.Key != key {
		t.Errorf("got %v, want %s %s", err, kind, key)
	}
}
