package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tocsin/internal/access"
	"tocsin/internal/config"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/child"
)

// answering is a base that answers with what it is asked by whom.
type answering struct{ traces.Base }

func (answering) Ask(_ context.Context, organisation uuid.UUID, _ traces.Question) (traces.Answer, error) {
	return traces.Answer{Total: 1, Events: []traces.Stored{{Event: traces.Event{Organisation: organisation, Account: "mdupont"}, Ref: "r"}}}, nil
}

// nodeHouse builds one of the nodes that share a database and a keyring.
func nodeHouse(t *testing.T, url, key string, with func(*config.Server)) *House {
	t.Helper()
	s := &config.Server{
		Listen: "127.0.0.1:0", PublicURL: "https://tocsin.test", DatabaseURL: url, Data: t.TempDir(), KeyFile: key, LogLevel: "error", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris",
	}
	with(s)
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	h, err := Build(t.Context(), Plan{Settings: s, HasBase: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// holding has a house hold the base, as openBase does, with a base of the test.
func holding(t *testing.T, h *House) (*tracing, context.CancelFunc, *errgroup.Group) {
	t.Helper()
	root := filepath.Join(h.Settings.Data, "traces")
	queue, err := spool.Open(filepath.Join(root, "spool"), spool.Options{})
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "s")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	child.Answer(mux, answering{}, slog.New(slog.DiscardHandler))
	server := httptest.NewUnstartedServer(mux)
	if err := server.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	server.Listener = l
	server.Start()
	id, err := nameBase(root)
	if err != nil {
		t.Fatal(err)
	}
	again, err := nameBase(root)
	if err != nil || id != again {
		t.Fatalf("the base is called %v, then %v, %v", id, again, err)
	}
	tr := &tracing{spool: queue, base: child.NewClient(socket), id: id}
	ctx, stop := context.WithCancel(context.Background())
	var group errgroup.Group
	group.Go(func() error { tr.hold(ctx, h); return nil })
	if err := h.hearNodes(ctx, &group, tr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
		server.Close()
		tr.base.Close()
		if err := queue.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr, stop, &group
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}()
	return l.Addr().String()
}

func TestTwoNodesHaveOneBaseOfTraces(t *testing.T) {
	url, key, door := storagetest.PostgresURL(t, Migrations()...), filepath.Join(t.TempDir(), "tocsin.key"), freeAddress(t)
	a := nodeHouse(t, url, key, func(s *config.Server) { s.TracesNodes = door })
	place, err := a.Houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CHU", Language: "fr"})
	if err != nil {
		t.Fatal(err)
	}
	by := func(role access.Role) access.Scope {
		return access.For(place.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Mme Test"}, true, role)
	}
	_, token, err := a.Traces.Add(t.Context(), by(access.Administrator), traces.Wanted{Name: "DPI", Format: "jsonl", Zone: "Europe/Paris"})
	if err != nil {
		t.Fatal(err)
	}
	said := func(h *House) string {
		f := h.checkTraces(t.Context(), access.Instance("test"))
		return string(f.State) + " " + f.What.Key
	}
	b := nodeHouse(t, url, key, func(s *config.Server) { s.TracesOwner = door })
	none := nodeHouse(t, url, key, func(*config.Server) {})
	if got := said(none); got != "broken app.check.traces.nowhere" {
		t.Errorf("a node without settings: %s", got)
	}
	if got := said(b); got != "broken app.check.traces.nobody" {
		t.Errorf("before any holds it: %s", got)
	}
	held, stop, group := holding(t, a)
	storagetest.Eventually(t, 10*time.Second, "the base is held", a.Traces.Ready)
	asks, err := b.openTraces()
	if err != nil {
		t.Fatal(err)
	}
	router, err := b.Router()
	if err != nil {
		t.Fatal(err)
	}
	bring := func() int {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/intake/events", strings.NewReader(`{"user":"mdupont","message":"bonjour"}`+"\n"))
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		return w.Code
	}
	before := held.spool.Durable()
	if code := bring(); code != http.StatusOK || !before.Before(held.spool.Durable()) {
		t.Errorf("brought to the other node: %d, and on the disk of the first: %v", code, before.Before(held.spool.Durable()))
	}
	when := traces.Question{From: 0, To: 10, Zone: "UTC", Limit: 5}
	answers, err := b.Traces.Ask(t.Context(), by(access.DataProtection), traces.Look{}, when)
	if err != nil || len(answers) != 1 || answers[0].Events[0].Organisation != place.ID {
		t.Errorf("asked at the other node: %+v, %v", answers, err)
	}
	if _, err := b.Traces.Ask(t.Context(), by(access.Administrator), traces.Look{}, when); err == nil {
		t.Error("the other node lets anybody ask")
	}
	if got := said(a) + ", " + said(b); got != "well app.check.traces.well, well app.check.traces.owner" {
		t.Error(got)
	}
	// A second base is refused: it takes nothing, and the doctor says so.
	c := nodeHouse(t, url, key, func(s *config.Server) { s.TracesNodes = freeAddress(t) })
	second, _, _ := holding(t, c)
	if err := c.Traces.Hold(t.Context(), c.Clock.Now(), second.id, "c"); err == nil || c.Traces.Ready() {
		t.Errorf("a second base holds the traces: %v", err)
	}
	if got := said(c); got != "broken app.check.traces.two" {
		t.Errorf("a second base: %s", got)
	}
	// The owner is gone: the source is refused, and comes again.
	stop()
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if code := bring(); code != http.StatusServiceUnavailable {
		t.Errorf("brought while the owner is away: %d", code)
	}
	if got := said(b); got != "broken app.check.traces.away" {
		t.Errorf("while the owner is away: %s", got)
	}
	if err := asks.Close(); err != nil {
		t.Error(err)
	}
}
