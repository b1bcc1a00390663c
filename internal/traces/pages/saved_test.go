package pages_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/kept"
	"tocsin/internal/traces/pages"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// plain seals nothing: what the vault does is tried with the room.
type plain struct{}

func (plain) Seal(text []byte, _ string) ([]byte, error) { return text, nil }
func (plain) Open(text []byte, _ string) ([]byte, error) { return text, nil }
func (plain) Stale([]byte) bool                          { return false }

// Entitled implements kept.People.
func (o *office) Entitled(context.Context, access.Scope, access.Action) ([]kept.Person, error) {
	return []kept.Person{{ID: uitest.As().Scope.Actor().ID, Name: "Camille Martin"}}, nil
}

// Tell implements kept.Watchman.
func (o *office) Tell(_ context.Context, _ *storage.Tx, _ access.Scope, _ time.Time, _ uuid.UUID, _ []uuid.UUID, say func(*i18n.Localizer) (string, string)) error {
	subject, text := say(i18ntest.Localizer(o.t, i18n.French, kept.Locales))
	o.told = append(o.told, subject+" "+text)
	return nil
}

func (o *office) printer() pages.Printer {
	return pages.Printer{
		Traces: o.s, Catalog: i18ntest.Catalog(o.t, pages.Locales, kept.Locales, traces.Locales, spool.Locales, ui.Locales),
		House: func(context.Context, access.Scope) (string, i18n.Language, error) {
			return "CH des Trois-Vallées", i18n.French, nil
		},
	}
}

// keep keeps a question by its pages, and gives its address.
func (o *office) keep(name string, fields ...string) string {
	o.t.Helper()
	page := o.post(recordPath+"/garder", append([]string{"patient", "4417", "periode", "30j", "motif", "suivi"}, fields...)...).Want(200).Whole()
	question := uitest.Attribute(page.Find("input[name=question]")[0], "value")
	done := o.post(pages.SavedPath, "question", question, "nom", name, "duree", "30j", "motif", "suivi", "partage", "oui").Want(303)
	return done.Header.Get("Location")
}

func TestAQuestionIsKeptOpenedSentAndRead(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	o.base.put(uitest.Establishment(), opening("adupont", "DUPONT Anne", "4417", ago(50*time.Hour)))
	o.get(pages.SavedPath).Want(200).Whole().Says(".empty", "Aucune question gardée")
	// What is missing is said in its blank; nothing was asked so far.
	o.post(recordPath+"/garder", "patient", "", "motif", "x").Want(422).Whole().Has("#f-patient[aria-invalid=true]")
	o.post(pages.SavedPath, "question", `{"phrase":"record","filling":{"patient":"4417"}}`, "nom", "", "duree", "siecle", "motif", "x").Want(422).Whole().Has(".summary").Value("input[name=question]", "value", `{"phrase":"record","filling":{"patient":"4417"}}`)
	path := o.keep("Suivi d’un dossier")
	if len(o.looks()) != 0 {
		t.Fatal("keeping a question asked it")
	}
	o.get(pages.SavedPath).Want(200).Whole().Says("tbody th", "Suivi d’un dossier").Says("tbody", "les 30 derniers jours").Says("tbody", "Posée seulement à la main")
	sheet := o.get(path).Want(200).Whole()
	sheet.Says("h1", "Suivi d’un dossier").Says(".lead", "Qui a ouvert le dossier du patient 4417 les 30 derniers jours ?").Has("form[action$='/poser']").Has("input[name=destinataires]")
	answer := o.post(path + "/poser").Want(200).Whole()
	answer.Says(".answer-words", "1 compte a ouvert le dossier du patient 4417").Has("form[action='" + path + "/fichier']")
	looks := o.looks()
	if len(looks) != 1 || looks[0].IPP != "4417" || looks[0].Purpose != "suivi" {
		t.Fatalf("looks %+v", looks)
	}
	if file := o.post(path+"/fichier", "format", "pdf").Want(200); !strings.HasPrefix(file.Body, "%PDF-") {
		t.Errorf("file %.20q", file.Body)
	}
	// Sent every day at 7 h in Paris, and read.
	o.post(path+"/envoi", "rythme", "jour", "heure", "25", "garde", "30").Want(422).Whole().Has("#e-f-heure[aria-invalid=true]")
	o.post(path+"/envoi", "rythme", "jour", "heure", "7", "garde", "30").Want(422).Whole().Has(".summary")
	o.post(path+"/envoi", "rythme", "jour", "heure", "7", "garde", "30", "seulement", "oui", "destinataires", uitest.As().Scope.Actor().ID.String()).Leads(path)
	o.get(path).Want(200).Whole().Says("main", "Chaque jour à 7 h.").Has("button[formaction$='/envoi/arreter']")
	o.clock.Advance(24 * time.Hour)
	if _, err := o.kept.Tick(t.Context(), o.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if len(o.told) != 1 || strings.Contains(o.told[0], "4417") || !strings.Contains(o.told[0], "https://tocsin.test"+path) {
		t.Fatalf("told %q", o.told)
	}
	sheet = o.get(path).Want(200).Whole().Says(".badge", "faite")
	action := uitest.Attribute(sheet.Find("form[action$='/pdf']")[0], "action")
	read := o.post(action).Want(200)
	if !strings.HasPrefix(read.Body, "%PDF-") || !strings.Contains(read.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("document %.20q", read.Body)
	}
	sum := sha256.Sum256([]byte(read.Body))
	var noted int
	if err := o.db.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM journal_entries WHERE after_json LIKE $1`, []any{"%" + hex.EncodeToString(sum[:]) + "%"}, &noted)
		return err
	}); err != nil || noted != 2 {
		t.Errorf("%d entries of the journal have its fingerprint, want that of its making and that of its opening (%v)", noted, err)
	}
	last := o.looks()[len(o.looks())-1]
	if last.Verb != "traces.document.open" || last.Action != traces.Export {
		t.Errorf("the opening is not traced: %+v", last)
	}
	o.get(path + "/supprimer").Want(200).Whole()
	o.post(path + "/supprimer").Leads(pages.SavedPath)
	o.get(path).Want(404)
}

func TestASearchIsKept(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	o.base.put(uitest.Establishment(), opening("adupont", "DUPONT Anne", "4417", ago(5*time.Hour)), opening("bmartin", "MARTIN Bruno", "4417", ago(3*time.Hour)))
	o.post("/traces/recherche/garder", "q", "", "champ", "", "op", "is", "valeur", "").Want(422).Whole().Has(".summary")
	o.post("/traces/recherche/garder", "champ", "action", "op", "is", "valeur", "bateau").Want(422).Whole()
	page := o.post("/traces/recherche/garder", "q", "DPI", "champ", "action", "op", "is", "valeur", "Lecture", "par", "account", "motif", "m").Want(200).Whole()
	question := uitest.Attribute(page.Find("input[name=question]")[0], "value")
	path := o.post(pages.SavedPath, "question", question, "nom", "Lectures", "duree", "7j", "motif", "m").Want(303).Header.Get("Location")
	answer := o.post(path + "/poser").Want(200).Whole()
	answer.Says("#reponse", "les mots « DPI »").Says(".answer-words", "2 comptes répondent à la recherche, en 2 événements.").Says("#reponse tbody th", "adupont")
	o.post(path+"/fichier", "format", "csv").Want(200)
	// What was typed into the hidden field is checked as any other.
	o.post(pages.SavedPath, "question", `{"search":{"where":[{"field":"x; DROP TABLE","op":"is","values":["1"]}]}}`, "nom", "n", "duree", "7j", "motif", "m").Want(422)
	o.post(pages.SavedPath, "question", `pas du JSON`, "nom", "n", "duree", "7j", "motif", "m").Want(422)
}

func TestADashboardIsArrangedShownAndPrinted(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	o.base.put(uitest.Establishment(), opening("adupont", "DUPONT Anne", "4417", ago(50*time.Hour)), opening("bmartin", "MARTIN Bruno", "4417", ago(3*time.Hour)))
	first, second := o.keep("Premier dossier"), o.keep("Second dossier")
	o.get(pages.BoardsPath).Want(200).Whole()
	o.post(pages.BoardsPath, "nom", "", "motif", "").Want(422).Whole().Has("#f-nom[aria-invalid=true]")
	path := o.post(pages.BoardsPath, "nom", "Revue", "motif", "revue hebdomadaire").Want(303).Header.Get("Location")
	o.get(path).Want(200).Whole().Says("main", "Aucune question encore")
	id := func(p string) string { return p[strings.LastIndex(p, "/")+1:] }
	o.post(path+"/questions", "question", "rien", "forme", "tableau").Want(422).Whole().Has("#t-f-question[aria-invalid=true]")
	for _, one := range [][2]string{{first, "nombre"}, {second, "tableau"}, {first, "courbe"}} {
		o.post(path+"/questions", "question", id(one[0]), "forme", one[1]).Leads(path)
	}
	arranged := o.get(path).Want(200).Whole().Count("tbody tr", 3)
	tile := uitest.Attribute(arranged.Find("form[action*='/questions/']")[2], "action")
	o.post(tile, "sens", "monter").Leads(path)
	before := len(o.looks())
	shown := o.post(path+"/afficher").Want(200).Whole().Count(".board-columns > .card", 3).Has(".stat").Has("svg.chart").Has(".board-columns > .card table")
	shown.Says(".lead", "Tel que les traces répondaient")
	looks := o.looks()[before:]
	if len(looks) != 3 {
		t.Fatalf("%d looks, want one for each question", len(looks))
	}
	for _, l := range looks {
		if l.Purpose != "revue hebdomadaire" || l.IPP != "4417" {
			t.Errorf("look %+v", l)
		}
	}
	if paper := o.post(path + "/pdf").Want(200); !strings.HasPrefix(paper.Body, "%PDF-") {
		t.Errorf("paper %.20q", paper.Body)
	}
	// A question that fails fails alone.
	failed := 0
	o.base.before = func(context.Context) error {
		if failed++; failed == 1 {
			return errors.New("broken")
		}
		return nil
	}
	o.post(path+"/afficher").Want(200).Whole().Count(".board-columns > .card .message", 1).Has(".board-columns > .card table")
	o.base.before = nil
	o.post(path, "nom", "", "motif", "x").Want(422).Whole()
	o.post(path, "nom", "Revue du lundi", "motif", "x").Leads(path)
	o.post(path + "/supprimer").Leads(pages.BoardsPath)
	for _, role := range []access.Role{access.Administrator, access.SecurityOfficer, access.Controller} {
		for _, at := range []string{pages.BoardsPath, pages.SavedPath, first} {
			uitest.Get(t, o.as(role), at).Want(403)
		}
	}
}
