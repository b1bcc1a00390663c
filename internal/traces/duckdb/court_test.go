//go:build cgo

package duckdb

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
	t      *testing.T
	dir    string
	copies string
	db     *storage.DB
	clock  *clock.Fake
	vault  *vault.Vault
	queue  *spool.Spool
	base   *Engine
	s      *traces.Service
	scope  access.Scope
	offset int64
	holds  []traces.LegalHold
}

func newCourt(t *testing.T) *court {
	t.Helper()
	t.Parallel()
	return anotherCourt(t)
}

func anotherCourt(t *testing.T) *court {
	t.Helper()
	c := &court{t: t, dir: t.TempDir(), copies: t.TempDir(), clock: clock.NewFake(time.Date(2026, 11, 1, 1, 0, 0, 0, time.UTC)), scope: access.System(home, "test")}
	c.db = storagetest.SQLite(t, journal.Migrations, traces.Migrations)
	var err error
	c.vault, err = vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), c.clock.Now())
	c.must(err)
	c.queue, err = spool.Open(t.TempDir(), spool.Options{})
	c.must(err)
	t.Cleanup(func() { c.must(errors.Join(c.queue.Close(), c.base.Close())) })
	c.s = traces.New(optionsOf(c))
	c.restart()
	for i, organisation := range []uuid.UUID{home, away} {
		c.cheat(fmt.Sprintf(`INSERT INTO traces_sources (organisation_id, id, name, name_folded, format, biomedical, zone, addresses, quiet_minutes, token_hash, created_us, events, failures, skew_s)
			VALUES (%s, %s, 'DPI', 'dpi', 'syslog', FALSE, 'UTC', '', 0, X'0%d', 0, 0, 0, 0)`, hexed(organisation), hexed(uuid.New()), i))
	}
	return c
}

func optionsOf(c *court) traces.Options {
	guard, err := access.NewGuard()
	c.must(err)
	return traces.Options{DB: c.db, Guard: guard, Clock: c.clock, Log: slog.New(slog.DiscardHandler), Vault: c.vault, Copies: c.copies, Formats: func(*time.Location) []traces.Format { return []traces.Format{} }}
}

var away = uuid.MustParse("0190aaaa-0000-7000-8000-000000000002")

func (c *court) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// restart is one of the base, which somebody closed.
func (c *court) restart() {
	c.t.Helper()
	e, _, err := Open(context.Background(), c.dir, Options{Threads: 2})
	c.must(err)
	c.base = e
	c.s.Connect(c.queue, c.base)
}

// hexed is an id as SQLite keeps it.
func hexed(id uuid.UUID) string { return fmt.Sprintf("X'%x'", id[:]) }

// take has accesses to records happen: the n-th is every hundred milliseconds.
func (c *court) take(organisation uuid.UUID, from, to int) {
	c.t.Helper()
	c.must(c.brings(organisation, from, to))
}

func (c *court) brings(organisation uuid.UUID, from, to int) error {
	var batch []traces.Placed
	for n := from; n < to; n++ {
		e := event(n)
		e.Organisation, e.Class, e.IPP, e.Account = organisation, traces.PatientAccess, fmt.Sprint(n%7), "dupont"
		c.offset++
		batch = append(batch, traces.Placed{Event: e, At: spool.Position{Segment: 1, Offset: c.offset}})
	}
	return c.base.Take(context.Background(), batch, batch[len(batch)-1].At)
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

func (c *court) tamper(q string) {
	c.t.Helper()
	key := fileKey{home, traces.PatientAccess, 2026*12 + 9}
	f, err := c.base.hold(context.Background(), key)
	c.must(err)
	defer c.base.release(context.Background(), f)
	c.must(c.base.exec(context.Background(), replaceAt(q, key)))
}
