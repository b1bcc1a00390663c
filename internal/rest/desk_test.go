package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/rest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// holders are the programs of a test: their token is their name.
type holders struct {
	mu    sync.Mutex
	scope map[string]access.Scope
	notes []string
}

func (h *holders) Bearer(_ context.Context, token, address string) (rest.Bearer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.scope[token]
	if !ok {
		return rest.Bearer{}, fault.New(fault.Unauthenticated, "rest.no_token")
	}
	return rest.Bearer{ID: s.Actor().ID, Name: token, Scope: s}, nil
}

func (h *holders) Note(_ context.Context, b rest.Bearer, operation string, refused bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes = append(h.notes, fmt.Sprintf("%s %s %v", b.Name, operation, refused))
	return nil
}

// counter is a desk with operations that count how often they are done.
type counter struct {
	t     *testing.T
	desk  *rest.Desk
	clock *clock.Fake
	who   *holders
	mu    sync.Mutex
	done  int
	// stop, when not nil, is called in the middle of an operation.
	stop func(ctx context.Context) error
}

type add struct {
	Body struct {
		N    int    `json:"n" minimum:"1" maximum:"10"`
		Mode string `json:"mode" enum:"reel,exercice"`
		When string `json:"when,omitempty" format:"date-time"`
	}
}

type sum struct {
	Total int `json:"total"`
}

func program(here uuid.UUID, only ...access.Action) access.Scope {
	return access.ForProgram(here, access.Actor{ID: uuid.New(), Name: "program"}, only, access.Roles()...)
}

func newCounter(t *testing.T, db *storage.DB) *counter {
	t.Helper()
	catalog, err := i18n.Load(i18n.Locales, access.Locales, storage.Locales, rest.Locales)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	here := uuid.MustParse("01900000-0000-7000-8000-000000000001")
	c := &counter{t: t, clock: clock.NewFake(time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)), who: &holders{scope: map[string]access.Scope{
		"reader": program(here, access.AlertRead), "writer": program(here, access.AlertConduct), "other": program(here, access.AlertConduct),
		"elsewhere": program(uuid.Max, access.AlertConduct),
	}}}
	c.desk, err = rest.New(rest.Options{
		DB: db, Guard: guard, Clock: c.clock, Catalog: catalog, Log: slog.New(slog.DiscardHandler), Bearers: c.who, Version: "test", Origin: "https://tocsin.test",
		Address:   func(context.Context) string { return "192.0.2.1" },
		Reference: func(context.Context) string { return "ref42" },
	})
	if err != nil {
		t.Fatal(err)
	}
	op := rest.Operation{ID: "add", Method: http.MethodPost, Path: "/add", Need: access.AlertConduct, Keying: rest.Keyed, KeyRequired: true, Tag: "t", Summary: "Add", Status: http.StatusCreated}
	rest.Register(c.desk, op, c.add)
	op.ID, op.Path, op.Keying, op.KeyRequired = "again", "/again", rest.KeyedRepeatable, false
	rest.Register(c.desk, op, c.add)
	rest.Register(c.desk, rest.Operation{ID: "list", Method: http.MethodGet, Path: "/list", Need: access.AlertRead, Tag: "t", Summary: "List"}, list)
	rest.Register(c.desk, rest.Operation{ID: "me", Method: http.MethodGet, Path: "/me", Need: rest.Token, Tag: "t", Summary: "Me"},
		func(_ context.Context, call *rest.Call, _ *struct{}) (*rest.One[sum], error) {
			return &rest.One[sum]{}, nil
		})
	rest.Register(c.desk, rest.Operation{ID: "fail", Method: http.MethodGet, Path: "/fail/{how}", Need: access.AlertRead, Tag: "t", Summary: "Fail"}, fail)
	return c
}

func (c *counter) add(ctx context.Context, _ *rest.Call, in *add) (*rest.One[sum], error) {
	c.mu.Lock()
	stop := c.stop
	c.mu.Unlock()
	if stop != nil {
		if err := stop(ctx); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done += in.Body.N
	return &rest.One[sum]{Body: sum{c.done}}, nil
}

func list(_ context.Context, call *rest.Call, in *struct{ rest.Paging }) (*rest.List[sum], error) {
	after, err := in.Cursor()
	if err != nil {
		return nil, err
	}
	first := len(after)
	var out []sum
	for n := first; n < 5 && len(out) < in.Limit; n++ {
		out = append(out, sum{n})
	}
	next := ""
	if first+len(out) < 5 {
		next = strings.Repeat("x", first+len(out))
	}
	return rest.Listed(call, out, next), nil
}

func fail(_ context.Context, _ *rest.Call, in *struct {
	How string `path:"how"`
},
) (*rest.One[sum], error) {
	switch in.How {
	case "panic":
		panic("a secret number 0612345678")
	case "plain":
		return nil, errors.New("a secret number 0612345678")
	case "late":
		return nil, fmt.Errorf("query: %w", context.DeadlineExceeded)
	case "two":
		return nil, errors.Join(fault.New(fault.Invalid, "rest.wrong.id").At("site"), fault.New(fault.Invalid, "rest.wrong.time").At("from"))
	}
	return nil, fault.New(fault.Kind(in.How), "rest.no_such_thing")
}

// answer is what a program hears.
type answer struct {
	*httptest.ResponseRecorder
	Type, Title, Detail, Instance string
	Status, Total                 int
	Items                         []sum
	Next                          string
	Errors                        []struct{ Location, Message string }
}

func (c *counter) ask(method, path, token, body string, header ...string) answer {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), method, rest.Root+path, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	a := answer{ResponseRecorder: httptest.NewRecorder()}
	c.desk.ServeHTTP(a.ResponseRecorder, r)
	if err := json.Unmarshal(a.Body.Bytes(), &a); err != nil {
		c.t.Fatalf("%s %s: %d is no JSON: %q", method, path, a.Code, a.Body)
	}
	if a.Code >= 400 && (a.Header().Get("Content-Type") != "application/problem+json" || a.Status != a.Code || a.Title == "" || a.Detail == "" || !strings.HasPrefix(a.Type, "urn:tocsin:problem:") || a.Instance != "urn:tocsin:request:ref42") {
		c.t.Errorf("%s %s: no whole problem: %d %s %s", method, path, a.Code, a.Header().Get("Content-Type"), a.Body)
	}
	if strings.Contains(a.Body.String(), "⟦") {
		c.t.Errorf("%s %s: a sentence is missing: %s", method, path, a.Body)
	}
	return a
}

func each(t *testing.T, do func(*testing.T, *counter)) {
	t.Helper()
	storagetest.Each(t, []fs.FS{rest.Migrations}, func(t *testing.T, db *storage.DB) { do(t, newCounter(t, db)) })
}

func lite(t *testing.T) *counter {
	t.Helper()
	db, err := storage.Open(t.Context(), storage.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(t.Context(), rest.Migrations); err != nil {
		t.Fatal(err)
	}
	return newCounter(t, db)
}

const one = `{"n":1,"mode":"reel"}`

func TestWhoMayEnter(t *testing.T) {
	t.Parallel()
	c := lite(t)
	for _, x := range []struct {
		method, path, token, body string
		code                      int
		kind                      string
	}{
		{"GET", "/list", "reader", "", 200, ""},
		{"GET", "/list", "writer", "", 403, "rest.denied"},
		{"GET", "/list", "", "", 401, "rest.no_token"},
		{"GET", "/list", "nobody", "", 401, "rest.no_token"},
		{"GET", "/me", "writer", "", 200, ""},
		{"GET", "/me", "", "", 401, "rest.no_token"},
		{"POST", "/again", "writer", one, 201, ""},
		{"POST", "/again", "reader", one, 403, "rest.denied"},
		// Who may not is told so before what she sent is read.
		{"POST", "/again", "reader", `{`, 403, "rest.denied"},
		{"POST", "/again", "", `{`, 401, "rest.no_token"},
		{"GET", "/nowhere", "reader", "", 404, "rest.no_operation"},
		{"DELETE", "/list", "reader", "", 405, "rest.no_method"},
	} {
		a := c.ask(x.method, x.path, x.token, x.body)
		if a.Code != x.code || strings.TrimPrefix(a.Type, "urn:tocsin:problem:") != x.kind {
			t.Errorf("%s %s as %q: %d %s, want %d %s", x.method, x.path, x.token, a.Code, a.Type, x.code, x.kind)
		}
	}
	if a := c.ask("GET", "/list?token=reader&access_token=reader", "", ""); a.Code != 401 {
		t.Errorf("a token in an address was taken: %d", a.Code)
	}
	if got := strings.Join(c.who.notes, "\n"); !strings.Contains(got, "writer list true") || !strings.Contains(got, "reader list false") {
		t.Errorf("noted:\n%s", got)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	c := lite(t)
	for _, x := range []struct {
		path, body string
		code       int
		kind, at   string
		says       string
	}{
		{"/again", `{"n":0,"mode":"reel"}`, 422, "rest.invalid", "body.n", "la valeur doit être d’au moins 1."},
		{"/again", `{"n":11,"mode":"reel"}`, 422, "rest.invalid", "body.n", "la valeur doit être d’au plus 10."},
		{"/again", `{"n":1,"mode":"vrai"}`, 422, "rest.invalid", "body.mode", "les valeurs acceptées sont reel, exercice."},
		{"/again", `{"n":1}`, 422, "rest.invalid", "body", "ce champ est obligatoire."},
		{"/again", `{"n":1,"mode":"reel","x":1}`, 422, "rest.invalid", "body.x", "ce champ n’existe pas."},
		{"/again", `{"n":"1","mode":"reel"}`, 422, "rest.invalid", "body.n", "la valeur n’est pas de la sorte attendue."},
		{"/again", `{"n":1,"mode":"reel","when":"demain"}`, 422, "rest.invalid", "body.when", "ce n’est pas une date au format RFC 3339."},
		{"/again", `{"n":`, 400, "rest.unreadable", "body", ""},
	} {
		a := c.ask("POST", x.path, "writer", x.body)
		if a.Code != x.code || a.Type != "urn:tocsin:problem:"+x.kind {
			t.Errorf("%s: %d %s", x.body, a.Code, a.Body)
			continue
		}
		if x.says != "" && (len(a.Errors) == 0 || a.Errors[0].Location != x.at || a.Errors[0].Message != x.says) {
			t.Errorf("%s: %s", x.body, a.Body)
		}
		if strings.Contains(a.Body.String(), "demain") {
			t.Errorf("the value is echoed: %s", a.Body)
		}
	}
	if a := c.ask("GET", "/list?limit=1&lmit=2", "reader", ""); a.Code != 422 || a.Errors[0].Location != "query.lmit" {
		t.Errorf("a filter misspelt: %d %s", a.Code, a.Body)
	}
	if a := c.ask("GET", "/fail/two", "reader", ""); a.Code != 422 || len(a.Errors) != 2 || a.Errors[1].Location != "from" {
		t.Errorf("two faults: %s", a.Body)
	}
	for how, code := range map[string]int{"not_found": 404, "conflict": 409, "denied": 403, "unavailable": 503, "plain": 500, "panic": 500, "late": 503} {
		a := c.ask("GET", "/fail/"+how, "reader", "")
		if a.Code != code || strings.Contains(a.Body.String(), "0612345678") {
			t.Errorf("%s: %d %s", how, a.Code, a.Body)
		}
	}
	if a := c.ask("GET", "/fail/not_found", "reader", "", "Accept-Language", "en-GB,en"); a.Title != "Not found" {
		t.Errorf("in English: %s", a.Body)
	}
}

func TestOnceUnderAKey(t *testing.T) {
	each(t, func(t *testing.T, c *counter) {
		post := func(token, path, key, body string) answer {
			return c.ask("POST", path, token, body, "Idempotency-Key", key)
		}
		if a := c.ask("POST", "/add", "writer", one); a.Code != 422 || a.Errors[0].Location != "header.Idempotency-Key" {
			t.Errorf("without a key: %d %s", a.Code, a.Body)
		}
		if a := post("writer", "/add", "short", one); a.Code != 422 {
			t.Errorf("a short key: %d", a.Code)
		}
		first := post("writer", "/add", "night-0001", one)
		again := post("writer", "/add", "night-0001", one)
		if first.Code != 201 || first.Total != 1 || again.Code != 201 || again.Total != 1 || again.Header().Get("Idempotent-Replayed") != "true" || c.done != 1 {
			t.Errorf("twice: %d %s, %d %s, done %d", first.Code, first.Body, again.Code, again.Body, c.done)
		}
		if a := post("writer", "/add", "night-0001", `{"n":2,"mode":"reel"}`); a.Code != 422 || a.Type != "urn:tocsin:problem:rest.key.other" {
			t.Errorf("another request under the key: %d %s", a.Code, a.Body)
		}
		if a := post("other", "/add", "night-0001", one); a.Total != 2 {
			t.Errorf("the key of another program: %s", a.Body)
		}
		if a := post("elsewhere", "/add", "night-0001", one); a.Total != 3 {
			t.Errorf("the key of another establishment: %s", a.Body)
		}
		// What was refused frees its key.
		c.stop = func(context.Context) error { return fault.New(fault.Conflict, "rest.no_such_thing") }
		if a := post("writer", "/add", "night-0002", one); a.Code != 409 {
			t.Errorf("refused: %d", a.Code)
		}
		c.stop = nil
		if a := post("writer", "/add", "night-0002", one); a.Total != 4 {
			t.Errorf("after a refusal: %s", a.Body)
		}
		c.clock.Advance(rest.KeyLife + time.Second)
		if err := c.desk.Sweep(t.Context(), c.clock.Now()); err != nil {
			t.Fatal(err)
		}
		if a := post("writer", "/add", "night-0001", one); a.Total != 5 {
			t.Errorf("the day after: %s", a.Body)
		}
	})
}

// A second request under the key while the first one runs waits for its turn;
// one that died in the middle is done again only where that harms nobody.
func TestCutInTheMiddle(t *testing.T) {
	each(t, func(t *testing.T, c *counter) {
		var during answer
		inner := false
		c.stop = func(context.Context) error {
			if !inner {
				inner = true
				during = c.ask("POST", "/add", "writer", one, "Idempotency-Key", "night-0001")
			}
			return nil
		}
		if a := c.ask("POST", "/add", "writer", one, "Idempotency-Key", "night-0001"); a.Code != 201 || during.Code != 409 || during.Type != "urn:tocsin:problem:rest.key.running" || c.done != 1 {
			t.Errorf("%d; during %d %s; done %d", a.Code, during.Code, during.Body, c.done)
		}
		c.stop = func(context.Context) error { panic("power cut") }
		for _, x := range []struct {
			path, kind string
			code       int
		}{{"/add", "rest.key.unsure", 409}, {"/again", "", 201}} {
			c.stop = func(context.Context) error { panic("power cut") }
			if a := c.ask("POST", x.path, "writer", one, "Idempotency-Key", "night-0002"+x.path); a.Code != 500 {
				t.Errorf("the cut: %d", a.Code)
			}
			c.stop = nil
			if a := c.ask("POST", x.path, "writer", one, "Idempotency-Key", "night-0002"+x.path); a.Code != 409 {
				t.Errorf("%s at once: %d", x.path, a.Code)
			}
			c.clock.Advance(2 * time.Minute)
			if a := c.ask("POST", x.path, "writer", one, "Idempotency-Key", "night-0002"+x.path); a.Code != x.code || strings.TrimPrefix(a.Type, "urn:tocsin:problem:") != x.kind {
				t.Errorf("%s later: %d %s", x.path, a.Code, a.Body)
			}
		}
	})
}

func TestListsGoOn(t *testing.T) {
	t.Parallel()
	c := lite(t)
	var got []int
	next := ""
	for range 4 {
		a := c.ask("GET", "/list?limit=2&after="+next, "reader", "")
		if a.Code != 200 {
			t.Fatalf("%d %s", a.Code, a.Body)
		}
		for _, s := range a.Items {
			got = append(got, s.Total)
		}
		if next = a.Next; next == "" {
			break
		}
		if want := `<` + rest.Root + `/list?after=` + next + `&limit=2>; rel="next"`; a.Header().Get("Link") != want {
			t.Errorf("link %q, want %q", a.Header().Get("Link"), want)
		}
	}
	if fmt.Sprint(got) != "[0 1 2 3 4]" {
		t.Errorf("the whole list: %v", got)
	}
	for _, bad := range []string{"limit=0", "limit=501", "limit=x", "after=%21%21"} {
		if a := c.ask("GET", "/list?"+bad, "reader", ""); a.Code != 422 {
			t.Errorf("%s: %d", bad, a.Code)
		}
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	c := lite(t)
	slowed := 0
	for range 80 {
		if a := c.ask("GET", "/list", "reader", ""); a.Code == 429 {
			slowed++
		}
	}
	if slowed != 20 {
		t.Errorf("%d of 80 at once were slowed down", slowed)
	}
	c.clock.Advance(time.Second)
	if a := c.ask("GET", "/list", "reader", ""); a.Code != 200 {
		t.Errorf("a second later: %d", a.Code)
	}
	for range 25 {
		c.ask("GET", "/list", "guess", "")
	}
	if a := c.ask("GET", "/list", "writer", ""); a.Code != 429 {
		t.Errorf("after 25 wrong tokens from one address: %d", a.Code)
	}
	c.clock.Advance(time.Minute)
	if a := c.ask("GET", "/me", "writer", ""); a.Code != 200 {
		t.Errorf("a minute later: %d", a.Code)
	}
}

// The description is made from the operations that answer, and names the right of each.
func TestTheDescription(t *testing.T) {
	t.Parallel()
	c := lite(t)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, rest.Described+".json", nil)
	w := httptest.NewRecorder()
	c.desk.ServeHTTP(w, r)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID, Description string
			Security                 []map[string][]string
			Responses                map[string]struct{ Content map[string]any }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("version %q", doc.OpenAPI)
	}
	for _, op := range c.desk.Operations() {
		d, ok := doc.Paths[op.Address()][strings.ToLower(op.Method)]
		if !ok || d.OperationID != op.ID || len(d.Security) != 1 {
			t.Errorf("%s is not described: %+v", op.ID, d)
		}
		if op.Need != rest.Token && !strings.Contains(d.Description, string(op.Need)) {
			t.Errorf("%s does not say which right it needs: %q", op.ID, d.Description)
		}
		if _, ok := d.Responses["403"].Content["application/problem+json"]; !ok {
			t.Errorf("%s does not describe its refusals", op.ID)
		}
	}
}
