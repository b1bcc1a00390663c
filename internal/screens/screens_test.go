package screens_test

import (
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/fault"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/screens"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

// wall is an establishment that hangs screens.
type wall struct {
	*screens.Service
	t     *testing.T
	db    *storage.DB
	org   *organisation.Service
	clock *clock.Fake
	scope access.Scope
}

func each(t *testing.T, suite func(t *testing.T, w *wall)) {
	t.Parallel()
	rooms := []fs.FS{organisation.Migrations, directory.Migrations, journal.Migrations, jobs.Migrations, dispatch.Migrations, alerting.Migrations, screens.Migrations}
	storagetest.Each(t, rooms, func(t *testing.T, db *storage.DB) { suite(t, newWall(t, db)) })
}

func newWall(t *testing.T, db *storage.DB) *wall {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	w := &wall{t: t, db: db, clock: clock.NewFake(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))}
	w.org = organisation.New(db, guard, w.clock)
	dir, err := directory.New(db, guard, w.clock, w.org, vault.Derived{Key: "k1", Secret: [32]byte{1}})
	if err != nil {
		t.Fatal(err)
	}
	alerts := alerting.New(alerting.Options{DB: db, Guard: guard, Directory: dir, Dispatch: dispatchtest.Outbox(t, db, w.clock, nil), Organisation: w.org})
	w.Service = screens.New(screens.Options{DB: db, Guard: guard, Clock: w.clock, Alerting: alerts, Organisation: w.org, Key: []byte("a key of thirty-two octets, or so")})
	w.scope = w.establishment("CHU de Valbrume")
	return w
}

func (w *wall) establishment(name string) access.Scope {
	w.t.Helper()
	e, err := w.org.Create(w.t.Context(), access.Instance("test"), organisation.Establishment{Name: name, Zone: "Europe/Paris", Language: "fr"})
	if err != nil {
		w.t.Fatal(err)
	}
	return access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Mme Admin"}, true, access.Administrator)
}

// pairs types the code that a browser shows.
func (w *wall) pairs(scope access.Scope, token string) (screens.Screen, error) {
	w.t.Helper()
	return w.Pair(w.t.Context(), scope, screens.Wanted{Code: w.Code(token, w.clock.Now()), Name: "Couloir"})
}

// shows tells whether a browser is a screen, and of whom.
func (w *wall) shows(token string) (organisation string, found bool) {
	w.t.Helper()
	v, found, err := w.Visit(w.t.Context(), token, "1", "", w.clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return v.Establishment.Name, found
}

func (w *wall) wants(err error, key string) {
	w.t.Helper()
	if e := fault.As(err); e == nil || e.Key != key {
		w.t.Errorf("got %v, want %s", err, key)
	}
}

func TestACodePairsOneScreenWhileItLasts(t *testing.T) {
	each(t, func(t *testing.T, w *wall) {
		if _, err := w.pairs(w.scope, "corridor"); err != nil {
			t.Fatal(err)
		}
		for _, other := range []string{"", "another", strings.Repeat("x", 3_000), w.Code("corridor", w.clock.Now())} {
			if _, found := w.shows(other); found {
				t.Errorf("%.20q becomes a screen", other)
			}
		}
		var became atomic.Int32
		var all sync.WaitGroup
		for range 4 { // one page that asks four times at once is one screen
			all.Go(func() {
				if _, found, err := w.Visit(t.Context(), "corridor", "1", "", w.clock.Now()); err == nil && found {
					became.Add(1)
				}
			})
		}
		all.Wait()
		if house, found := w.shows("corridor"); became.Load() == 0 || !found || house != "CHU de Valbrume" {
			t.Errorf("the screen whose code was typed shows %q, %v", house, found)
		}
		list, _, err := w.Screens(t.Context(), w.scope, "fr")
		if err != nil || len(list) != 1 || list[0].Screen.Paired.IsZero() {
			t.Errorf("%+v, %v", list, err)
		}
		// Typed and never come: over, and the same browser shows another code by then.
		if _, err := w.pairs(w.scope, "ward"); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(screens.CodeLife + time.Second)
		if _, found := w.shows("ward"); found {
			t.Error("a code that is over pairs a screen")
		}
	})
}

func TestAScreenIsOfOneEstablishment(t *testing.T) {
	each(t, func(t *testing.T, w *wall) {
		other := w.establishment("Clinique du Parc")
		x, err := w.pairs(w.scope, "corridor")
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.pairs(other, "corridor")
		w.wants(err, "screens.code_taken")
		_, err = w.Pair(t.Context(), other, screens.Wanted{Code: w.Code("ward", w.clock.Now()), Name: "Salle", Place: w.scope.Organisation()})
		w.wants(err, "screens.place")
		if house, _ := w.shows("corridor"); house != "CHU de Valbrume" {
			t.Errorf("it shows %q", house)
		}
		w.wants(w.Remove(t.Context(), other, x.ID), "screens.unknown")
		if list, _, err := w.Screens(t.Context(), other, "fr"); err != nil || len(list) != 0 {
			t.Errorf("another establishment sees %+v, %v", list, err)
		}
		reader := access.For(w.scope.Organisation(), access.Actor{Kind: access.Person}, true, access.Reader)
		if err := w.Remove(t.Context(), reader, x.ID); !fault.Is(err, fault.Denied) {
			t.Errorf("a reader takes a screen back: %v", err)
		}
		// Taken back: the browser that comes again shows nothing.
		if err := w.Remove(t.Context(), w.scope, x.ID); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, found := w.shows("corridor"); found {
				t.Error("a screen that was taken back still shows")
			}
		}
	})
}
