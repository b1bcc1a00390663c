package identity_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
)

// withKey registers a key for a person.
func withKey(t *testing.T, h *identitytest.House, p *identitytest.Person, name string) *identitytest.Key {
	t.Helper()
	key := identitytest.NewKey(t)
	options, err := h.Identity.BeginPasskey(t.Context(), p.Scope, p.Token, name)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := h.Identity.FinishPasskey(t.Context(), p.Scope, p.Token, key.Register(t, options))
	if err != nil {
		t.Fatal(err)
	}
	if fresh == p.Token {
		t.Error("a new factor must give the session a new token")
	}
	p.Token = fresh
	p.Refresh(t)
	return key
}

func TestPasskeyAlone(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		key := withKey(t, h, p, "  Téléphone   de garde ")
		if !p.Scope.Strong() {
			t.Error("a registered key makes the session strong")
		}
		keys, err := h.Identity.Passkeys(t.Context(), p.Scope)
		if err != nil || len(keys) != 1 || keys[0].Name != "Téléphone de garde" || !keys[0].Used.IsZero() {
			t.Fatalf("keys %+v %v", keys, err)
		}
		options, challenge, err := h.Identity.BeginPasskeySignIn(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		answer := key.SignIn(t, options)
		step, err := h.Identity.FinishPasskeySignIn(t.Context(), identitytest.Here(), "", challenge, answer)
		if err != nil || !step.Done {
			t.Fatalf("sign-in %+v %v", step, err)
		}
		session, err := h.Identity.Session(t.Context(), step.Token, identitytest.Here())
		if err != nil || session.Account.ID != p.ID || !session.Scope.Strong() {
			t.Fatalf("session %+v %v", session, err)
		}
		_, err = h.Identity.FinishPasskeySignIn(t.Context(), identitytest.Here(), "", challenge, answer)
		wantFault(t, err, fault.Invalid, "identity.passkey.late") // replayed
	})
}

func TestPasskeyAsSecondFactor(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p, q := h.Person(t, nord, "lea@chu.example", access.Reader), h.Person(t, nord, "max@chu.example", access.Reader)
		key, other := withKey(t, h, p, ""), withKey(t, h, q, "")
		key.Verifies = false // after the password, a touch is enough
		token := halfWay(t, h, p)
		options, challenge, err := h.Identity.BeginPasskeySignIn(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Identity.FinishPasskeySignIn(t.Context(), identitytest.Here(), token, challenge, other.SignIn(t, options))
		wantFault(t, err, fault.Invalid, "identity.passkey.refused")
		_, err = h.Identity.FinishPasskeySignIn(t.Context(), identitytest.Here(), halfWay(t, h, q), challenge, key.SignIn(t, options))
		wantFault(t, err, fault.Invalid, "identity.passkey.refused")
		step, err := h.Identity.FinishPasskeySignIn(t.Context(), identitytest.Here(), token, challenge, key.SignIn(t, options))
		if err != nil || !step.Done {
			t.Fatalf("second factor %+v %v", step, err)
		}
	})
}

func TestPasskeyIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, fault string
		spoil       func(h *identitytest.House, k *identitytest.Key)
	}{
		{"on another site", "identity.passkey.refused", func(_ *identitytest.House, k *identitytest.Key) { k.Origin = "https://tocsin.test.evil.example" }},
		{"alone without finger or PIN", "identity.passkey.refused", func(_ *identitytest.House, k *identitytest.Key) { k.Verifies = false }},
		{"when copied", "identity.passkey.copied", func(_ *identitytest.House, k *identitytest.Key) { k.Counter = 2 }},
		{"six minutes later", "identity.passkey.late", func(h *identitytest.House, _ *identitytest.Key) { h.Clock.Advance(6 * time.Minute) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
				key := withKey(t, h, h.Person(t, nord, "lea@chu.example", access.Reader), "")
				key.Counter = 10
				options, challenge, err := h.Identity.BeginPasskeySignIn(t.Context(), "")
				if err != nil {
					t.Fatal(err)
				}
				if _, err := h.Identity.FinishPasskeySignIn(t.Context(), identitytest.Here(), "", challenge, key.SignIn(t, options)); err != nil {
					t.Fatal(err)
				}
				if options, challenge, err = h.Identity.BeginPasskeySignIn(t.Context(), ""); err != nil {
					t.Fatal(err)
				}
				c.spoil(h, key)
				_, err = h.Identity.FinishPasskeySignIn(t.Context(), identitytest.Here(), "", challenge, key.SignIn(t, options))
				wantFault(t, err, fault.Invalid, c.fault)
			})
		})
	}
}

func TestPasskeyOfClosedAccount(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		boss := h.Person(t, nord, "boss@chu.example", access.Administrator)
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		key := withKey(t, h, p, "")
		if err := h.Identity.Suspend(t.Context(), boss.Scope, p.ID, true); err != nil {
			t.Fatal(err)
		}
		options, challenge, err := h.Identity.BeginPasskeySignIn(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Identity.FinishPasskeySignIn(t.Context(), identitytest.Here(), "", challenge, key.SignIn(t, options))
		wantFault(t, err, fault.Denied, "identity.signin.closed")
	})
}

func TestLastFactorStays(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "ana@chu.example", access.Launcher)
		err := h.Identity.RemoveTOTP(t.Context(), p.Scope, p.Token)
		wantFault(t, err, fault.Conflict, "identity.factor.last")
		withKey(t, h, p, "clé")
		if err := h.Identity.RemoveTOTP(t.Context(), p.Scope, p.Token); err != nil {
			t.Fatal(err)
		}
		keys, err := h.Identity.Passkeys(t.Context(), p.Scope)
		if err != nil || len(keys) != 1 {
			t.Fatalf("keys %v %v", keys, err)
		}
		err = h.Identity.RemovePasskey(t.Context(), p.Scope, p.Token, keys[0].ID)
		wantFault(t, err, fault.Conflict, "identity.factor.last")
		account, err := h.Identity.Own(t.Context(), p.Scope)
		if err != nil || account.TOTP || account.Passkeys != 1 {
			t.Errorf("account %+v %v", account, err)
		}
	})
}

// A thief of the password alone cannot add a factor of his own to an account that has one.
func TestFactorNeedsTheFactor(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		stolen, err := h.Identity.SignIn(t.Context(), identity.Client{Address: "198.51.100.1"}, p.Login, identitytest.Password)
		if err != nil {
			t.Fatal(err)
		}
		thief, err := h.Identity.Session(t.Context(), stolen.Token, identity.Client{})
		if err != nil {
			t.Fatal(err)
		}
		p.SetUpTOTP(t)
		_, err = h.Identity.BeginTOTP(t.Context(), thief.Scope, stolen.Token)
		wantFault(t, err, fault.Unauthenticated, "access.sign_in") // the set-up ended the other sessions
		_, err = h.Identity.BeginTOTP(t.Context(), thief.Scope, p.Token)
		if err != nil {
			t.Fatalf("the person herself: %v", err)
		}
	})
}

// Asking for challenges is free for everybody, so it must cost the database nothing.
func TestAskingForAChallengeWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, _ uuid.UUID) {
		before := h.DB.Writes()
		for range 100 {
			_, key, err := h.Identity.BeginPasskeySignIn(t.Context(), "made up")
			if err != nil {
				t.Fatal(err)
			}
			_, err = h.Identity.FinishPasskeySignIn(t.Context(), identitytest.Here(), "", key[:len(key)-3]+"AAA", []byte(`{}`))
			wantFault(t, err, fault.Invalid, "identity.passkey.refused")
		}
		if n := h.DB.Writes() - before; n != 0 {
			t.Errorf("%d writes", n)
		}
	})
}

func TestForgedChallengeIsRefused(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		key := withKey(t, h, h.Person(t, nord, "lea@chu.example", access.Reader), "")
		options, challenge, err := h.Identity.BeginPasskeySignIn(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		answer := key.SignIn(t, options)
		for _, forged := range []string{"", "a.", "a.!!!", "a.AAAA", challenge[:len(challenge)-4] + "AAAA", "anything"} {
			_, err := h.Identity.FinishPasskeySignIn(t.Context(), identitytest.Here(), "", forged, answer)
			wantFault(t, err, fault.Invalid, "identity.passkey.late")
		}
	})
}
