package stories_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/channels/sms"
	"tocsin/internal/dispatch"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui/uitest"
	peer "tocsin/test/peers/smpp"
)

// The operator has changed our password: the administrator reads it in his mail,
// once, and again when it works. Those of the neighbour read nothing.
func TestTheOperatorRefusesUs(t *testing.T) {
	t.Parallel()
	node := peer.StartNode(t, peer.Options{})
	h := build(t, night(), "", sms.Kind{})
	admin := identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), "admin@valbrume.example", access.Administrator)
	h.reach(admin, "06 39 98 09 01", "admin@valbrume.example")
	other := h.establishment("Clinique voisine", "voisine")
	neighbour := identitytest.Join(t, h.Accounts, h.clock, other.Organisation(), "admin@voisine.example", access.Administrator)
	h.reach(neighbour, "", "admin@voisine.example")

	in := dispatch.GatewayInput{Kind: "smpp", Name: "Opérateur A", Priority: 1, Enabled: true, Settings: channels.Settings{
		"host": "127.0.0.1", "port": strconv.Itoa(node.Port), "system_id": "hopital", "password": "faux", "source": "+33639980000",
	}}
	g, err := h.Dispatch.CreateGateway(t.Context(), admin.Scope, h.now(), in)
	if err != nil {
		t.Fatal(err)
	}
	letters := func(n int) {
		t.Helper()
		storagetest.Eventually(t, patience, "the administrator is told", func() bool {
			h.clock.Advance(200 * time.Millisecond)
			return len(h.mail.received("admin@valbrume.example")) >= n
		})
	}
	letters(1)
	page := uitest.Get(t, h.router, "/administration/canaux", uitest.Cookie(admin.SecureCookie())).Want(http.StatusOK)
	page.Says("#passerelle-"+g.ID.String(), "nous refuse depuis").Says("#passerelle-"+g.ID.String(), "prévenus à")
	in.Settings["password"] = "secret"
	if _, err := h.Dispatch.UpdateGateway(t.Context(), admin.Scope, h.now(), g.ID, in); err != nil {
		t.Fatal(err)
	}
	letters(2)
	got := h.mail.received("admin@valbrume.example")
	if len(got) != 2 || !strings.Contains(got[0].Text, "Opérateur A") || !strings.Contains(got[0].Text, "refuse l’identifiant") || !strings.Contains(got[1].Text, "de nouveau") {
		t.Errorf("he reads %+v", got)
	}
	count(t, h.sms.received("+33639980901"), 0, "SMS about a cut of SMS")
	count(t, h.mail.received("admin@voisine.example"), 0, "e-mails to the neighbour")
	if h.journalled("dispatch.trouble.begin") != 1 || h.journalled("dispatch.trouble.end") != 1 {
		t.Error("the journal does not tell both")
	}
}
