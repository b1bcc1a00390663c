package pages_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
	"tocsin/internal/storage"
	"tocsin/internal/ui/uitest"
)

// coming makes somebody say by her link that she comes, and gives her answer page.
func (h *hospital) coming(l alerting.Launch, last string) string {
	h.t.Helper()
	link := "/r/" + h.code(h.recipient(l, last))
	uitest.Post(h.t, h.asVisitor(nobody()), link, []string{"reponse", "coming-30"}).Want(http.StatusSeeOther)
	return link
}

// orderCode is the code of the only order there is.
func (h *hospital) orderCode() (code string) {
	h.t.Helper()
	must(h.t, h.db.Read(h.t.Context(), h.scope(), func(tx *storage.Tx) error {
		_, err := tx.Row(h.t.Context(), `SELECT code FROM alerting_recalls WHERE organisation_id = $1 ORDER BY issued_us DESC`, []any{h.house.ID}, &code)
		return err
	}))
	return code
}

// TestACordonReadsOneWord follows an order from the answer to its withdrawal,
// as the person and as a police officer see it.
func TestACordonReadsOneWord(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade", func(p *directory.Person) { p.Matricule = "00123456" })
	l := h.started()
	r := h.asVisitor(nobody())
	link := h.coming(l, "Durand")
	page(t, r, link).Says("a.yes", "Voir mon ordre de rappel")
	own := page(t, r, link+"/ordre").Says(".mark.exercise", "EXERCICE").Has("svg.qr path").Says("main", "DURAND Camille").Says("main", "…3456").Says("main", "Ce n’est pas une réquisition").Lacks("script").Lacks("[style]")
	code := h.orderCode()
	own.Says(".code", alerting.SpacedCode(code))
	small(t, own)

	check := "/ordre/" + code
	seen := page(t, r, check).Says(".seal.valid.drill h1", "EXERCICE : ORDRE DE RAPPEL VALIDE").Says("main", "DURAND Camille").Says("main", "Dr Ordre").Says("main", "CHU de Valbrume").Says("main", "Comparez le nom")
	seen.Lacks("script").Lacks("form").Lacks("svg.qr")
	small(t, seen)
	if got := seen.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("kept: %q", got)
	}
	if got := seen.Header.Get("X-Robots-Tag"); !strings.Contains(got, "noindex") {
		t.Errorf("indexed: %q", got)
	}
	if strings.Contains(seen.Body, "3363998") || strings.Contains(seen.Body, "00123456") || strings.Contains(seen.Body, "valbrume.example") {
		t.Error("a private number is shown to whoever scans")
	}
	if got := h.recipient(l, "Durand"); len(got.Answers) != 1 || !got.Came.IsZero() {
		t.Errorf("verifying recorded something: %+v", got)
	}
	if text := uitest.Get(t, r, check+"/texte").Want(http.StatusOK).Body; !strings.HasPrefix(text, "ORDRE DE RAPPEL") || strings.Contains(text, "<") {
		t.Errorf("text: %q", text)
	}
	if sign := uitest.Get(t, r, check+"/signature").Want(http.StatusOK).Body; len(sign) != 64 {
		t.Errorf("%d bytes of signature", len(sign))
	}
	page(t, r, "/ordre/cle").Says("main", "CHU de Valbrume").Says("pre", "BEGIN PUBLIC KEY")
	if pdf := uitest.Get(t, r, link+"/ordre.pdf").Want(http.StatusOK).Body; !strings.HasPrefix(pdf, "%PDF-") {
		t.Error("no PDF")
	}

	h.clock.Advance(3 * time.Hour)
	page(t, r, check).Says(".seal.expired h1", "EXPIRÉ").Says("main", "L’ordre valait jusqu’au")
	uitest.Post(t, r, link, []string{"reponse", "unavailable"}).Want(http.StatusSeeOther)
	page(t, r, check).Says(".seal.withdrawn h1", "RETIRÉ").Says("main", "ne vient pas")
	page(t, r, link).Lacks("a.yes")
	h.clock.Advance(time.Minute)
	uitest.Post(t, r, link, []string{"reponse", "coming-15"}).Want(http.StatusSeeOther)
	page(t, r, check).Has(".seal.valid")
	must(t, h.End(t.Context(), h.scope(access.Launcher), h.clock.Now(), l.ID, nil))
	page(t, r, check).Says(".seal.withdrawn h1", "RETIRÉ").Says("main", "terminée")
	page(t, r, link+"/ordre").Has(".seal.withdrawn").Lacks("svg.qr")
}

func small(t *testing.T, p *uitest.Page) {
	t.Helper()
	if n := len(p.Body); n >= 20_000 {
		t.Errorf("the page weighs %d bytes, want less than 20,000", n)
	}
}

// TestInventedCodesOfOrdersSayNothing: the same page whatever is wrong, and an
// address that guesses is shut.
func TestInventedCodesOfOrdersSayNothing(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	h.coming(l, "Durand")
	r := h.asVisitor(nobody())
	first := wrongCode(t, h, r, "/ordre/0123456789ab").Want(http.StatusNotFound).Says(".seal.invalid h1", "NON VALIDE")
	for _, path := range []string{"/ordre/pas-un-code", "/ordre/aaaaaaaaaaaa"} {
		if got := wrongCode(t, h, r, path).Want(http.StatusNotFound); got.Body != first.Body {
			t.Errorf("%s says something else", path)
		}
	}
	if strings.Contains(first.Body, "Valbrume") || strings.Contains(first.Body, "DURAND") {
		t.Error("a wrong code names somebody")
	}
	for range 57 {
		wrongCode(t, h, r, "/ordre/0123456789ab/texte").Want(http.StatusNotFound)
	}
	uitest.Get(t, r, "/ordre/0123456789ab").Want(http.StatusTooManyRequests)
}

// TestWhoDoesNotComeHasNoOrder leads back to the answer page.
func TestWhoDoesNotComeHasNoOrder(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	link := "/r/" + h.code(h.recipient(l, "Durand"))
	r := h.asVisitor(nobody())
	uitest.Get(t, r, link+"/ordre").Leads(link)
	wrongCode(t, h, r, link+"/ordre.pdf").Want(http.StatusNotFound)
	wrongCode(t, h, r, "/r/0123456789ab/ordre").Want(http.StatusNotFound)
	uitest.Post(t, r, link, []string{"reponse", "on_site"}).Want(http.StatusSeeOther)
	page(t, r, link).Lacks("a.yes")
}

// TestTheDoorTicksBothWays comes, goes, and reads the code of an order.
func TestTheDoorTicksBothWays(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	l := h.started()
	h.coming(l, "Durand")
	r := h.as(access.CrisisCell)
	door := path(l, "/arrivees")
	page(t, r, door).Count(".door-list li", 1).Says(".tabs [aria-current]", "Attendues")
	code := alerting.SpacedCode(h.orderCode())
	page(t, r, door+"?q="+code).Count(".door-list li", 1).Says(".door-list", "Durand")
	who := h.recipient(l, "Durand").ID.String()
	uitest.Post(t, r, door, []string{"personne", who, "arrive", "oui"}).Want(http.StatusSeeOther)
	page(t, r, door+"?liste=inside").Says(".door-list .badge", "Vient").Has("button[name=depart][value=oui]").Says(".heading", "1 sur place")
	h.clock.Advance(2 * time.Hour)
	uitest.Post(t, r, door, []string{"personne", who, "depart", "oui", "retour", door + "?liste=left"}).Leads(door + "?liste=left")
	page(t, r, door+"?liste=left").Says(".door-list", "Partie à 05:00").Says(".door-list", "2 h sur place").Has("button[name=depart][value=non]")
	page(t, r, path(l, "")).Says(".stats", "dont 1 repartie")
	must(t, h.End(t.Context(), h.scope(access.Launcher), h.clock.Now(), l.ID, nil))
	page(t, r, path(l, "")).Says(".act-bar", "Pointer les départs")
	page(t, r, door).Says(".tabs [aria-current]", "Sur place").Lacks("button[name=arrive]")
}

// TestServicesAreCalledOneByOne ticks a list, counts by telephone, and shows both.
func TestServicesAreCalledOneByOne(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	durand := h.agent("Durand", "iade")
	h.agent("Petit", "ide", func(p *directory.Person) { p.Service = h.bloc.ID })
	l := h.started()
	r := h.as(access.CrisisCell)
	page(t, r, path(l, "")).Says(".act-bar", "Appel des présents")
	list := page(t, r, path(l, "/appel")).Count("tbody tr", 2).Says("main", "0 services sur 2")
	list.Says("tbody", "Pas encore")
	one := path(l, "/appel/"+h.urgences.ID.String())
	page(t, r, one).Count("input[name=present]", 1).Has("input[name=autres]").Says("main", "Durand Camille")
	uitest.Post(t, r, one, []string{"present", durand.ID.String(), "autres", "4"}).Leads(path(l, "/appel"))
	page(t, r, one).Has("input[name=present][checked]").Value("input[name=autres]", "value", "4")
	uitest.Post(t, r, one, []string{"autres", "beaucoup"}).Want(http.StatusUnprocessableEntity).Whole().Has(".error")
	page(t, r, path(l, "")).Says(".stats", "Déjà sur place").Says(".card", "Compté à part")
	page(t, r, path(l, "/mur")).Says("main", "Déjà sur place")
	uitest.Get(t, h.as(access.Reader), one).Want(http.StatusForbidden)
	uitest.Get(t, r, path(l, "/appel/pas-un-service")).Want(http.StatusNotFound)
}

// TestThePayrollIsForThoseWhoMay takes both files out.
func TestThePayrollIsForThoseWhoMay(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("=Durand", "iade", func(p *directory.Person) { p.Matricule = "M-7" })
	l := h.started()
	h.coming(l, "=Durand")
	for role, want := range map[access.Role]int{access.CrisisCell: http.StatusOK, access.DirectoryManager: http.StatusOK, access.Auditor: http.StatusForbidden, access.Reader: http.StatusForbidden, access.Administrator: http.StatusForbidden} {
		r := h.as(role)
		uitest.Get(t, r, path(l, "/paie.xlsx")).Want(want)
		p := uitest.Get(t, r, path(l, "/paie.csv")).Want(want)
		if want == http.StatusOK && (!strings.Contains(p.Body, "M-7;") || strings.Contains(p.Body, ";=Durand") || !strings.Contains(p.Body, alerting.SpacedCode(h.orderCode()))) {
			t.Errorf("%s: %s", role, p.Body)
		}
		uitest.Get(t, r, path(l, "/personnes/"+h.recipient(l, "=Durand").ID.String()+"/ordre.pdf")).Want(want)
	}
}
