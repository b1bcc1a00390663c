package traces_test

import (
	"io/fs"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
)

// lines is a format whose messages are accounts.
type lines struct{}

func (lines) Describe() traces.Description { return traces.Description{Name: "lines"} }
func (lines) Parse(dst []traces.Event, m []byte, received int64) ([]traces.Event, error) {
	return append(dst, traces.Event{Collector: "lines", At: received, Received: received, Account: string(m), Raw: m}), nil
}

// TestTheRateIsComparedWithTheSameHour: Sundays with Sundays, and each
// establishment with itself.
func TestTheRateIsComparedWithTheSameHour(t *testing.T) {
	storagetest.Each(t, []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations}, func(t *testing.T, db *storage.DB) {
		now := clock.NewFake(time.Date(2026, 11, 22, 11, 10, 0, 0, time.UTC)) // a Sunday
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		houses := organisation.New(db, guard, now)
		home, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CH des Trois-Vallées"})
		if err != nil {
			t.Fatal(err)
		}
		other, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "Clinique du Parc"})
		if err != nil {
			t.Fatal(err)
		}
		s := traces.New(traces.Options{DB: db, Guard: guard, Clock: now, Log: slog.New(slog.DiscardHandler), Formats: func(*time.Location) []traces.Format { return []traces.Format{lines{}} }})
		scope := access.System(home.ID, "test")
		source, _, err := s.Add(t.Context(), scope, traces.Wanted{Name: "DPI", Format: "lines", Zone: "Europe/Paris"})
		if err != nil {
			t.Fatal(err)
		}
		said := func(ago time.Duration, events int) {
			t.Helper()
			hour := storage.Micros(now.Now().Add(-ago).Truncate(time.Hour))
			if err := db.Write(t.Context(), scope, func(tx *storage.Tx) error {
				_, err := tx.Exec(t.Context(), `INSERT INTO traces_hours (organisation_id, source_id, hour_us, events, failures) VALUES ($1, $2, $3, $4, 0)`, home.ID, source.ID, hour, events)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		const day = 24 * time.Hour
		said(21*day+time.Hour, 10)
		said(14*day+time.Hour, 30)
		said(8*day+time.Hour, 20) // a Saturday
		said(3*day+time.Hour, 900)
		said(7*day+2*time.Hour, 800) // another hour
		said(time.Hour, 4)
		said(0, 77) // the hour that runs
		rates, err := s.Rates(t.Context(), scope)
		if err != nil {
			t.Fatal(err)
		}
		// Days of rest since the first: Sundays 30, 10 and none, Saturdays 20, none, none.
		if want := (traces.Rate{Said: 4, Usual: 10}); rates[source.ID] != want {
			t.Errorf("rate %+v, want %+v", rates[source.ID], want)
		}
		if rates, err := s.Rates(t.Context(), access.System(other.ID, "test")); err != nil || len(rates) != 0 {
			t.Errorf("another establishment reads %+v, %v", rates, err)
		}
		if _, err := s.Rates(t.Context(), access.For(home.ID, access.Actor{Kind: access.Person, ID: uuid.New()}, true, access.Reader)); err == nil {
			t.Error("a reader learns which sources speak")
		}
	})
}
