package stories_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/ui/uitest"
)

// The second person does not answer: the launcher waits two minutes, says why
// she goes on alone, and the alert leaves. Nothing left before; nobody is asked
// any more after; the report and the journal tell it.
func TestTheSecondPersonDoesNotAnswer(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		org := h.scope.Organisation()
		agent := h.agent("Un", "ide")
		h.agent("Deux", "ide")
		h.secondAbove(1)
		first := identitytest.Join(t, h.Accounts, h.clock, org, "garde@valbrume.example", access.Launcher)
		second := identitytest.Join(t, h.Accounts, h.clock, org, "cadre@valbrume.example", access.Launcher)
		h.reach(first, "06 39 98 09 01", "")
		h.reach(second, "06 39 98 09 02", "cadre@valbrume.example")

		sc := h.scenario(recall())
		to := h.press(first, sc).Header.Get("Location")
		if !strings.HasPrefix(to, "/demandes/") {
			t.Fatalf("the launch leads to %q", to)
		}
		h.settle()
		count(t, h.sms.received(mobile(agent)), 0, "SMS to an agent before anybody confirmed")
		count(t, h.sms.received("+33639980901"), 0, "SMS to the one who asked")
		asked := h.sms.received("+33639980902")
		count(t, asked, 1, "SMS to the second person")
		count(t, h.mail.received("cadre@valbrume.example"), 1, "e-mail to the second person")
		if !strings.Contains(asked[0].Text, "Garde") || asked[0].Link != identitytest.Origin().String()+to {
			t.Errorf("the second person reads %q, led to %q", asked[0].Text, asked[0].Link)
		}

		h.pass(alerting.SecondWait - time.Second)
		alone := []string{"reason", "personne ne répond au cadre de nuit"}
		uitest.Post(t, h.router, to+"/passer-outre", alone, uitest.Cookie(first.SecureCookie())).Want(http.StatusConflict)
		h.pass(time.Second)
		uitest.Post(t, h.router, to+"/passer-outre", alone, uitest.Cookie(second.SecureCookie())).Want(http.StatusConflict)
		left := uitest.Post(t, h.router, to+"/passer-outre", alone, uitest.Cookie(first.SecureCookie())).Want(http.StatusSeeOther).Header.Get("Location")
		h.settle()
		count(t, h.sms.received(mobile(agent)), 1, "SMS to an agent after she went on alone")

		id := uuid.MustParse(strings.TrimPrefix(left, "/alertes/"))
		events, err := h.Alerting.Timeline(t.Context(), first.Scope, id)
		if err != nil {
			t.Fatal(err)
		}
		told := false
		for _, e := range events {
			told = told || e.Kind == alerting.EventOverridden && e.By == "Garde" && e.Text == alone[1]
		}
		if n := h.number(`SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND action = 'alert.second.overridden'`, org); n != 1 || !told {
			t.Errorf("%d lines in the journal, said in the timeline: %v", n, told)
		}
		// Too late to be the second person.
		uitest.Post(t, h.router, to+"/confirmer", []string{"mot", "réel"}, uitest.Cookie(second.SecureCookie())).Want(http.StatusConflict)
		if list, err := h.Alerting.Launches(t.Context(), first.Scope, alerting.Page{}); err != nil || len(list) != 1 {
			t.Errorf("%d alerts, %v", len(list), err)
		}
	})
}

// Fire waits for nobody, whatever the number of people.
func TestLivesWaitForNobody(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Un", "ide")
		h.agent("Deux", "ide")
		h.secondAbove(1)
		first := identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), "garde@valbrume.example", access.Launcher)
		to := h.press(first, h.scenario(recall(func(d *alerting.Definition) { d.LifeSafety = true }))).Header.Get("Location")
		h.settle()
		if !strings.HasPrefix(to, "/alertes/") {
			t.Errorf("a launch for lives leads to %q", to)
		}
		count(t, h.sms.received(mobile(agent)), 1, "SMS to an agent")
	})
}

func (h *hospital) secondAbove(n int) {
	h.t.Helper()
	admin := access.For(h.scope.Organisation(), h.scope.Actor(), true, access.Administrator)
	if err := h.Alerting.SetGovernance(h.t.Context(), admin, h.now(), alerting.Governance{SecondAbove: n, KeepDays: alerting.KeepDaysDefault}); err != nil {
		h.t.Fatal(err)
	}
}

// reach says where the program writes to a person.
func (h *hospital) reach(who *identitytest.Person, mobile, email string) {
	h.t.Helper()
	if err := h.Accounts.SetOwnReach(h.t.Context(), who.Scope, who.Token, identity.Reach{Mobile: mobile, Email: email}); err != nil {
		h.t.Fatal(err)
	}
}

// press reads the sheet of a scenario and launches it for real.
func (h *hospital) press(who *identitytest.Person, sc alerting.Scenario) *uitest.Page {
	h.t.Helper()
	path := "/alertes/declencher/scenario/" + sc.ID.String()
	sheet := uitest.Get(h.t, h.router, path+"?etape=fiche&mode=reel&v-lieu=aux+urgences&ordre=Dr+Ordre", uitest.Cookie(who.SecureCookie())).Want(http.StatusOK)
	fields := []string{"mot", "RÉEL"}
	for _, n := range sheet.Find(".launch-now input[type=hidden]") {
		fields = append(fields, uitest.Attribute(n, "name"), uitest.Attribute(n, "value"))
	}
	return uitest.Post(h.t, h.router, path, fields, uitest.Cookie(who.SecureCookie())).Want(http.StatusSeeOther)
}
