package watch

import (
	"io/fs"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
)

// A transaction that was stored while its answer got lost is not stored again:
// the place tells.
func TestAnAnswerThatGotLostCountsNothingTwice(t *testing.T) {
	t.Parallel()
	db := storagetest.SQLite(t, []fs.FS{traces.Migrations}...)
	w := New(Options{Flow: Live, DB: db, Dir: t.TempDir(), Clock: clock.NewFake(time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)), Log: slog.New(slog.DiscardHandler)})
	if err := w.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.gather.events, w.gather.Examined[Counted{Organisation: uuid.New()}] = 7, 7
	w.tried = &attempt{State: State{At: spool.Position{Segment: 1, Offset: 70}, Examined: 7, Updated: w.opt.Clock.Now()}}
	err := db.Write(t.Context(), access.Instance("test"), func(tx *storage.Tx) error { return write(t.Context(), tx, Live, w.tried.State) })
	if err != nil {
		t.Fatal(err)
	}
	// No Keeper is there to keep it again.
	if err := w.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !w.gather.empty() || w.tried != nil || w.state.Examined != 7 {
		t.Errorf("%+v, %+v, %+v", w.gather, w.tried, w.state)
	}
}
