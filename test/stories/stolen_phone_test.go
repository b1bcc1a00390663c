package stories_test

import (
	"net/http"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
	identitypages "tocsin/internal/identity/pages"
	"tocsin/internal/ui/uitest"
)

// The telephone of the director on call is stolen at night, her session open on
// it and her second factor in it. From the switchboard she comes in with her
// password and the envelope of the safe, closes the session of the thief and
// launches the alert. The administrator reads it on his own telephone at once.
func TestTheStolenPhone(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		org := h.scope.Organisation()
		agent := h.agent("Un", "ide")
		sc := h.scenario(recall())
		admin := identitytest.Join(t, h.Accounts, h.clock, org, "admin@valbrume.example", access.Administrator)
		stolen := identitytest.Join(t, h.Accounts, h.clock, org, "garde@valbrume.example", access.Launcher, access.Administrator, access.DirectoryManager)
		h.reach(admin, "06 39 98 09 03", "admin@valbrume.example")
		id, err := h.Accounts.MakeEnvelope(t.Context(), admin.Scope, "Coffre du standard")
		if err != nil {
			t.Fatal(err)
		}
		_, code, err := h.Accounts.EnvelopeCode(t.Context(), admin.Scope, id)
		if err != nil {
			t.Fatal(err)
		}

		// At the switchboard, on a machine nobody knows.
		desk := identity.Client{Address: "192.0.2.77", Device: "switchboard"}
		half, err := h.Accounts.SignIn(t.Context(), desk, stolen.Login, identitytest.Password)
		if err != nil || half.Done {
			t.Fatalf("the password alone: %+v, %v", half, err)
		}
		step, err := h.Accounts.ProveEnvelope(t.Context(), desk, half.Token, code)
		if err != nil || !step.Done {
			t.Fatalf("the envelope: %+v, %v", step, err)
		}
		session, err := h.Accounts.Session(t.Context(), step.Token, desk)
		if err != nil {
			t.Fatal(err)
		}
		here := &identitytest.Person{ID: stolen.ID, Login: stolen.Login, Token: step.Token, Scope: session.Scope}

		// The alarm.
		h.settle()
		alarms := append(h.sms.received("+33639980903"), h.mail.received("admin@valbrume.example")...)
		count(t, alarms, 2, "messages to the administrator")
		for _, a := range alarms {
			if !strings.Contains(a.Text, "Garde") || !strings.Contains(a.Text, "Coffre du standard") || strings.Contains(a.Text, code[:4]) {
				t.Errorf("the alarm says %q", a.Text)
			}
		}
		uitest.Get(t, h.router, identitypages.AccountPath, uitest.Cookie(admin.SecureCookie()), uitest.With("Accept-Language", "fr")).
			Want(http.StatusOK).Says(".banner", "ENVELOPPE OUVERTE").Says(".banner", "Coffre du standard")

		// The thief's session is closed from here.
		uitest.Post(t, h.router, "/compte/sessions/fermer-les-autres", nil, uitest.Cookie(here.SecureCookie())).Want(http.StatusSeeOther)
		if _, err := h.Accounts.Session(t.Context(), stolen.Token, identitytest.Here()); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("the stolen session: %v", err)
		}

		// She launches, and can do nothing else of her roles.
		to := h.press(here, sc).Header.Get("Location")
		h.settle()
		if !strings.HasPrefix(to, "/alertes/") {
			t.Errorf("the launch leads to %q", to)
		}
		count(t, h.sms.received(mobile(agent)), 1, "SMS to an agent")
		for _, shut := range []string{"/administration/comptes", "/administration/enveloppes", "/administration/alertes", "/administration/journal", "/annuaire/import"} {
			uitest.Get(t, h.router, shut, uitest.Cookie(here.SecureCookie())).Want(http.StatusForbidden)
		}
		for _, shut := range []string{"/compte/second-facteur/application/retirer", "/compte/codes-de-secours", "/compte/prevenir"} {
			uitest.Post(t, h.router, shut, []string{"mobile", "06 39 98 09 09"}, uitest.Cookie(here.SecureCookie())).Want(http.StatusForbidden)
		}

		// The administrator checked.
		uitest.Post(t, h.router, identitypages.EnvelopesPath+"/"+id.String()+"/vue", nil, uitest.Cookie(admin.SecureCookie())).Want(http.StatusSeeOther)
		uitest.Get(t, h.router, identitypages.AccountPath, uitest.Cookie(admin.SecureCookie())).Want(http.StatusOK).Lacks("a.banner-link[href='" + identitypages.EnvelopesPath + "']")
		if n := h.number(`SELECT COUNT(*) FROM journal_entries WHERE organisation_id = $1 AND action IN ('identity.envelope.use', 'identity.envelope.see')`, org); n != 2 {
			t.Errorf("%d lines of the envelope in the journal", n)
		}
	})
}
