package crash_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/screens"
	screenpages "tocsin/internal/screens/pages"
	"tocsin/internal/storage/storagetest"
)

// A screen is of no node: when the one that answers it is killed in an alert,
// the next one it is led to shows the same alert, to the same screen, and its
// end too.
func TestAScreenFollowsTheFailureOfItsNode(t *testing.T) {
	t.Parallel()
	i := installOn(t, storagetest.PostgresURL(t))
	i.people(1, "Camille")
	scenario := i.shown(i.scenario())
	nodes := i.nodes(3)
	w := &wall{i: i}
	if _, err := i.house.Screens.Pair(t.Context(), i.scope, screens.Wanted{Code: w.code(nodes[0]), Name: "Couloir"}); err != nil {
		t.Fatal(err)
	}
	if status, text := w.ask(nodes[1], "/etat"); status != http.StatusOK || strings.Contains(text, "sign-message") {
		t.Fatalf("paired by one node, another answers %d %s", status, text)
	}
	i.launch(scenario).done()
	launch := i.launched()
	shows := func(n *node) bool {
		status, text := w.ask(n, "/etat")
		return status == http.StatusOK && strings.Contains(text, launch.String())
	}
	for k, n := range nodes {
		if !shows(n) {
			t.Errorf("node %d does not show the alert", k)
		}
	}
	nodes[1].kill()
	for _, n := range []*node{nodes[0], nodes[2]} {
		if !shows(n) {
			t.Error("after the failure of its node the screen shows nothing")
		}
	}
	if err := i.house.Alerting.End(t.Context(), i.scope, now(), launch, nil); err != nil {
		t.Fatal(err)
	}
	for _, n := range []*node{nodes[0], nodes[2]} {
		if shows(n) {
			t.Error("what has ended is still on the screen")
		}
		n.stop()
	}
}

// shown has the screens show the alerts of a scenario.
func (i *installation) shown(scenario string) string {
	i.t.Helper()
	sc, def, err := i.house.Alerting.Scenario(i.t.Context(), i.scope, uuid.MustParse(scenario))
	if err != nil {
		i.t.Fatal(err)
	}
	def.Screens = alerting.Screens{Show: true}
	if _, err := i.house.Alerting.SaveScenario(i.t.Context(), i.scope, now(), sc.ID, sc.Version, def); err != nil {
		i.t.Fatal(err)
	}
	return scenario
}

// wall is a browser on a wall, led to one node or another.
type wall struct {
	i      *installation
	cookie *http.Cookie
}

// ask reads a page of the screen from a node.
func (w *wall) ask(n *node, path string) (status int, text string) {
	w.i.t.Helper()
	r, err := http.NewRequestWithContext(w.i.t.Context(), http.MethodGet, "http://"+n.address+screenpages.WallPath+path, http.NoBody)
	if err != nil {
		w.i.t.Fatal(err)
	}
	if w.cookie != nil {
		r.AddCookie(w.cookie)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	answer, err := client.Do(r)
	if err != nil {
		w.i.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		w.i.t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		w.i.t.Fatal(err)
	}
	for _, c := range answer.Cookies() {
		w.cookie = c
	}
	return answer.StatusCode, string(body)
}

// code is what the screen shows before it is one.
func (w *wall) code(n *node) string {
	w.i.t.Helper()
	_, text := w.ask(n, "")
	_, after, found := strings.Cut(text, `sign-digits">`)
	code, _, whole := strings.Cut(after, "<")
	if !found || !whole {
		w.i.t.Fatalf("the screen shows no code: %s", text)
	}
	return code
}
