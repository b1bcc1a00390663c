package pages_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/directory/feed"
	"tocsin/internal/directory/ldap"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/directory/pages"
	"tocsin/internal/directory/phone"
	"tocsin/internal/directory/proof"
	"tocsin/internal/document/table"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

func TestEmptyDirectorySaysWhatToDo(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	w.get(pages.Path).Want(200).Whole().Has(".empty a[href='/annuaire/import']").Has("a[href='/annuaire/nouveau']").Lacks("table")
	w.get(pages.QualityPath).Want(200).Whole().Has(".empty")
	w.get(pages.GroupsPath).Want(200).Whole().Has(".empty")
	uitest.Get(t, w.as(access.Reader), pages.Path).Want(200).Whole().Lacks("a[href='/annuaire/import']").Lacks("a[href='/annuaire/nouveau']").Lacks("a[href='/annuaire/export']")
}

// crowd is a service with people in every state.
func (w *ward) crowd() (service uuid.UUID) {
	service = w.service("Valmont Nord", "Urgences")
	w.save(directory.Person{
		LastName: "ABADIE", FirstName: "Léa", MetierLabel: "IADE", Service: service, Matricule: "1001", Status: directory.Titulaire,
		Contacts: []directory.ContactPoint{contact("mobile", "0639980001", true), contact("email", "lea.abadie@ch.example", false)},
	})
	w.save(directory.Person{LastName: "BRUN", FirstName: "Hugo", MetierLabel: "Médecin urgentiste", Service: service, Contacts: []directory.ContactPoint{contact("landline", "0199000001", false)}})
	w.save(directory.Person{LastName: "CARRÉ", FirstName: "Zoé", Status: directory.Interne})
	w.record(directory.ContactEvent{Address: "+33639980001", Medium: directory.SMS, Kind: directory.EventAnswered, At: w.clock.Now().Add(-time.Hour)})
	w.work()
	return service
}

func TestListBeginsWithQuality(t *testing.T) {
	w := newWard(t, access.Reader)
	service := w.crowd()
	p := w.get(pages.Path).Want(200).Whole()
	p.Says(".stat", "33 %").Says(".stat", "1 personne sur 3").Has(".stat a[href='/annuaire/qualite']").Has(".stat a[href='/annuaire?cause=no_contact']").Has(".stat a[href='/annuaire?cause=no_mobile']")
	p.Count("tbody tr", 3).Says("td.nowrap", "06 •• •• •• 01").Says("td .badge", "Prouvé").Says("td .badge", "Aucun contact")
	if strings.Contains(p.Body, "39 98 00 01") || strings.Contains(p.Body, "3998") {
		t.Error("the list shows a private number")
	}
	for query, names := range map[string]string{
		"?q=abadie": "ABADIE", "?q=lea+1001": "ABADIE", "?q=urgences+brun": "BRUN", "?cause=no_contact": "CARRÉ", "?cause=no_mobile": "BRUN", "?metier=iade": "ABADIE",
		"?statut=interne": "CARRÉ", "?statut=titulaire&service=" + service.String(): "ABADIE",
	} {
		w.get(pages.Path+query).Want(200).Whole().Count("tbody tr", 1).Says("tbody td", names)
	}
	w.get(pages.Path+"?q=personne").Want(200).Whole().Count("tbody tr", 0).Has(".empty-row").Value("#q", "value", "personne")
	for _, odd := range []string{"?service=x", "?cause=x", "?statut=x", "?suite=%25", "?suite=QUJD&rang=-3", "?page=9"} {
		w.get(pages.Path + odd).Want(200).Whole()
	}
	w.get(pages.Path+"?metier=<script>").Want(200).Whole().Count("tbody tr", 0)
}

func TestListGoesOn(t *testing.T) {
	w := newWard(t, access.Reader)
	for i := range 60 {
		w.save(directory.Person{LastName: fmt.Sprintf("NOM%02d", i), Status: directory.Titulaire})
	}
	first := w.get(pages.Path+"?statut=titulaire").Whole().Count("tbody tr", 50).Says(".pager", "1 à 50 sur 60")
	links := first.Find(".pager a.button")
	if len(links) != 1 {
		t.Fatalf("%d links", len(links))
	}
	next := w.get(uitest.Attribute(links[0], "href")).Whole().Count("tbody tr", 10).Says(".pager", "51 à 60 sur 60").Says("td", "NOM50")
	next.Has(".pager a[href='/annuaire?statut=titulaire']").Count(".pager a.button", 1)
}

func TestSearchSource(t *testing.T) {
	w := newWard(t, access.Reader)
	w.crowd()
	loc := i18ntest.Localizer(t, "fr", pages.Locales, directory.Locales, phone.Locales, table.Locales)
	s := pages.Search{Directory: w.d}
	hits, err := s.Search(t.Context(), uitest.As(access.Reader).Scope, loc, "brun")
	if err != nil || len(hits) != 1 || hits[0].Title != "BRUN Hugo" || !strings.HasPrefix(hits[0].Path, "/annuaire/") {
		t.Errorf("hits %+v, %v", hits, err)
	}
	if hits, err := s.Search(t.Context(), uitest.As().Scope, loc, "brun"); err != nil || len(hits) != 0 {
		t.Errorf("without a role: %+v, %v", hits, err)
	}
}

// Whoever is called so comes before those who only match, and the list says when
// it is cut.
func TestSearchBeginsWithTheName(t *testing.T) {
	w := newWard(t, access.Reader)
	for i := range 12 {
		w.save(directory.Person{LastName: fmt.Sprintf("ABADIE%02d", i), FirstName: "Martine"})
	}
	w.save(directory.Person{LastName: "MARTIN", FirstName: "Paul"})
	loc := i18ntest.Localizer(t, "fr", pages.Locales, directory.Locales, phone.Locales, table.Locales)
	hits, err := pages.Search{Directory: w.d}.Search(t.Context(), uitest.As(access.Reader).Scope, loc, "martin")
	if err != nil || len(hits) != 9 || hits[0].Title != "MARTIN Paul" || hits[1].Title != "ABADIE00 Martine" {
		t.Fatalf("hits %+v, %v", hits, err)
	}
	if last := hits[8]; last.Title != "Voir les 13 personnes qui correspondent" || last.Path != "/annuaire?q=martin" {
		t.Errorf("the last hit is %+v", last)
	}
}

func TestQualityPage(t *testing.T) {
	w := newWard(t, access.Reader)
	service := w.crowd()
	p := w.get(pages.QualityPath).Want(200).Whole()
	p.Says(".stat", "33 %").Has("a[href='/annuaire?cause=no_contact']").Says("#par-service td", "Urgences").
		Has("a[href='/annuaire?service="+service.String()+"&cause=unproven']").Says("#par-service td", "Sans service")
	w.get("/annuaire?service="+service.String()+"&cause=unproven").Count("tbody tr", 1).Says("td", "BRUN")
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", pages.Locales, directory.Locales, proof.Locales, feed.Locales, ldap.Locales, oncall.Locales, phone.Locales, table.Locales, ui.Locales)
	loc := i18ntest.Localizer(t, "en", pages.Locales, directory.Locales, phone.Locales, table.Locales)
	for _, cause := range directory.Causes() {
		if !loc.Has("directory.page.mend."+string(cause)) || !loc.Has("directory.page.short."+string(cause)) {
			t.Errorf("nothing says what %s is and how to mend it", cause)
		}
	}
	for _, item := range append(pages.Rail(), pages.Acts()...) {
		if !loc.Has(item.Label) {
			t.Errorf("no sentence for %s", item.Label)
		}
	}
}
