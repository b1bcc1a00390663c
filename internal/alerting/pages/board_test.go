package pages_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

func TestBoardWithoutScript(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	l := h.started()
	h.clock.Advance(4 * time.Minute)
	must(t, h.ManualCall(t.Context(), h.scope(access.CrisisCell), h.clock.Now(), l.ID, h.recipient(l, "Durand").ID, alerting.Coming, 30, "jointe au fixe"))
	r := h.as(access.CrisisCell)

	p := page(t, r, path(l, ""))
	p.Says(".mode-band", "EXERCICE").Says(".heading", "Ordonnée par Dr Ordre, déclenchée par Camille Martin")
	p.Says(".meter-label", "Infirmier anesthésiste").Says(".quota-words", "0 sur place, 1 en route, 0 manquent")
	p.Says("main", "Prochaine vague dans").Has("[data-countdown]").Has("[data-elapsed]").Has("svg.chart title").Says(".curve ~ details summary, details summary", "Les chiffres de la courbe")
	p.Says("#personnes tbody tr", "Durand Camille").Says("#personnes tbody tr", "Vient (30 min) vers 03:34").Says("#personnes .attempts", "SMS en attente 03:00").Says("#personnes tbody tr", "En attente de sa vague")
	p.Says("noscript", "Actualiser").Value("[sse-connect]", "sse-connect", path(l, "/flux")).Has("[sse-swap=suivi]")
	if p.Header.Get("Refresh") != "" {
		t.Error("the page reads itself again although nobody asked")
	}
	if got := uitest.Get(t, r, path(l, "?actualiser=1")).Header.Get("Refresh"); got != "15" {
		t.Errorf("Refresh %q, want 15", got)
	}
	page(t, r, path(l, "?texte=petit")).Count("#personnes tbody tr", 1).Says("#personnes tbody tr", "Petit")
	page(t, r, path(l, "?reponse=coming")).Count("#personnes tbody tr", 1)
	page(t, r, path(l, "?etat=arrived")).Says("#personnes .empty-row", "Personne ne correspond")
	page(t, r, path(l, "?service="+h.bloc.ID.String())).Says("#personnes .empty-row", "Personne ne correspond")
	page(t, r, path(l, "?service=x&etat=y&apres=z&vague=-1")).Count("#personnes tbody tr", 2)
	page(t, r, path(l, "/mur")).Has("body.wall").Says(".stat-value", "1").Value("[sse-connect]", "sse-connect", path(l, "/flux?vue=mur"))
}

func TestPeopleTableAlone(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	l := h.started()
	r := h.as(access.CrisisCell)
	uitest.Get(t, r, path(l, "/personnes?texte=durand"), uitest.With("HX-Request", "true")).Want(http.StatusOK).Lacks("h1").Count("tbody tr", 1)
	uitest.Get(t, r, path(l, "/personnes?texte=durand")).Leads(path(l, "?texte=durand#personnes"))
}

func TestPeopleAreTurnedPageByPage(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	for _, last := range strings.Fields(manyNames()) {
		h.agent(last, "iade")
	}
	l := h.started()
	r := h.as(access.CrisisCell)
	first := page(t, r, path(l, "")).Count("#personnes tbody tr", 50)
	next := uitest.Attribute(first.Find("a[rel=next]")[0], "href")
	second := page(t, r, strings.TrimSuffix(next, "#personnes")).Count("#personnes tbody tr", 2).Lacks("a[rel=next]").Says(".pager a", "Première page")
	if a, b := uitest.Text(first.Find("#personnes tbody th")[49]), uitest.Text(second.Find("#personnes tbody th")[0]); a >= b {
		t.Errorf("page two begins with %q after %q", b, a)
	}
}

// manyNames are 52 names: one page and two people.
func manyNames() string {
	var b strings.Builder
	for i := range 52 {
		b.WriteString(" Nom" + string(rune('a'+i/26)) + string(rune('a'+i%26)))
	}
	return b.String()
}

func TestNobodySeesAnotherEstablishmentsAlert(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	page(t, h.as(access.Reader), path(l, "")) // somebody of the house looks at it
	other := newHospital(t)
	r := h.asVisitor(ui.Visitor{Scope: other.scope(access.Launcher), Name: "Autre", Establishment: ui.Establishment{ID: other.house.ID, Name: "Autre"}})
	for _, under := range []string{"", "/mur", "/flux", "/personnes", "/arrivees", "/message", "/elargir", "/vagues", "/reponses", "/fin", "/arret"} {
		uitest.Get(t, r, path(l, under)).Want(http.StatusNotFound).Lacks(".stat")
	}
	page(t, r, "/alertes").Has(".empty")
}

// events reads n events of a stream.
func events(t *testing.T, body *bufio.Scanner, n int) []string {
	t.Helper()
	var out []string
	var b strings.Builder
	for len(out) < n && body.Scan() {
		line := body.Text()
		if line == "" {
			if strings.Contains(b.String(), "event: ") {
				out = append(out, b.String())
			}
			b.Reset()
		}
		b.WriteString(line + "\n")
	}
	if len(out) < n {
		t.Errorf("%d events, want %d: %v", len(out), n, body.Err())
	}
	return append(out, make([]string, n-len(out))...)
}

func TestStreamTellsWhatMoved(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	server := httptest.NewServer(h.as(access.Reader))
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+path(l, "/flux"), nil)
	must(t, err)
	answer, err := server.Client().Do(request)
	must(t, err)
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		t.Fatalf("a stream of %q", kind)
	}
	body := bufio.NewScanner(answer.Body)
	first := events(t, body, 1)[0]
	if !strings.Contains(first, "event: suivi") || !strings.Contains(first, "hx-swap-oob") || strings.Contains(first, "<h1") {
		t.Fatalf("first event: %s", first)
	}
	must(t, h.Arrive(t.Context(), h.scope(access.CrisisCell), h.clock.Now(), l.ID, h.recipient(l, "Durand").ID, true))
	moved := make(chan string, 1)
	go func() { moved <- events(t, body, 1)[0] }()
	second := ""
	storagetest.Eventually(t, 10*time.Second, "the event of the arrival", func() bool {
		h.clock.Advance(100 * time.Millisecond) // the board reads at most once a second of its clock
		select {
		case second = <-moved:
			return true
		default:
			return false
		}
	})
	if !strings.Contains(second, "1 sur place, 0 en route") || !strings.Contains(second, `id="conduire"`) {
		t.Errorf("second event: %s", second)
	}
}

func TestListAndBanner(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	r := h.as(access.Reader)
	page(t, r, "/alertes").Has(".empty").Lacks(".banner").Lacks("main a[href='/alertes/declencher']")
	l := h.started()
	page(t, r, "/alertes").Says(".card-link", "Plan blanc").Says(".banner-mark", "EXERCICE").Value(".banner-link", "href", path(l, "")).Lacks("main table")
	must(t, h.Kill(t.Context(), h.scope(access.Launcher), h.clock.Now(), l.ID, "erreur"))
	page(t, r, "/alertes").Says("tbody tr", "Arrêtée d’urgence").Lacks(".banner").Lacks(".card-link")
	page(t, r, path(l, "")).Says(".message", "arrêtée d’urgence").Lacks(".act-bar").Lacks("[data-elapsed]")
	page(t, r, "/recherche?q=plan").Says(".hits", "Scénario").Says(".hits", "Alerte").Value(".hits a", "href", "/scenarios/"+l.Scenario.String())
	page(t, h.as(access.Launcher), "/recherche?q=plan").Value(".hits a", "href", "/alertes/declencher/scenario/"+l.Scenario.String())
	none := h.asVisitor(ui.Visitor{Scope: h.scope(), Name: "Sans rôle", Establishment: ui.Establishment{ID: h.house.ID, Name: h.house.Name}})
	uitest.Get(t, none, "/alertes").Want(http.StatusForbidden).Lacks(".banner")
}

// TestWhatStandsBesideTheAlerts: another room may say something on the list and on the follow-up.
func TestWhatStandsBesideTheAlerts(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.beside = func(*ui.Context) (templ.Component, error) {
		return templ.Raw(`<section id="de-garde">Dr Martin</section>`), nil
	}
	l, r := h.started(), h.as(access.Launcher)
	page(t, r, "/alertes").Says("#de-garde", "Dr Martin")
	page(t, r, path(l, "")).Says("#de-garde", "Dr Martin")
	h.beside = func(*ui.Context) (templ.Component, error) { return nil, nil }
	page(t, h.as(access.Launcher), "/alertes").Lacks("#de-garde")
}
