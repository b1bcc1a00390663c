package pages_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/html"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/ui/uitest"
)

// typed are the fields of the editor as a browser would post them, without a button.
func typed(p *uitest.Page) []string {
	var out []string
	put := func(n *html.Node, value string) { out = append(out, uitest.Attribute(n, "name"), value) }
	for _, n := range p.Find(".scenario-form input[name]") {
		kind := uitest.Attribute(n, "type")
		if checked := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "checked" }); kind != "checkbox" && kind != "radio" || checked {
			put(n, uitest.Attribute(n, "value"))
		}
	}
	for _, n := range p.Find(".scenario-form textarea") {
		value := ""
		if n.FirstChild != nil {
			value = n.FirstChild.Data
		}
		put(n, strings.ReplaceAll(value, "\n", "\r\n"))
	}
	for _, n := range p.Find(".scenario-form option[selected]") {
		for parent := n.Parent; parent != nil; parent = parent.Parent {
			if parent.Data == "select" {
				put(parent, uitest.Attribute(n, "value"))
				break
			}
		}
	}
	return out
}

// with changes one posted field; absent, it is added.
func with(fields []string, pairs ...string) []string {
	out := slices.Clone(fields)
	for i := 0; i+1 < len(pairs); i += 2 {
		found := false
		for j := 0; j+1 < len(out); j += 2 {
			if out[j] == pairs[i] {
				out[j+1], found = pairs[i+1], true
			}
		}
		if !found {
			out = append(out, pairs[i], pairs[i+1])
		}
	}
	return out
}

func (h *hospital) definition(sc alerting.Scenario) (alerting.Scenario, alerting.Definition) {
	h.t.Helper()
	got, def, err := h.Scenario(h.t.Context(), h.scope(access.Administrator), sc.ID)
	must(h.t, err)
	return got, def
}

// TestEverySectionKeepsWhatItShows posts each section untouched, for every
// scenario of the library: no version is made, so nothing is lost on the way.
func TestEverySectionKeepsWhatItShows(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	r := h.author(access.Administrator)
	models, err := h.Library(t.Context(), h.scope(access.Administrator))
	must(t, err)
	for _, model := range models {
		sc, err := h.CopyFromLibrary(t.Context(), h.scope(access.Administrator), h.clock.Now(), model.Family)
		must(t, err)
		for _, under := range []string{"presentation", "textes", "textes?texte=end", "questions", "reponses", "public", "vagues", "effectifs", "autorite", "limites", "publication"} {
			at := scenarioURL(sc, "/modifier/"+under)
			uitest.Post(t, r, at, with(typed(page(t, r, at)), "action", "enregistrer")).Want(http.StatusSeeOther)
			if now, _ := h.definition(sc); now.Version != 1 {
				t.Fatalf("%s: saving %s untouched made version %d", model.Family, under, now.Version)
			}
		}
	}
}

func TestSMSIsCountedByTheServerAndSpelledPlainly(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	sc := h.scenario(recall())
	r := h.author(access.Administrator)
	at := scenarioURL(sc, "/modifier/textes?texte=alert")
	fields := with(typed(page(t, r, at).Lacks(".plain-offer")), "messages.alert.sms.fr", "Prêt ? {lieu}, ça presse")
	checked := uitest.Post(t, r, at, with(fields, "action", "verifier")).Want(http.StatusOK).Whole()
	checked.Says("#lu-sms-fr", "Prêt ? [Où ?], ça presse").Says(".preview-sms .hint", "ê").Says("#lu-sms-fr", "(CIGOGNE)").Says(".preview-sms .hint", "34").Says(".message", "pas encore enregistré")
	if now, _ := h.definition(sc); now.Version != 1 {
		t.Fatalf("checking made version %d", now.Version)
	}
	plain := uitest.Post(t, r, at, with(fields, "action", "simple.messages.alert.sms.fr")).Want(http.StatusOK).Whole()
	if got := uitest.Text(plain.Find(`[name="messages.alert.sms.fr"]`)[0]); got != "Pret ? {lieu}, ca presse" {
		t.Errorf("plain spelling: %q", got)
	}
	uitest.Post(t, r, at, with(typed(plain), "action", "enregistrer")).Leads(at)
	now, def := h.definition(sc)
	i := slices.IndexFunc(def.Messages, func(m alerting.Text) bool {
		return m.Use == alerting.UseAlert && m.Medium == channels.SMS && m.Language == "fr"
	})
	if now.Version != 2 || def.Messages[i].Body != "Pret ? {lieu}, ca presse" || len(def.Messages) != len(recall().Messages) {
		t.Errorf("version %d, %d texts, %q", now.Version, len(def.Messages), def.Messages[i].Body)
	}
}

func TestFaultsLeadToTheirField(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	sc := h.scenario(recall(func(d *alerting.Definition) {
		d.Messages[0].Body = "{inconnu}"
		d.Limits.PerPerson = 0
		d.Waves[1].Media = nil
	}))
	r := h.author(access.Administrator)
	read := page(t, r, scenarioURL(sc, ""))
	read.Says(".summary", "défauts")
	for _, link := range []string{"/modifier/textes?texte=alert#f-messages.alert.sms.fr", "/modifier/limites#f-limits.per_person", "/modifier/vagues#f-waves.1.media"} {
		read.Has(`.summary a[href="` + scenarioURL(sc, link) + `"]`)
		under, id, _ := strings.Cut(link, "#")
		page(t, r, scenarioURL(sc, under)).Has(`[id="` + id + `"]`).Has(".field.wrong")
	}
	uitest.Get(t, r, scenarioURL(sc, "/modifier/ailleurs")).Want(http.StatusNotFound)
}

func TestWavesAreAddedMovedAndDropped(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	sc := h.scenario(recall())
	r := h.author(access.Administrator)
	at := scenarioURL(sc, "/modifier/vagues")
	first := page(t, r, at).Count(".row-card", 2).Says(".rule-count", "1 personne")
	added := uitest.Post(t, r, at, with(typed(first), "action", "ajouter")).Want(http.StatusOK).Whole().Count(".row-card", 3)
	named := with(typed(added), "waves.2.name.fr", "Dernière", "waves.2.after", "45", "waves.2.when", "always", "waves.2.media", "email")
	opened := uitest.Post(t, r, at, with(named, "action", "qui.waves.2.who")).Want(http.StatusOK).Whole()
	opened.Has(`input[type=checkbox][name="waves.2.who.metiers"][value=ide]`).Value(`[name="waves.2.name.fr"]`, "value", "Dernière")
	moved := uitest.Post(t, r, at, append(typed(opened), "waves.2.who.metiers", "ide", "action", "monter.2")).Want(http.StatusOK).Whole()
	moved.Value(`[name="waves.1.name.fr"]`, "value", "Dernière").Value(`[name="waves.1.who.metiers"]`, "value", "ide")
	dropped := uitest.Post(t, r, at, with(typed(moved), "action", "retirer.2")).Want(http.StatusOK).Whole().Count(".row-card", 2)
	uitest.Post(t, r, at, with(typed(dropped), "action", "enregistrer")).Leads(at)
	now, def := h.definition(sc)
	if now.Version != 2 || len(def.Waves) != 2 || def.Waves[0].Name["fr"] != "Anesthésie" || !slices.Equal(def.Waves[0].Who.Metiers, []string{"iade"}) ||
		def.Waves[1].Name["fr"] != "Dernière" || !slices.Equal(def.Waves[1].Who.Metiers, []string{"ide"}) || !slices.Equal(def.Waves[1].Media, []channels.Medium{channels.Email}) {
		t.Errorf("version %d: %+v", now.Version, def.Waves)
	}
}

func TestTypedIsKeptAndConflictSaid(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	sc := h.scenario(recall())
	r := h.author(access.Administrator)
	at := scenarioURL(sc, "/modifier/limites")
	mine := typed(page(t, r, at))
	wrong := uitest.Post(t, r, at, with(mine, "limits.per_person", "beaucoup", "action", "enregistrer")).Want(http.StatusUnprocessableEntity).Whole()
	wrong.Value(`[name="limits.per_person"]`, "value", "beaucoup").Has(`.summary a[href="#f-limits.per_person"]`)
	uitest.Post(t, r, at, with(mine, "limits.per_person", "7", "action", "enregistrer")).Leads(at)
	late := uitest.Post(t, r, at, with(mine, "limits.per_person", "9", "action", "enregistrer")).Want(http.StatusConflict).Whole()
	late.Says(".summary", "version 2").Value(`[name="limits.per_person"]`, "value", "9")
	if _, def := h.definition(sc); def.Limits.PerPerson != 7 {
		t.Errorf("the late save won: %d", def.Limits.PerPerson)
	}
}

func TestAudienceCountsPeople(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	sc := h.scenario(recall())
	r := h.author(access.Administrator)
	at := scenarioURL(sc, "/modifier/public")
	p := page(t, r, at).Says(".rule-count", "2 personnes")
	some := uitest.Post(t, r, at, append(typed(p), "audience.include.metiers", "ide", "audience.exclude.services", h.bloc.ID.String(), "audience.mass", "oui", "action", "verifier")).Want(http.StatusOK).Whole()
	some.Says(".rule-count", "1 personne").Has(`[name="audience.include.metiers"][value=ide][checked]`)
	some.Says(".audience-count", "1 personne")
	uitest.Post(t, r, at, with(typed(some), "action", "enregistrer")).Leads(at)
	if _, def := h.definition(sc); !slices.Equal(def.Audience.Include.Metiers, []string{"ide"}) || len(def.Audience.Exclude.Services) != 1 || !def.Audience.Mass {
		t.Errorf("%+v", def.Audience)
	}
}

func TestNewScenarioFromBlank(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	r := h.author(access.Administrator)
	uitest.Post(t, r, "/scenarios/nouveau", []string{"family", "autre", "profile", "rappel"}).Want(http.StatusUnprocessableEntity).Whole().Says(".summary", "Titre")
	made := uitest.Post(t, r, "/scenarios/nouveau", []string{"title.fr", "Crue", "title.en", "Flood", "family", "autre", "profile", "rappel"})
	own, err := h.Scenarios(t.Context(), h.scope(access.Administrator), alerting.ScenarioFilter{})
	if err != nil || len(own) != 1 {
		t.Fatalf("%+v %v", own, err)
	}
	made.Leads(scenarioURL(own[0], "/modifier/textes"))
	_, def := h.definition(own[0])
	if len(def.Answers) != 4 || len(def.Waves) != 1 || def.Limits.Validity == 0 {
		t.Errorf("%+v", def)
	}
	page(t, r, scenarioURL(own[0], "/modifier")).Has(".disclosure").Says(".disclosure", "Il manque le texte « Alerte » en SMS")
	uitest.Get(t, h.author(access.Reader), "/scenarios/nouveau").Want(http.StatusForbidden)
}

// watch is an on-call desk with one function.
type watch struct{ id uuid.UUID }

func (w watch) Called(context.Context, *storage.Tx, access.Scope, []uuid.UUID, []int, time.Time) (people, groups []uuid.UUID, err error) {
	return nil, nil, nil
}

func (w watch) Names(context.Context, access.Scope) ([]directory.OnCallName, error) {
	return []directory.OnCallName{{ID: w.id, Name: "Cadre de garde"}}, nil
}

// TestAScenarioIsAddressedToAnOnCallFunction: the editor offers functions and
// levels, keeps what is ticked, and the scenario says it in words.
func TestAScenarioIsAddressedToAnOnCallFunction(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	w := watch{uuid.New()}
	h.dir.Consult(w)
	h.agent("Durand", "iade")
	r := h.author(access.Administrator)
	sc, err := h.CopyFromLibrary(t.Context(), h.scope(access.Administrator), h.clock.Now(), "plan_blanc")
	must(t, err)
	at := scenarioURL(sc, "/modifier/public")
	editor := page(t, r, at).Says("main", "Cadre de garde").Says("main", "Niveau 1 : qui tient la fonction")
	fields := append(typed(editor), "audience.include.on_call", w.id.String(), "audience.include.on_call_levels", "1", "audience.include.on_call_levels", "2", "action", "enregistrer")
	uitest.Post(t, r, at, fields).Want(http.StatusSeeOther)
	_, def := h.definition(sc)
	if rule := def.Audience.Include; !slices.Equal(rule.OnCall, []uuid.UUID{w.id}) || !slices.Equal(rule.OnCallLevels, []int{1, 2}) {
		t.Errorf("%+v", rule)
	}
	page(t, r, scenarioURL(sc, "")).Says("main", "Cadre de garde").Says("main", "Niveau 2")
	page(t, r, at).Has("input[name='audience.include.on_call'][checked]")
	bad := append(typed(page(t, r, at)), "audience.include.on_call_levels", "9", "action", "enregistrer")
	uitest.Post(t, r, at, bad)
	if _, def := h.definition(sc); !slices.ContainsFunc(def.Check(), func(err error) bool {
		return fault.As(err) != nil && fault.As(err).Key == "alerting.check.on_call_level"
	}) {
		t.Error("a level that no chain has is not told")
	}
}
