package pages_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/inventory"
	"tocsin/internal/traces"
	"tocsin/internal/traces/pages"
	"tocsin/internal/ui/uitest"
)

const searchPath = "/traces/recherche"

func TestOneEventIsShownWhole(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	s := o.source("DPI", time.Minute)
	e := traces.Event{
		Source: s.ID, Collector: "syslog", Key: "k-1", At: ago(time.Hour), Received: ago(time.Hour) + 90*int64(time.Second/time.Microsecond),
		Account: "adupont", Person: "DUPONT Anne", Function: "IDE", Delegate: "Dr Roux", Action: traces.BreakGlass, Verb: "URGENCE", IPP: "4417", INS: "123456789012345", PatientName: "MARTIN Jeanne",
		Stay: "S1", Document: "D1", Object: "Compte rendu", Parameter: "Pr1", Device: "Dev1", Application: "DPI", Workstation: "PC-12", Address: "10.0.0.9", Site: "Nord", Service: "Cardiologie",
		Purpose: "Douleur", Relation: "Garde", Outcome: traces.Denied, Severity: 4, Message: "accès urgent", Extra: []traces.Pair{{Name: "couleur", Value: "bleu"}}, Raw: []byte(`{"a":{"b":[1,2]},"c":"x"}`),
	}
	o.base.put(uitest.Establishment(), e)
	page := o.get("/traces/evenements/r1").Want(200).Whole()
	for _, want := range []string{"adupont", "DUPONT Anne", "IDE", "Dr Roux", "Bris de glace", "URGENCE", "4417", "123456789012345", "MARTIN Jeanne", "S1", "D1", "Compte rendu", "Pr1", "Dev1", "DPI", "PC-12", "10.0.0.9", "Nord", "Cardiologie", "Douleur", "Garde", "Refus", "Avertissement", "accès urgent", "k-1", "Reçu 1 min 30 s après", "Accès à des données de patients"} {
		page.Says("main", want)
	}
	page.Says("table", "bleu").Says("pre", `"b": [ 1, 2 ]`).Has("a[href='" + pages.SourcePath(s.ID) + "']").Has("form[action='/traces/questions/record'] input[name=patient][value='4417']")
	looks := o.looks()
	if len(looks) != 1 || looks[0].Document != "r1" || looks[0].IPP != "4417" {
		t.Errorf("looks: %+v", looks)
	}
	o.base.put(uuid.New(), e)
	o.get("/traces/evenements/r2").Want(404)
	uitest.Get(t, o.as(access.Administrator), "/traces/evenements/r1").Want(403)
}

func TestTheOriginalIsSetOutAndNeverChanged(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"xml":        {`<?xml version="1.0"?><a x="1"><b>t &amp; u</b><c/></a>`, "<?xml version=\"1.0\"?>\n<a x=\"1\">\n  <b>t &amp; u</b>\n  <c/>\n</a>"},
		"broken xml": {`<a><b>`, "<a>\n  <b>"},
		"not xml":    {`<13>Nov 22 12:00:00 pc sshd: <b`, `<13>Nov 22 12:00:00 pc sshd: <b`},
		"text":       {"a\tb\r\n\x1b[31m", "a\tb\\u000d\n\\u001b[31m"},
		"nothing":    {"", ""},
	} {
		if got := pages.Original([]byte(c.raw)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestFreeSearchIsWrittenNarrowedAndPaged(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.source("DPI", time.Minute)
	for n := range 70 {
		e := opening("adupont", "DUPONT Anne", "4417", ago(time.Duration(n)*time.Hour+time.Minute))
		if n%2 == 1 {
			e.Action, e.Account = traces.Print, "bmartin"
		}
		o.base.put(uitest.Establishment(), e)
	}
	o.base.put(uuid.New(), opening("etranger", "", "4417", ago(time.Hour)))
	o.get(searchPath).Want(200).Whole().Count(".condition", 1).Lacks("#reponse")
	// A condition more or less asks nothing.
	o.post(searchPath, "champ", "action", "op", "is", "valeur", "Impression", "ajouter", "oui").Want(200).Whole().Count(".condition", 2).Has("option[value=action][selected]")
	o.post(searchPath, "champ", "action", "op", "is", "valeur", "x", "champ", "account", "op", "is", "valeur", "y", "retirer", "0").Want(200).Whole().Count(".condition", 1).Value(".condition input", "value", "y")
	if len(o.looks()) != 0 {
		t.Error("writing a search is a look")
	}
	found := o.post(searchPath, "champ", "action", "op", "is", "valeur", "impression", "periode", "7j", "par", "account", "motif", "enquête").Want(200).Whole()
	found.Says("#reponse-titre", "35 événements trouvés").Count("#reponse table tbody tr", 36).Has(".histogram-bar[value='2026-11-22']").Has("button[name=avec][value=bmartin]").Lacks("button[name=page]")
	if looks := o.looks(); len(looks) != 1 || looks[0].Purpose != "enquête" {
		t.Errorf("looks: %+v", looks)
	}
	all := o.post(searchPath, "motif", "enquête", "periode", "7j").Want(200).Whole().Says("#reponse-titre", "70 événements").Count("#reponse tbody tr", 50).Has("button[name=page][value='2']")
	all.Says(".pager", "1 à 50 sur 70")
	o.post(searchPath, "motif", "enquête", "periode", "7j", "page", "2").Want(200).Whole().Count("#reponse tbody tr", 20).Has("button[name=page][value='1']").Lacks("button[name=page][value='3']")
	day := o.post(searchPath, "motif", "enquête", "periode", "7j", "aller", "2026-11-21").Want(200).Whole()
	day.Says("#reponse-titre", "24 événements").Value("#f-de", "value", "2026-11-21T00:00").Value("#f-a", "value", "2026-11-22T00:00").Has(".histogram-bar[value='2026-11-21T10']")
	o.post(searchPath, "motif", "enquête", "periode", "7j", "aller", "2026-11-21T10").Want(200).Says("#reponse-titre", "1 événement trouvé")
	value := o.post(searchPath, "motif", "enquête", "periode", "7j", "par", "account", "avec", "bmartin").Want(200).Whole()
	value.Says("#reponse-titre", "35 événements").Value(".condition input", "value", "bmartin").Has("option[value=account][selected]")
	o.post(searchPath, "motif", "enquête", "q", "dupont pc-99").Want(200).Says("#reponse-titre", "0 événement")
	if strings.Contains(all.Body, "etranger") {
		t.Error("another establishment's trace is found")
	}
}

func TestFreeSearchRefusesWithASentence(t *testing.T) {
	o := newOffice(t, access.DataProtection)
	o.post(searchPath, "champ", "action", "op", "is", "valeur", "bateau", "motif", "x").Want(422).Whole().Has("#f-valeur-0[aria-invalid=true]").Says(".summary", "Bris de glace")
	o.post(searchPath, "champ", "account", "op", "is", "valeur", "", "motif", "x").Want(422).Whole().Has("#f-valeur-0[aria-invalid=true]")
	o.post(searchPath, "champ", "mot_de_passe", "op", "is", "valeur", "x", "motif", "x").Want(422).Whole().Has(".summary")
	o.post(searchPath, "champ", "account", "op", "'; DROP", "valeur", "x", "motif", "x").Want(422)
	o.post(searchPath, "motif", "").Want(422).Whole().Has("#f-motif[aria-invalid=true]")
	o.post(searchPath, "motif", "x", "q", strings.Repeat("mot ", 11)).Want(422).Whole().Has(".summary")
	o.post(searchPath, "motif", "x", "page", "-3", "retirer", "77").Want(200)
	o.post(searchPath, "motif", "x", "aller", "'; DROP").Want(200)
	uitest.Post(t, o.as(access.Administrator), searchPath, []string{"motif", "x"}).Want(403)
}

func TestASourceIsAddedChangedRenewedAndRetired(t *testing.T) {
	o := newOffice(t, access.Administrator)
	item, err := o.inventory.Save(t.Context(), o.scope, inventory.Item{Kind: inventory.Application, Name: "DPI Altaïr"})
	if err != nil {
		t.Fatal(err)
	}
	o.get(pages.SourcesPath).Want(200).Whole().Has(".empty a[href='/traces/sources/nouvelle']")
	o.get(pages.SourcesPath+"/nouvelle").Want(200).Whole().Has("#f-format option[value=syslog]").Value("#f-zone", "value", "Europe/Paris").Has("#f-item option[value='" + item.ID.String() + "']")
	wrong := o.post(pages.SourcesPath+"/nouvelle", "name", "", "format", "bateau", "zone", "Lune", "addresses", "10.0.0").Want(422).Whole()
	wrong.Has(".summary").Says("#f-addresses", "10.0.0")
	added := o.post(pages.SourcesPath+"/nouvelle", "name", "DPI <b>", "format", "syslog", "zone", "Europe/Paris", "addresses", "10.1.2.3 10.2.0.0/16", "quiet", "60", "item", item.ID.String()).Want(200).Whole()
	token := uitest.Attribute(added.Find("#jeton")[0], "value")
	if !strings.HasPrefix(token, "src_") || added.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("token %q, kept by %q", token, added.Header.Get("Cache-Control"))
	}
	added.Says("pre", "tocsin.test")
	list, err := o.s.Sources(t.Context(), o.scope)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	at := pages.SourcePath(list[0].ID)
	o.say(token, 30*time.Minute, "dupont", "!illisible <script>")
	sheet := o.get(at).Want(200).Whole().Says("h1", "DPI <b>").Says("dl", "10.1.2.3, 10.2.0.0/16").Says("dl a", "DPI Altaïr").Says("details", "Message illisible").Says("pre", "<script>").Has("svg.chart").Says(".badge", "Parle").Says(".badge", "1 message illisible")
	if strings.Contains(sheet.Body, token) {
		t.Error("the sheet says the token")
	}
	// Who may see that it speaks does not see what it said.
	uitest.Get(t, o.as(access.Auditor), at, uitest.With("Accept-Language", "fr")).Want(200).Whole().Lacks("pre").Lacks("a[href$='/jeton']")
	o.get(at+"/modifier").Want(200).Whole().Value("#f-name", "value", "DPI <b>").Has("#f-item option[selected][value='" + item.ID.String() + "']")
	o.post(at+"/modifier", "name", "DPI", "format", "syslog", "zone", "Europe/Paris", "quiet", "0").Leads(at)
	o.post(at+"/modifier", "name", "", "format", "syslog", "zone", "Europe/Paris").Want(422).Whole().Has("#f-name[aria-invalid=true]")
	o.get(at+"/jeton").Want(200).Whole().Says("ul", "L’ancien jeton est refusé").Has("button.danger")
	renewed := o.post(at + "/jeton").Want(200).Whole()
	if fresh := uitest.Attribute(renewed.Find("#jeton")[0], "value"); fresh == token || fresh == "" {
		t.Errorf("the token was not renewed: %q", fresh)
	}
	o.get(at+"/retirer").Want(200).Whole().Says("ul", "2 événements").Has("button.danger")
	o.post(at + "/retirer").Leads(at)
	o.get(at).Want(200).Whole().Says(".badge", "Retirée").Lacks("a[href$='/jeton']")
	o.get(pages.SourcePath(uuid.New())).Want(404)
	uitest.Get(t, o.as(access.DataProtection), at+"/retirer").Want(403)
}

func TestTheStateOfASourceIsInWords(t *testing.T) {
	o := newOffice(t, access.Auditor)
	o.source("Parlante", time.Minute)
	o.source("Jamais", 0)
	o.source("Muette", 5*time.Hour)
	if _, err := o.s.Watch(t.Context(), uitest.Noon()); err != nil {
		t.Fatal(err)
	}
	page := o.get(pages.SourcesPath).Want(200).Whole().Count("tbody tr", 3).Says("tbody", "Silencieuse depuis 5 h").Says("tbody", "Pas encore entendue").Says("tbody", "Parle").Lacks("a[href$='/nouvelle']")
	page.Says("tbody", "il y a 1 min")
	o.get(pages.Path).Says(".message", "Muette")
}

func TestSearchFindsASourceByName(t *testing.T) {
	o := newOffice(t, access.Auditor)
	o.source("Radiologie", time.Minute)
	loc := i18ntest.Localizer(t, i18n.French, pages.Locales, traces.Locales)
	hits, err := pages.Search{Service: o.s}.Search(t.Context(), uitest.As(access.Auditor).Scope, loc, "radio")
	if err != nil || len(hits) != 1 || hits[0].Title != "Radiologie" {
		t.Errorf("%+v %v", hits, err)
	}
	if hits, err := (pages.Search{Service: o.s}).Search(t.Context(), uitest.As(access.Reader).Scope, loc, "radio"); err != nil || len(hits) != 0 {
		t.Errorf("a reader finds %+v %v", hits, err)
	}
}

func TestADurationIsDecidedOnceItSaysWhatItRemoves(t *testing.T) {
	o := newOffice(t, access.Administrator)
	o.get(pages.KeepPath).Want(200).Whole().Count("table:first-of-type tbody tr", 5).Says("tbody", "Personne n’a décidé").Says("main", "Rien n’a encore été supprimé.").Says("main", "Aucun point de contrôle n’a encore été signé.").Says("main", "Rien n’est gelé")
	at := pages.KeepPath + "/patient"
	o.get(at).Want(200).Whole().Has("#f-months").Says("form", "Au moins 6 mois")
	o.post(at, "months", "3").Want(422).Whole().Has("#f-months[aria-invalid=true]")
	asked := o.post(at, "months", "12").Want(200).Whole().Says("ul", "antérieures au 22 novembre 2025").Says("ul", "Camille Martin").Has("button.danger").Value("input[name=confirmer]", "value", "12")
	asked.Lacks("#f-months")
	if d, err := o.s.Durations(t.Context(), o.scope); err != nil || d[0].Months != 0 {
		t.Fatalf("decided before it was confirmed: %+v %v", d, err)
	}
	// What was confirmed is what was said.
	o.post(at, "months", "8", "confirmer", "12").Want(200).Whole().Has("input[name=confirmer][value='8']")
	o.post(at, "months", "12", "confirmer", "12").Leads(pages.KeepPath)
	o.get(pages.KeepPath).Says("tbody", "12 mois").Says("tbody", "Camille Martin, le 22 novembre 2026")
	// A longer one removes nothing more and needs no second word.
	o.post(at, "months", "24").Leads(pages.KeepPath)
	o.post(at, "months", "").Leads(pages.KeepPath)
	o.get(pages.KeepPath + "/bateau").Want(404)
	o.post(at, "months", "12", "confirmer", "12").Leads(pages.KeepPath)
	if _, err := o.s.Purge(t.Context(), uitest.Noon()); err != nil {
		t.Fatal(err)
	}
	o.get(pages.KeepPath).Whole().Says("main", "du 22 novembre 2025 au 22 avril 2026").Says("tbody", "dont 3 traces au-delà, gelées").Says("td[data-label='Retenues par un gel']", "3")
	uitest.Get(t, o.as(access.Auditor), pages.KeepPath).Want(200).Whole().Lacks("a[href='" + at + "']")
	uitest.Get(t, o.as(access.Auditor), at).Want(403)
}

func TestTheUsualRateIsSaid(t *testing.T) {
	o := newOffice(t, access.Auditor)
	s, token, err := o.s.Add(t.Context(), o.scope, traces.Wanted{Name: "DPI", Format: "syslog", Zone: "Europe/Paris"})
	if err != nil {
		t.Fatal(err)
	}
	// Sundays at this hour, then the last hour: 22 November 2026 is a Sunday.
	for _, days := range []int{21, 14, 8, 7, 1} {
		o.say(token, time.Duration(days)*24*time.Hour+30*time.Minute, "a", "b", "c")
	}
	o.say(token, 30*time.Minute, "a")
	o.get(pages.SourcePath(s.ID)).Want(200).Says("dl", "1 événement, 3 d’habitude")
}
