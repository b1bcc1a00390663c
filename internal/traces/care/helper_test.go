package care_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/care"
)

// staff is a directory and a roster of a few people.
type staff struct {
	workers []care.Worker
	calls   []care.Call
	asked   int
}

func (s *staff) Workers(_ context.Context, _ uuid.UUID, each func(care.Worker) error) error {
	for _, w := range s.workers {
		if err := each(w); err != nil {
			return err
		}
	}
	return nil
}

func (s *staff) OnCall(context.Context, uuid.UUID, time.Time) ([]care.Call, error) {
	s.asked++
	return s.calls, nil
}

type house struct {
	*care.Service
	t          *testing.T
	db         *storage.DB
	clock      *clock.Fake
	staff      *staff
	source     uuid.UUID
	org        uuid.UUID
	admin, dpo access.Scope
	elsewhere  access.Scope
	sent       int
}

func rooms() []fs.FS { return []fs.FS{journal.Migrations, organisation.Migrations, traces.Migrations} }

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
	h := &house{t: t, db: db, clock: clock.NewFake(time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)), staff: &staff{}, source: uuid.New()}
	h.Service = care.New(care.Options{DB: db, Guard: guard, Clock: h.clock, Log: slog.New(slog.DiscardHandler), Directory: h.staff, Roster: h.staff})
	houses := organisation.New(db, guard, h.clock)
	for i, to := range []*access.Scope{&h.admin, &h.elsewhere} {
		e, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: []string{"CHU", "EHPAD"}[i]})
		h.must(err)
		*to = as(e.ID, access.Administrator)
	}
	h.org = h.admin.Organisation()
	h.dpo = as(h.org, access.DataProtection)
	return h
}

func as(organisation uuid.UUID, role access.Role) access.Scope {
	return access.For(organisation, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Mme " + string(role), From: "10.0.0.9"}, true, role)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// at is a time of November 2026.
func at(day, hour int) int64 {
	return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC).UnixMicro()
}

// tell keeps news; those without a number of their own get one.
func (h *house) tell(n traces.News) {
	h.t.Helper()
	if h.sent++; n.Sent == 0 {
		n.Sent = at(30, 8) + int64(h.sent)
	}
	h.must(h.Keep(h.t.Context(), h.org, h.source, n))
}

func (h *house) patient(ipp, ins string, when int64) traces.Patient {
	h.t.Helper()
	p, found, err := h.Patient(h.t.Context(), h.org, ipp, ins, when)
	h.must(err)
	if !found {
		h.t.Fatalf("nobody has IPP %q or INS %q", ipp, ins)
	}
	return p
}

// words are relations in short: "stay cardio 10→12".
func (h *house) words(p traces.Patient) string {
	var out []string
	for _, r := range p.Relations {
		to := "…"
		if r.To != 0 {
			to = storage.Time(r.To).Format("02.15")
		}
		out = append(out, string(r.Kind)+" "+strings.TrimSpace(r.Service+" "+r.Account)+" "+storage.Time(r.From).Format("02.15")+"→"+to)
	}
	return strings.Join(out, ", ")
}

func (h *house) want(what, got, want string) {
	h.t.Helper()
	if got != want {
		h.t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func (h *house) refused(err error, kind fault.Kind, key string) {
	h.t.Helper()
	if f := fault.As(err); f == nil || f.Kind != kind || key != "" && f.Key != key {
		h.t.Errorf("got %v, want %s %s", err, kind, key)
	}
}

func (h *house) journalled(action string) (n int) {
	h.t.Helper()
	h.must(h.db.Read(h.t.Context(), h.admin, func(tx *storage.Tx) error {
		_, err := tx.Row(h.t.Context(), `SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND action = $2`, []any{h.org, action}, &n)
		return err
	}))
	return n
}

// stage reads a CSV.
func (h *house) stage(scope access.Scope, kind care.FileKind, text string) (care.File, error) {
	h.t.Helper()
	src, err := table.Open(strings.NewReader(text), int64(len(text)), "fichier.csv", table.DefaultLimits())
	h.must(err)
	paris, err := time.LoadLocation("Europe/Paris")
	h.must(err)
	f, err := h.Stage(h.t.Context(), scope, kind, "fichier.csv", src, paris)
	return f, errors.Join(err, src.Close())
}
