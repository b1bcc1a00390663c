package dispatch_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// TestNothingIsLostByACrash lets a first engine hang in the middle of its
// sends, as a killed process would leave them, and starts another.
func TestNothingIsLostByACrash(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		db := storagetest.SQLite(t, dispatchtest.Migrations()...)
		crash(t, db, db, func() {})
	})
	t.Run("postgresql", func(t *testing.T) {
		url := storagetest.PostgresURL(t)
		db, cut := openPostgres(t, url), openPostgres(t, url)
		if err := db.Migrate(t.Context(), dispatchtest.Migrations()...); err != nil {
			t.Fatal(err)
		}
		crash(t, cut, db, func() { // a killed node loses its connections
			if err := cut.Close(); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func crash(t *testing.T, first, second *storage.DB, cut func()) {
	const n = 1000
	dead := newHouse(t, first, channels.SMS)
	hang, left := make(chan struct{}), make(chan struct{}, n)
	dead.air.Answer(func(m channels.Message) channels.Outcome {
		left <- struct{}{}
		if len(left) > 300 {
			<-hang
		}
		return dispatchtest.Accept(m)
	})
	dead.open(channels.Settings{"senders": "20"})
	t.Cleanup(func() { close(hang) })
	c, orders := dead.post(n)
	dead.within("the first engine hangs", func() bool { return len(left) == 320 && dead.view(c).Accepted == 300 })
	cut()

	alive := newHouse(t, second, channels.SMS)
	alive.scope = dead.scope
	// Before it starts, so that the test alone says when it looks.
	if err := alive.d.LookForTheDead(t.Context()); err != nil {
		t.Fatal(err)
	}
	alive.start()
	alive.clock.Advance(8 * time.Second) // the longest a lease of the dead can last
	alive.within("all accepted", func() bool { return alive.view(c).Accepted == n })
	doubles := make(map[uuid.UUID]bool)
	alive.within("double facts", func() bool { return int64(len(flagged(dead, alive))) == alive.view(c).Doubles })
	for _, id := range flagged(dead, alive) {
		doubles[id] = true
	}
	if len(doubles) < 20 || len(doubles) > 512 {
		t.Errorf("%d possible doubles, want those that hung and at most the flight", len(doubles))
	}
	times := dead.air.Times()
	for id, k := range alive.air.Times() {
		times[id] += k
	}
	for _, o := range orders {
		switch {
		case times[o.ID] == 0:
			t.Fatalf("delivery %s was lost", o.ID)
		case times[o.ID] > 1 && !doubles[o.ID]:
			t.Errorf("delivery %s left %d times and nobody says so", o.ID, times[o.ID])
		}
	}
}

func openPostgres(t *testing.T, url string) *storage.DB {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Options{URL: url, Connections: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func flagged(houses ...*house) []uuid.UUID {
	seen := make(map[uuid.UUID]bool)
	var out []uuid.UUID
	for _, h := range houses {
		for _, f := range h.sink.Of(dispatch.FactDoublePossible) {
			if !seen[f.Delivery] {
				seen[f.Delivery] = true
				out = append(out, f.Delivery)
			}
		}
	}
	return out
}

func TestTwoNodesNeverSendTwice(t *testing.T) {
	url := storagetest.PostgresURL(t)
	db := openPostgres(t, url)
	if err := db.Migrate(t.Context(), dispatchtest.Migrations()...); err != nil {
		t.Fatal(err)
	}
	scope := access.System(storage.NewID(t0), "test")
	air, sink := dispatchtest.NewAir(channels.SMS), dispatchtest.NewSink()
	nodes := make([]*dispatch.Dispatch, 3)
	for i := range nodes {
		nodes[i] = dispatchtest.Outbox(t, openPostgres(t, url), clock.Real(), sink, air)
	}
	dispatchtest.Gateway(t, nodes[0], scope, clock.Real().Now(), air, 1, nil)
	for _, d := range nodes {
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(d.Stop)
	}
	const n = 3000
	c, content, orders := dispatchtest.Mail(clock.Real().Now(), channels.SMS, n)
	dispatchtest.Post(t, nodes[0], db, scope, clock.Real().Now(), c, content, orders)
	nodes[1].Wake()
	nodes[2].Wake()
	storagetest.Eventually(t, 60*time.Second, "all accepted", func() bool {
		v, err := nodes[2].View(t.Context(), scope, c.ID, clock.Real().Now())
		if err != nil {
			t.Fatal(err)
		}
		return v.Media[0].Accepted == n
	})
	for id, times := range air.Times() {
		if times != 1 {
			t.Errorf("delivery %s left %d times", id, times)
		}
	}
	if got := air.Count(); got != n {
		t.Errorf("%d sends, want %d", got, n)
	}
}

func TestStopGivesBackWhatWasNotSent(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t, dispatchtest.Migrations()...), channels.SMS)
	var once sync.Once
	begun, hold := make(chan struct{}), make(chan struct{})
	h.air.Answer(func(m channels.Message) channels.Outcome {
		once.Do(func() { close(begun) })
		<-hold
		return dispatchtest.Accept(m)
	})
	h.open(channels.Settings{"senders": "1"})
	c, _ := h.post(100)
	<-begun
	stopped := make(chan struct{})
	go func() { h.d.Stop(); close(stopped) }()
	close(hold)
	<-stopped
	if err := h.d.Start(t.Context()); err != nil { // the same outbox can begin again
		t.Fatal(err)
	}
	h.within("all accepted", func() bool { return h.view(c).Accepted == 100 })
	if v := h.view(c); v.Doubles != 0 {
		t.Errorf("%d doubles after a clean stop", v.Doubles)
	}
	for id, n := range h.air.Times() {
		if n != 1 {
			t.Errorf("delivery %s left %d times", id, n)
		}
	}
}

func TestNoGoroutineOutlivesStop(t *testing.T) {
	db := storagetest.SQLite(t, dispatchtest.Migrations()...)
	before := goleak.IgnoreCurrent()
	h := newHouse(t, db, channels.SMS)
	for range 3 {
		if err := h.d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := h.d.Start(t.Context()); err == nil {
			t.Error("a second start was accepted")
		}
		h.d.Stop()
		h.d.Stop()
	}
	dispatchtest.Gateway(t, h.d, h.scope, t0, h.air, 1, nil)
	if err := h.d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	c, _ := h.post(200)
	h.within("all accepted", func() bool { return h.view(c).Accepted == 200 })
	h.d.Stop()
	// The readers of database/sql belong to the database, which is still open.
	goleak.VerifyNone(t, before, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// TestTheEndOfTheContextStops proves that a cancelled context ends in a clean stop.
func TestTheEndOfTheContextStops(t *testing.T) {
	db := storagetest.SQLite(t, dispatchtest.Migrations()...)
	h := newHouse(t, db, channels.SMS)
	dispatchtest.Gateway(t, h.d, h.scope, t0, h.air, 1, nil)
	ctx, cancel := contextOf(t)
	if err := h.d.Start(ctx); err != nil {
		t.Fatal(err)
	}
	c, _ := h.post(10)
	h.within("all accepted", func() bool { return h.view(c).Accepted == 10 })
	cancel()
	h.within("stopped", func() bool {
		v, err := h.d.View(t.Context(), h.scope, c.ID, t0)
		if err != nil {
			t.Fatal(err)
		}
		return !v.Gateways[0].Running
	})
}

// What a node that stops gives back stays given back: a renewal under way would
// make the others wait until they take the node for dead.
func TestAStopGivesItsSharesBackForGood(t *testing.T) {
	h := newHouse(t, storagetest.PostgreSQL(t, dispatchtest.Migrations()...), channels.SMS)
	h.open(channels.Settings{})
	shares := func() (n int) {
		if err := h.db.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
			_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM dispatch_shares`, nil, &n)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	h.within("the node has its share", func() bool { return shares() == 1 })
	h.d.CloseDesks()
	if err := h.d.RenewShares(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := shares(); n != 0 {
		t.Errorf("%d shares of a node that has stopped", n)
	}
}
