package stories_test

import (
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/identity/identitytest"
)

// The keyring is rotated at the machine while the program works: who signs in
// with an authenticator still does, the gateways still send, and a backup of the
// day before can still be read.
func TestKeysAreRotatedWhileTheProgramWorks(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		who := identitytest.Join(t, h.Accounts, h.clock, h.scope.Organisation(), "garde@valbrume.example", access.Launcher)
		before := h.Vault.Keys()[0].ID
		if said := command(t, 0, h.on, "keys", "rotate"); !strings.Contains(said, "3 ") {
			t.Errorf("an authenticator and the secrets of the gateways are sealed again: %s", said)
		}
		if said := command(t, 0, h.on, "keys", "list"); !strings.Contains(said, before) || len(strings.Split(strings.TrimSpace(said), "\n")) != 2 {
			t.Errorf("keys: %s", said)
		}
		// The running program reads what the new key sealed.
		step, err := h.Accounts.SignIn(t.Context(), identitytest.Here(), who.Login, identitytest.Password)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Accounts.ProveCode(t.Context(), identitytest.Here(), step.Token, who.Code(t, 30*time.Second)); err != nil {
			t.Errorf("the authenticator after the rotation: %v", err)
		}
		gateways, err := h.Dispatch.Gateways(t.Context(), access.System(h.scope.Organisation(), "story"))
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range gateways {
			if _, err := h.Dispatch.UpdateGateway(t.Context(), access.System(h.scope.Organisation(), "story"), h.now(), g.ID, dispatch.GatewayInput{
				Name: g.Name + " bis", Kind: g.Kind, Settings: g.Settings, Priority: g.Priority, InFlight: g.InFlight, Enabled: g.Enabled,
			}); err != nil {
				t.Errorf("gateway %s after the rotation: %v", g.Name, err)
			}
		}
		if n := journaled(t, h, "instance.rotate"); n != 1 {
			t.Errorf("%d lines of the rotation in the journal", n)
		}
	})
}
