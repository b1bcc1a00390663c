package stories_test

import (
	"context"
	"errors"
	"hash/fnv"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/app"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/config"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
)

// night is 3 a.m. in Paris on a November night.
func night() time.Time { return time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC) }

// hospital is the whole house, with one establishment that has telephones and
// mailboxes. Its outbox runs; its work by the clock is done when the story
// moves the time.
type hospital struct {
	*app.House
	t      *testing.T
	clock  *clock.Fake
	router *ui.Router
	sms    *post
	mail   *post
	// scope is Mme Garde, who may launch and sees whole numbers.
	scope access.Scope
	// intake is where replies by e-mail are handed over, once there is such a door.
	intake string
	// on are the settings the house was built with.
	on *config.Server
	// more are channels beside the telephones and mailboxes of the air.
	more []channels.Kind
}

// onBothEngines tells a story on SQLite and on PostgreSQL: one in which the data
// are at stake.
func onBothEngines(t *testing.T, at time.Time, story func(t *testing.T, h *hospital)) {
	t.Helper()
	onEachDatabase(t, func(t *testing.T, database string) { story(t, build(t, at, database)) })
}

// onOneEngine tells a story on one of them: every store runs its own suite on both,
// and what is told here is told by what stands above. make test-both tells all of
// them on both.
func onOneEngine(t *testing.T, at time.Time, story func(t *testing.T, h *hospital)) {
	t.Helper()
	onOneDatabase(t, func(t *testing.T, database string) { story(t, build(t, at, database)) })
}

// engines make the database of a story; without a URL it is SQLite.
var engines = map[string]func(testing.TB) string{
	"sqlite": func(testing.TB) string { return "" },
	// Few connections: what a session of PostgreSQL learns of the tables costs more than most stories.
	"postgresql": func(t testing.TB) string {
		return storagetest.PostgresSocket(t, app.Migrations()...) + "&pool_max_conns=4"
	},
}

// onEachDatabase tells a story on both, side by side: a story waits more than it works.
func onEachDatabase(t *testing.T, tell func(t *testing.T, database string)) {
	t.Helper()
	t.Parallel()
	for engine := range engines {
		onDatabase(t, engine, tell)
	}
}

// onOneDatabase draws the engine by the name of the story, so that half of them are
// told on each and a story that fails fails again.
func onOneDatabase(t *testing.T, tell func(t *testing.T, database string)) {
	t.Helper()
	if os.Getenv("TOCSIN_TEST_BOTH") != "" {
		onEachDatabase(t, tell)
		return
	}
	t.Parallel()
	drawn := fnv.New32a()
	_, _ = drawn.Write([]byte(t.Name())) // a hash never fails
	onDatabase(t, []string{"sqlite", "postgresql"}[drawn.Sum32()%2], tell)
}

func onDatabase(t *testing.T, engine string, tell func(t *testing.T, database string)) {
	t.Helper()
	t.Run(engine, func(t *testing.T) {
		t.Parallel()
		tell(t, engines[engine](t))
	})
}

// settings are those of a server nobody else can reach.
func settings(t *testing.T, database string) *config.Server {
	t.Helper()
	folder := t.TempDir()
	data := filepath.Join(folder, "data")
	if database == "" {
		data = storagetest.Folder(t, app.Migrations()...)
	}
	s := &config.Server{
		Listen: "127.0.0.1:0", PublicURL: identitytest.Origin().String(), Data: data, KeyFile: filepath.Join(folder, "tocsin.key"),
		DatabaseURL: database, LogLevel: "error", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris",
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	return s
}

func build(t *testing.T, at time.Time, database string, more ...channels.Kind) *hospital {
	t.Helper()
	h := &hospital{t: t, clock: clock.NewFake(at), on: settings(t, database), more: more}
	h.sms, h.mail = newPost(h, channels.SMS), newPost(h, channels.Email)
	h.open()
	t.Cleanup(h.shut)
	h.scope = h.establishment("CHU de Valbrume", "main")
	h.start()
	return h
}

// open builds the house on its data.
func (h *hospital) open() {
	h.t.Helper()
	var err error
	if h.House, err = app.Build(h.t.Context(), app.Plan{
		Settings: h.on, Clock: h.clock, Cost: identitytest.Cheap(), Kinds: append([]channels.Kind{h.sms.Air, h.mail.Air}, h.more...),
		HookAddresses: func(net.IP) bool { return true },
	}); err != nil {
		h.t.Fatal(err)
	}
	if h.router, err = h.Router(); err != nil {
		h.t.Fatal(errors.Join(err, h.Close()))
	}
}

func (h *hospital) start() {
	h.t.Helper()
	if err := h.Dispatch.Start(context.WithoutCancel(h.t.Context())); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hospital) shut() {
	h.Dispatch.Stop()
	if err := h.Close(); err != nil {
		h.t.Errorf("close: %v", err)
	}
}

// restart stops the program and starts it again on the same data.
func (h *hospital) restart() {
	h.t.Helper()
	h.shut()
	h.open()
	h.start()
}

// establishment adds an establishment with its own telephones and mailboxes,
// and gives the scope of somebody who launches there.
func (h *hospital) establishment(name, peer string) access.Scope {
	h.t.Helper()
	e, err := h.Houses.Create(h.t.Context(), access.Instance("story"), organisation.Establishment{Name: name, Zone: "Europe/Paris", Language: "fr"})
	if err != nil {
		h.t.Fatal(err)
	}
	scope := access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Mme Garde"}, true, access.Launcher, access.DirectoryManager)
	for _, p := range []*post{h.sms, h.mail} {
		dispatchtest.Gateway(h.t, h.Dispatch, access.System(e.ID, "story"), h.now(), p.Air, 1, channels.Settings{"peer": peer})
	}
	return scope
}

func (h *hospital) now() time.Time { return h.clock.Now() }

// patience bounds what a story waits for from programs that work in their own time;
// the machine may be busy.
const patience = 3 * time.Minute

// settle lets everything happen that is due at this instant: the work by the
// clock, the sends, the receipts of telephones that are on, and what follows.
func (h *hospital) settle() {
	h.t.Helper()
	for {
		before := h.DB.Writes()
		h.work()
		h.quiet()
		if h.sms.ring()+h.mail.ring() == 0 && h.DB.Writes() == before {
			return
		}
	}
}

// work does what the clock asks, as the program's own task does it.
func (h *hospital) work() {
	h.t.Helper()
	for range 10_000 {
		more, err := h.Alerting.Tick(h.t.Context(), h.now())
		if err != nil {
			h.t.Fatalf("work by the clock: %v", err)
		}
		if !more {
			return
		}
	}
	h.t.Fatal("the work by the clock never rests")
}

// quiet waits until nothing that is due is left in the outbox, and the house
// has heard all that came back. A story has thousands of instants at which nothing
// is due: the outbox is woken for work only.
func (h *hospital) quiet() {
	h.t.Helper()
	if h.owed() == 0 {
		return
	}
	storagetest.Eventually(h.t, patience, "the outbox is empty and its news are told", func() bool {
		h.Dispatch.Wake()
		return h.owed() == 0
	})
}

// owed counts the lots that are due, and the news and replies that wait to be told.
// What a ceiling of cost holds back is not due.
func (h *hospital) owed() int {
	h.t.Helper()
	return h.number(`SELECT (SELECT COUNT(*) FROM dispatch_lots l WHERE l.pending AND l.due_us <= $1 AND (l.medium <> 'sms' OR NOT EXISTS (
			SELECT 1 FROM dispatch_campaigns c WHERE c.organisation_id = l.organisation_id AND c.id = l.campaign_id AND c.ceiling_stops AND c.lifted_us IS NULL
			AND (SELECT COALESCE(SUM(s.micros), 0) FROM dispatch_spending s WHERE s.organisation_id = c.organisation_id AND s.campaign_id = c.id) >= c.ceiling_micros)))
		+ (SELECT COUNT(*) FROM dispatch_facts) + (SELECT COUNT(*) FROM dispatch_replies WHERE NOT relayed)`, storage.Micros(h.now()))
}

// number reads one figure of the database, whatever the establishment.
func (h *hospital) number(query string, args ...any) (n int) {
	h.t.Helper()
	if err := h.DB.Read(h.t.Context(), access.Instance("story"), func(tx *storage.Tx) error {
		_, err := tx.Row(h.t.Context(), query, args, &n)
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// pass moves the time: by ten seconds, then second by second in the last
// twelve, so that an hour is told exactly where it matters.
func (h *hospital) pass(d time.Duration) { h.by(d, 10*time.Second, 12*time.Second) }

// sleep moves the time by whole minutes.
func (h *hospital) sleep(d time.Duration) { h.by(d, time.Minute, 0) }

func (h *hospital) by(d, stride, exact time.Duration) {
	h.t.Helper()
	for d > 0 {
		step := min(stride, d)
		if d <= exact {
			step = min(time.Second, d)
		}
		h.clock.Advance(step)
		h.settle()
		d -= step
	}
}
