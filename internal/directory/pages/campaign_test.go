package pages_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/directory/proof"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// begun starts a campaign of everybody and gives the first link.
func (w *ward) begun(kind proof.Kind) (proof.Campaign, string) {
	w.t.Helper()
	w.clock.Advance(24 * time.Hour) // a Monday
	d := proof.Defaults(kind, w.clock.Now())
	d.Title = "Coordonnées d’automne"
	c, err := w.proof.Create(w.t.Context(), w.scope, d)
	if err != nil {
		w.t.Fatal(err)
	}
	w.tick()
	var code string
	if err := w.db.Read(w.t.Context(), w.scope, func(tx *storage.Tx) error {
		_, err := tx.Row(w.t.Context(), `SELECT code FROM directory_asked WHERE organisation_id = $1 ORDER BY id LIMIT 1`, []any{w.scope.Organisation()}, &code)
		return err
	}); err != nil || code == "" {
		w.t.Fatalf("code %q: %v", code, err)
	}
	return c, "/c/" + code
}

func (w *ward) tick() {
	w.t.Helper()
	for more := true; more; {
		var err error
		if more, err = w.proof.Tick(w.t.Context(), w.clock.Now()); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestACampaignIsPlannedFollowedAndStopped(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	ward := w.service("Site Nord", "Réanimation")
	w.save(directory.Person{LastName: "DURAND", FirstName: "Léa", Service: ward, Contacts: []directory.ContactPoint{contact(directory.Mobile, "+33639980001", true)}})
	w.get("/annuaire/campagnes").Want(http.StatusOK).Whole().Says("main", "Aucune campagne")
	w.get("/annuaire/campagnes/nouvelle?type=test").Want(http.StatusOK).Whole().Says("h1", "Test discret").Value("#f-quota", "value", "200")

	refused := w.post("/annuaire/campagnes/nouvelle", "type", "test", "title", "", "quota", "0", "from", "n’importe", "until", "", "reminders", "x", "remind_after", "1", "every", "0", "hours", "9", "to", "18")
	refused.Want(http.StatusUnprocessableEntity).Whole()
	w.clock.Advance(24 * time.Hour) // a Monday
	made := w.post("/annuaire/campagnes/nouvelle", "type", "test", "title", "Test de juin", "quota", "50", "from", w.clock.Now().Format(time.DateOnly),
		"until", w.clock.Now().AddDate(0, 0, 7).Format(time.DateOnly), "reminders", "1", "remind_after", "3", "every", "0", "hours", "8", "to", "20", "saturdays", "oui").Want(http.StatusSeeOther)
	path := made.Header.Get("Location")
	if !strings.HasPrefix(path, "/annuaire/campagnes/") {
		t.Fatalf("leads to %s", path)
	}
	w.get(path).Want(http.StatusOK).Whole().Says("h1", "Test de juin").Says("main", "Personne n’a encore été sollicité")
	w.tick()
	w.get(path).Says("main", "Réanimation")
	w.get(path+"/arreter").Want(http.StatusOK).Whole().Says("h1", "Arrêter")
	w.post(path + "/arreter").Leads(path)
	w.get("/annuaire/campagnes").Says("main", "Arrêtée")
	if got := w.actions("directory.campaign"); len(got) != 2 {
		t.Errorf("journal: %v", got)
	}
}

func TestAPersonConfirmsCorrectsOrSaysItIsNotHer(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	who := w.save(directory.Person{LastName: "DURAND", FirstName: "Léa", Contacts: []directory.ContactPoint{contact(directory.Mobile, "+33639980001", true), contact(directory.Email, "lea@valbrume.example", false)}})
	c, link := w.begun(proof.Verification)
	nobody := w.asVisitor(ui.Visitor{})
	page := func(path string) *uitest.Page {
		t.Helper()
		return uitest.Get(t, nobody, path, uitest.With("Accept-Language", "fr"))
	}
	first := page(link).Want(http.StatusOK).Whole().Says("h1", "Léa, vos contacts sont-ils exacts").Lacks("script").Has("button.yes")
	if len(first.Body) > 20_000 || strings.Contains(first.Body, "39980001") || strings.Contains(first.Body, "lea@") || strings.Contains(first.Body, "DURAND") {
		t.Errorf("%d bytes; no number, no last name may show", len(first.Body))
	}
	uitest.Post(t, nobody, link, []string{"reponse", "oui"}).Leads(link + "?note=oui")
	page(link+"?note=oui").Says(".box", "C’est noté")
	if p, err := w.d.Person(t.Context(), w.scope, who.ID); err != nil || p.Contacts[0].State == directory.NeverTried {
		t.Errorf("%+v %v", p.Contacts, err)
	}
	wrong := uitest.Post(t, nobody, link, []string{"reponse", "nouveau", "address", "<b>06</b>"}).Want(http.StatusUnprocessableEntity).Whole().Has(".box.wrong")
	if strings.Contains(wrong.Body, "<b>06") {
		t.Error("what was typed is not escaped")
	}
	uitest.Post(t, nobody, link, []string{"reponse", "nouveau", "address", "06 39 98 77 66"}).Leads(link + "?note=nouveau")
	page(link+"?note=nouveau").Says(".box", "Un message part vers").Says("main", "attend votre réponse")
	w.get("/annuaire/campagnes/"+c.ID.String()).Says("#corrections", "Corrections données").Says("main", "Attend la réponse")
	uitest.Post(t, nobody, link, []string{"reponse", "souhait", "day", "pigeon", "night", ""}).Want(http.StatusUnprocessableEntity).Whole().Has(".box.wrong")
	uitest.Post(t, nobody, link, []string{"reponse", "souhait", "day", "sms", "night", "voice"}).Leads(link + "?note=souhait")
	page(link+"?note=souhait").Whole().Says(".box", "préférence est enregistrée").Value("#night option[selected]", "value", "voice")
	uitest.Post(t, nobody, link, []string{"reponse", "non"}).Leads(link + "?note=non")
	if page(link).Lacks("#night"); len(w.actions("directory.preferences")) != 1 {
		t.Error("the journal does not say that she chose")
	}
	page(link).Says(".box", "ne sera plus utilisé")
	uitest.Post(t, nobody, link, []string{"reponse", "autre"}).Want(http.StatusUnprocessableEntity)
	w.get("/annuaire/"+who.ID.String()).Says("main", "Serait le numéro d’un autre")
	english := page(link+"?lang=en").Says("h1", "are your contacts right")
	english.Value("html", "lang", "en")
}

func TestAWrongCodeSaysNothing(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	nobody := w.asVisitor(ui.Visitor{})
	done := make(chan *uitest.Page, 1)
	go func() { done <- uitest.Get(t, nobody, "/c/0123456789ab", uitest.With("Accept-Language", "fr")) }()
	var p *uitest.Page
	storagetest.Eventually(t, 30*time.Second, "the page of a wrong code", func() bool {
		w.clock.Advance(10 * time.Millisecond)
		select {
		case p = <-done:
			return true
		default:
			return false
		}
	})
	p.Want(http.StatusNotFound).Whole().Says("h1", "Lien inconnu")
}
