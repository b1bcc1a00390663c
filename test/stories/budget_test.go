package stories_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/rest"
	"tocsin/internal/ui/uitest"
)

// fiveCents prices the SMS gateway of the hospital: five cents a segment in France.
func (h *hospital) fiveCents() {
	h.t.Helper()
	admin := access.System(h.scope.Organisation(), "story")
	list, err := h.Dispatch.Gateways(h.t.Context(), admin)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, g := range list {
		if g.Medium != channels.SMS {
			continue
		}
		if _, err := h.Dispatch.UpdateGateway(h.t.Context(), admin, h.now(), g.ID, dispatch.GatewayInput{
			Kind: g.Kind, Name: g.Name, Settings: g.Settings, Priority: g.Priority, InFlight: g.InFlight, Fares: "+33 = 0,05", Enabled: true,
		}); err != nil {
			h.t.Fatal(err)
		}
	}
	h.restart() // the nodes follow their gateways by the clock
	h.pass(10 * time.Second)
}

// ceiling sets what an alert may cost, in cents.
func (h *hospital) ceiling(cents int64) {
	h.t.Helper()
	admin := access.For(h.scope.Organisation(), h.scope.Actor(), true, access.Administrator)
	if err := h.Alerting.SetGovernance(h.t.Context(), admin, h.now(), alerting.Governance{KeepDays: 365, Ceiling: cents}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hospital) crowd(n int) (out []directory.Person) {
	for i := range n {
		out = append(out, h.agent(fmt.Sprintf("Agent%02d", i), "ide"))
	}
	return out
}

func (h *hospital) journalled(action string) int {
	return h.number(`SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND action = $2`, h.scope.Organisation(), action)
}

// program asks the interface as a program that may launch and read alerts.
func (h *hospital) program(method, path, body string) (int, string) {
	h.t.Helper()
	_, key, err := h.Accounts.CreateToken(h.t.Context(), access.Instance("story").Within(h.scope.Organisation()), identity.TokenRequest{
		Name: "Programme Réglisse", Actions: []access.Action{access.AlertRead, access.AlertLaunch}, Days: 30,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, rest.Root+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", uuid.NewString())
	w := httptest.NewRecorder()
	h.router.ServeHTTP(connection{w}, r)
	return w.Code, w.Body.String()
}

func kinds(b alerting.Board) (out []alerting.EventKind) {
	for _, e := range b.Timeline {
		out = append(out, e.Kind)
	}
	return out
}

// An alert reaches its ceiling of cost in the middle of its first wave: not one
// SMS more leaves, those who wait are called by e-mail, somebody is told, and
// whoever may launch lets the rest go with a reason.
func TestAnAlertReachesItsCeiling(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		people := h.crowd(30)
		h.fiveCents()
		guard := identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), "garde@valbrume.example", access.Launcher)
		h.reach(guard, "", "garde@valbrume.example")
		reader := identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), "lecteur@valbrume.example", access.CrisisCell)

		sc := h.scenario(recall(func(d *alerting.Definition) { d.Waves[0].Escalate = minutes(5) }))
		sheet, err := h.Alerting.Prepare(t.Context(), h.scope, h.now(), draft(sc))
		if err != nil || sheet.Cost.Total != int64(30*sheet.Cost.Segments)*50_000 || sheet.Cost.Passes() {
			t.Fatalf("the sheet says %+v, %v", sheet.Cost, err)
		}
		each := int64(sheet.Cost.Segments) * 5 // cents
		h.ceiling(20 * each)
		if sheet, err = h.Alerting.Prepare(t.Context(), h.scope, h.now(), draft(sc)); err != nil || !sheet.Cost.Passes() ||
			!slices.ContainsFunc(sheet.Warnings, func(w alerting.Warning) bool { return w.Key == "alerting.warning.ceiling" }) {
			t.Fatalf("the sheet does not say that the ceiling would be passed: %+v %+v, %v", sheet.Cost, sheet.Warnings, err)
		}
		uitest.Get(t, h.router, "/alertes/declencher/scenario/"+sc.ID.String()+"?mode=reel&v-lieu=ici", uitest.Cookie(guard.SecureCookie())).
			Want(http.StatusOK).Has("#cout")

		l, _, err := h.Alerting.Launch(t.Context(), h.scope, h.now(), draft(sc))
		if err != nil {
			t.Fatal(err)
		}
		h.settle()
		called := func() (n int, waits []directory.Person) {
			for _, p := range people {
				if len(h.sms.received(mobile(p))) > 0 {
					n++
				} else {
					waits = append(waits, p)
				}
			}
			return n, waits
		}
		n, waits := called()
		if n != 20 {
			t.Fatalf("%d people got an SMS, the ceiling pays for 20", n)
		}
		h.pass(2 * time.Second)
		b := h.board(l)
		if s := b.Media.Spending; !s.Held() || s.Micros != 20*each*10_000 || !slices.Contains(kinds(b), alerting.EventBudgetReached) {
			t.Errorf("the board says %+v, %v", s, kinds(b))
		}
		if tries := h.person(l, waits[0]).Attempts; len(tries) != 1 || tries[0].State != alerting.AttemptQueued || tries[0].Reason != channels.ReasonBudget {
			t.Errorf("of one who waits the page says %+v", tries)
		}
		warned := h.mail.received("garde@valbrume.example")
		count(t, warned, 1, "alarms to who may launch")
		if !strings.Contains(warned[0].Text, "plafond") || !strings.Contains(warned[0].Subject, "coût de l’alerte") {
			t.Errorf("the alarm says %q", warned[0].Text)
		}

		if code, body := h.program(http.MethodGet, "/alerts/"+l.ID.String(), ""); code != http.StatusOK || !strings.Contains(body, `"held":true`) || !strings.Contains(body, fmt.Sprintf(`"ceiling_euros":%v`, float64(20*each)/100)) {
			t.Errorf("a program reads %d %.600s", code, body)
		}

		h.restart() // what is counted is counted
		h.pass(5 * time.Minute)
		if n, _ = called(); n != 20 {
			t.Errorf("%d SMS after a restart", n)
		}
		for _, p := range waits {
			count(t, h.mail.received(mailbox(p)), 1, "e-mails to who waits for his SMS")
		}

		path := "/alertes/" + l.ID.String() + "/plafond"
		said := []string{"motif", "les urgences débordent", "mot", "LEVER"}
		uitest.Post(t, h.router, path, said, uitest.Cookie(reader.SecureCookie())).Want(http.StatusForbidden)
		uitest.Post(t, h.router, path, []string{"mot", "LEVER"}, uitest.Cookie(guard.SecureCookie())).Want(http.StatusUnprocessableEntity)
		uitest.Post(t, h.router, path, said, uitest.Cookie(guard.SecureCookie())).Want(http.StatusSeeOther)
		h.settle()
		if n, _ = called(); n != 30 {
			t.Errorf("%d SMS after the ceiling was lifted", n)
		}
		if h.journalled("alert.budget_lifted") != 1 || h.journalled("alert.budget_reached") != 1 {
			t.Error("the journal does not tell it once")
		}
		uitest.Post(t, h.router, path, said, uitest.Cookie(guard.SecureCookie())).Want(http.StatusConflict)
		if code, body := h.program(http.MethodPost, "/alerts/"+l.ID.String()+"/budget/lift", `{"why":"encore"}`); code != http.StatusConflict {
			t.Errorf("a program lifts it again: %d %s", code, body)
		}
		if _, body := h.program(http.MethodGet, "/alerts/"+l.ID.String(), ""); !strings.Contains(body, `"held":false`) || !strings.Contains(body, `"lifted_at"`) {
			t.Errorf("a program reads %.600s", body)
		}

		b, err = h.Alerting.Board(t.Context(), h.scope, l.ID, h.now())
		if err != nil {
			t.Fatal(err)
		}
		spent := b.Media.Spending
		r, err := h.Alerting.ReportData(t.Context(), h.scope, l.ID, h.now())
		if c := r.Cost; err != nil || c.Micros != spent.Micros || c.Segments != 30 || c.Ceiling != spent.Ceiling || !c.LiftedAt.Equal(spent.LiftedAt) {
			t.Errorf("the report counts %+v %v, the follow-up %+v", c, err, spent)
		}
		if c := r.Cost; c.Micros <= c.Ceiling || c.LiftedAt.IsZero() {
			t.Errorf("the report does not tell that the ceiling was lifted and passed: %+v", c)
		}
	})
}

// Eight tenths of the ceiling: a warning, once, and nothing is held back.
func TestAnAlertNearsItsCeiling(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		h.crowd(17)
		h.fiveCents()
		sc := h.scenario(recall())
		sheet, err := h.Alerting.Prepare(t.Context(), h.scope, h.now(), draft(sc))
		if err != nil {
			t.Fatal(err)
		}
		h.ceiling(int64(sheet.Cost.Segments) * 5 * 20)
		l, _, err := h.Alerting.Launch(t.Context(), h.scope, h.now(), draft(sc))
		if err != nil {
			t.Fatal(err)
		}
		h.settle()
		h.pass(5 * time.Second)
		b := h.board(l)
		n := 0
		for _, k := range kinds(b) {
			if k == alerting.EventBudgetNear {
				n++
			}
		}
		if n != 1 || b.Media.Spending.Held() || h.journalled("alert.budget_near") != 1 {
			t.Errorf("%d warnings, %+v", n, b.Media.Spending)
		}
	})
}

// A real alert that saves lives is never stopped by its cost: it is only said.
// Its rehearsal is, like any other.
func TestLivesHaveNoCeiling(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		people := h.crowd(30)
		h.fiveCents()
		sc := h.scenario(recall(func(d *alerting.Definition) { d.LifeSafety = true; d.Limits.Ceiling = 50 }))
		sheet, err := h.Alerting.Prepare(t.Context(), h.scope, h.now(), draft(sc))
		if err != nil || sheet.Cost.Stops || !slices.ContainsFunc(sheet.Warnings, func(w alerting.Warning) bool { return w.Key == "alerting.warning.ceiling_life" }) {
			t.Fatalf("%+v %+v, %v", sheet.Cost, sheet.Warnings, err)
		}
		l, _, err := h.Alerting.Launch(t.Context(), h.scope, h.now(), draft(sc))
		if err != nil {
			t.Fatal(err)
		}
		h.settle()
		for _, p := range people {
			count(t, h.sms.received(mobile(p)), 1, "SMS")
		}
		h.pass(2 * time.Second)
		if b := h.board(l); b.Media.Spending.Held() || !slices.Contains(kinds(b), alerting.EventBudgetPassed) {
			t.Errorf("%+v, %v", b.Media.Spending, kinds(b))
		}
		exercise := draft(sc)
		exercise.Mode = alerting.Exercise
		if l, _, err = h.Alerting.Launch(t.Context(), h.scope, h.now(), exercise); err != nil {
			t.Fatal(err)
		}
		h.settle()
		if s := h.board(l).Media.Spending; !s.Held() || s.Micros > 50*10_000+100_000 {
			t.Errorf("the exercise has spent %+v", s)
		}
	})
}
