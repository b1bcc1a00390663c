package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/directory/pages"
	"tocsin/internal/i18n"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// rostered is a ward with two people and a function held by turns, made on the pages.
func rostered(t *testing.T) (w *ward, path string) {
	t.Helper()
	w = newWard(t, access.DirectoryManager)
	w.save(directory.Person{LastName: "ALBERT", FirstName: "Alice", Matricule: "T1"})
	w.save(directory.Person{LastName: "BERNARD", FirstName: "Bruno", Matricule: "T2"})
	made := w.post(pages.OnCallPath+"/fonctions/nouvelle", "name", "Cadre de garde", "needed.from", "18:30", "needed.to", "08:30", "level2.person", "T2").Want(http.StatusSeeOther)
	to := made.Header.Get("Location")
	path = strings.TrimSuffix(to, "/tours/nouveau")
	w.get(to).Want(http.StatusOK).Whole()
	w.post(to, "members", "T1\nBruno Bernard", "every", "1", "unit", "week", "start", "2026-11-16", "handover", "08:00", "revision", "1").Want(http.StatusSeeOther)
	return w, path
}

func TestAFunctionIsMadeAndReadOnThePages(t *testing.T) {
	w, path := rostered(t)
	w.get(pages.OnCallPath).Want(http.StatusOK).Whole().Says("table", "Cadre de garde").Says("table", "ALBERT Alice").Says("table", "lundi 23 novembre 2026 à 08:00").Says("table", "BERNARD Bruno")
	w.get(path).Want(http.StatusOK).Whole().Says("main", "chaque semaine, relève le lundi à 08:00").Says("main", "Niveau 2").Says("#semaines ~ div", "lundi 23/11 08:00")
	w.get(path+"/modifier").Want(http.StatusOK).Whole().Value("[name='level2.person']", "value", "BERNARD Bruno (T2)")
	w.get(pages.OnCallPath+"/problemes").Want(http.StatusOK).Whole().Says("table", "ALBERT Alice tient la fonction à partir du")
	// A name that several could bear, or nobody, is told at its field.
	w.post(path+"/remplacement", "person", "Personne", "from", "2026-11-22T12:00", "to", "2026-11-23T08:00").Want(http.StatusUnprocessableEntity).Whole().Says("main", "Personne ne s’appelle « Personne »")
	w.post(path+"/remplacement", "person", "T2", "from", "2026-11-22T11:00", "to", "2026-11-23T08:00").Want(http.StatusSeeOther)
	w.get(path).Says("main", "Remplacement")
	if got := w.actions("directory.oncall."); len(got) != 3 {
		t.Errorf("journal: %v", got)
	}
}

func TestASwapIsProposedThenAccepted(t *testing.T) {
	w, path := rostered(t)
	fields := []string{
		"person", "T1", "from", "2026-11-22T18:00", "to", "2026-11-23T06:00", "other.person", "T2", "other.from", "2026-11-24T18:00", "other.to", "2026-11-25T06:00",
	}
	// Both turns are chosen in the list: each choice keeps the other.
	link := func(at string, nth int, label string) string {
		t.Helper()
		found := w.get(at).Want(http.StatusOK).Whole().Find("td a[aria-label^='" + label + "']")
		if len(found) <= nth {
			t.Fatalf("%d buttons %q", len(found), label)
		}
		return uitest.Attribute(found[nth], "href")
	}
	chosen := link(link(path+"/echange", 0, "Donner"), 1, "Prendre en retour")
	w.get(chosen).Value("[name=person]", "value", "ALBERT Alice (T1)").Value("[name=from]", "value", "2026-11-22T12:00").
		Value("[name='other.person']", "value", "BERNARD Bruno (T2)").Value("[name='other.from']", "value", "2026-11-23T08:00")
	w.post(path+"/echange", fields...).Want(http.StatusSeeOther)
	page := w.get(path).Want(http.StatusOK).Whole().Says("main", "BERNARD Bruno remplace ALBERT Alice")
	accept := uitest.Attribute(page.Find("form[action$='/accepter']")[0], "action")
	w.post(accept).Want(http.StatusSeeOther)
	w.get(path).Lacks("#echanges").Says("#remplacements ~ div", "BERNARD Bruno")
	w.post(path+"/echange", fields...).Want(http.StatusUnprocessableEntity).Says("main", "ALBERT Alice ne tient pas toute cette période")
}

func TestRotationsAreOrderedAndRemoved(t *testing.T) {
	w, path := rostered(t)
	w.post(path+"/tours/nouveau", "members", "T2", "every", "1", "unit", "day", "start", "2026-11-16", "handover", "08:00", "name", "Week-ends", "hours.weekends", "oui", "revision", "2").Want(http.StatusSeeOther)
	w.post(path+"/tours/nouveau", "members", "T2", "every", "1", "unit", "day", "start", "2026-11-16", "handover", "08:00", "revision", "2").Want(http.StatusConflict)
	page := w.get(path)
	raise := uitest.Attribute(page.Find("form[action$='/monter']")[0], "action")
	w.post(raise).Want(http.StatusSeeOther)
	w.get(pages.OnCallPath).Says("table", "BERNARD Bruno") // a Sunday: the week-end comes first now
	base := strings.TrimSuffix(raise, "/monter")
	w.get(base+"/modifier").Want(http.StatusOK).Whole().Value("[name=name]", "value", "Week-ends")
	w.get(base + "/retirer").Want(http.StatusOK).Whole()
	w.post(base + "/retirer").Want(http.StatusSeeOther)
	w.post(base + "/retirer").Want(http.StatusNotFound)
	w.get(path+"/supprimer").Want(http.StatusOK).Whole().Says("main", "son tour de rôle").Says("main", "Aucun scénario")
	w.calls = []string{"Plan blanc", "Tension"}
	w.get(path+"/supprimer").Want(http.StatusOK).Whole().Says("#scenarios", "2 scénarios").Says("main ul", "Tension")
	w.post(path + "/supprimer").Want(http.StatusSeeOther)
	w.get(path).Want(http.StatusNotFound)
}

func TestEmptyOnCallPagesSayWhatToDo(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	w.get(pages.OnCallPath).Want(http.StatusOK).Whole().Has(".empty a[href$=nouvelle]")
	w.get(pages.OnCallPath + "/problemes").Want(http.StatusOK).Whole()
	w.router = w.as(access.Reader)
	w.get(pages.OnCallPath).Want(http.StatusOK).Whole().Lacks(".empty a")
	w.get(pages.OnCallPath + "/fonctions/nouvelle").Want(http.StatusForbidden)
}

// TestWordsOfOnCall: every value a page puts in a key has its sentence.
func TestWordsOfOnCall(t *testing.T) {
	w := newWard(t, access.Reader)
	loc := w.catalog.For(i18n.French)
	var keys []string
	for _, v := range []oncall.Via{oncall.ByRotation, oncall.ByReplacement, oncall.ByFallback, oncall.Gap, oncall.Idle} {
		keys = append(keys, "via."+string(v))
	}
	for _, k := range []oncall.Trouble{oncall.Unheld, oncall.Departed, oncall.OnLeave, oncall.NoMobile, oncall.Unproven, oncall.StoodIn} {
		keys = append(keys, "kind."+string(k), "trouble."+string(k))
	}
	for _, c := range oncall.Calendars() {
		keys = append(keys, "calendar."+string(c))
		for _, h := range oncall.Holidays(c, 2026) {
			keys = append(keys, "holiday."+h.Name)
		}
	}
	for _, key := range keys {
		if !loc.Has("directory.page.oncall." + key) {
			t.Errorf("no sentence for directory.page.oncall.%s", key)
		}
	}
}

func TestAFileIsShownBeforeItCounts(t *testing.T) {
	w, path := rostered(t)
	w.get(pages.OnCallPath + "/fichiers").Want(http.StatusOK).Whole()
	sent := w.send(pages.OnCallPath+"/fichiers", "export.csv", []byte("Date;Début;Fin;Matricule;Fonction\n22/11/2026;08:00;20:00;T2;Cadre de garde\n22/11/2026;08:00;20:00;T9;Cadre de garde\n")).Want(http.StatusSeeOther)
	at := sent.Header.Get("Location")
	w.get(at).Want(http.StatusOK).Whole().Says("#confirmer", "1 remplacement prendra effet").Says("#ecartees ~ div", "T9")
	w.post(at + "/confirmer").Want(http.StatusSeeOther)
	w.get(pages.OnCallPath).Says("table", "BERNARD Bruno")
	w.get(at).Want(http.StatusOK).Whole().Says("details", "Annuler ce fichier")
	w.post(at + "/annuler").Want(http.StatusSeeOther)
	w.get(pages.OnCallPath+"/fichiers").Want(http.StatusOK).Whole().Says("table", "Annulé")
	w.send(pages.OnCallPath+"/fichiers", "garde.ics", []byte("rien"), "fonction", strings.TrimPrefix(path, pages.OnCallPath+"/fonctions/")).Want(http.StatusUnprocessableEntity).Whole().Says("main", "iCalendar lisible")
}

func TestACalendarIsFollowedThenClosed(t *testing.T) {
	w, path := rostered(t)
	page := w.post(path + "/calendriers").Want(http.StatusOK).Whole()
	address := strings.TrimPrefix(uitest.Text(page.Find("#adresse code")[0]), "https://t.example")
	w.router = w.asVisitor(ui.Visitor{})
	read := w.get(address).Want(http.StatusOK)
	if kind := read.Header.Get("Content-Type"); kind != "text/calendar; charset=utf-8" {
		t.Error(kind)
	}
	w.get(pages.AgendaPath + "0000").Want(http.StatusNotFound)
	w.router = w.as(access.DirectoryManager)
	again := w.get(path + "/calendriers").Want(http.StatusOK).Whole().Lacks("#adresse")
	w.post(uitest.Attribute(again.Find("form[action$='/fermer']")[0], "action")).Want(http.StatusSeeOther)
	w.get(address).Want(http.StatusNotFound)
}
