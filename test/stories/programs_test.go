package stories_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/identity"
	"tocsin/internal/rest"
)

// counter is a house with one of everything, and the tokens that try its
// operations. What is tried is made from the list of operations: a new one
// cannot escape.
type counter struct {
	*walk
	// bodies are what a program sends, by operation, with the ids of this establishment.
	bodies map[string]string
	// whole has every right here, foreign every right in the other establishment.
	whole, foreign, revoked, expired string
	// request is a launch that waits for a second person, list one that a program gave.
	request, list string
}

// TestEveryOperationAsEveryProgram walks every operation as nobody, with a token
// that never was, one taken back, one without the right, and one of another
// establishment that knows every id of this one.
func TestEveryOperationAsEveryProgram(t *testing.T) {
	onEachDatabase(t, walkOperations)
}

func walkOperations(t *testing.T, database string) {
	c := newCounter(t, database)
	for _, op := range c.h.Desk.Operations() {
		if op.Need == rest.Signed {
			continue
		}
		for name, token := range map[string]string{"nobody": "", "who never was": "tcs_" + strings.Repeat("A", 43), "who was revoked": c.revoked} {
			if a := c.send(op, token, c.body(op)); a.Code != http.StatusUnauthorized || a.Header().Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s as %s: %d %s", op.ID, name, a.Code, a.Body)
			}
		}
		c.withoutTheRight(op)
		c.fromElsewhere(op)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		for _, op := range c.h.Desk.Operations() {
			if op.Method == method && op.Need != rest.Signed {
				c.hostile(op)
				if a := c.send(op, c.whole, c.body(op)); a.Code == http.StatusUnauthorized || a.Code == http.StatusForbidden || a.Code == http.StatusNotFound || a.Code >= 500 {
					t.Errorf("%s with every right: %d %s", op.ID, a.Code, a.Body)
				}
			}
		}
	}
	c.h.clock.Advance(31 * 24 * time.Hour)
	for _, op := range c.h.Desk.Operations() {
		if op.Need != rest.Signed {
			if a := c.send(op, c.expired, c.body(op)); a.Code != http.StatusUnauthorized {
				t.Errorf("%s with a token that expired: %d", op.ID, a.Code)
			}
		}
	}
}

func newCounter(t *testing.T, database string) *counter {
	t.Helper()
	c := &counter{walk: newWalk(t, database)}
	here, there := c.h.scope.Organisation(), c.other.who.Scope.Organisation()
	c.whole, _ = c.token(here, 365, access.ProgramActions()...)
	c.expired, _ = c.token(here, 30, access.ProgramActions()...)
	c.foreign, _ = c.token(there, 365, access.ProgramActions()...)
	var id uuid.UUID
	c.revoked, id = c.token(here, 365, access.ProgramActions()...)
	c.must(c.h.Accounts.RevokeToken(t.Context(), access.Instance("story").Within(here), id))
	c.request = c.waiting()
	given, err := c.h.Directory.Synchronise(t.Context(), access.System(here, "story"), &directory.Table{Columns: []string{"Clé du serveur", "Nom", "Prénom"}}, "Intérim", "Programme", directory.Handling{Auto: true})
	c.must(err)
	c.list = given.ID.String()
	draft := fmt.Sprintf(`{"scenario":%q,"mode":"test","ordered_by":"Dr Ordre","values":{"lieu":"gare"}}`, c.id("/scenarios/", "id"))
	c.bodies = map[string]string{
		"previewAlert": draft, "launchAlert": draft,
		"givePeople":    `{"source":"Paie","columns":["Clé du serveur","Nom","Prénom"],"lines":[["p1","GARANCE","Lou"]],"partial":true}`,
		"progressAlert": `{"text":{"fr":"Le point à 4 h"}}`,
		"stopWave":      ``,
		"arrivals":      fmt.Sprintf(`{"arrivals":[{"recipient":%q,"arrived":true}]}`, c.id("/alertes/", "personne")),
		"endAlert":      `{}`,
		"killAlert":     `{"why":"essai"}`,
		"liftBudget":    `{"why":"essai"}`,
	}
	return c
}

// waiting is a launch above the number of people one person may wake.
func (c *counter) waiting() string {
	ctx, system := c.t.Context(), access.System(c.h.scope.Organisation(), "story")
	rules, err := c.h.Alerting.Governance(ctx, system)
	c.must(err)
	rules.SecondAbove = 1
	c.must(c.h.Alerting.SetGovernance(ctx, system, c.h.now(), rules))
	c.h.agent("Zéphyrine", "iade")
	scenario, err := uuid.Parse(c.id("/scenarios/", "id"))
	c.must(err)
	l, _, err := c.h.Alerting.Launch(ctx, c.h.scope, c.h.now(), alerting.Draft{Scenario: scenario, Mode: alerting.Exercise, Values: map[string]string{"lieu": "gare"}, OrderedBy: "Dr Ordre", IdempotencyKey: uuid.NewString()})
	c.must(err)
	if l.State != alerting.Awaiting {
		c.t.Fatalf("the launch for %d people is %s", l.People, l.State)
	}
	rules.SecondAbove = 0
	c.must(c.h.Alerting.SetGovernance(ctx, system, c.h.now(), rules))
	return l.ID.String()
}

// id is one of the ids the walk knows.
func (c *counter) id(under, name string) string {
	for _, id := range c.ids {
		if id.under == under && id.name == name {
			return id.value
		}
	}
	c.t.Fatalf("the walk knows no %s of %s", name, under)
	return ""
}

func (c *counter) token(establishment uuid.UUID, days int, actions ...access.Action) (string, uuid.UUID) {
	c.t.Helper()
	t, key, err := c.h.Accounts.CreateToken(c.t.Context(), access.Instance("story").Within(establishment), identity.TokenRequest{
		Name: "Programme Réglisse", Actions: actions, Days: days,
	})
	c.must(err)
	return key, t.ID
}

// body is what is sent to an operation; nothing to one that reads.
func (c *counter) body(op rest.Operation) string {
	if op.Method == http.MethodGet {
		return ""
	}
	body, known := c.bodies[op.ID]
	if !known {
		c.t.Fatalf("the walk does not know what to send to %s", op.ID)
	}
	return body
}

// address is that of an operation, with the ids of this establishment.
func (c *counter) address(op rest.Operation) string {
	things := map[string][2]string{
		"/people/": {"/annuaire/", "id"}, "/inventory/": {"/inventaire/elements/", "id"}, "/scenarios/": {"/scenarios/", "id"}, "/alerts/": {"/alertes/", "id"},
	}
	path := op.Address()
	if strings.HasPrefix(op.Path, "/requests/") {
		path = strings.ReplaceAll(path, "{id}", c.request)
	}
	if strings.HasPrefix(op.Path, "/people/lists/") {
		path = strings.ReplaceAll(path, "{id}", c.list)
	}
	for prefix, id := range things {
		if strings.HasPrefix(op.Path, prefix) {
			path = strings.ReplaceAll(path, "{id}", c.id(id[0], id[1]))
		}
	}
	path = strings.ReplaceAll(path, "{wave}", "1")
	if strings.Contains(path, "{") {
		c.t.Fatalf("the walk does not know what to put in %s", path)
	}
	return path
}

func (c *counter) send(op rest.Operation, token, body string) *httptest.ResponseRecorder {
	c.t.Helper()
	c.h.clock.Advance(2 * time.Second) // at the pace a program may ask, and be wrong
	r := httptest.NewRequestWithContext(c.t.Context(), op.Method, c.address(op), strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if op.Method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", uuid.NewString())
	}
	w := httptest.NewRecorder()
	c.h.router.ServeHTTP(connection{w}, r)
	return w
}

// withoutTheRight has every right but one.
func (c *counter) withoutTheRight(op rest.Operation) {
	c.t.Helper()
	if op.Need == rest.Token {
		return
	}
	if !slices.Contains(access.ProgramActions(), op.Need) {
		c.t.Errorf("%s needs %s, which no token can be given", op.ID, op.Need)
		return
	}
	others := slices.DeleteFunc(access.ProgramActions(), func(a access.Action) bool { return a == op.Need })
	key, id := c.token(c.h.scope.Organisation(), 365, others...)
	a := c.send(op, key, c.body(op))
	if a.Code != http.StatusForbidden {
		c.t.Errorf("%s without %s: %d %s", op.ID, op.Need, a.Code, a.Body)
	}
	c.says(op, a)
	c.must(c.h.Accounts.RevokeToken(c.t.Context(), access.Instance("story").Within(c.h.scope.Organisation()), id))
}

// fromElsewhere knows every id of this establishment.
func (c *counter) fromElsewhere(op rest.Operation) {
	c.t.Helper()
	a := c.send(op, c.foreign, c.body(op))
	theirs := strings.Contains(op.Path, "{") || strings.Contains(c.body(op), `"`+c.id("/scenarios/", "id")+`"`)
	if theirs && a.Code != http.StatusNotFound || a.Code >= 500 {
		c.t.Errorf("%s from another establishment: %d %s", op.ID, a.Code, a.Body)
	}
	c.says(op, a)
}

// says checks that an answer names nothing of this establishment.
func (c *counter) says(op rest.Operation, a *httptest.ResponseRecorder) {
	c.t.Helper()
	for _, name := range c.names {
		if strings.Contains(a.Body.String(), name) {
			c.t.Errorf("%s says %q to who may not read it", op.ID, name)
		}
	}
}

// hostile sends what no program sends: it is refused in words, and changes nothing.
func (c *counter) hostile(op rest.Operation) {
	c.t.Helper()
	if op.Method == http.MethodGet {
		c.foreignPage(op)
		return
	}
	before := c.journal()
	for name, body := range map[string]string{
		"huge": `{"why":"` + strings.Repeat("x", 5<<20) + `"}`, "deep": strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000),
		"list": `[]`, "number": `42`, "null": `null`, "cut": `{"why":`, "unknown": `{"nothing":1}`, "bytes": "\xff\xfe{}",
	} {
		if c.body(op) == "" {
			continue // nothing of it is read
		}
		a := c.send(op, c.whole, body)
		var problem struct{ Type, Detail string }
		if err := json.Unmarshal(a.Body.Bytes(), &problem); err != nil || a.Code < 400 || a.Code >= 500 || problem.Detail == "" {
			c.t.Errorf("%s with a %s body: %d %.200s", op.ID, name, a.Code, a.Body)
		}
	}
	if n := c.journal() - before; n > 1 { // the first use of an operation is a line
		c.t.Errorf("%s: bodies that cannot be read wrote %d lines in the journal", op.ID, n)
	}
}

// foreignPage goes on with a list from a place that no page of ours gave: read as
// the beginning, a program would go round for ever.
func (c *counter) foreignPage(op rest.Operation) {
	c.t.Helper()
	for _, after := range []string{"zzz", "QQ", "bm9ib2R5Cm5vdGhpbmc"} { // no base64, a letter, and « nobody, nothing »
		there := op
		there.Path += "?after=" + after
		if a := c.send(there, c.whole, ""); a.Code != http.StatusUnprocessableEntity {
			c.t.Errorf("%s after %s: %d %.200s", op.ID, after, a.Code, a.Body)
		}
	}
}

// TestAProgramLeadsAnAlert launches, follows and ends an alert with a token, and
// a retry under the same key is the same alert.
func TestAProgramLeadsAnAlert(t *testing.T) {
	t.Parallel()
	c := newCounter(t, "")
	ops := map[string]rest.Operation{}
	for _, op := range c.h.Desk.Operations() {
		ops[op.ID] = op
	}
	ask := func(id, body string, header ...string) (int, map[string]any) {
		op := ops[id]
		c.h.clock.Advance(2 * time.Second)
		r := httptest.NewRequestWithContext(t.Context(), op.Method, c.address(op), strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+c.whole)
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		c.h.router.ServeHTTP(connection{w}, r)
		out := map[string]any{}
		if w.Body.Len() > 0 {
			if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
				t.Fatalf("%s: %d %s", id, w.Code, w.Body)
			}
		}
		out["ETag"] = w.Header().Get("ETag")
		return w.Code, out
	}
	c.h.sleep(5 * time.Minute) // the alert of the walk is no twin any more
	first, launched := ask("launchAlert", c.bodies["launchAlert"], "Idempotency-Key", "nuit-0001")
	again, same := ask("launchAlert", c.bodies["launchAlert"], "Idempotency-Key", "nuit-0001")
	if first != http.StatusCreated || again != first || launched["id"] != same["id"] || launched["state"] != "running" {
		t.Fatalf("%d %v, %d %v", first, launched, again, same)
	}
	if code, refused := ask("launchAlert", c.bodies["launchAlert"]); code != 422 || refused["type"] != "urn:tocsin:problem:rest.key.required" {
		t.Errorf("without a key: %d %v", code, refused)
	}
	for i, id := range c.ids {
		if id.under == "/alertes/" && id.name == "id" {
			c.ids[i].value = fmt.Sprint(launched["id"])
		}
	}
	c.h.settle()
	code, board := ask("alert", "")
	figures, _ := board["figures"].(map[string]any)
	if code != 200 || board["state"] != "running" || fmt.Sprint(figures["people"]) != "4" {
		t.Errorf("board: %d %v", code, board)
	}
	if code, people := ask("alertPeople", ""); code != 200 || !strings.Contains(fmt.Sprint(people["items"]), "Zéphyrin") || strings.Contains(fmt.Sprint(people), "+336") {
		t.Errorf("people: %d %v", code, people)
	}
	if code, held := ask("onCall", ""); code != 200 || !strings.Contains(fmt.Sprint(held["items"]), "Garde Myosotis") || !strings.Contains(fmt.Sprint(held["items"]), "Zéphyrin") || strings.Contains(fmt.Sprint(held), "+336") {
		t.Errorf("on call: %d %v", code, held)
	}
	if code, _ := ask("endAlert", `{}`, "Idempotency-Key", "nuit-0002"); code != http.StatusNoContent {
		t.Errorf("end: %d", code)
	}
	if _, board = ask("alert", ""); board["state"] != "ended" {
		t.Errorf("after the end: %v", board["state"])
	}
	code, sc := ask("scenario", "")
	tag := fmt.Sprint(sc["ETag"])
	if code != 200 || tag == "" {
		t.Errorf("scenario: %d, tag %q", code, tag)
	}
	if code, _ := ask("scenario", "", "If-None-Match", tag); code != http.StatusNotModified {
		t.Errorf("the same again: %d", code)
	}
	if got := slices.Sorted(maps.Keys(ops)); len(got) < 20 {
		t.Errorf("operations: %v", got)
	}
}
