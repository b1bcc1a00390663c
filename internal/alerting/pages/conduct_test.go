package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage"
	"tocsin/internal/ui/uitest"
)

// kinds counts the events of an alert by kind.
func (h *hospital) kinds(l alerting.Launch) map[alerting.EventKind]int {
	h.t.Helper()
	events, err := h.Timeline(h.t.Context(), h.scope(access.Launcher), l.ID)
	must(h.t, err)
	out := map[alerting.EventKind]int{}
	for _, e := range events {
		out[e.Kind]++
	}
	return out
}

func TestProgressIsReadBeforeItLeaves(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	l := h.started()
	r := h.as(access.CrisisCell)
	page(t, r, path(l, "/message")).Says(".choice", "1 personne").Has("input[value=all][checked]")
	uitest.Post(t, r, path(l, "/message"), []string{"a", "all", "texte", " "}).Want(http.StatusUnprocessableEntity).Whole().Has(".field.wrong textarea")
	fields := []string{"a", "all", "texte", "Entrée par le parking sud", "texte-en", ""}
	check := uitest.Post(t, r, path(l, "/message"), fields).Want(http.StatusOK).Whole()
	check.Says(".heading", "Partira à 1 personne").Says(".preview-sms", "EXERCICE - Entrée par le parking sud").Value("input[name=texte]", "value", "Entrée par le parking sud")
	if n := h.kinds(l)[alerting.EventProgress]; n != 0 {
		t.Fatalf("%d messages left before they were read", n)
	}
	uitest.Post(t, r, path(l, "/message"), append(fields, "etape", "envoyer")).Leads(path(l, ""))
	if n := h.kinds(l)[alerting.EventProgress]; n != 1 {
		t.Errorf("%d messages left, want one", n)
	}
	uitest.Post(t, r, path(l, "/message"), []string{"a", "voisins", "texte", "x", "etape", "envoyer"}).Want(http.StatusUnprocessableEntity)
}

func TestExtendCountsThenCalls(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	h.agent("Renfort", "ide")
	r := h.as(access.CrisisCell)
	page(t, r, path(l, "/elargir")).Has("[name=service]").Has("[name=metier]")
	uitest.Post(t, r, path(l, "/elargir"), nil).Want(http.StatusUnprocessableEntity).Whole().Says(".crowd .error", "Cochez au moins")
	fields := []string{"metier", "ide"}
	uitest.Post(t, r, path(l, "/elargir"), fields).Want(http.StatusOK).Whole().Says(".card h2", "1 personne correspond").Has("button[value=appeler]")
	uitest.Post(t, r, path(l, "/elargir"), append(fields, "etape", "appeler")).Leads(path(l, ""))
	if got := h.recipient(l, "Renfort"); got.State != alerting.Called {
		t.Errorf("the newcomer is %s", got.State)
	}
	uitest.Post(t, r, path(l, "/elargir"), append(fields, "etape", "appeler")).Want(http.StatusUnprocessableEntity).Has(".crowd .error")
	uitest.Post(t, r, path(l, "/elargir"), []string{"service", "x"}).Want(http.StatusNotFound)
}

func TestStopWaveNeedsTheWord(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	l := h.started()
	r := h.as(access.CrisisCell)
	page(t, r, path(l, "/vagues")).Count("tbody tr", 2).Lacks(".hold")
	page(t, r, path(l, "/vagues?vague=2")).Says(".card", "1 personne est dans cette vague").Has(".hold")
	uitest.Post(t, r, path(l, "/vagues"), []string{"vague", "2", "mot", "non"}).Want(http.StatusUnprocessableEntity).Whole().Has(".hold .error")
	uitest.Post(t, r, path(l, "/vagues"), []string{"vague", "2", "mot", "arreter"}).Leads(path(l, ""))
	page(t, r, path(l, "")).Says(".badge", "Arrêtée").Lacks("[data-countdown]")
	uitest.Post(t, r, path(l, "/vagues"), []string{"vague", "2", "mot", "arrêter"}).Want(http.StatusConflict)
	uitest.Post(t, r, path(l, "/vagues"), []string{"vague", "9", "mot", "arrêter"}).Want(http.StatusNotFound)
}

func TestCallByHandIsNoted(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	who := path(l, "/personnes/"+h.recipient(l, "Durand").ID.String())
	r := h.as(access.CrisisCell)
	page(t, r, who).Says("tbody td", "06 39 98").Has("form[action$='/appel']")
	uitest.Post(t, r, who+"/appel", nil).Want(http.StatusUnprocessableEntity).Whole().Has(".field.wrong")
	uitest.Post(t, r, who+"/appel", []string{"reponse", "coming-x"}).Want(http.StatusUnprocessableEntity)
	uitest.Post(t, r, who+"/appel", []string{"reponse", "personne", "note", "répondeur"}).Leads(who)
	if got := h.recipient(l, "Durand"); got.Meaning != "" || len(got.Answers) != 1 {
		t.Fatalf("nobody picked up, and yet %+v", got)
	}
	uitest.Post(t, r, who+"/appel", []string{"reponse", "coming-60", "note", "vient en train"}).Leads(who)
	page(t, r, who).Says("tbody tr", "Vient (60 min)").Says("tbody tr", "vient en train").Says("tbody tr", "Appel noté (Camille Martin)")
	// Who came and who could not is nobody else's business.
	for _, role := range []access.Role{access.Reader, access.Administrator, access.DirectoryManager, access.Auditor} {
		outside := h.as(role)
		uitest.Get(t, outside, who).Want(http.StatusForbidden).Lacks("tbody")
		uitest.Get(t, outside, path(l, "/personnes?reponse=coming"), uitest.With("HX-Request", "true")).Want(http.StatusForbidden)
		board := page(t, outside, path(l, "")).Lacks("#personnes table").Says("#personnes", "cellule de crise").Says(".timeline", "Appel noté")
		if strings.Contains(board.Body, "Durand") {
			t.Errorf("%s reads a name on the board", role)
		}
	}
}

func TestArrivalsInOneTap(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	h.agent("Petit", "ide")
	l := h.started()
	r := h.as(access.CrisisCell)
	page(t, r, path(l, "/arrivees")).Says("main", "Personne n’est attendu").Has("input[name=q][autofocus]").Lacks(".door-list li")
	found := page(t, r, path(l, "/arrivees?q=dur")).Count(".door-list li", 1).Says(".door-list", "Durand Camille")
	fields := []string{"arrive", "oui"}
	for _, n := range found.Find(".door-list input[type=hidden]") {
		fields = append(fields, uitest.Attribute(n, "name"), uitest.Attribute(n, "value"))
	}
	uitest.Post(t, r, path(l, "/arrivees"), fields).Leads(path(l, "/arrivees?q=dur"))
	page(t, r, path(l, "/arrivees?q=dur")).Says(".badge", "Arrivée à 03:00").Has("button[name=arrive][value=non]").Has("button[name=depart][value=oui]").Says(".heading", "1 sur place, 1 venues en tout")
	fields[1] = "non"
	uitest.Post(t, r, path(l, "/arrivees"), fields).Want(http.StatusSeeOther)
	if got := h.recipient(l, "Durand"); !got.Came.IsZero() {
		t.Error("the arrival could not be undone")
	}
	page(t, r, path(l, "/arrivees?q=zz")).Says("main", "« zz »")
	uitest.Post(t, r, path(l, "/arrivees"), []string{"personne", h.recipient(l, "Petit").ID.String(), "retour", "https://ailleurs.example/"}).Leads(path(l, "/arrivees"))
	uitest.Post(t, r, path(l, "/arrivees"), []string{"personne", "x"}).Want(http.StatusNotFound)
}

func TestUnmatchedReplyFindsItsAuthor(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	reply := dispatch.Reply{ID: storage.NewID(h.clock.Now()), Medium: channels.SMS, From: "+33639987777", Text: "oui j'arrive 20 min", At: h.clock.Now()}
	must(t, h.Replies(t.Context(), access.System(h.house.ID, "dispatch"), h.clock.Now(), []dispatch.Reply{reply}))
	r := h.as(access.CrisisCell)
	page(t, r, path(l, "")).Says(".act-bar", "Réponses à rattacher (1)")
	page(t, r, path(l, "/reponses")).Says("tbody tr", "06 39 98 77 77 oui j'arrive 20 min").Says("tbody tr", "Vient (20 min)")
	page(t, r, path(l, "/reponses?message="+reply.ID.String())).Says(".preview", "oui j'arrive").Lacks(".door-list li")
	page(t, r, path(l, "/reponses?q=durand&message="+reply.ID.String())).Count(".door-list li", 1)
	fields := []string{"message", reply.ID.String(), "personne", h.recipient(l, "Durand").ID.String()}
	uitest.Post(t, r, path(l, "/reponses"), fields).Leads(path(l, "/reponses"))
	if got := h.recipient(l, "Durand"); got.Meaning != alerting.Coming || got.Minutes != 20 {
		t.Errorf("attached as %+v", got)
	}
	uitest.Post(t, r, path(l, "/reponses"), fields).Want(http.StatusConflict)
	uitest.Get(t, r, path(l, "/reponses?message="+reply.ID.String())).Want(http.StatusConflict)
}

func TestEndSaysWhatItDoesAndEnds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fields []string
		status int
	}{
		{"the scenario's words", []string{"message", "prevu", "mot", "FIN"}, http.StatusSeeOther},
		{"other words", []string{"message", "autre", "texte", "Merci, rentrez bien", "mot", "fin"}, http.StatusSeeOther},
		{"no message", []string{"message", "aucun", "mot", "FIN"}, http.StatusSeeOther},
		{"held down", []string{"message", "prevu", "mot-tenu", "oui"}, http.StatusSeeOther},
		{"the wrong word", []string{"message", "prevu", "mot", "stop"}, http.StatusUnprocessableEntity},
		{"other words left empty", []string{"message", "autre", "mot", "FIN"}, http.StatusUnprocessableEntity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHospital(t)
			h.agent("Durand", "iade")
			l := h.started()
			r := h.as(access.CrisisCell)
			page(t, r, path(l, "/fin")).Says("li", "1 message en attente est retiré").Says("li", "1 personne appelée reçoit").Says(".preview-sms", "EXERCICE - end fr hall A")
			done := uitest.Post(t, r, path(l, "/fin"), tt.fields).Want(tt.status)
			now, err := h.LaunchByID(t.Context(), h.scope(access.Reader), l.ID)
			must(t, err)
			if want := tt.status == http.StatusSeeOther; want != (now.State == alerting.Ended) {
				t.Errorf("the alert is %s", now.State)
			}
			if tt.status == http.StatusUnprocessableEntity {
				done.Whole().Has(".summary")
				return
			}
			page(t, r, path(l, "")).Says(".message", "Alerte terminée").Lacks(".act-bar")
			uitest.Get(t, r, path(l, "/fin")).Want(http.StatusConflict)
			uitest.Post(t, r, path(l, "/fin"), tt.fields).Want(http.StatusConflict)
		})
	}
}

func TestKillSwitch(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	r := h.as(access.Administrator) // may stop, may not conduct
	page(t, r, path(l, "")).Has(".kill-link").Lacks(".act-bar")
	page(t, r, path(l, "/arret")).Says("li", "1 message en attente ne partira pas").Says("li", "Personne n’est prévenu")
	uitest.Post(t, r, path(l, "/arret"), []string{"mot", "ARRÊT"}).Want(http.StatusUnprocessableEntity).Whole().Has("#f-motif-error")
	uitest.Post(t, r, path(l, "/arret"), []string{"motif", "erreur", "mot", "FIN"}).Want(http.StatusUnprocessableEntity).Has(".hold .error")
	uitest.Post(t, r, path(l, "/arret"), []string{"motif", "parti par erreur", "mot", "arret"}).Leads(path(l, ""))
	page(t, r, path(l, "")).Says(".message", "arrêtée d’urgence").Says(".timeline", "parti par erreur")
}

// forms are the acts of an alert with fields that would do something.
func forms(l alerting.Launch, who string) map[string][]string {
	return map[string][]string{
		"/message": {"a", "all", "texte", "x", "etape", "envoyer"}, "/elargir": {"metier", "ide", "etape", "appeler"}, "/vagues": {"vague", "2", "mot", "arrêter"},
		"/fin": {"message", "prevu", "mot", "FIN"}, "/arrivees": {"personne", who, "arrive", "oui"}, "/personnes/" + who + "/appel": {"reponse", "coming-30"},
		"/arret": {"motif", "x", "mot", "ARRÊT"}, "/reponses": {"message", l.ID.String(), "personne", who},
	}
}

func TestEachRoleDoesItsPartOnly(t *testing.T) {
	t.Parallel()
	h := newHospital(t)
	h.agent("Durand", "iade")
	l := h.started()
	who := h.recipient(l, "Durand").ID.String()
	tests := []struct {
		role                   access.Role
		conducts, kills, reads bool
	}{
		{access.DirectoryManager, false, false, false},
		{access.Reader, false, false, false},
		{access.Auditor, false, false, true},
		{access.Administrator, false, true, false},
		{access.Launcher, true, true, true},
		{access.CrisisCell, true, true, true},
	}
	for _, tt := range tests {
		r := h.as(tt.role)
		page(t, r, path(l, ""))
		page(t, r, path(l, "/mur"))
		for under, fields := range forms(l, who) {
			may := tt.conducts || tt.kills && under == "/arret"
			if !may {
				uitest.Post(t, r, path(l, under), fields).Want(http.StatusForbidden)
			}
			if !strings.HasSuffix(under, "/appel") {
				uitest.Get(t, r, path(l, under)).Want(map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[may])
			}
		}
		uitest.Get(t, r, path(l, "/rapport")).Want(map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[tt.reads])
	}
	if got := h.kinds(l); len(got) != 1 || h.recipient(l, "Durand").Meaning != "" {
		t.Errorf("somebody without the right changed the alert: %v", got)
	}
}
