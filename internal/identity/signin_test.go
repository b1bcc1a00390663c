package identity_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/identity"
	"tocsin/internal/identity/identitytest"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// each runs a suite on both engines, in a house with one establishment.
func each(t *testing.T, suite func(t *testing.T, h *identitytest.House, nord uuid.UUID)) {
	t.Helper()
	t.Parallel()
	storagetest.Each(t, identitytest.Rooms(), func(t *testing.T, db *storage.DB) {
		h := identitytest.New(t, db)
		suite(t, h, h.Establishment(t, "Centre hospitalier Nord"))
	})
}

// guesses is how many times a thief tries: ten thousand where it takes seconds,
// and a thousand over the wire to PostgreSQL, where the same rules are read.
func guesses(h *identitytest.House) int {
	if h.DB.Engine() == storage.SQLite {
		return 10_000
	}
	return 1_000
}

func wantFault(t *testing.T, err error, kind fault.Kind, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Kind != kind || f.Key != key {
		t.Fatalf("error %v, want %s %s", err, kind, key)
	}
}

func TestSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		reader := h.Person(t, nord, "lea@chu.example", access.Reader)
		step, err := h.Identity.SignIn(t.Context(), identitytest.Here(), "  LEA@chu.example ", identitytest.Password)
		if err != nil || !step.Done || step.Token == "" || step.Device == "" {
			t.Fatalf("sign-in of a reader: %+v %v", step, err)
		}
		session, err := h.Identity.Session(t.Context(), step.Token, identitytest.Here())
		if err != nil {
			t.Fatal(err)
		}
		if s := session.Scope; s.Organisation() != nord || !s.Has(access.Reader) || s.Strong() || s.Actor().ID != reader.ID || s.Actor().From != "192.0.2.10" {
			t.Errorf("scope %+v", s)
		}
		if session.Establishment.Name != "Centre hospitalier Nord" || len(session.Establishments) != 1 || session.MustSetUpFactor {
			t.Errorf("session %+v", session)
		}
		_, err = h.Identity.SignIn(t.Context(), identitytest.Here(), "lea@chu.example", identitytest.Password+"x")
		wantFault(t, err, fault.Invalid, "identity.signin.wrong")
	})
}

func TestSecondFactor(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "ana@chu.example", access.Launcher)
		if !p.Scope.Strong() {
			t.Fatal("the set-up of a second factor must make the session strong")
		}
		h.Clock.Advance(time.Minute)
		step, err := h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password)
		if err != nil || step.Done {
			t.Fatalf("password of a launcher: %+v %v", step, err)
		}
		_, err = h.Identity.Session(t.Context(), step.Token, identitytest.Here())
		wantFault(t, err, fault.Unauthenticated, "access.sign_in")
		whole, err := h.Identity.ProveCode(t.Context(), identitytest.Here(), step.Token, p.Code(t, 0))
		if err != nil || !whole.Done || whole.Token == step.Token {
			t.Fatalf("second factor: %+v %v", whole, err)
		}
		session, err := h.Identity.Session(t.Context(), whole.Token, identitytest.Here())
		if err != nil || !session.Scope.Strong() {
			t.Fatalf("strong session: %+v %v", session, err)
		}
		_, err = h.Identity.Session(t.Context(), step.Token, identitytest.Here())
		wantFault(t, err, fault.Unauthenticated, "access.sign_in")
	})
}

// A code seen over a shoulder, or by a second tab, is worth nothing once used.
func TestCodeIsUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "ana@chu.example", access.Launcher)
		_, err := h.Identity.ProveCode(t.Context(), identitytest.Here(), halfWay(t, h, p), p.Code(t, 0))
		wantFault(t, err, fault.Invalid, "identity.totp.wrong") // the set-up used this step
		if _, err := h.Identity.ProveCode(t.Context(), identitytest.Here(), halfWay(t, h, p), p.Code(t, 30*time.Second)); err != nil {
			t.Fatalf("a telephone 30 s early: %v", err)
		}
		_, err = h.Identity.ProveCode(t.Context(), identitytest.Here(), halfWay(t, h, p), p.Code(t, 30*time.Second))
		wantFault(t, err, fault.Invalid, "identity.totp.wrong")
		_, err = h.Identity.ProveCode(t.Context(), identitytest.Here(), halfWay(t, h, p), p.Code(t, 60*time.Second))
		wantFault(t, err, fault.Invalid, "identity.totp.wrong")
		h.Clock.Advance(90 * time.Second)
		if _, err := h.Identity.ProveCode(t.Context(), identitytest.Here(), halfWay(t, h, p), p.Code(t, -30*time.Second)); err != nil {
			t.Fatalf("a telephone 30 s late: %v", err)
		}
	})
}

func halfWay(t *testing.T, h *identitytest.House, p *identitytest.Person) string {
	t.Helper()
	c := identitytest.Here()
	c.Known = p.Device
	step, err := h.Identity.SignIn(t.Context(), c, p.Login, identitytest.Password)
	if err != nil || step.Done {
		t.Fatalf("half way: %+v %v", step, err)
	}
	return step.Token
}

func TestWrongCodesEndTheSignIn(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "ana@chu.example", access.Launcher)
		h.Clock.Advance(time.Minute)
		token := halfWay(t, h, p)
		for range 5 {
			_, err := h.Identity.ProveCode(t.Context(), identitytest.Here(), token, "not a code")
			wantFault(t, err, fault.Invalid, "identity.totp.wrong")
		}
		_, err := h.Identity.ProveCode(t.Context(), identitytest.Here(), token, p.Code(t, 0))
		wantFault(t, err, fault.Unauthenticated, "access.sign_in")
	})
}

// Ten thousand wrong passwords from elsewhere: the attacker waits, the person does not.
func TestLockoutLocksNobodyElseOut(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		tested, refused := 0, 0
		for i := range guesses(h) {
			attacker := identity.Client{Address: fmt.Sprintf("198.51.100.%d", i%250)}
			_, err := h.Identity.SignIn(t.Context(), attacker, p.Login, fmt.Sprintf("wrong password %d", i))
			switch fault.KindOf(err) {
			case fault.Invalid:
				tested++
			case fault.TooMany:
				refused++
			default:
				t.Fatalf("attempt %d: %v", i, err)
			}
			h.Clock.Advance(100 * time.Millisecond)
		}
		if tested > 25 || tested+refused != guesses(h) {
			t.Errorf("%d passwords of %d were tested from one network", tested, guesses(h))
		}
		if _, err := h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password); err != nil {
			t.Errorf("the person, from her own network: %v", err)
		}
		sameNetwork := identity.Client{Address: "198.51.100.7", Known: p.Device}
		if _, err := h.Identity.SignIn(t.Context(), sameNetwork, p.Login, identitytest.Password); err != nil {
			t.Errorf("the person on her known device, from the attacker's network: %v", err)
		}
		stranger := identity.Client{Address: "198.51.100.7", Known: "a cookie made up"}
		_, err := h.Identity.SignIn(t.Context(), stranger, p.Login, identitytest.Password)
		wantFault(t, err, fault.TooMany, "identity.signin.slow")
		h.Clock.Advance(5 * time.Minute)
		if _, err := h.Identity.SignIn(t.Context(), stranger, p.Login, identitytest.Password); err != nil {
			t.Errorf("after the longest delay the right password opens: %v", err)
		}
	})
}

// Every answer about a login that does not exist is the one about a login that does.
func TestLoginsCannotBeEnumerated(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		h.Person(t, nord, "lea@chu.example", access.Reader)
		h.Person(t, nord, "ana@chu.example", access.Launcher)
		var answers [3][]string
		for i, login := range []string{"lea@chu.example", "ana@chu.example", "nobody@chu.example"} {
			for range 9 {
				_, err := h.Identity.SignIn(t.Context(), identity.Client{Address: "203.0.113.5"}, login, "a wrong password")
				answers[i] = append(answers[i], err.Error())
				h.Clock.Advance(time.Second)
			}
		}
		for n := range answers[0] {
			if answers[0][n] != answers[2][n] || answers[1][n] != answers[2][n] {
				t.Errorf("try %d: %q, %q, %q", n, answers[0][n], answers[1][n], answers[2][n])
			}
		}
	})
}

func TestSeriesOfFailuresIsInTheJournal(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		for range 12 {
			_, err := h.Identity.SignIn(t.Context(), identity.Client{Address: "203.0.113.5"}, p.Login, "a wrong password")
			wantFault(t, err, fault.Invalid, "identity.signin.wrong")
			h.Clock.Advance(6 * time.Minute)
		}
		records, err := h.Journal.Search(t.Context(), access.System(nord, "test"), journal.Filter{Action: "identity.signin.refused"})
		if err != nil || len(records) != 2 {
			t.Fatalf("5th and 10th failures: %d records, %v", len(records), err)
		}
		if r := records[0]; r.Actor.Kind != access.Nobody || r.Actor.From != "203.0.113.5" || r.ObjectID != p.ID.String() {
			t.Errorf("record %+v", r)
		}
	})
}
