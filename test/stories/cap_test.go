package stories_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/fault"
	"tocsin/internal/wire/cap"
)

// published makes a scenario tell the outside of its alerts.
func published(d *alerting.Definition) {
	d.Publication = &alerting.Publication{
		On: true, Category: "Health", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed", Area: "CHU de Valbrume", INSEE: "59350",
		Text: alerting.Localized{"fr": "Afflux de blessés aux urgences.", "en": "Many injured at the emergency department."},
	}
}

// read asks for a page as a program does.
func (h *hospital) read(path string) *httptest.ResponseRecorder {
	h.t.Helper()
	w := httptest.NewRecorder()
	h.router.ServeHTTP(connection{w}, httptest.NewRequestWithContext(h.t.Context(), http.MethodGet, path, nil))
	return w
}

// conforms asks the schema of OASIS.
func conforms(t *testing.T, body []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "alert.xml")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "xmllint", "--nonet", "--noout", "--schema", "../../internal/wire/cap/testdata/CAP-v1.2.xsd", path).CombinedOutput(); err != nil {
		t.Errorf("%s\n%s", out, body)
	}
}

// messages reads a feed to the end, the oldest first.
func (h *hospital) capMessages(code string) (out []cap.Alert) {
	h.t.Helper()
	feed := h.read("/cap/" + code)
	if feed.Code != http.StatusOK || !strings.HasPrefix(feed.Header().Get("Content-Type"), "application/atom+xml") {
		h.t.Fatalf("the feed: %d %s", feed.Code, feed.Header())
	}
	links, _, err := cap.Links(feed.Body.Bytes())
	if err != nil {
		h.t.Fatal(err)
	}
	for _, link := range slices.Backward(links) {
		_, path, _ := strings.Cut(strings.TrimPrefix(link, "https://"), "/")
		file := h.read("/" + path)
		if file.Code != http.StatusOK || !strings.HasPrefix(file.Header().Get("Content-Type"), "application/cap+xml") {
			h.t.Fatalf("%s: %d %s", link, file.Code, file.Header())
		}
		conforms(h.t, file.Body.Bytes())
		a, err := cap.Parse(file.Body.Bytes())
		if err != nil {
			h.t.Fatal(err)
		}
		for _, secret := range []string{"Zéphyrin", "Mme Garde", "Dr Ordre", "salle", "vient"} {
			if strings.Contains(file.Body.String(), secret) {
				h.t.Errorf("the file says %q:\n%s", secret, file.Body)
			}
		}
		out = append(out, a)
	}
	return out
}

// Who was given the address reads what the scenario publishes, from the launch to
// the end, and nothing that names anybody; who was not reads nothing.
func TestAlertsArePublished(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Zéphyrin", "iade")
		reader, code, err := h.Hooks.OpenReader(t.Context(), h.admin(), h.now(), "SAMU zonal")
		if err != nil {
			t.Fatal(err)
		}
		l := h.launch(recall(needs(1, ""), published, func(d *alerting.Definition) { d.Title["fr"] = "Afflux Mirabelle" }))
		if err := h.Alerting.Progress(t.Context(), h.scope, h.now(), l.ID, alerting.ToAll, alerting.Localized{"fr": "M. Zéphyrin vient, appelez le 0612345678"}); err != nil {
			t.Fatal(err)
		}
		h.sms.answer(mobile(agent), "1 15")
		h.pass(20 * time.Second)
		h.clock.Advance(5*time.Hour + time.Minute)
		for range 2 { // the second time there is nothing to say again
			if _, err := h.Hooks.Renew(t.Context(), h.now()); err != nil {
				t.Fatal(err)
			}
		}
		h.end(l)
		if _, err := h.Hooks.Renew(t.Context(), h.now().Add(48*time.Hour)); err != nil {
			t.Fatal(err)
		}
		h.end(h.launch(recall())) // its scenario publishes nothing
		all := h.capMessages(code)
		var kinds []string
		for i, a := range all {
			kinds = append(kinds, a.Kind)
			if i > 0 && a.References[0].String() != all[i-1].Name().String() {
				t.Errorf("%s refers to %s, not to %s", a.Kind, a.References, all[i-1].Name())
			}
			if a.Status != cap.Actual || a.Infos[0].Areas[0].Geocodes[0].Value != "59350" || a.Sender != h.scope.Organisation().String()+"@"+"tocsin.example" && !strings.Contains(a.Sender, "@") {
				t.Errorf("%+v", a)
			}
		}
		if !slices.Equal(kinds, []string{"Alert", "Update", "Update", "Update", "Cancel"}) {
			t.Errorf("published: %v", kinds)
		}
		if last := all[len(all)-1].In("fr"); last.Headline != "Fin d’alerte : Afflux Mirabelle" || last.Urgency != "Past" || last.Responses[0] != "AllClear" {
			t.Errorf("the end: %+v", last)
		}
		h.shutReader(reader.ID.String(), code)
	})
}

// end ends an alert in the words of its scenario.
func (h *hospital) end(l alerting.Launch) {
	h.t.Helper()
	if err := h.Alerting.End(h.t.Context(), h.scope, h.now(), l.ID, nil); err != nil {
		h.t.Fatal(err)
	}
}

// administrator is somebody who joins programs to that establishment.
func administrator(scope access.Scope) access.Scope {
	return access.For(scope.Organisation(), access.Actor{Kind: access.Person, ID: uuid.New(), Name: "M. Réseau"}, true, access.Administrator)
}

// shutReader checks that neither a wrong nor a closed address shows anything.
func (h *hospital) shutReader(id, code string) {
	h.t.Helper()
	other := h.establishment("Clinique des Aulnes", "other")
	_, theirs, err := h.Hooks.OpenReader(h.t.Context(), administrator(other), h.now(), "SAMU zonal")
	if err != nil {
		h.t.Fatal(err)
	}
	if all := h.capMessages(theirs); len(all) > 0 {
		h.t.Errorf("another establishment publishes %d messages of ours", len(all))
	}
	links, _, err := cap.Links(h.read("/cap/" + code).Body.Bytes())
	if err != nil {
		h.t.Fatal(err)
	}
	ours := links[0][strings.LastIndex(links[0], "/"):]
	list, err := h.Hooks.Readers(h.t.Context(), h.admin())
	if err != nil || len(list) != 1 || list[0].ID.String() != id || list[0].Read.IsZero() {
		h.t.Fatalf("readers: %+v %v", list, err)
	}
	if err := h.Hooks.CloseReader(h.t.Context(), administrator(other), h.now(), list[0].ID); !fault.Is(err, fault.NotFound) {
		h.t.Errorf("closed by another establishment: %v", err)
	}
	if err := h.Hooks.CloseReader(h.t.Context(), h.admin(), h.now(), list[0].ID); err != nil {
		h.t.Fatal(err)
	}
	for _, path := range []string{"/cap/" + code, "/cap/" + code + ours, "/cap/" + theirs + ours, "/cap/devine", "/cap/" + theirs + "/devine.xml"} {
		if w := h.read(path); w.Code != http.StatusNotFound || strings.Contains(w.Body.String(), "Mirabelle") {
			h.t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// An exercise is published as an exercise, a test as a test, in the status and in
// the words.
func TestAnExerciseIsPublishedAsOne(t *testing.T) {
	t.Parallel()
	h := build(t, night(), "")
	h.agent("Zéphyrin", "iade")
	_, code, err := h.Hooks.OpenReader(t.Context(), h.admin(), h.now(), "SAMU zonal")
	if err != nil {
		t.Fatal(err)
	}
	sc := h.scenario(recall(published))
	for _, mode := range []alerting.Mode{alerting.Exercise, alerting.Test} {
		if _, _, err := h.Alerting.Launch(t.Context(), h.scope, h.now(), alerting.Draft{Scenario: sc.ID, Mode: mode, Values: map[string]string{"lieu": "ici"}, IdempotencyKey: "publie-" + string(mode)}); err != nil {
			t.Fatal(err)
		}
		h.clock.Advance(time.Second)
	}
	all := h.capMessages(code)
	if len(all) != 2 || all[0].Status != cap.Exercise || all[1].Status != cap.Test {
		t.Fatalf("published: %+v", all)
	}
	for i, word := range []string{"EXERCICE : ", "TEST : "} {
		if !strings.HasPrefix(all[i].In("fr").Headline, word) {
			t.Errorf("%q does not say %q", all[i].In("fr").Headline, word)
		}
	}
}

// What would be published is whole, and betrays nobody.
func TestWhatMayNotBePublished(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(*alerting.Definition)
		field string
	}{
		"a discreet scenario": {func(d *alerting.Definition) { d.Profile = alerting.Discret }, "publication.on"},
		"a telephone number":  {func(d *alerting.Definition) { d.Publication.Text["fr"] = "Appelez le 06 12 34 56 78" }, "publication.text.fr"},
		"a variable":          {func(d *alerting.Definition) { d.Publication.Instruction = alerting.Localized{"fr": "Voir {lieu}"} }, "publication.instruction.fr"},
		"no text in English":  {func(d *alerting.Definition) { delete(d.Publication.Text, "en") }, "publication.text.en"},
		"a severity of ours":  {func(d *alerting.Definition) { d.Publication.Severity = "grave" }, "publication.severity"},
		"no place":            {func(d *alerting.Definition) { d.Publication.Area = " " }, "publication.area"},
		"a code of no place":  {func(d *alerting.Definition) { d.Publication.INSEE = "Lille" }, "publication.insee"},
	} {
		d := recall(published, c.spoil)
		if !slices.ContainsFunc(d.Check(), func(err error) bool { f := fault.As(err); return f != nil && f.Field == c.field }) {
			t.Errorf("%s is published: %v", name, d.Check())
		}
		d.Publication.On = false
		if slices.ContainsFunc(d.Check(), func(err error) bool {
			f := fault.As(err)
			return f != nil && strings.HasPrefix(f.Field, "publication.")
		}) {
			t.Errorf("%s is refused though nothing is published", name)
		}
	}
}
