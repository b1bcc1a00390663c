package identity_test

import (
	"fmt"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

const pin = "482957"

// telephoned gives a person a code and a registered telephone.
func telephoned(t *testing.T, h *identitytest.House, p *identitytest.Person) string {
	t.Helper()
	if err := h.Identity.SetOwnReach(t.Context(), p.Scope, p.Token, identity.Reach{Mobile: "06 39 98 09 01"}); err != nil {
		t.Fatal(err)
	}
	if err := h.Identity.SetTelephone(t.Context(), p.Scope, p.Token, pin); err != nil {
		t.Fatal(err)
	}
	own, err := h.Identity.OwnTelephone(t.Context(), p.Scope)
	if err != nil || len(own.Number) != 6 {
		t.Fatalf("%+v %v", own, err)
	}
	return own.Number
}

// A person is recognised in her establishment by her number and her code; then she
// may do what her roles say, with a second factor, until something changes.
func TestAPersonIsRecognisedOnTheTelephone(t *testing.T) {
	storagetest.Each(t, identitytest.Rooms(), func(t *testing.T, db *storage.DB) {
		h := identitytest.New(t, db)
		here, there := h.Establishment(t, "CHU"), h.Establishment(t, "EHPAD")
		garde := h.Person(t, here, "garde@chu.example", access.Launcher)
		number := telephoned(t, h, garde)
		ours, theirs := access.System(here, "test"), access.System(there, "test")
		who, err := h.Identity.Recognise(t.Context(), ours, nil, number, pin)
		if err != nil || who.Account != garde.ID || who.CallBack != "+33639980901" {
			t.Fatalf("%+v %v", who, err)
		}
		scope, err := h.Identity.OnTelephone(t.Context(), ours, who.Account)
		if err != nil || !scope.Strong() || scope.Organisation() != here || !scope.Has(access.Launcher) || len(scope.Roles()) != 1 || scope.Actor().ID != garde.ID {
			t.Errorf("%+v %v", scope, err)
		}
		if _, err := h.Identity.Recognise(t.Context(), theirs, nil, number, pin); !fault.Is(err, fault.Invalid) {
			t.Errorf("another establishment: %v", err)
		}
		if _, err := h.Identity.OnTelephone(t.Context(), theirs, who.Account); !fault.Is(err, fault.Denied) {
			t.Errorf("another establishment: %v", err)
		}
		for what, asks := range map[string]access.Scope{"a person": garde.Scope, "nobody": {}} {
			if _, err := h.Identity.Recognise(t.Context(), asks, nil, number, pin); !fault.Is(err, fault.Denied) {
				t.Errorf("%s asks who is who: %v", what, err)
			}
			if _, err := h.Identity.OnTelephone(t.Context(), asks, garde.ID); !fault.Is(err, fault.Denied) {
				t.Errorf("%s asks for a scope: %v", what, err)
			}
		}
		if err := h.Identity.RemoveTelephone(t.Context(), garde.Scope, garde.Token); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Identity.OnTelephone(t.Context(), ours, garde.ID); !fault.Is(err, fault.Denied) {
			t.Errorf("once the code is taken back: %v", err)
		}
		for _, action := range []string{"identity.telephone.set", "identity.telephone.call", "identity.telephone.remove"} {
			var n int
			if err := db.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
				_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM journal_entries WHERE action = $1`, []any{action}, &n)
				return err
			}); err != nil || n != 1 {
				t.Errorf("%s: %d lines, %v", action, n, err)
			}
		}
	})
}

func TestACodeThatAnybodyTriesFirstIsRefused(t *testing.T) {
	h := identitytest.New(t, storagetest.SQLite(t, identitytest.Rooms()...))
	garde := h.Person(t, h.Establishment(t, "CHU"), "garde@chu.example", access.Launcher)
	for _, easy := range []string{"", "12345", "123456", "987654", "000000", "123123", "12345678901", "12a456", "48 29 5"} {
		if err := h.Identity.SetTelephone(t.Context(), garde.Scope, garde.Token, easy); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", easy, err)
		}
	}
	for _, good := range []string{"482957", "48 29 57", "1234567809"} {
		if err := h.Identity.SetTelephone(t.Context(), garde.Scope, garde.Token, good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

// Ten thousand wrong codes, one a second: a few dozen are judged at all, and she is
// recognised on her own telephone meanwhile.
func TestTenThousandWrongTelephoneCodes(t *testing.T) {
	h := identitytest.New(t, storagetest.SQLite(t, identitytest.Rooms()...))
	here := h.Establishment(t, "CHU")
	number := telephoned(t, h, h.Person(t, here, "garde@chu.example", access.Launcher))
	scope := access.System(here, "test")
	judged := 0
	for n := range 10_000 {
		h.Clock.Advance(time.Second)
		_, err := h.Identity.Recognise(t.Context(), scope, []string{fmt.Sprintf("+3363998%04d", n)}, number, fmt.Sprintf("%06d", 900_000+n))
		if fault.Is(err, fault.Invalid) {
			judged++
		} else if !fault.Is(err, fault.TooMany) {
			t.Fatal(err)
		}
	}
	if judged > 50 {
		t.Errorf("%d wrong codes were judged", judged)
	}
	t.Logf("%d of 10,000 wrong codes were judged", judged)
	if _, err := h.Identity.Recognise(t.Context(), scope, nil, number, pin); !fault.Is(err, fault.TooMany) {
		t.Errorf("a stranger with the right code: %v", err)
	}
	if _, err := h.Identity.Recognise(t.Context(), scope, []string{"+33639980901"}, number, pin); err != nil {
		t.Errorf("on her own telephone: %v", err)
	}
}
