package pages_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/identity/pages"
	"tocsin/internal/ui/uitest"
)

func TestAnEnvelopeFromThePrinterToTheDoor(t *testing.T) {
	s := newSite(t)
	nord := s.house.Establishment(t, "CHU Nord")
	admin := s.house.Person(t, nord, "admin@chu.example", access.Administrator)
	night := s.house.Person(t, nord, "nuit@chu.example", access.Launcher, access.Administrator)
	as := func(who *identitytest.Person) uitest.RequestOption { return uitest.Cookie(who.SecureCookie()) }
	fr := uitest.With("Accept-Language", "fr")

	uitest.Get(t, s.router, pages.EnvelopesPath, as(admin), fr).Want(http.StatusOK).Whole().Says(".empty", "Aucune enveloppe")
	uitest.Post(t, s.router, pages.EnvelopesPath, []string{"label", " "}, as(admin), fr).Want(http.StatusUnprocessableEntity).Whole().Has(".field.wrong [name=label]")
	paper := uitest.Post(t, s.router, pages.EnvelopesPath, []string{"label", "Coffre du standard"}, as(admin), fr).Want(http.StatusSeeOther).Header.Get("Location")
	printed := uitest.Get(t, s.router, paper, as(admin), fr).Want(http.StatusOK).Whole().Says("h1", "Coffre du standard").Says("ol", "https://tocsin.test/connexion")
	code := regexp.MustCompile(`(?:[A-Z0-9]{4} ){3}[A-Z0-9]{4}`).FindString(printed.Find(".sheet code")[0].FirstChild.Data)
	if code == "" || printed.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("code %q, cache %q", code, printed.Header.Get("Cache-Control"))
	}
	uitest.Get(t, s.router, paper, as(night), fr).Want(http.StatusConflict)
	uitest.Post(t, s.router, strings.TrimSuffix(paper, "/imprimer")+"/imprimee", nil, as(admin), fr).Leads(pages.EnvelopesPath)
	uitest.Get(t, s.router, paper, as(admin), fr).Want(http.StatusConflict)
	uitest.Get(t, s.router, pages.EnvelopesPath, as(admin), fr).Says("td", "Scellée").Lacks("a[href$='/imprimer']")

	s.post("/connexion", "login", night.Login, "password", identitytest.Password).Leads("/connexion/second-facteur")
	s.get("/connexion/second-facteur").Whole().Says("summary", "Enveloppe scellée").Has("details:not([open]) [name=envelope]")
	s.post("/connexion/enveloppe", "envelope", "AAAA AAAA AAAA AAAA").Want(http.StatusUnprocessableEntity).Whole().Has("details[open] .field.wrong [name=envelope]")
	s.post("/connexion/enveloppe", "envelope", strings.ToLower(code)).Leads("/")
	s.get(pages.EnvelopesPath).Want(http.StatusForbidden)
	s.post("/compte/second-facteur/application/retirer").Want(http.StatusForbidden)
	s.post("/compte/codes-de-secours").Want(http.StatusForbidden)
	s.post("/compte/mot-de-passe", "old", identitytest.Password, "password", "tout autre chose 47").Want(http.StatusForbidden)
	s.get(pages.AccountPath).Want(http.StatusOK).Whole()

	uitest.Get(t, s.router, pages.EnvelopesPath, as(admin), fr).Says("td", "Ouverte").Says("td", "Nuit").Has("form[action$='/vue']").Lacks("form[action$='/annuler']")
	uitest.Post(t, s.router, strings.TrimSuffix(paper, "/imprimer")+"/vue", nil, as(admin), fr).Leads(pages.EnvelopesPath)
	uitest.Get(t, s.router, pages.EnvelopesPath, as(admin), fr).Says("td", "Vu par").Lacks("form[action$='/vue']")
}

func TestOnesOwnAddressesAreSaved(t *testing.T) {
	s := newSite(t)
	nord := s.house.Establishment(t, "CHU Nord")
	who := uitest.Cookie(s.house.Person(t, nord, "nuit@chu.example", access.Launcher).SecureCookie())
	fr := uitest.With("Accept-Language", "fr")
	uitest.Get(t, s.router, pages.AccountPath, who, fr).Whole().Says("#prevenir", "aucune adresse")
	uitest.Post(t, s.router, "/compte/prevenir", []string{"mobile", "12"}, who, fr).Want(http.StatusUnprocessableEntity).Whole().Has("#prevenir .field.wrong [name=mobile]")
	uitest.Post(t, s.router, "/compte/prevenir", []string{"mobile", "06 39 98 00 01", "email", "garde@chu.example"}, who, fr).Leads(pages.AccountPath)
	uitest.Get(t, s.router, pages.AccountPath, who, fr).Value("[name=mobile]", "value", "+33639980001").Value("[name=email]", "value", "garde@chu.example")
}

func TestACodeForTheTelephoneIsChosen(t *testing.T) {
	s := newSite(t)
	nord := s.house.Establishment(t, "CHU Nord")
	who := uitest.Cookie(s.house.Person(t, nord, "nuit@chu.example", access.Launcher).SecureCookie())
	fr := uitest.With("Accept-Language", "fr")
	uitest.Get(t, s.router, pages.AccountPath, who, fr).Whole().Says("#telephone", "pas de code").Says("#telephone", "mobile")
	uitest.Post(t, s.router, "/compte/telephone", []string{"pin", "123456"}, who, fr).Want(http.StatusUnprocessableEntity).Whole().Has("#telephone .field.wrong [name=pin]")
	uitest.Post(t, s.router, "/compte/telephone", []string{"pin", "482957"}, who, fr).Want(http.StatusSeeOther)
	uitest.Get(t, s.router, pages.AccountPath, who, fr).Whole().Says("#telephone", "Votre numéro personnel").Lacks("[name=pin][value='482957']")
	uitest.Post(t, s.router, "/compte/telephone/retirer", nil, who, fr).Want(http.StatusSeeOther)
	uitest.Get(t, s.router, pages.AccountPath, who, fr).Says("#telephone", "pas de code")
}
