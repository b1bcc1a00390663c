package exports_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/exports"
	"tocsin/internal/vault"
)

func nord() uuid.UUID { return uuid.MustParse("01900000-0000-7000-8000-000000000001") }
func sud() uuid.UUID  { return uuid.MustParse("01900000-0000-7000-8000-000000000002") }

func start() time.Time { return time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC) }

// sealed is a base of one block for each establishment, sealed as a real one is.
type sealed struct {
	events map[uuid.UUID][]traces.Event
	// before runs before an event is brought.
	before func() error
	// made are the blocks, by establishment, for as many events as they hold.
	made map[uuid.UUID]whole
}

type whole struct {
	traces.Block
	digests []byte
}

func salt(i int) []byte { return fmt.Appendf(nil, "%016d", i) }

func (b *sealed) record(organisation uuid.UUID, i int) []byte {
	return traces.AppendSealed(nil, &b.events[organisation][i], "reste=1")
}

func (b *sealed) block(organisation uuid.UUID) (out traces.Block, digests []byte) {
	n := len(b.events[organisation])
	if w := b.made[organisation]; w.Events == int64(n) {
		return w.Block, bytes.Clone(w.digests)
	}
	for i := range n {
		d := traces.EventDigest(salt(i), b.record(organisation, i))
		digests = append(digests, d[:]...)
	}
	root := traces.BlockRoot(bytes.Clone(digests))
	w := whole{traces.Block{First: 0, Events: int64(n), Lo: 1, Hi: 2, Root: root, Read: root}, bytes.Clone(digests)}
	if b.made == nil {
		b.made = map[uuid.UUID]whole{}
	}
	b.made[organisation] = w
	return w.Block, digests
}

// Ask implements traces.Reader: the patient and the account are all it knows.
func (b *sealed) Ask(_ context.Context, organisation uuid.UUID, q traces.Question) (out traces.Answer, err error) {
	for i, e := range b.events[organisation] {
		fits := e.At >= q.From && e.At < q.To
		for _, c := range q.Where {
			fits = fits && (c.Field == traces.FieldPatient && e.IPP == c.Values[0] || c.Field == traces.FieldAccount && e.Account == c.Values[0])
		}
		if !fits {
			continue
		}
		if out.Total++; out.Total <= int64(q.Skip) {
			continue
		}
		if len(out.Events) == q.Limit {
			out.More = true
			continue
		}
		e.Raw = nil
		out.Events = append(out.Events, traces.Stored{Event: e, Ref: fmt.Sprintf("r%d", i)})
	}
	return out, nil
}

// Get implements traces.Reader.
func (b *sealed) Get(context.Context, uuid.UUID, string) (traces.Stored, error) {
	return traces.Stored{}, errors.New("not asked for here")
}

// Purge implements traces.Keeper.
func (b *sealed) Purge(context.Context, uuid.UUID, traces.Purging) (traces.Purged, error) {
	return traces.Purged{}, nil
}

// Blocks implements traces.Sealer.
func (b *sealed) Blocks(_ context.Context, organisation uuid.UUID, _ traces.BlockQuery) ([]traces.BlockFile, error) {
	one, _ := b.block(organisation)
	return []traces.BlockFile{{Class: traces.PatientAccess, Month: "2026-11", Blocks: []traces.Block{one}, Held: one.Events}}, nil
}

// Block implements traces.Sealer.
func (b *sealed) Block(context.Context, uuid.UUID, traces.Class, string, int64) ([]traces.SealedEvent, error) {
	return nil, errors.New("not asked for here")
}

// Witness implements traces.Sealer.
func (b *sealed) Witness(_ context.Context, organisation uuid.UUID, ref string) (traces.Witness, error) {
	if b.before != nil {
		if err := b.before(); err != nil {
			return traces.Witness{}, err
		}
	}
	var i int
	if _, err := fmt.Sscanf(ref, "r%d", &i); err != nil || i >= len(b.events[organisation]) {
		return traces.Witness{}, fault.New(fault.NotFound, "traces.base.not_found")
	}
	one, digests := b.block(organisation)
	return traces.Witness{
		Class: traces.PatientAccess, Month: "2026-11", Block: one,
		Event: traces.SealedEvent{Seq: int64(i), Salt: salt(i), Record: b.record(organisation, i)}, Path: traces.BlockPath(digests, i),
	}, nil
}

// desk is the exports of two establishments.
type desk struct {
	t     *testing.T
	db    *storage.DB
	clock *clock.Fake
	base  *sealed
	vault *vault.Vault
	queue *spool.Spool
	spool string
	dir   string
	guard *access.Guard
	words *i18n.Localizer
	s     *exports.Service
}

func each(t *testing.T, suite func(t *testing.T, d *desk)) {
	t.Helper()
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) { suite(t, newDesk(t, db)) })
}

func lite(t *testing.T) *desk {
	t.Helper()
	t.Parallel()
	return newDesk(t, storagetest.SQLite(t, rooms()...))
}

func rooms() []fs.FS {
	return []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations}
}

func newDesk(t *testing.T, db *storage.DB) *desk {
	t.Helper()
	d := &desk{t: t, db: db, clock: clock.NewFake(start()), base: &sealed{events: map[uuid.UUID][]traces.Event{}}, dir: t.TempDir(), spool: t.TempDir()}
	var err error
	d.guard, err = access.NewGuard()
	d.must(err)
	d.vault, err = vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), start())
	d.must(err)
	d.queue, err = spool.Open(d.spool, spool.Options{})
	d.must(err)
	t.Cleanup(func() { d.must(d.queue.Close()) })
	catalog, err := i18n.Load(i18n.Locales, exports.Locales)
	d.must(err)
	d.words = catalog.For(i18n.French)
	houses := organisation.New(db, d.guard, d.clock)
	for _, id := range []uuid.UUID{nord(), sud()} {
		_, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{ID: id, Name: "CH " + id.String()})
		d.must(err)
	}
	d.start()
	for i := range 120 {
		d.base.events[nord()] = append(d.base.events[nord()], access1(nord(), i))
	}
	d.base.events[sud()] = []traces.Event{access1(sud(), 0)}
	return d
}

// start is a program that starts: nothing of the one before stays but what is on
// the disk.
func (d *desk) start() {
	room := traces.New(traces.Options{DB: d.db, Guard: d.guard, Clock: d.clock, Log: slog.New(slog.DiscardHandler), Vault: d.vault, Formats: func(*time.Location) []traces.Format { return nil }})
	room.Connect(d.queue, d.base)
	d.s = exports.New(exports.Options{
		DB: d.db, Guard: d.guard, Clock: d.clock, Log: slog.New(slog.DiscardHandler), Traces: room, Vault: d.vault, Words: d.words, Dir: d.dir, Version: "essai",
		House: func(context.Context, access.Scope) (string, error) { return "CH d’essai", nil },
	})
}

// access1 is the i-th access to a record; two in three are to that of patient 8001.
func access1(organisation uuid.UUID, i int) traces.Event {
	at := storage.Micros(start().Add(-time.Duration(200-i) * time.Minute))
	e := traces.Event{
		Organisation: organisation, Source: uuid.MustParse("0190bbbb-0000-7000-8000-000000000001"), Collector: "json", At: at, Received: at + 7, Class: traces.PatientAccess,
		Account: "hlefebvre", Person: "Hélène LEFEBVRE-Quint", Function: "Infirmière", Action: traces.Read, Verb: "ouvrir", IPP: "8001", PatientName: "Odile MARCHAND", Stay: "S1",
		Object: "=HYPERLINK(\"http://pirate\")", Application: "DPI", Workstation: "PC-LEFEBVRE", Service: "Gériatrie", Purpose: "vu avec Mme Lefebvre; hlefebvre_2, HELENE",
		Outcome: traces.Success, Severity: -1, Message: "Hélène a ouvert\nle dossier", Raw: fmt.Appendf(nil, `{"n":%d,"qui":"hlefebvre"}`, i),
	}
	if i%3 == 2 {
		e.IPP, e.Account, e.Person = "9002", "kzidane", "Karim ZIDANE"
	}
	return e
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func as(organisation uuid.UUID, n byte, strong bool, roles ...access.Role) access.Scope {
	return access.For(organisation, access.Actor{Kind: access.Person, ID: uuid.UUID{15: n}, Name: fmt.Sprintf("Déléguée Numéro%d", n)}, strong, roles...)
}

func first() access.Scope  { return as(nord(), 1, true, access.DataProtection) }
func second() access.Scope { return as(nord(), 2, true, access.DataProtection) }

func period() exports.Selection {
	return exports.Selection{Patient: "8001", From: start().Add(-24 * time.Hour), To: start(), Zone: "Europe/Paris"}
}

func justice() exports.Wanted {
	return exports.Wanted{Kind: exports.Justice, Authority: "Tribunal judiciaire de Lille", Reference: "REQ 2026/118", Reason: "enquête préliminaire", Selection: period()}
}

func patient() exports.Wanted {
	return exports.Wanted{Kind: exports.Patient, Identity: "carte d’identité vue au guichet", Reason: "droit d’accès", Selection: period()}
}

// made is an archive asked for, approved and made.
func (d *desk) made(w exports.Wanted) exports.Request {
	d.t.Helper()
	r, err := d.s.Ask(d.t.Context(), first(), w)
	d.must(err)
	_, err = d.s.Approve(d.t.Context(), second(), r.ID)
	d.must(err)
	more, err := d.s.Work(d.t.Context(), d.clock.Now())
	d.must(err)
	if !more {
		d.t.Fatal("nothing was made")
	}
	r, err = d.s.Get(d.t.Context(), first(), r.ID)
	d.must(err)
	return r
}

// taken is the archive as it leaves.
func (d *desk) taken(r exports.Request) []byte {
	d.t.Helper()
	_, archive, err := d.s.Take(d.t.Context(), first(), r.ID)
	d.must(err)
	b, err := io.ReadAll(archive)
	d.must(errors.Join(err, archive.Close()))
	return b
}

// says is what we, and the other program, say of an archive; they must agree.
func (d *desk) says(archive []byte) string {
	d.t.Helper()
	dir := d.t.TempDir()
	name, key := filepath.Join(dir, "a.zip"), filepath.Join(dir, "key.pem")
	d.must(os.WriteFile(name, archive, 0o600))
	text, err := d.keys()[0].PEM()
	d.must(err)
	d.must(os.WriteFile(key, text, 0o600))
	ours, holds := d.weSay(archive)
	out, failed := exec.Command("python3", "../../../docs/verifier-export.py", name, "--key", key).CombinedOutput()
	if (failed == nil) != holds {
		d.t.Errorf("we say %s\nthe other program says %s", ours, out)
	}
	return ours
}

func (d *desk) keys() []traces.PublicKey {
	d.t.Helper()
	room := traces.New(traces.Options{DB: d.db, Guard: d.guard, Clock: d.clock, Vault: d.vault})
	_, keys, err := room.Sign(access.System(nord(), "test"), nil)
	d.must(err)
	return keys
}

func (d *desk) weSay(archive []byte) (said string, holds bool) {
	d.t.Helper()
	v, err := exports.Verify(bytes.NewReader(archive), int64(len(archive)), func(uuid.UUID) ([]traces.PublicKey, error) { return d.keys(), nil })
	switch {
	case err != nil:
		return err.Error(), false
	case len(v.Flaws) > 0:
		return strings.Join(v.Flaws, "; "), false
	}
	return fmt.Sprintf("%d proven", v.Proven), true
}

// steps are the actions of the journal about exports, by name: the clock of a test
// stands still.
func (d *desk) steps() (out []string) {
	d.t.Helper()
	d.must(d.db.Read(d.t.Context(), access.System(nord(), "test"), func(tx *storage.Tx) error {
		return tx.Query(d.t.Context(), `SELECT action FROM journal_entries WHERE organisation_id = $1 AND (action LIKE 'traces.export%' OR action = 'traces.document') ORDER BY action`, []any{nord()}, func(row func(...any) error) error {
			var a string
			err := row(&a)
			out = append(out, a)
			return err
		})
	}))
	return out
}
