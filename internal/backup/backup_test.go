package backup_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/backup"
	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

const phrase = "cheval agrafe batterie correct"

var t0 = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// first is a room with every kind of column; second is what a later version adds.
func first() fs.FS {
	return fstest.MapFS{"migrations/20260101000000_ward_beds.sql": {Data: []byte(`-- +goose Up
CREATE TABLE ward_beds (organisation_id UUID NOT NULL, id UUID NOT NULL, name TEXT NOT NULL, note TEXT, free BOOLEAN NOT NULL,
  n BIGINT, seal BYTEA, share DOUBLE PRECISION, other UUID, PRIMARY KEY (organisation_id, id));
CREATE TABLE ward_keys (key_hash BYTEA PRIMARY KEY, until_us BIGINT NOT NULL);
-- +goose Down
DROP TABLE ward_beds;
`)}}
}

func second() fs.FS {
	return fstest.MapFS{"migrations/20260202000000_ward_floors.sql": {Data: []byte(`-- +goose Up
ALTER TABLE ward_beds ADD COLUMN floor BIGINT NOT NULL DEFAULT 7;
CREATE TABLE ward_floors (organisation_id UUID NOT NULL, id UUID NOT NULL, PRIMARY KEY (organisation_id, id));
-- +goose Down
DROP TABLE ward_floors;
`)}}
}

func beds(t *testing.T, db *storage.DB, n int) uuid.UUID {
	t.Helper()
	house := storage.NewID(t0)
	rows := make([][]any, n)
	for i := range rows {
		rows[i] = []any{house, storage.NewID(t0), fmt.Sprintf("Lit %d « é » \n'\"", i), nil, i%2 == 0, int64(i) - 5, nil, nil, nil}
	}
	rows[0] = []any{house, storage.NewID(t0), "", "", true, int64(-1 << 63), []byte{}, 0.1, house}
	rows[1] = []any{house, storage.NewID(t0), strings.Repeat("œ", 300_000), "x", false, int64(1<<63 - 1), noise(t, 200_000), -1e300, uuid.Nil}
	if err := db.Write(t.Context(), access.System(house, "test"), func(tx *storage.Tx) error {
		return errors.Join(
			tx.InsertRows(t.Context(), "ward_beds", []string{"organisation_id", "id", "name", "note", "free", "n", "seal", "share", "other"}, rows),
			tx.InsertRows(t.Context(), "ward_keys", []string{"key_hash", "until_us"}, [][]any{{house[:], int64(3)}}))
	}); err != nil {
		t.Fatal(err)
	}
	return house
}

// noise is what no compression makes smaller.
func noise(t *testing.T, n int) []byte {
	t.Helper()
	out := make([]byte, n)
	if _, err := rand.Read(out); err != nil {
		t.Fatal(err)
	}
	return out
}

func keyring() []byte { return []byte("# trousseau\n00000001 x y\n") }

func order() backup.Order {
	return backup.Order{Now: t0, Program: "v1", Passphrase: phrase, Keyring: keyring()}
}

func made(t *testing.T, db *storage.DB, rooms ...fs.FS) []byte {
	t.Helper()
	var out bytes.Buffer
	s, err := backup.Make(t.Context(), db, rooms, &out, order())
	if err != nil {
		t.Fatal(err)
	}
	if s.Bytes != int64(out.Len()) || len(s.SHA256) != 64 {
		t.Errorf("%+v for %d bytes", s, out.Len())
	}
	return out.Bytes()
}

// restore does the whole of it, as the command does.
func restore(ctx context.Context, file []byte, pass string, db *storage.DB, rooms ...fs.FS) (backup.Summary, error) {
	f, err := backup.Open(bytes.NewReader(file), int64(len(file)))
	if err == nil {
		err = f.Check(ctx)
	}
	if err == nil {
		err = f.Unlock(pass)
	}
	if err != nil {
		return backup.Summary{}, err
	}
	return f.Restore(ctx, db, rooms, nil)
}

func wantFault(t *testing.T, err error, kind fault.Kind, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Kind != kind || f.Key != key {
		t.Errorf("got %v, want %s %s", err, kind, key)
	}
}

type engine func(testing.TB, ...fs.FS) *storage.DB

// both runs a test from each engine to each engine.
func both(t *testing.T, do func(t *testing.T, from, to engine)) {
	engines := map[string]engine{"sqlite": storagetest.SQLite, "postgresql": storagetest.PostgreSQL}
	for a, from := range engines {
		for b, to := range engines {
			t.Run(a+" to "+b, func(t *testing.T) { do(t, from, to) })
		}
	}
}

func TestEveryRowComesBackOnEveryEngine(t *testing.T) {
	both(t, func(t *testing.T, from, to engine) {
		source, target := from(t, first()), to(t, first())
		beds(t, source, 3000)
		file := made(t, source, first())
		s, err := restore(t.Context(), file, phrase, target, first())
		if err != nil || s.Rows != 3001 || s.Tables != 2 || s.Mended != 0 {
			t.Fatalf("%+v %v", s, err)
		}
		d, err := backup.Compare(t.Context(), source, target)
		if err != nil || d.Differ != 0 || d.Rows != 6002 {
			t.Errorf("%+v %v", d, err)
		}
		if bytes.Contains(file, []byte("Lit 4")) || bytes.Contains(file, keyring()) {
			t.Error("the file can be read without its passphrase")
		}
	})
}

// What Compare counts is worth nothing unless it sees one changed letter.
func TestCompareSeesOneLetter(t *testing.T) {
	source, target := storagetest.SQLite(t, first()), storagetest.SQLite(t, first())
	house := beds(t, source, 100)
	if _, err := restore(t.Context(), made(t, source, first()), phrase, target, first()); err != nil {
		t.Fatal(err)
	}
	if err := target.Write(t.Context(), access.System(house, "test"), func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE ward_beds SET name = $2 WHERE organisation_id = $1 AND n = 2`, house, "Lit 7 « e » \n'\"")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if d, err := backup.Compare(t.Context(), source, target); err != nil || d.Differ != 2 {
		t.Errorf("%+v %v: one row changed is one missing and one more", d, err)
	}
}

func TestKeyringComesBack(t *testing.T) {
	source := storagetest.SQLite(t, first())
	file := made(t, source, first())
	f, err := backup.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Keyring(); !fault.Is(err, fault.Denied) {
		t.Errorf("the keyring of a file nobody unlocked: %v", err)
	}
	wantFault(t, f.Unlock("cheval agrafe batterie correcte"), fault.Denied, "backup.passphrase")
	if err := f.Unlock(phrase); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Keyring(); err != nil || !bytes.Equal(got, keyring()) {
		t.Errorf("%q %v", got, err)
	}
	if !f.Made.Equal(t0) || f.Program != "v1" || f.Engine != "sqlite" {
		t.Errorf("%+v", f.Header)
	}
}

// A file is refused for any bit that changed and for any end that is missing,
// and the base it was meant for stays as it was.
func TestDamagedFilesAreRefused(t *testing.T) {
	source := storagetest.SQLite(t, first())
	beds(t, source, 50)
	file := made(t, source, first())
	check := func(name string, broken []byte) {
		t.Helper()
		f, err := backup.Open(bytes.NewReader(broken), int64(len(broken)))
		if err == nil {
			err = f.Check(t.Context())
		}
		if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for at := 0; at < len(file); at += 1 + len(file)/250 {
		broken := bytes.Clone(file)
		broken[at] ^= 4
		check(fmt.Sprintf("byte %d of %d changed", at, len(file)), broken)
		check(fmt.Sprintf("cut at %d of %d", at, len(file)), file[:at])
	}
	check("one byte less", file[:len(file)-1])
	check("one byte more", append(bytes.Clone(file), '\n'))
	check("twice", append(bytes.Clone(file), file...))
}

// Somebody who can write the file can write its sum again; without the
// passphrase what he wrote is refused by the seal of the piece.
func TestForgedFilesAreRefused(t *testing.T) {
	source := storagetest.SQLite(t, first())
	beds(t, source, 400)
	file := made(t, source, first())
	begin := bytes.IndexByte(file[16:], '\n') + 17
	body := len(file) - backup.FooterSize
	const whole = 64<<10 + 16
	if body-begin < 2*whole {
		t.Fatalf("only %d bytes of pieces: the test shows nothing", body-begin)
	}
	swapped := bytes.Clone(file[:body])
	copy(swapped[begin:], file[begin+whole:begin+2*whole])
	copy(swapped[begin+whole:], file[begin:begin+whole])
	changed := bytes.Clone(file[:body])
	changed[body-30] ^= 1
	header := bytes.Replace(file[:body], []byte(`"program":"v1"`), []byte(`"program":"v9"`), 1)
	for name, forged := range map[string][]byte{
		"pieces swapped": swapped, "a bit of the end": changed, "another header": header,
		"without its last piece": file[:begin+whole], "without any piece": file[:begin],
	} {
		target := storagetest.SQLite(t, first())
		_, err := restore(t.Context(), backup.Signed(forged), phrase, target, first())
		wantFault(t, err, fault.Invalid, "backup.damaged")
		if occupied, err := backup.Occupied(t.Context(), target); err != nil || occupied {
			t.Errorf("%s: the base is no longer empty (%v)", name, err)
		}
	}
}

func TestWhatIsNoBackup(t *testing.T) {
	for name, c := range map[string]struct{ text, key string }{
		"empty":          {"", "backup.not_a_backup"},
		"SQLite":         {"SQLite format 3\x00" + strings.Repeat("\x00", 200_000), "backup.not_a_backup"},
		"a later form":   {"TOCSIN-BACKUP 2\n{}\n", "backup.newer"},
		"only the magic": {"TOCSIN-BACKUP 1\n", "backup.damaged"},
		"no end of line": {"TOCSIN-BACKUP 1\n" + strings.Repeat("{", 100_000), "backup.damaged"},
		"no JSON":        {"TOCSIN-BACKUP 1\nrubbish\n" + strings.Repeat("x", 200), "backup.damaged"},
	} {
		_, err := backup.Open(strings.NewReader(c.text), int64(len(c.text)))
		if f := fault.As(err); f == nil || f.Key != c.key {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOlderFileIsBroughtUpToDate(t *testing.T) {
	both(t, func(t *testing.T, from, to engine) {
		source := from(t, first())
		house := beds(t, source, 20)
		// The base was started once by the new program: its schema is the later one.
		target := to(t, first(), second())
		if _, err := restore(t.Context(), made(t, source, first()), phrase, target, first(), second()); err != nil {
			t.Fatal(err)
		}
		var n, floors int
		if err := target.Read(t.Context(), access.System(house, "test"), func(tx *storage.Tx) error {
			if _, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM ward_beds WHERE floor = 7`, nil, &n); err != nil {
				return err
			}
			_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM ward_floors`, nil, &floors)
			return err
		}); err != nil || n != 20 || floors != 0 {
			t.Errorf("%d beds on their floor, %d floors: %v", n, floors, err)
		}
	})
}

func TestNewerFileIsRefused(t *testing.T) {
	source, target := storagetest.SQLite(t, first(), second()), storagetest.SQLite(t, first())
	beds(t, source, 3)
	_, err := restore(t.Context(), made(t, source, first(), second()), phrase, target, first())
	wantFault(t, err, fault.Conflict, "backup.newer")
}

func TestOccupiedBaseIsRefused(t *testing.T) {
	both(t, func(t *testing.T, from, to engine) {
		source, target := from(t, first()), to(t, first())
		beds(t, source, 3)
		beds(t, target, 4)
		_, err := restore(t.Context(), made(t, source, first()), phrase, target, first())
		wantFault(t, err, fault.Conflict, "backup.occupied")
		if err := target.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
			var n int
			_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM ward_beds`, nil, &n)
			if n != 4 {
				t.Errorf("%d beds are left of 4", n)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	})
}

// A restore that stops half way, for whatever reason, leaves an empty base, and
// can be done again.
func TestRestoreIsWholeOrNothing(t *testing.T) {
	both(t, func(t *testing.T, from, to engine) {
		source, target := from(t, first()), to(t, first())
		beds(t, source, 3000)
		file := made(t, source, first())
		f, err := backup.Open(bytes.NewReader(file), int64(len(file)))
		if err == nil {
			err = f.Unlock(phrase)
		}
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := f.Restore(ctx, target, []fs.FS{first()}, func(int64) { cancel() }); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped after the first rows: %v", err)
		}
		if occupied, err := backup.Occupied(t.Context(), target); err != nil || occupied {
			t.Fatalf("half a hospital is left (%v)", err)
		}
		if s, err := f.Restore(t.Context(), target, []fs.FS{first()}, nil); err != nil || s.Rows != 3001 {
			t.Errorf("the second time: %+v %v", s, err)
		}
	})
}

// SQLite keeps texts that PostgreSQL refuses: a restore there mends and says so.
func TestTextsThatPostgreSQLRefusesAreMended(t *testing.T) {
	source, target := storagetest.SQLite(t, first()), storagetest.PostgreSQL(t, first())
	house := storage.NewID(t0)
	if err := source.Write(t.Context(), access.System(house, "test"), func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO ward_beds (organisation_id, id, name, note, free) VALUES ($1, $2, $3, $4, TRUE)`, house, storage.NewID(t0), "a\x00b", "c\xffd")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s, err := restore(t.Context(), made(t, source, first()), phrase, target, first())
	if err != nil || s.Mended != 2 {
		t.Fatalf("%+v %v", s, err)
	}
	var name, note string
	if err := target.Read(t.Context(), access.System(house, "test"), func(tx *storage.Tx) error {
		_, err := tx.Row(t.Context(), `SELECT name, note FROM ward_beds`, nil, &name, &note)
		return err
	}); err != nil || name != "a\uFFFDb" || note != "c\uFFFDd" {
		t.Errorf("%q %q %v", name, note, err)
	}
}

// The backup is one instant: what is written while it is made is in the next one.
func TestOneInstantWhileOthersWrite(t *testing.T) {
	both(t, func(t *testing.T, from, to engine) {
		source, target := from(t, first()), to(t, first())
		beds(t, source, 3000)
		var out bytes.Buffer
		o, wrote := order(), false
		o.Progress = func(done, _ int64) {
			if !wrote && done > 0 {
				wrote = true
				beds(t, source, 40) // a writer does not wait for the backup, or this would never end
			}
		}
		s, err := backup.Make(t.Context(), source, []fs.FS{first()}, &out, o)
		if err != nil || s.Rows != 3001 || !wrote {
			t.Fatalf("%+v %v, wrote %v", s, err, wrote)
		}
		if s, err := restore(t.Context(), out.Bytes(), phrase, target, first()); err != nil || s.Rows != 3001 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

func TestShortPassphraseIsRefused(t *testing.T) {
	o := order()
	o.Passphrase = "troisheures"
	_, err := backup.Make(t.Context(), storagetest.SQLite(t, first()), []fs.FS{first()}, &bytes.Buffer{}, o)
	wantFault(t, err, fault.Invalid, "backup.passphrase_short")
}

func TestWhatIsPutAsideStays(t *testing.T) {
	db := storagetest.PostgreSQL(t, first())
	house := beds(t, db, 5)
	aside := "avant_" + strings.ReplaceAll(house.String(), "-", "")
	t.Cleanup(func() {
		if err := db.Write(context.Background(), access.Instance("test"), func(tx *storage.Tx) error {
			_, err := tx.Exec(context.Background(), "DROP SCHEMA "+aside+" CASCADE")
			return err
		}); err != nil {
			t.Error(err)
		}
	})
	if err := backup.PutAside(t.Context(), db, aside); err != nil {
		t.Fatal(err)
	}
	if occupied, err := backup.Occupied(t.Context(), db); err != nil || occupied {
		t.Fatalf("the base still holds somebody (%v)", err)
	}
	n := 0
	if err := db.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		_, err := tx.Row(t.Context(), "SELECT COUNT(*) FROM "+aside+".ward_beds", nil, &n)
		return err
	}); err != nil || n != 5 {
		t.Errorf("%d beds put aside, want 5: %v", n, err)
	}
	if err := db.Migrate(t.Context(), first()); err != nil {
		t.Errorf("the base cannot be made again: %v", err)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", backup.Locales)
}
