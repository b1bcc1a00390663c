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
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

func TestPasswordRules(t *testing.T) {
	t.Parallel()
	h := identitytest.New(t, storagetest.SQLite(t, identitytest.Rooms()...))
	nord := h.Establishment(t, "CH Nord")
	inv, err := h.Identity.Add(t.Context(), access.System(nord, "test"), identity.NewAccount{Login: "camille.martin@chu.example", Name: "Camille", Roles: []access.Role{access.Reader}})
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]string{
		"":                            "identity.password.short",
		"onze lettre":                 "identity.password.short",
		"é" + strings.Repeat("à", 10): "identity.password.short", // 11 characters, 22 bytes
		strings.Repeat("ab cd ", 40):  "identity.password.long",
		"MartinGagneToujours":         "identity.password.login",
		"CAMILLE de la nuit":          "identity.password.login",
		"camille.martin@chu.example":  "identity.password.login",
		"motdepasse2026!":             "identity.password.common",
		"M0tDeP4sse!!!!":              "identity.password.common",
		"azertyuiop123":               "identity.password.common",
		"Hôpital2026!!":               "identity.password.common",
		"123456789012":                "identity.password.common",
		"aaaaaaaaaaaa":                "identity.password.common",
		"Bienvenue Hopital 1":         "identity.password.common",
	} {
		_, err := h.Identity.Accept(t.Context(), identitytest.Here(), inv.Code, password)
		if f := fault.As(err); f == nil || f.Key != want || f.Field != "password" {
			t.Errorf("%q: %v, want %s", password, err, want)
		}
	}
	if _, err := h.Identity.Accept(t.Context(), identitytest.Here(), inv.Code, "un âne gris sous la pluie"); err != nil {
		t.Errorf("a sentence: %v", err)
	}
}

func TestChangePassword(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		other, err := h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Identity.ChangePassword(t.Context(), p.Scope, p.Token, "not the old one", "un âne gris sous la pluie")
		wantFault(t, err, fault.Invalid, "identity.password.old")
		fresh, err := h.Identity.ChangePassword(t.Context(), p.Scope, p.Token, identitytest.Password, "un âne gris sous la pluie")
		if err != nil {
			t.Fatal(err)
		}
		for name, token := range map[string]string{"the other session": other.Token, "the old token": p.Token} {
			if _, err := h.Identity.Session(t.Context(), token, identitytest.Here()); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.Identity.Session(t.Context(), fresh, identitytest.Here()); err != nil {
			t.Error(err)
		}
		if _, err := h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, "un âne gris sous la pluie"); err != nil {
			t.Error(err)
		}
	})
}

// Whoever found an open session cannot guess the password through it either.
func TestOldPasswordIsNotGuessed(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		for range 6 {
			_, err := h.Identity.ChangePassword(t.Context(), p.Scope, p.Token, "a guess", "un âne gris sous la pluie")
			wantFault(t, err, fault.Invalid, "identity.password.old")
		}
		_, err := h.Identity.ChangePassword(t.Context(), p.Scope, p.Token, identitytest.Password, "un âne gris sous la pluie")
		wantFault(t, err, fault.TooMany, "identity.signin.slow")
		if _, err := h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password); err != nil {
			t.Errorf("her sign-in is another matter: %v", err)
		}
	})
}

// A harder cost applies at the next sign-in of each person.
func TestHashFollowsTheCost(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		harder, err := identity.New(identity.Options{
			DB: h.DB, Guard: h.Guard, Clock: h.Clock, Vault: h.Vault,
			Organisations: organisation.New(h.DB, h.Guard, h.Clock), Cost: identity.Cost{Memory: 128, Passes: 2, Lanes: 1},
		})
		if err != nil {
			t.Fatal(err)
		}
		if harder.HasPasskeys() {
			t.Error("no origin, no passkey")
		}
		kept := func() (hash string) {
			err := h.DB.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
				_, err := tx.Row(t.Context(), `SELECT password FROM identity_accounts WHERE id = $1`, []any{p.ID}, &hash)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return hash
		}
		before := kept()
		if !strings.HasPrefix(before, "$argon2id$v=19$m=64,t=1,p=1$") {
			t.Fatalf("hash %q", before)
		}
		if _, err := harder.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password); err != nil {
			t.Fatal(err)
		}
		after := kept()
		if !strings.HasPrefix(after, "$argon2id$v=19$m=128,t=2,p=1$") {
			t.Errorf("hash %q", after)
		}
		if _, err := harder.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password); err != nil || kept() != after {
			t.Errorf("a hash at the right cost is left alone: %v", err)
		}
	})
}

// A login that does not exist costs the same work as one that does.
func TestUnknownLoginCostsTheSame(t *testing.T) {
	h := identitytest.New(t, storagetest.SQLite(t, identitytest.Rooms()...))
	h.Person(t, h.Establishment(t, "CH Nord"), "lea@chu.example", access.Reader)
	real, err := identity.New(identity.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Vault: h.Vault, Organisations: h.Organisations,
		Cost: identity.Cost{Memory: 64, Passes: 1, Lanes: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	took := func(login string) time.Duration {
		best := time.Hour
		for range 20 {
			h.Clock.Advance(6 * time.Minute)
			begun := time.Now()
			_, err := real.SignIn(t.Context(), identitytest.Here(), login, "a wrong password")
			wantFault(t, err, fault.Invalid, "identity.signin.wrong")
			best = min(best, time.Since(begun))
		}
		return best
	}
	known, unknown := took("lea@chu.example"), took("nobody@chu.example")
	if known > 3*unknown || unknown > 3*known {
		t.Errorf("known %s, unknown %s", known, unknown)
	}
}
