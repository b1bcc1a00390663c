package pages_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/inventory"
	"tocsin/internal/journal"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/audits"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/exports"
	"tocsin/internal/traces/files"
	"tocsin/internal/traces/kept"
	"tocsin/internal/traces/pages"
	"tocsin/internal/traces/pages/alerts"
	exportpages "tocsin/internal/traces/pages/exports"
	"tocsin/internal/traces/pull"
	"tocsin/internal/traces/rules"
	"tocsin/internal/traces/sigma"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

const (
	recordPath = "/traces/questions/record"
	volumePath = "/traces/questions/volume"
)

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", pages.Locales, exports.Locales, exportpages.Locales, kept.Locales, audits.Locales, access.Locales, columns.Locales, files.Locales, pull.Locales, alerts.Locales, traces.Locales, cases.Locales, rules.Locales, sigma.Locales, spool.Locales, inventory.Locales, ui.Locales)
}

// opening is somebody who opens a record.
func opening(account, person, ipp string, at int64) traces.Event {
	return traces.Event{Collector: "syslog", At: at, Account: account, Person: person, Action: traces.Read, IPP: ipp, INS: "1" + ipp, Application: "DPI", Service: "Cardiologie", Severity: -1}
}

func TestTheFirstPageOffersEveryQuestionOrSaysWhatToDo(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.get(pages.Path).Want(200).Whole().Has(".empty").Says(".empty", "Demandez à l’administrateur").Lacks("a[href='/traces/sources/nouvelle']")
	uitest.Get(t, o.as(access.Administrator), pages.Path, uitest.With("Accept-Language", "fr")).Want(200).Whole().Has(".empty a[href='/traces/sources/nouvelle']")
	o.source("DPI", time.Minute)
	page := o.get(pages.Path).Want(200).Whole().Lacks(".empty")
	for _, ph := range traces.Phrases() {
		page.Count("a[href='/traces/questions/"+ph.Key+"']", 1)
		o.get("/traces/questions/"+ph.Key).Want(200).Whole().Has("form[method=post]").Has("#f-periode").Has("#f-motif[required]").Count(".phrase .phrase-hole", len(ph.Blanks)+1)
	}
	page.Says("a[href='"+recordPath+"']", "Qui a ouvert le dossier du patient IPP ou INS ces 7 derniers jours ?")
	// Who may not ask reads the questions and is told whom to ask.
	other := uitest.Get(t, o.as(access.Administrator), pages.Path, uitest.With("Accept-Language", "fr")).Want(200).Whole()
	other.Lacks("a[href^='/traces/questions/']").Says(".message", "délégué à la protection des données")
	uitest.Get(t, o.as(access.Administrator), recordPath).Want(403)
	uitest.Get(t, o.as(access.Reader), pages.Path).Want(403)
	o.get("/traces/questions/inconnue").Want(404)
}

func TestWithoutABaseThePagesSaySo(t *testing.T) {
	t.Parallel()
	o := furnished(t, false, access.DataProtection)
	o.get(pages.Path).Want(200).Whole().Says(".empty", "pas de base de traces")
	o.get(recordPath).Leads(pages.Path)
	o.post(recordPath).Leads(pages.Path)
	o.post("/traces/recherche").Leads(pages.Path)
	o.get("/traces/evenements/r1").Leads(pages.Path)
}

func TestWhoOpenedThisRecord(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	o.source("Radiologie", 20*24*time.Hour)
	o.base.put(uitest.Establishment(),
		opening("adupont", "DUPONT Anne", "4417", ago(50*time.Hour)), opening("adupont", "DUPONT Anne", "4417", ago(26*time.Hour)),
		opening("bmartin", "MARTIN Bruno", "4417", ago(3*time.Hour)), opening("bmartin", "MARTIN Bruno", "9999", ago(2*time.Hour)))
	o.base.put(uuid.New(), opening("etranger", "ETRANGER", "4417", ago(time.Hour)))
	page := o.post(recordPath, "action", "opened", "patient", " 4417 ", "periode", "7j", "motif", "demande du patient").Want(200).Whole()
	page.Says(".answer-words", "2 comptes ont ouvert le dossier du patient 4417, en 3 événements.")
	page.Says(".answer-words", "Le premier date du 20 novembre 2026 à 10:00, le dernier du 22 novembre 2026 à 09:00.")
	page.Says(".answer-words", "Le plus souvent : DUPONT Anne (adupont), 2 événements.")
	page.Says(".message", "Une source n’a rien dit pendant cette période ; la réponse l’ignore : Radiologie.")
	page.Says("#reponse tbody th", "adupont").Has("svg.chart").Count("a[href^='/traces/evenements/']", 3).Value("#f-patient", "value", "4417").Value("#f-motif", "value", "demande du patient")
	if strings.Contains(page.Body, "ETRANGER") || strings.Contains(page.Body, "etranger") {
		t.Error("the answer speaks of another establishment")
	}
	// By INS, the same patient.
	o.post(recordPath, "action", "opened", "patient", "14417", "motif", "demande").Want(200).Says(".answer-words", "2 comptes")
	// What is missing is said at its blank, and what was typed stays.
	wrong := o.post(recordPath, "action", "bateau", "patient", "", "motif", "").Want(422).Whole()
	wrong.Has(".summary").Has("#f-motif[aria-invalid=true]").Has("#f-action[aria-invalid=true]")
	o.post(recordPath, "patient", "4417", "motif", "x", "periode", "7j", "de", "2026-11-01T00:00").Want(422).Whole().Has("#f-periode[aria-invalid=true]")
	o.post(recordPath, "patient", "4417", "motif", "x", "periode", "dates", "de", "2026-11-20T00:00", "a", "2026-11-01T00:00").Want(422).Whole().Has("#f-a[aria-invalid=true]")
	dated := o.post(recordPath, "patient", "4417", "motif", "x", "periode", "dates", "de", "2026-11-20T00:00", "a", "2026-11-21T00:00").Want(200).Whole()
	dated.Says(".answer-words", "1 compte a ouvert le dossier du patient 4417, en 1 événement.").Says(".answer-words", "C’était le 20 novembre 2026 à 10:00.")
}

func TestNothingThatNamesAPersonStandsInAnAddress(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	o.base.put(uitest.Establishment(), opening("adupont", "DUPONT Anne", "4417", ago(time.Hour)))
	// An address may hold the period and the choices, and never fills a name.
	page := o.get(recordPath + "?patient=4417&periode=30j&action=print").Want(200).Whole()
	page.Value("#f-patient", "value", "").Has("#f-periode option[value='30j'][selected]").Has("#f-action option[value=print][selected]")
	answer := o.post(recordPath, "patient", "4417", "motif", "demande").Want(200)
	for _, n := range answer.Find("[href], [action], [src]") {
		for _, a := range []string{"href", "action", "src"} {
			if strings.Contains(uitest.Attribute(n, a), "4417") || strings.Contains(uitest.Attribute(n, a), "adupont") {
				t.Errorf("an address names somebody: %s", uitest.Attribute(n, a))
			}
		}
	}
	if len(o.looks()) != 1 {
		t.Errorf("%d looks, want the one that was posted", len(o.looks()))
	}
	// Prepared from an event: filled, and not asked.
	o.post(recordPath, "preparer", "oui", "patient", "4417").Want(200).Whole().Value("#f-patient", "value", "4417").Lacks("#reponse")
	if len(o.looks()) != 1 {
		t.Error("a question that was prepared was asked")
	}
}

func TestALookIsATraceBeforeItIsAnAnswer(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	o.base.put(uitest.Establishment(), opening("adupont", "DUPONT Anne", "4417", ago(time.Hour)))
	o.base.before = func(context.Context) error {
		looks := o.looks()
		if len(looks) != 1 || looks[0].IPP != "4417" || looks[0].Purpose != "plainte n° 12" || looks[0].Person != "Camille Martin" || looks[0].Object != "record" {
			t.Errorf("the base is asked before the look is kept: %+v", looks)
		}
		return nil
	}
	o.post(recordPath, "patient", "4417", "motif", "plainte n° 12").Want(200).Has("#reponse")
	o.base.before = nil
	// The journal knows who asked what, and not of whom.
	list := o.journal("traces.ask")
	if len(list) != 1 || strings.Contains(fmt.Sprint(list), "4417") {
		t.Errorf("journal: %+v", list)
	}
	// A look that cannot be kept is not given.
	asked := len(o.base.asked)
	if err := o.spool.Close(); err != nil {
		t.Fatal(err)
	}
	refused := o.post(recordPath, "patient", "4417", "motif", "plainte n° 12")
	refused.Lacks("#reponse")
	if refused.Status < 400 || len(o.base.asked) != asked || strings.Contains(refused.Body, "DUPONT") {
		t.Errorf("status %d, %d questions more", refused.Status, len(o.base.asked)-asked)
	}
	if page := o.get("/traces/evenements/r1"); page.Status < 400 || strings.Contains(page.Body, "DUPONT") {
		t.Errorf("an event is shown without its look: %d", page.Status)
	}
}

func (o *office) journal(action string) []journal.Record {
	o.t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		o.t.Fatal(err)
	}
	list, err := journal.NewReader(o.db, guard).Search(o.t.Context(), o.scope, journal.Filter{Action: action, Limit: 100})
	if err != nil {
		o.t.Fatal(err)
	}
	return list
}

func TestNothingFoundSaysWhatItMayMean(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", 0)
	for _, ph := range traces.Phrases() {
		fields := []string{"motif", "contrôle"}
		for _, b := range ph.Blanks {
			if b.Kind != traces.BlankChoice {
				fields = append(fields, b.Name, "néant")
			}
		}
		page := o.post("/traces/questions/"+ph.Key, fields...).Want(200).Whole()
		page.Count(".answer-words", 1).Says("#reponse", "Rien de trouvé ne veut pas dire").Says("#reponse .message", "DPI").Lacks("#reponse table")
	}
}

func TestVolumeIsComparedWithPeers(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	for i := range 6 {
		for n := range 5 {
			e := opening(fmt.Sprintf("ide%d", i), "", fmt.Sprintf("p%d", n), ago(time.Duration(n+1)*time.Hour))
			e.Function = "IDE"
			o.base.put(uitest.Establishment(), e)
		}
	}
	for n := range 40 {
		e := opening("curieux", "CURIEUX Luc", fmt.Sprintf("q%d", n), ago(time.Duration(n+1)*time.Minute))
		e.Function = "IDE"
		o.base.put(uitest.Establishment(), e)
	}
	page := o.post(volumePath, "motif", "contrôle mensuel").Want(200).Whole()
	page.Says(".answer-words", "7 comptes ont ouvert des dossiers de patients").Says(".answer-words", "En tête : CURIEUX Luc (curieux), 40 patients différents.").Says(".answer-words", "1 compte dépasse trois fois la médiane de sa fonction.")
	page.Says("tbody .badge", "8,0 fois la médiane (5)").Says("tbody", "proche de la médiane (5)")
}

func TestMoreIsSaid(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	for n := range 130 {
		o.base.put(uitest.Establishment(), opening(fmt.Sprintf("compte%03d", n), "", "4417", ago(time.Duration(n+1)*time.Minute)))
	}
	page := o.post(recordPath, "patient", "4417", "motif", "x").Want(200).Whole()
	page.Says("#reponse .quiet", "100 premières lignes sur 130").Says("#reponse .quiet", "20 derniers événements sur 130").Says(".answer-words", "130 comptes ont ouvert")
}

func TestHostileWordsStayWords(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	e := opening(`=cmd|' /C calc'!A0`, `<script>alert(1)</script>`, "4417", ago(time.Hour))
	e.Application, e.Raw = `"><img src=x onerror=alert(1)>`, []byte("<a><b x='<![CDATA['>&lt;script&gt;</b><!-- </pre><script>alert(2)</script> --></a>\x00\xff\u202e")
	e.Extra = []traces.Pair{{Name: "<b>n</b>", Value: "<i>v</i>"}}
	o.base.put(uitest.Establishment(), e)
	o.post(recordPath, "patient", "4417", "motif", "<script>").Want(200).Whole().Lacks("main script").Lacks("main img").Says("tbody", "<script>alert(1)</script>")
	o.get("/traces/evenements/r1").Want(200).Whole().Lacks("main script").Lacks("main img").Lacks("main b").Says("pre", "<script>alert(2)</script>").Says("pre", `\u0000\xff\u202e`).Says("table", "<i>v</i>")
	csv := o.post(recordPath+"/fichier", "format", "csv", "patient", "4417", "motif", "=1+1").Want(200)
	if !strings.Contains(csv.Body, "'=cmd|") || !strings.Contains(csv.Body, "'=1+1") {
		t.Errorf("a formula leaves in the file: %s", csv.Body)
	}
}

func TestAnAnswerLeavesWithItsFingerprint(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	o.base.put(uitest.Establishment(), opening("adupont", "DUPONT Anne", "4417", ago(30*time.Hour)), opening("bmartin", "MARTIN Bruno", "4417", ago(3*time.Hour)))
	for _, format := range []string{"pdf", "xlsx", "csv"} {
		file := o.post(recordPath+"/fichier", "format", format, "patient", "4417", "periode", "7j", "motif", "demande").Want(200)
		if d := file.Header.Get("Content-Disposition"); !strings.Contains(d, "traces-2026-11-22-12h00."+format) {
			t.Errorf("the file is called %q", d)
		}
		sum := sha256.Sum256([]byte(file.Body))
		list := o.journal("traces.document")
		if len(list) == 0 || !strings.Contains(fmt.Sprint(list), hex.EncodeToString(sum[:])) {
			t.Errorf("%s: its fingerprint is not in the journal: %+v", format, list)
		}
	}
	looks := o.looks()
	if len(looks) != 6 || looks[0].Action != traces.Export || looks[0].Parameter != "pdf" || !strings.HasPrefix(looks[1].Parameter, "sha256:") {
		t.Errorf("looks: %+v", looks)
	}
	o.post(recordPath+"/fichier", "format", "exe", "patient", "4417", "motif", "x").Want(422)
	uitest.Post(t, o.as(access.Administrator), recordPath+"/fichier", []string{"format", "csv"}).Want(403)
}

func TestAnAnswerThatFailsKeepsTheQuestion(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	o.base.before = func(context.Context) error { return errors.New("broken") }
	o.post(recordPath, "patient", "4417", "motif", "demande").Want(500).Whole().Has(".summary").Value("#f-patient", "value", "4417")
	// A reader who leaves ends the question.
	ctx, leave := context.WithCancel(t.Context())
	leave()
	o.base.before = func(ctx context.Context) error { return ctx.Err() }
	if _, err := o.s.Ask(ctx, o.asked(), traces.Look{Why: "x"}, traces.Question{From: 1, To: 2, Zone: "UTC", Limit: 1}); err == nil {
		t.Error("a question without a reader was answered")
	}
}

func (o *office) asked() access.Scope { return uitest.As(access.DataProtection).Scope }
