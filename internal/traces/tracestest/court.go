package tracestest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/journal"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/vault"
)

// court is an establishment whose traces are sealed, in which one cheats.
type court struct {
	Trial
	t      *testing.T
	dir    string
	copies string
	db     *storage.DB
	clock  *clock.Fake
	vault  *vault.Vault
	queue  *spool.Spool
	base   traces.Engine
	s      *traces.Service
	scope  access.Scope
	offset int64
}

// Trial is an engine before the court.
type Trial struct {
	Open func(t *testing.T, dir string) traces.Engine
	// Cheat does something to the accesses of October 2026 of an establishment.
	Cheat func(t *testing.T, e traces.Engine, what string)
	// Keep keeps a copy of those accesses, of a base that nobody has open, and gives
	// what puts it back and what removes them all.
	Keep func(t *testing.T, dir string) (back, drop func())
}

// Court examines what the room proves with an engine, from the intake to the
// signed log and back, with cheats of these names:
//
//   - "a value": an account of the event 120 is another;
//   - "an original": the originals of events from 100 on are others;
//   - "a row less": the event 3 is not there; "a late row less": 180;
//   - "a block less": the first block, of a hundred events, is not there;
//   - "a row more": an event stands where none is, at 900.
func Court(t *testing.T, trial Trial) {
	for name, test := range map[string]func(*court){
		"a month is proven": monthProven, "a purge is lawful": lawfulPurge, "events are proven": eventsProven, "a base that went back is told": wentBack,
	} {
		t.Run(name, func(t *testing.T) { test(newCourt(t, trial)) })
	}
	for name, x := range deeds() {
		t.Run(name, func(t *testing.T) {
			c := newCourt(t, trial)
			c.take(home, 0, 100)
			c.hour()
			c.take(home, 100, 150)
			c.hour()
			x.do(c)
			c.want(x.want)
		})
	}
}

func newCourt(t *testing.T, trial Trial) *court {
	t.Helper()
	t.Parallel()
	c := &court{Trial: trial, t: t, dir: t.TempDir(), copies: t.TempDir(), clock: clock.NewFake(time.Date(2026, 11, 1, 1, 0, 0, 0, time.UTC)), scope: access.System(home, "test")}
	c.db = storagetest.SQLite(t, journal.Migrations, traces.Migrations)
	guard, err := access.NewGuard()
	c.must(err)
	c.vault, err = vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), c.clock.Now())
	c.must(err)
	c.queue, err = spool.Open(t.TempDir(), spool.Options{})
	c.must(err)
	t.Cleanup(func() { c.must(errors.Join(c.queue.Close(), c.base.Close())) })
	c.s = traces.New(traces.Options{DB: c.db, Guard: guard, Clock: c.clock, Log: slog.New(slog.DiscardHandler), Vault: c.vault, Copies: c.copies, Formats: func(*time.Location) []traces.Format { return []traces.Format{} }})
	c.restart()
	for i, organisation := range []uuid.UUID{home, away} {
		c.cheat(fmt.Sprintf(`INSERT INTO traces_sources (organisation_id, id, name, name_folded, format, biomedical, zone, addresses, quiet_minutes, token_hash, created_us, events, failures, skew_s)
			VALUES (%s, %s, 'DPI', 'dpi', 'syslog', FALSE, 'UTC', '', 0, X'0%d', 0, 0, 0, 0)`, hexed(organisation), hexed(uuid.New()), i))
	}
	return c
}

var (
	home = uuid.MustParse("0190aaaa-0000-7000-8000-000000000001")
	away = uuid.MustParse("0190aaaa-0000-7000-8000-000000000002")
)

// visit is the n-th access to a record, every hundred milliseconds.
func visit(n int) traces.Event {
	at := time.Date(2026, 10, 31, 20, 0, 0, 0, time.UTC).UnixMicro() + int64(n)*100_000
	return traces.Event{
		Organisation: home, At: at, Received: at, Severity: -1, Message: fmt.Sprint(n), Class: traces.PatientAccess, IPP: fmt.Sprint(n % 7), Account: "dupont", Raw: fmt.Appendf(nil, "original %d", n),
	}
}

func (c *court) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// restart is one of the base, which somebody closed.
func (c *court) restart() {
	c.t.Helper()
	c.base = c.Open(c.t, c.dir)
	c.s.Connect(c.queue, c.base)
}

// hexed is an id as SQLite keeps it.
func hexed(id uuid.UUID) string { return fmt.Sprintf("X'%x'", id[:]) }

// take has accesses to records happen.
func (c *court) take(organisation uuid.UUID, from, to int) {
	c.t.Helper()
	var batch []traces.Placed
	for n := from; n < to; n++ {
		e := visit(n)
		e.Organisation = organisation
		c.offset++
		batch = append(batch, traces.Placed{Event: e, At: spool.Position{Segment: 1, Offset: c.offset}})
	}
	c.must(c.base.Take(context.Background(), batch, batch[len(batch)-1].At))
}

// hour lets one pass, and the log be signed.
func (c *court) hour() {
	c.t.Helper()
	c.clock.Advance(time.Hour)
	_, err := c.s.Seal(context.Background(), c.clock.Now())
	c.must(err)
}

func (c *court) cheat(q string) {
	c.t.Helper()
	c.must(c.db.Write(context.Background(), access.Instance("test"), func(tx *storage.Tx) error {
		n, err := tx.Exec(context.Background(), q)
		if err == nil && n == 0 {
			err = errors.New("nothing was changed by " + q)
		}
		return err
	}))
}

// says is what the verification says, and whether the other program agrees.
func (c *court) says() string {
	c.t.Helper()
	v, err := c.s.Verify(context.Background(), c.scope, c.clock.Now(), traces.Check{Checkpoints: c.copies})
	c.must(err)
	dir := filepath.Join(c.t.TempDir(), "export")
	c.must(c.s.Export(context.Background(), c.scope, "", dir))
	out, err := exec.Command("python3", "../../../docs/verifier-traces.py", dir, "--copies", c.copies).CombinedOutput()
	if (err == nil) != v.Holds() {
		c.t.Errorf("we say %+v\nthe other program says %s", v.Flaws, out)
	}
	var list []string
	for _, f := range v.Flaws {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %d-%d", f.Kind, f.Month, f.First, f.Last)))
	}
	if len(list) == 0 {
		counted := fmt.Sprintf("%d events as sealed, %d purged, %d not in the log yet", v.Events, v.PurgedEvents, v.Open)
		if !strings.Contains(string(out), counted) {
			c.t.Errorf("we say %s\nthe other program says %s", counted, out)
		}
		return counted
	}
	return strings.Join(list, ", ")
}

func (c *court) want(want string) {
	c.t.Helper()
	if got := c.says(); got != want {
		c.t.Errorf("verified: %s\n    want: %s", got, want)
	}
}

func (c *court) tamper(what string) {
	c.t.Helper()
	c.Cheat(c.t, c.base, what)
}

func monthProven(c *court) {
	t := c.t
	c.take(home, 0, 100)
	c.take(away, 0, 30)
	c.want("0 events as sealed, 0 purged, 100 not in the log yet")
	c.hour()
	c.want("100 events as sealed, 0 purged, 0 not in the log yet")
	c.take(home, 100, 150)
	c.want("100 events as sealed, 0 purged, 50 not in the log yet")
	c.hour()
	c.hour() // nothing new is signed as well
	c.want("150 events as sealed, 0 purged, 0 not in the log yet")
	// A key that was rotated still holds what it signed.
	_, err := c.vault.Rotate(c.clock.Now())
	c.must(errors.Join(err, c.vault.Refresh()))
	c.take(home, 150, 160)
	c.hour()
	c.want("160 events as sealed, 0 purged, 0 not in the log yet")
	if s, err := c.s.Sealing(context.Background(), c.scope); err != nil || s.Checkpoints != 4 || s.Uncopied != 0 || len(s.Keys) != 2 || s.Last.Key != s.Keys[0].ID || s.Last.Size != 3 {
		t.Errorf("%+v %v", s, err)
	}
	other := *c
	other.scope = access.System(away, "test")
	other.want("30 events as sealed, 0 purged, 0 not in the log yet")
}

// deed is what one does to traces that were sealed.
type deed struct {
	do   func(c *court)
	want string
}

func deeds() map[string]deed {
	tamper := func(what string) func(*court) { return func(c *court) { c.tamper(what) } }
	return map[string]deed{
		"a value":      {tamper("a value"), "altered 2026-10 100-149"},
		"an original":  {tamper("an original"), "altered 2026-10 100-149"},
		"a row less":   {tamper("a row less"), "altered 2026-10 0-99"},
		"a block less": {tamper("a block less"), "lost 2026-10 0-99"},
		"a row more":   {tamper("a row more"), "stray 2026-10 0-0"},
		"a log shortened": {func(c *court) {
			c.cheat("DELETE FROM traces_log WHERE number = 1 AND organisation_id = " + hexed(home))
		}, "rewrote  0-0, rewrote  0-0"},
		"an entry altered": {func(c *court) {
			c.cheat("UPDATE traces_log SET entry = REPLACE(entry, ' 100 50 ', ' 100 49 ') WHERE number = 1")
		}, "entry  0-0, rewrote  0-0, rewrote  0-0, altered 2026-10 100-148"},
		"a head forged": {func(c *court) {
			c.cheat("UPDATE traces_checkpoints SET note = REPLACE(note, char(10) || '2' || char(10), char(10) || '1' || char(10)) WHERE size = 2")
		}, "unsigned  0-0"},
		"log and heads made again": {func(c *court) {
			c.cheat("DELETE FROM traces_checkpoints WHERE organisation_id = " + hexed(home))
			c.cheat("DELETE FROM traces_log WHERE organisation_id = " + hexed(home))
			c.tamper("a block less")
			c.hour()
		}, "rewrote  0-0, rewrote  0-0"},
	}
}

// wentBack: an old copy of a base is never sealed in silence, and what comes after
// is.
func wentBack(c *court) {
	t := c.t
	c.take(home, 0, 100)
	c.hour()
	c.must(c.base.Close())
	back, drop := c.Keep(t, c.dir)
	c.restart()
	c.take(home, 100, 150)
	c.hour()
	c.must(c.base.Close())
	back()
	c.restart()
	c.want("lost 2026-10 100-149")
	c.offset += 1000
	c.take(home, 200, 230)
	c.hour()
	c.want("lost 2026-10 100-149")
	if s, err := c.s.Sealing(context.Background(), c.scope); err != nil || s.Lost != 1 {
		t.Errorf("%+v %v", s, err)
	}
	c.must(c.base.Close())
	drop()
	c.restart()
	c.hour()
	c.want("lost 2026-10 0-99, lost 2026-10 100-149, lost 2026-10 100-129")
	if s, err := c.s.Sealing(context.Background(), c.scope); err != nil || s.Lost != 2 {
		t.Errorf("%+v %v", s, err)
	}
}

func lawfulPurge(c *court) {
	t := c.t
	c.take(home, 0, 100)
	c.hour()
	c.take(home, 100, 200)
	c.must(c.s.Decide(context.Background(), c.scope, traces.PatientAccess, 12))
	purge := func(n int) {
		t.Helper()
		c.clock.Advance(storage.Time(visit(n).At).AddDate(1, 0, 0).Sub(c.clock.Now()))
		_, err := c.s.Purge(context.Background(), c.clock.Now())
		c.must(err)
	}
	purge(40)
	c.want("160 events as sealed, 40 purged, 0 not in the log yet")
	purge(60)
	c.take(home, 200, 210)
	c.want("140 events as sealed, 60 purged, 10 not in the log yet")
	purge(150)
	c.want("60 events as sealed, 150 purged, 0 not in the log yet")
	c.tamper("a late row less")
	c.want("altered 2026-10 100-199")
	purge(20000)
	c.want("0 events as sealed, 210 purged, 0 not in the log yet")
	// Late ones make the file again, from its beginning.
	c.take(home, 19000, 19010)
	c.hour()
	c.want("10 events as sealed, 210 purged, 0 not in the log yet")
}

func eventsProven(c *court) {
	t := c.t
	c.take(home, 0, 100)
	c.hour()
	c.take(home, 100, 150)
	a, err := c.base.Ask(context.Background(), home, traces.Question{From: visit(0).At, To: visit(200).At, Zone: "UTC", Limit: 200})
	c.must(err)
	var refs []string
	for i := 0; i < len(a.Events); i += 7 {
		refs = append(refs, a.Events[i].Ref)
	}
	p, err := c.s.Prove(context.Background(), c.scope, refs)
	c.must(err)
	keys, err := c.s.Sealing(context.Background(), c.scope)
	c.must(err)
	got, err := p.Holds(home, keys.Keys)
	if err != nil || len(got) != len(refs) || got[0].Message != a.Events[0].Message || len(p.Blocks) != 2 {
		t.Fatalf("%d events, %v", len(got), err)
	}
	for name, spoil := range map[string]func(p *traces.Proof){
		"a record": func(p *traces.Proof) {
			p.Events[3].Record = []byte(strings.Replace(string(p.Events[3].Record), "dupont", "durand", 1))
		},
		"a place":  func(p *traces.Proof) { p.Events[3].Seq++ },
		"a path":   func(p *traces.Proof) { p.Events[3].Path = p.Events[3].Path[1:] },
		"a block":  func(p *traces.Proof) { p.Events[3].Block++ },
		"an entry": func(p *traces.Proof) { p.Blocks[0].Number++ },
		"a head":   func(p *traces.Proof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n2\n", "\n3\n", 1) },
	} {
		q := p
		q.Events, q.Blocks = append([]traces.ProvenEvent(nil), p.Events...), append([]traces.BlockProof(nil), p.Blocks...)
		spoil(&q)
		if _, err := q.Holds(home, keys.Keys); err == nil {
			t.Errorf("%s was changed, and the proof holds", name)
		}
	}
	if _, err := c.s.Prove(context.Background(), access.System(away, "test"), refs); err == nil {
		t.Error("another establishment proves our events")
	}
}
