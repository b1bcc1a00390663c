package pages_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/directory/pages"
	"tocsin/internal/ui/uitest"
)

const actsOn = "/annuaire/personnes/"

func (w *ward) lea() directory.Person {
	w.t.Helper()
	return w.save(directory.Person{
		LastName: "ABADIE", FirstName: "Léa", MetierLabel: "IADE", Matricule: "1001", Service: w.service("Valmont Nord", "Bloc"), Refused: []string{directory.Voice},
		Contacts: []directory.ContactPoint{contact("mobile", "0639980001", true), contact("extension", "4512", false), contact("email", "lea.abadie@ch.example", true)},
	})
}

func TestNumberIsShownOnRequestAndJournaled(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	lea := w.lea()
	page := w.get(pages.PersonPath(lea.ID)).Want(200).Whole().Says("#contacts .card", "06 •• •• •• 01").Says("#contacts .card", "Jamais essayé").Says(".message", "Ne jamais utiliser : Appel")
	reveal := page.Find("form[action$='/voir']")
	if len(reveal) != 2 || strings.Contains(page.Body, "39 98 00 01") || strings.Contains(page.Body, "lea.abadie@") {
		t.Fatalf("%d masked contacts, or one is not", len(reveal))
	}
	shown := w.post(uitest.Attribute(reveal[0], "action")).Want(200).Whole().Says("#contacts .card", "06 39 98 00 01").Count("form[action$='/voir']", 1)
	if got := shown.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the number may be kept: %q", got)
	}
	if got := w.actions("directory.number"); len(got) != 1 {
		t.Errorf("journal %q", got)
	}
	w.get(pages.PersonPath(lea.ID)).Says("#contacts .card", "06 •• •• •• 01")
	w.post(actsOn + lea.ID.String() + "/coordonnees/" + uuid.NewString() + "/voir").Want(404)
	for _, roles := range [][]access.Role{{access.Reader}, {access.Administrator}, {access.Auditor}} {
		r := w.as(roles...)
		uitest.Get(t, r, pages.PersonPath(lea.ID)).Want(200).Whole().Lacks("form[action$='/voir']")
		uitest.Post(t, r, uitest.Attribute(reveal[0], "action"), nil).Want(403)
	}
	if got := w.actions("directory.number"); len(got) != 1 {
		t.Errorf("a refusal is written as a look: %q", got)
	}
}

func TestStatesInWords(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	lea := w.lea()
	at := time.Date(2026, 11, 3, 7, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		kind directory.EventKind
		says string
	}{
		{directory.EventDelivered, "Message remis le"},
		{directory.EventAnswered, "A répondu le"},
		{directory.EventFailed, "1 échec, le"},
		{directory.EventFailed, "2 échecs de suite"},
		{directory.EventBounced, "N’existe plus"},
		{directory.EventStopped, "Bloqué par l’opérateur depuis le"},
	} {
		at = at.Add(time.Hour)
		w.record(directory.ContactEvent{Address: "+33639980001", Medium: directory.SMS, Kind: tt.kind, At: at})
		w.get(pages.PersonPath(lea.ID)).Whole().Says("#contacts .badge", tt.says).Says("#contacts .badge", "3 novembre 2026")
	}
	lift := w.get(pages.PersonPath(lea.ID)).Find("form[action$='/debloquer']")
	if len(lift) != 1 {
		t.Fatalf("%d blocks to lift", len(lift))
	}
	w.post(uitest.Attribute(lift[0], "action")).Leads(pages.PersonPath(lea.ID))
	w.get(pages.PersonPath(lea.ID)).Lacks("form[action$='/debloquer']").Says("#contacts .badge", "Jamais essayé")
}

func TestPersonIsAddedByHand(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	service := w.service("Valmont Nord", "Urgences")
	w.get("/annuaire/nouveau?service=" + service.String()).Want(200).Whole().Has("#f-service option[selected][value='" + service.String() + "']").Has("datalist option")
	w.post("/annuaire/nouveau", "last_name", "", "language", "fr", "status", "titulaire").Want(422).Whole().Has(".summary a[href='#f-last_name']")
	bad := w.post("/annuaire/nouveau", "last_name", "BRUN", "language", "fr", "status", "titulaire", "contact-0-kind", "mobile", "contact-0-address", "06 39 98 00 02", "contact-0-rank", "1",
		"contact-1-kind", "mobile", "contact-1-address", "12", "contact-1-rank", "2")
	bad.Want(422).Whole().Has(".summary a[href='#f-contact-1-address']").Value("#f-contact-0-address", "value", "06 39 98 00 02").Value("#f-last_name", "value", "BRUN")
	to := w.post("/annuaire/nouveau", "last_name", "BRUN", "first_name", "Hugo", "metier", "Infirmier DE", "service", service.String(), "language", "fr", "status", "titulaire",
		"qualifications", "Réanimation, plongeur", "refused", "voice", "protected", "oui", "contract_end", "2027-06-30", "rest_until", "2026-11-23T08:00",
		"contact-0-kind", "mobile", "contact-0-address", "06 39 98 00 02", "contact-0-rank", "2", "contact-0-private", "oui",
		"contact-1-kind", "email", "contact-1-address", "Hugo.Brun@ch.example", "contact-1-rank", "1").Want(303).Header.Get("Location")
	p := w.get(to).Want(200).Whole().Says("h1", "BRUN Hugo").Says("dd", "Urgences").Says("dd", "30 juin 2027").Says("dd", "Saisi à la main").Says("dd", "23 novembre 2026").Says(".message", "Hors des vagues")
	rows := p.Find("#contacts > .card")
	if len(rows) != 2 || !strings.Contains(uitest.Text(rows[0]), "hugo.brun@ch.example") {
		t.Errorf("the order chosen is not kept: %q", uitest.Text(rows[0]))
	}
	w.post("/annuaire/nouveau", "last_name", "X", "language", "fr", "status", "titulaire", "service", "nimporte", "contract_end", "jamais").Want(422).Whole().
		Has(".summary a[href='#f-service']").Has(".summary a[href='#f-contract_end']")
	w.post("/annuaire/nouveau", "last_name", "X", "language", "fr", "status", "titulaire", "site", uuid.NewString()).Want(422).Whole().Has(".summary a[href='#f-site']")
}

// fields are what the form of a person would post as it is.
func fields(p *uitest.Page) (out []string) {
	for _, n := range p.Find("form.form input") {
		kind := uitest.Attribute(n, "type")
		checked := false
		for _, a := range n.Attr {
			checked = checked || a.Key == "checked"
		}
		if kind == "checkbox" && !checked {
			continue
		}
		out = append(out, uitest.Attribute(n, "name"), uitest.Attribute(n, "value"))
	}
	for _, s := range p.Find("form.form select") {
		for o := range s.Descendants() {
			for _, a := range o.Attr {
				if a.Key == "selected" {
					out = append(out, uitest.Attribute(s, "name"), uitest.Attribute(o, "value"))
				}
			}
		}
	}
	return out
}

func TestEditKeepsWhatIsMasked(t *testing.T) {
	w := newWard(t, access.Administrator) // who may edit and may not see numbers
	lea := w.lea()
	path := actsOn + lea.ID.String() + "/modifier"
	form := w.get(path).Want(200).Whole().Says("legend", "06 •• •• •• 01").Has("#f-contact-1-address[value='4512']").Value("#f-metier", "value", "IADE")
	same := fields(form)
	w.post(path, same...).Leads(pages.PersonPath(lea.ID))
	after, err := w.d.Person(t.Context(), w.scope, lea.ID)
	if err != nil || len(after.Contacts) != 3 || after.Contacts[0].Address != "+33639980001" || after.Contacts[2].Address != "lea.abadie@ch.example" || after.Metier != "iade" {
		t.Fatalf("saved as it was, it became %+v, %v", after, err)
	}
	w.post(path, same...).Want(409).Whole().Says(".summary", "Quelqu’un a modifié cette fiche")
	changed := fields(w.get(path))
	for i := 0; i < len(changed); i += 2 {
		switch changed[i] {
		case "contact-0-address":
			changed[i+1] = "06 39 98 00 09"
		case "contact-2-rank":
			changed[i+1] = "1"
		}
	}
	w.post(path, append(changed, "contact-1-remove", "oui")...).Leads(pages.PersonPath(lea.ID))
	after, err = w.d.Person(t.Context(), w.scope, lea.ID)
	if err != nil || len(after.Contacts) != 2 || after.Contacts[0].Address != "+33639980009" || after.Contacts[1].Address != "lea.abadie@ch.example" {
		t.Errorf("contacts %+v, %v", after.Contacts, err)
	}
}

func TestAbsencesHaveDatesAndNoReason(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	lea := w.lea()
	path := actsOn + lea.ID.String() + "/absences"
	form := w.get(pages.PersonPath(lea.ID)).Whole().Says("p", "Aucune absence connue")
	if n := len(form.Find("form[action$='/absences'] input:not([type=hidden]), form[action$='/absences'] textarea")); n != 2 {
		t.Errorf("%d fields, want the two dates only", n)
	}
	w.post(path, "from", "", "to", "").Want(422).Whole().Has(".summary a[href='#f-from']")
	w.post(path, "from", "demain").Want(422).Says(".summary", "AAAA-MM-JJ")
	w.post(path, "from", "2026-11-25", "to", "2026-11-20").Want(422).Whole().Has(".summary a[href='#f-to']").Value("#f-from", "value", "2026-11-25")
	w.post(path, "from", "2026-11-20", "to", "2026-11-30", "motif", "maladie").Leads(pages.PersonPath(lea.ID))
	page := w.get(pages.PersonPath(lea.ID)).Whole().Says("#absences li", "Du 20 novembre 2026 au 30 novembre 2026").Says(".message", "absent en ce moment")
	w.post(path, "from", "2026-12-24").Leads(pages.PersonPath(lea.ID))
	w.get(pages.PersonPath(lea.ID)).Says("#absences li", "Depuis le 24 décembre 2026")
	other := w.save(directory.Person{LastName: "BRUN"})
	remove := uitest.Attribute(page.Find("form[action$='/retirer']")[0], "action")
	w.post(strings.Replace(remove, lea.ID.String(), other.ID.String(), 1)).Want(404)
	w.post(remove).Leads(pages.PersonPath(lea.ID))
	w.get(pages.PersonPath(lea.ID)).Whole().Count("#absences li", 1).Lacks(".message.tone-information")
}

func TestPreferredMediumIsAskedByDayAndByNight(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	lea := w.lea()
	path := actsOn + lea.ID.String() + "/preferences"
	w.get(pages.PersonPath(lea.ID)).Whole().Says("#preferences", "l’ordre de l’alerte le jour").Has("form[action$='/preferences'] select[name=night]")
	w.post(path, "day", "pigeon").Want(422).Whole().Has("form[action$='/preferences'] .error")
	w.post(path, "day", "", "night", directory.SMS).Leads(pages.PersonPath(lea.ID))
	w.get(pages.PersonPath(lea.ID)).Whole().Says("#preferences", "de 21 h à 7 h").Value("select[name=night] option[selected]", "value", directory.SMS)
}

func TestDepartureAndReturn(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	lea := w.lea()
	path := actsOn + lea.ID.String()
	w.get(path+"/depart").Want(200).Whole().Says("li", "Aucune alerte").Has("button.danger")
	w.post(path + "/depart").Leads(pages.PersonPath(lea.ID))
	w.get(pages.PersonPath(lea.ID)).Want(200).Whole().Says(".message", "partie le 22 novembre 2026").Has("form[action$='/retour']")
	w.get("/annuaire?q=abadie").Whole().Count("tbody tr", 0)
	w.get("/annuaire?partis=oui").Whole().Count("tbody tr", 1).Says(".badge", "Parti le")
	w.post(path + "/retour").Leads(pages.PersonPath(lea.ID))
	w.get("/annuaire?q=abadie").Whole().Count("tbody tr", 1)
}

func TestOtherPeopleDoNotExist(t *testing.T) {
	w := newWard(t, access.DirectoryManager)
	lea := w.lea()
	visitor := uitest.As(access.DirectoryManager)
	visitor.Scope = access.For(uuid.New(), visitor.Scope.Actor(), true, access.DirectoryManager)
	w.router = w.asVisitor(visitor)
	for _, id := range []string{lea.ID.String(), uuid.NewString(), "nimporte"} {
		w.get("/annuaire/" + id).Want(404)
		for _, under := range []string{"/modifier", "/depart"} {
			w.get(actsOn + id + under).Want(404)
		}
		for _, under := range []string{"/modifier", "/depart", "/retour", "/absences", "/preferences", "/groupes", "/coordonnees/" + lea.Contacts[0].ID.String() + "/voir", "/coordonnees/" + lea.Contacts[0].ID.String() + "/debloquer"} {
			w.post(actsOn+id+under, "last_name", "X", "from", "2026-11-22").Want(404)
		}
	}
	w.get("/annuaire?q=abadie").Whole().Count("tbody tr", 0)
}

func TestReadersChangeNobody(t *testing.T) {
	w := newWard(t, access.Reader, access.Launcher, access.CrisisCell, access.Auditor)
	lea := w.lea()
	w.get(pages.PersonPath(lea.ID)).Want(200).Whole().Lacks("a[href$='/modifier']").Lacks("form[action$='/absences']").Lacks("form[action$='/groupes']").Lacks("form[action$='/preferences']").Says("#preferences", "l’ordre de l’alerte")
	for _, at := range []string{"/annuaire/nouveau", actsOn + lea.ID.String() + "/modifier", actsOn + lea.ID.String() + "/depart"} {
		w.get(at).Want(403)
		w.post(at, "last_name", "X").Want(403)
	}
	for _, under := range []string{"/retour", "/absences", "/preferences", "/groupes", "/coordonnees/" + uuid.NewString() + "/debloquer"} {
		w.post(actsOn+lea.ID.String()+under, "from", "2026-11-22").Want(403)
	}
	w.get("/annuaire/export").Want(403)
	w.post("/annuaire/export", "format", "csv").Want(403)
}
