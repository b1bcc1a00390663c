package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

func request(actions ...access.Action) identity.TokenRequest {
	return identity.TokenRequest{Name: "Supervision", Actions: actions, Days: 30}
}

func TestATokenOpensWhatItNames(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, here uuid.UUID) {
		admin := h.Person(t, here, "ana@ch.example", access.Administrator).Scope
		for _, a := range access.ProgramActions() {
			_, key, err := h.Identity.CreateToken(t.Context(), admin, request(a))
			if err != nil {
				t.Fatalf("%s: %v", a, err)
			}
			p, err := h.Identity.Program(t.Context(), key, identitytest.Here())
			if err != nil {
				t.Fatalf("%s: %v", a, err)
			}
			if p.Scope.Organisation() != here || p.Scope.Actor().Kind != access.Program || p.Scope.Actor().Name != "Supervision" {
				t.Errorf("%s: scope %+v", a, p.Scope)
			}
			for _, other := range access.Actions() {
				if h.Guard.May(p.Scope, other) != (other == a) {
					t.Errorf("a token for %s: may %s = %v", a, other, !h.Guard.May(p.Scope, other) == false)
				}
			}
		}
	})
}

func TestTokensEnd(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, here uuid.UUID) {
		admin := h.Person(t, here, "ana@ch.example", access.Administrator).Scope
		made, key, err := h.Identity.CreateToken(t.Context(), admin, request(access.AlertRead))
		if err != nil {
			t.Fatal(err)
		}
		_, lasting, err := h.Identity.CreateToken(t.Context(), admin, identity.TokenRequest{Name: "Longue", Actions: []access.Action{access.AlertRead}, Days: 365})
		if err != nil {
			t.Fatal(err)
		}
		refused := func(key string) {
			t.Helper()
			_, err := h.Identity.Program(t.Context(), key, identitytest.Here())
			wantFault(t, err, fault.Unauthenticated, "identity.token.refused")
		}
		for _, wrong := range []string{"", "tcs_", key[:len(key)-1], key + "x", strings.ToUpper(key), "xxx_" + key[4:], strings.Repeat("é", 47)} {
			refused(wrong)
		}
		if err := h.Identity.RevokeToken(t.Context(), admin, made.ID); err != nil {
			t.Fatal(err)
		}
		refused(key)
		wantFault(t, h.Identity.RevokeToken(t.Context(), admin, made.ID), fault.Conflict, "identity.token.revoked_before")
		h.Clock.Advance(364 * 24 * time.Hour)
		if _, err := h.Node(t).Program(t.Context(), lasting, identitytest.Here()); err != nil {
			t.Errorf("the day before its end, on another node: %v", err)
		}
		h.Clock.Advance(48 * time.Hour)
		refused(lasting)
	})
}

func TestTokensBelongToOneEstablishment(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, here uuid.UUID) {
		admin := h.Person(t, here, "ana@ch.example", access.Administrator).Scope
		made, _, err := h.Identity.CreateToken(t.Context(), admin, request(access.AlertRead))
		if err != nil {
			t.Fatal(err)
		}
		there := h.Establishment(t, "Clinique du Parc")
		stranger := h.Person(t, there, "eve@parc.example", access.Roles()...).Scope
		wantFault(t, h.Identity.RevokeToken(t.Context(), stranger, made.ID), fault.NotFound, "identity.token.unknown")
		if list, err := h.Identity.Tokens(t.Context(), stranger); err != nil || len(list) != 0 {
			t.Errorf("seen from elsewhere: %v %v", list, err)
		}
		for _, role := range access.Roles()[1:] {
			s := access.For(here, access.Actor{Kind: access.Person, ID: uuid.New()}, true, role)
			_, _, err := h.Identity.CreateToken(t.Context(), s, request(access.AlertRead))
			wantFault(t, err, fault.Denied, "access.denied")
			wantFault(t, h.Identity.RevokeToken(t.Context(), s, made.ID), fault.Denied, "access.denied")
		}
	})
}

func TestTokenRequestsAreChecked(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, here uuid.UUID) {
		admin := h.Person(t, here, "ana@ch.example", access.Administrator).Scope
		for _, c := range []struct {
			r     identity.TokenRequest
			field string
		}{
			{identity.TokenRequest{Actions: []access.Action{access.AlertRead}, Days: 30}, "name"},
			{identity.TokenRequest{Name: "x", Days: 30}, "actions"},
			{identity.TokenRequest{Name: "x", Actions: []access.Action{access.AccountWrite}, Days: 30}, "actions"},
			{identity.TokenRequest{Name: "x", Actions: []access.Action{access.AlertRead, access.DirectoryNumbers}, Days: 30}, "actions"},
			{identity.TokenRequest{Name: "x", Actions: []access.Action{access.AlertRead}}, "days"},
			{identity.TokenRequest{Name: "x", Actions: []access.Action{access.AlertRead}, Days: 36500}, "days"},
		} {
			_, _, err := h.Identity.CreateToken(t.Context(), admin, c.r)
			if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Field != c.field {
				t.Errorf("%+v: %v", c.r, err)
			}
		}
		for range 50 {
			if _, _, err := h.Identity.CreateToken(t.Context(), admin, request(access.AlertRead)); err != nil {
				t.Fatal(err)
			}
		}
		_, _, err := h.Identity.CreateToken(t.Context(), admin, request(access.AlertRead))
		wantFault(t, err, fault.Conflict, "identity.token.too_many")
	})
}

// A copy of the database opens nothing, and the journal never holds a key.
func TestTheKeyIsNowhere(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, here uuid.UUID) {
		admin := h.Person(t, here, "ana@ch.example", access.Administrator).Scope
		_, key, err := h.Identity.CreateToken(t.Context(), admin, request(access.AlertRead))
		if err != nil {
			t.Fatal(err)
		}
		var kept []byte
		err = h.DB.Read(t.Context(), admin, func(tx *storage.Tx) error {
			_, err := tx.Row(t.Context(), `SELECT token_hash FROM identity_tokens WHERE organisation_id = $1`, []any{here}, &kept)
			return err
		})
		if err != nil || len(kept) != 32 || strings.Contains(string(kept), key[4:20]) {
			t.Errorf("kept %x %v", kept, err)
		}
		for _, r := range records(t, h, here, "identity.token") {
			if strings.Contains(r.After+r.Before+r.ObjectName, key[4:]) {
				t.Errorf("the journal holds the key: %+v", r)
			}
		}
	})
}

func records(t *testing.T, h *identitytest.House, here uuid.UUID, action string) []journal.Record {
	t.Helper()
	list, err := h.Journal.Search(t.Context(), access.System(here, "test"), journal.Filter{Action: action, Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestUsesAreNotedOnceAnHour(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, here uuid.UUID) {
		admin := h.Person(t, here, "ana@ch.example", access.Administrator).Scope
		_, key, err := h.Identity.CreateToken(t.Context(), admin, request(access.AlertRead))
		if err != nil {
			t.Fatal(err)
		}
		p, err := h.Identity.Program(t.Context(), key, identity.Client{Address: "192.0.2.7"})
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			operation string
			refused   bool
			after     time.Duration
			uses      int
			denied    int
		}{
			{"list-alerts", false, 0, 1, 0},
			{"list-alerts", false, 5 * time.Second, 1, 0},
			{"read-alert", false, 5 * time.Second, 2, 0},
			{"launch", true, 5 * time.Second, 2, 1},
			{"launch", true, 5 * time.Second, 2, 1},
			{"list-alerts", false, time.Hour, 3, 1},
		} {
			h.Clock.Advance(step.after)
			if err := h.Identity.NoteUse(t.Context(), p, step.operation, step.refused); err != nil {
				t.Fatal(err)
			}
			uses, denied := records(t, h, here, "identity.token.use"), records(t, h, here, "identity.token.denied")
			if len(uses) != step.uses || len(denied) != step.denied {
				t.Errorf("%+v: %d uses, %d denied", step, len(uses), len(denied))
			}
			if uses[0].Actor.Kind != access.Program || uses[0].Actor.ID != p.Token.ID || uses[0].Actor.From != "192.0.2.7" {
				t.Errorf("who: %+v", uses[0].Actor)
			}
		}
		list, err := h.Identity.Tokens(t.Context(), admin)
		if err != nil || len(list) != 1 || !list[0].Used.Equal(h.Clock.Now().Truncate(time.Microsecond)) || list[0].UsedFrom != "192.0.2.7" {
			t.Errorf("last use %+v %v", list, err)
		}
	})
}
