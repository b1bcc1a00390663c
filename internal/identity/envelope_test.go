package identity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/storage"
)

// sealed makes an envelope and returns its code as printed.
func sealed(t *testing.T, h *identitytest.House, admin *identitytest.Person, label string) (uuid.UUID, string) {
	t.Helper()
	id, err := h.Identity.MakeEnvelope(t.Context(), admin.Scope, label)
	if err != nil {
		t.Fatal(err)
	}
	e, code, err := h.Identity.EnvelopeCode(t.Context(), admin.Scope, id)
	if err != nil || e.Label != label || len(strings.ReplaceAll(code, " ", "")) != 16 {
		t.Fatalf("envelope %+v, %d characters, %v", e, len(code), err)
	}
	if err := h.Identity.EnvelopePrinted(t.Context(), admin.Scope, id); err != nil {
		t.Fatal(err)
	}
	return id, code
}

// halfway is a person whose password was right and whose telephone is flat.
func halfway(t *testing.T, h *identitytest.House, c identity.Client, p *identitytest.Person) string {
	t.Helper()
	step, err := h.Identity.SignIn(t.Context(), c, p.Login, identitytest.Password)
	if err != nil || step.Done {
		t.Fatalf("password of %s: %+v %v", p.Login, step, err)
	}
	return step.Token
}

func TestTheSealedEnvelope(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		ctx, sud := t.Context(), h.Establishment(t, "Clinique Sud")
		admin := h.Person(t, nord, "admin@chu.example", access.Administrator)
		night := h.Person(t, nord, "nuit@chu.example", access.Launcher, access.Administrator, access.DirectoryManager)
		if _, err := h.Identity.Add(ctx, access.Instance("test").Within(sud), identity.NewAccount{Login: night.Login, Name: "Nuit", Roles: []access.Role{access.Launcher}}); err != nil {
			t.Fatal(err)
		}
		id, code := sealed(t, h, admin, "Coffre du standard")
		if _, _, err := h.Identity.EnvelopeCode(ctx, admin.Scope, id); !fault.Is(err, fault.Conflict) {
			t.Errorf("a printed code was shown again: %v", err)
		}

		// People read it aloud and type it as they can.
		typed := strings.ToLower(strings.ReplaceAll(code, " ", "-"))
		step, err := h.Identity.ProveEnvelope(ctx, identitytest.Here(), halfway(t, h, identitytest.Here(), night), typed)
		if err != nil || !step.Done {
			t.Fatalf("envelope: %+v %v", step, err)
		}
		session, err := h.Identity.Session(ctx, step.Token, identitytest.Here())
		if err != nil || !session.ByEnvelope || !session.Scope.Strong() || !session.Scope.Has(access.Launcher) || session.Scope.Organisation() != nord {
			t.Fatalf("session of the envelope: %+v %v", session, err)
		}
		if session.Scope.Has(access.Administrator) || session.Scope.Has(access.DirectoryManager) || len(session.Establishments) != 1 {
			t.Errorf("the envelope gives more than the night needs: %v, %d establishments", session.Scope.Roles(), len(session.Establishments))
		}
		wantFault(t, h.Identity.Switch(ctx, step.Token, sud), fault.NotFound, "identity.establishment.unknown")
		_, err = h.Identity.BeginTOTP(ctx, session.Scope, step.Token)
		wantFault(t, err, fault.Denied, "identity.envelope.factors")
		wantFault(t, h.Identity.RemoveTOTP(ctx, session.Scope, step.Token), fault.Denied, "identity.envelope.factors")
		_, err = h.Identity.BeginPasskey(ctx, session.Scope, step.Token, "ma clé")
		wantFault(t, err, fault.Denied, "identity.envelope.factors")
		wantFault(t, h.Identity.RenewRecoveryCodes(ctx, session.Scope, step.Token), fault.Denied, "identity.envelope.factors")
		wantFault(t, h.Identity.SetOwnReach(ctx, session.Scope, step.Token, identity.Reach{Mobile: "06 39 98 00 09"}), fault.Denied, "identity.envelope.factors")
		_, err = h.Identity.ChangePassword(ctx, session.Scope, step.Token, identitytest.Password, "un tout autre mot de passe")
		wantFault(t, err, fault.Denied, "identity.envelope.factors")
		_, err = h.Identity.Add(ctx, session.Scope, identity.NewAccount{Login: "complice@chu.example", Name: "Complice", Roles: []access.Role{access.Administrator}})
		wantFault(t, err, fault.Denied, "access.denied")
		_, err = h.Identity.MakeEnvelope(ctx, session.Scope, "La mienne")
		wantFault(t, err, fault.Denied, "access.denied")

		// Once.
		_, err = h.Identity.ProveEnvelope(ctx, identitytest.Here(), halfway(t, h, identitytest.Here(), night), code)
		wantFault(t, err, fault.Invalid, "identity.envelope.wrong")

		opened, err := h.Identity.OpenedEnvelopes(ctx, admin.Scope)
		if err != nil || len(opened) != 1 || opened[0].UsedName != "Nuit" || opened[0].UsedFrom != "192.0.2.10" {
			t.Fatalf("the alarm: %+v %v", opened, err)
		}
		if seen, err := h.Identity.OpenedEnvelopes(ctx, session.Scope); err != nil || len(seen) != 0 {
			t.Errorf("the alarm is shown to who opened it: %+v %v", seen, err)
		}
		if err := h.Identity.SeeEnvelope(ctx, admin.Scope, id); err != nil {
			t.Fatal(err)
		}
		if opened, err := h.Identity.OpenedEnvelopes(ctx, admin.Scope); err != nil || len(opened) != 0 {
			t.Errorf("the alarm goes on: %+v %v", opened, err)
		}
		if n := len(records(t, h, nord, "identity.envelope.use")); n != 1 {
			t.Errorf("%d uses in the journal", n)
		}
	})
}

func TestWhatAnEnvelopeDoesNotOpen(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		ctx, sud := t.Context(), h.Establishment(t, "Clinique Sud")
		admin, foreign := h.Person(t, nord, "admin@chu.example", access.Administrator), h.Person(t, sud, "admin@sud.example", access.Administrator)
		night := h.Person(t, nord, "nuit@chu.example", access.Launcher)
		other, elsewhere := sealed(t, h, foreign, "Ailleurs")
		lost, revoked := sealed(t, h, admin, "Perdue")
		if err := h.Identity.RevokeEnvelope(ctx, admin.Scope, lost); err != nil {
			t.Fatal(err)
		}
		good, code := sealed(t, h, admin, "Bonne")
		for what, typed := range map[string]string{"another establishment's": elsewhere, "a revoked one": revoked, "half of one": code[:9], "none": "", "a near one": code[:18] + "Z"} {
			if typed == code {
				continue
			}
			_, err := h.Identity.ProveEnvelope(ctx, identitytest.Here(), halfway(t, h, identitytest.Here(), night), typed)
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", what, err)
			}
		}
		// An administrator without a role of the night keeps the envelope whole.
		_, err := h.Identity.ProveEnvelope(ctx, identitytest.Here(), halfway(t, h, identitytest.Here(), admin), code)
		wantFault(t, err, fault.Denied, "identity.envelope.role")
		_, err = h.Identity.ProveEnvelope(ctx, identitytest.Here(), "no session", code)
		wantFault(t, err, fault.Unauthenticated, "access.sign_in")
		_, _, err = h.Identity.EnvelopeCode(ctx, foreign.Scope, good)
		wantFault(t, err, fault.NotFound, "identity.envelope.unknown")
		wantFault(t, h.Identity.RevokeEnvelope(ctx, admin.Scope, other), fault.NotFound, "identity.envelope.unknown")
		_, err = h.Identity.MakeEnvelope(ctx, night.Scope, "Coffre")
		wantFault(t, err, fault.Denied, "access.denied")
		_, err = h.Identity.MakeEnvelope(ctx, admin.Scope, "  ")
		wantFault(t, err, fault.Invalid, "identity.envelope.label")

		// What a thief of the database finds.
		var hash string
		var pending []byte
		if err := h.DB.Read(ctx, access.Instance("test"), func(tx *storage.Tx) error {
			_, err := tx.Row(ctx, `SELECT code_hash, pending FROM identity_envelopes WHERE id = $1`, []any{good}, &hash, &pending)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(hash, "$argon2id$") || len(pending) != 0 {
			t.Errorf("an envelope is kept as %.20q, its readable code as %d bytes", hash, len(pending))
		}
		if _, err := h.Identity.ProveEnvelope(ctx, identitytest.Here(), halfway(t, h, identitytest.Here(), night), code); err != nil {
			t.Errorf("the good envelope after all that: %v", err)
		}
	})
}

func TestACodeIsPrintedWithinTheHour(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		admin, colleague := h.Person(t, nord, "admin@chu.example", access.Administrator), h.Person(t, nord, "autre@chu.example", access.Administrator)
		id, err := h.Identity.MakeEnvelope(t.Context(), admin.Scope, "Coffre")
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = h.Identity.EnvelopeCode(t.Context(), colleague.Scope, id)
		wantFault(t, err, fault.Conflict, "identity.envelope.printed")
		h.Clock.Advance(time.Hour)
		_, _, err = h.Identity.EnvelopeCode(t.Context(), admin.Scope, id)
		wantFault(t, err, fault.Conflict, "identity.envelope.printed")
		if err := h.Identity.Sweep(t.Context(), h.Clock.Now()); err != nil {
			t.Fatal(err)
		}
		if list, err := h.Identity.Envelopes(t.Context(), admin.Scope); err != nil || len(list) != 1 || list[0].Pending {
			t.Errorf("after an hour: %+v %v", list, err)
		}
	})
}

// Somebody who stole a password tries ten thousand codes from a thousand
// networks: none opens, few are even judged, and nobody else waits for it.
func TestTenThousandWrongEnvelopes(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		ctx := t.Context()
		admin := h.Person(t, nord, "admin@chu.example", access.Administrator)
		victim, colleague := h.Person(t, nord, "nuit@chu.example", access.Launcher), h.Person(t, nord, "jour@chu.example", access.Launcher)
		_, code := sealed(t, h, admin, "Standard")
		_, spare := sealed(t, h, admin, "Direction")
		selector := code[:4]
		judged, token := 0, ""
		thief := identity.Client{Address: "198.51.100.7", Device: "thief"}
		for i := range guesses(h) {
			thief.Address = fmt.Sprintf("10.%d.%d.7", i/250%250, i%250)
			if token == "" {
				step, err := h.Identity.SignIn(ctx, thief, victim.Login, identitytest.Password)
				if err != nil {
					t.Fatalf("try %d: the thief has the password: %v", i, err)
				}
				token = step.Token
			}
			_, err := h.Identity.ProveEnvelope(ctx, thief, token, selector+fmt.Sprintf("AAAAAAA%05d", i))
			switch {
			case err == nil:
				t.Fatalf("try %d got in", i)
			case fault.Is(err, fault.Invalid):
				judged++
			case fault.Is(err, fault.Unauthenticated):
				token = ""
			case !fault.Is(err, fault.TooMany):
				t.Fatalf("try %d: %v", i, err)
			}
		}
		if judged > 30 {
			t.Errorf("%d of %d codes were judged at the same instant", judged, guesses(h))
		}
		home := identity.Client{Address: "192.0.2.10", Device: "home", Known: victim.Device}
		if _, err := h.Identity.ProveEnvelope(ctx, home, halfway(t, h, home, victim), code); err != nil {
			t.Errorf("the victim from her own device: %v", err)
		}
		beside := identity.Client{Address: thief.Address, Device: "work"}
		if _, err := h.Identity.ProveEnvelope(ctx, beside, halfway(t, h, beside, colleague), spare); err != nil {
			t.Errorf("a colleague in the thief's own network: %v", err)
		}
	})
}

func TestReach(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		ctx := t.Context()
		p := h.Person(t, nord, "nuit@chu.example", access.Launcher)
		for key, r := range map[string]identity.Reach{
			"identity.reach.mobile": {Mobile: "01 39 98 00 01 02"}, "identity.reach.email": {Email: "Garde <garde@chu.example>"},
		} {
			wantFault(t, h.Identity.SetOwnReach(ctx, p.Scope, p.Token, r), fault.Invalid, key)
		}
		if err := h.Identity.SetOwnReach(ctx, p.Scope, p.Token, identity.Reach{Mobile: "06 39 98 00 01", Email: " Garde@chu.example "}); err != nil {
			t.Fatal(err)
		}
		if r, err := h.Identity.OwnReach(ctx, p.Scope); err != nil || r.Mobile != "+33639980001" || r.Email != "garde@chu.example" {
			t.Errorf("reach %+v %v", r, err)
		}
		system := access.System(nord, "test")
		if list, err := h.Identity.Addresses(ctx, system, access.Launcher); err != nil || len(list) != 2 || list[0].Account != p.ID {
			t.Errorf("addresses of launchers %+v %v", list, err)
		}
		if list, err := h.Identity.Addresses(ctx, system, access.Administrator); err != nil || len(list) != 0 {
			t.Errorf("addresses of administrators %+v %v", list, err)
		}
		_, err := h.Identity.Addresses(ctx, p.Scope, access.Launcher)
		wantFault(t, err, fault.Denied, "access.denied")
		if err := h.Identity.SetOwnReach(ctx, p.Scope, p.Token, identity.Reach{}); err != nil {
			t.Fatal(err)
		}
		if list, err := h.Identity.Addresses(ctx, system, access.Launcher); err != nil || len(list) != 0 {
			t.Errorf("after taking them back: %+v %v", list, err)
		}
	})
}
