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
	"tocsin/internal/storage"
)

func TestSessionLimits(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		open := func() error {
			_, err := h.Identity.Session(t.Context(), p.Token, identitytest.Here())
			return err
		}
		for range 14 { // used every 50 minutes, up to 11 h 40
			h.Clock.Advance(50 * time.Minute)
			if err := open(); err != nil {
				t.Fatalf("after %s: %v", h.Clock.Now().Sub(identitytest.Morning()), err)
			}
		}
		h.Clock.Advance(21 * time.Minute)
		wantFault(t, open(), fault.Unauthenticated, "access.sign_in") // 12 h in all

		step, err := h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password)
		if err != nil {
			t.Fatal(err)
		}
		p.Token = step.Token
		h.Clock.Advance(time.Hour)
		wantFault(t, open(), fault.Unauthenticated, "access.sign_in") // an hour idle
	})
}

// The database is written at most once a minute for a person who clicks all day.
func TestTouchesAreRare(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		before := h.DB.Writes()
		for range 300 {
			h.Clock.Advance(time.Second)
			if _, err := h.Identity.Session(t.Context(), p.Token, identitytest.Here()); err != nil {
				t.Fatal(err)
			}
		}
		if n := h.DB.Writes() - before; n != 5 {
			t.Errorf("%d writes in five minutes, want 5", n)
		}
	})
}

// The stolen session: seen in the list, revoked, worth nothing at once on another node.
func TestStolenSession(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		otherNode := h.Node(t)
		thief := identity.Client{Address: "198.51.100.9", Device: "curl"}
		stolen, err := h.Identity.SignIn(t.Context(), thief, p.Login, identitytest.Password)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := otherNode.Session(t.Context(), stolen.Token, thief); err != nil {
			t.Fatal(err)
		}
		list, err := h.Identity.Sessions(t.Context(), p.Scope, p.Token)
		if err != nil || len(list) != 2 {
			t.Fatalf("sessions %+v %v", list, err)
		}
		for _, s := range list {
			if s.Current != (s.From == "192.0.2.10") {
				t.Errorf("current %v at %s", s.Current, s.From)
			}
			if s.From == "198.51.100.9" {
				if err := h.Identity.Revoke(t.Context(), p.Scope, s.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, err = otherNode.Session(t.Context(), stolen.Token, thief)
		wantFault(t, err, fault.Unauthenticated, "access.sign_in")
		if _, err := otherNode.Session(t.Context(), p.Token, identitytest.Here()); err != nil {
			t.Errorf("the person's own: %v", err)
		}
	})
}

func TestNobodyRevokesAnother(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p, q := h.Person(t, nord, "lea@chu.example", access.Reader), h.Person(t, nord, "max@chu.example", access.Reader)
		list, err := h.Identity.Sessions(t.Context(), p.Scope, p.Token)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v %v", list, err)
		}
		if err := h.Identity.Revoke(t.Context(), q.Scope, list[0].ID); err != nil {
			t.Fatal(err)
		}
		if err := h.Identity.RevokeOthers(t.Context(), q.Scope, q.Token); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Identity.Session(t.Context(), p.Token, identitytest.Here()); err != nil {
			t.Errorf("max ended the session of lea: %v", err)
		}
	})
}

// A copy of the database opens nothing: neither tokens, links, codes nor seeds are in it.
func TestNothingUsableAtRest(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "ana@chu.example", access.Launcher)
		codes, err := h.Identity.RecoveryCodes(t.Context(), p.Scope, p.Token)
		if err != nil || len(codes.New) != 10 {
			t.Fatalf("%+v %v", codes, err)
		}
		inv, err := h.Identity.Add(t.Context(), access.System(nord, "test"), identity.NewAccount{Login: "new@chu.example", Name: "New", Roles: []access.Role{access.Reader}})
		if err != nil {
			t.Fatal(err)
		}
		var dump strings.Builder
		err = h.DB.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
			for _, query := range []string{
				`SELECT password FROM identity_accounts`, `SELECT totp_sealed FROM identity_accounts WHERE totp_sealed IS NOT NULL`,
				`SELECT token_hash FROM identity_sessions`, `SELECT codes_pending FROM identity_sessions WHERE codes_pending IS NOT NULL`,
				`SELECT token_hash FROM identity_links`, `SELECT token_hash FROM identity_devices`, `SELECT code_hash FROM identity_recovery_codes`,
			} {
				n := 0
				if err := tx.Query(t.Context(), query, nil, func(row func(...any) error) error {
					n++
					var b []byte
					err := row(&b)
					dump.Write(b)
					return err
				}); err != nil || n == 0 {
					t.Errorf("%s: %d rows, %v", query, n, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for name, secret := range map[string]string{
			"session": p.Token, "device": p.Device, "seed": p.Secret, "link": inv.Code, "password": identitytest.Password,
			"code": codes.New[0], "code without spaces": strings.ReplaceAll(codes.New[0], " ", ""),
		} {
			if secret == "" || strings.Contains(dump.String(), secret) {
				t.Errorf("the %s is in the database as it is", name)
			}
		}
	})
}

func TestRecoveryCodes(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "ana@chu.example", access.Launcher)
		codes, err := h.Identity.RecoveryCodes(t.Context(), p.Scope, p.Token)
		if err != nil || codes.Left != 10 {
			t.Fatalf("%+v %v", codes, err)
		}
		typed := "  " + strings.ToLower(strings.ReplaceAll(codes.New[3], " ", "-")) + " "
		if _, err := h.Identity.ProveCode(t.Context(), identitytest.Here(), halfWay(t, h, p), typed); err != nil {
			t.Fatalf("a code copied from paper: %v", err)
		}
		_, err = h.Identity.ProveCode(t.Context(), identitytest.Here(), halfWay(t, h, p), typed)
		wantFault(t, err, fault.Invalid, "identity.totp.wrong")
		if err := h.Identity.SawRecoveryCodes(t.Context(), p.Scope, p.Token); err != nil {
			t.Fatal(err)
		}
		if after, err := h.Identity.RecoveryCodes(t.Context(), p.Scope, p.Token); err != nil || after.Left != 9 || len(after.New) != 0 {
			t.Errorf("%+v %v", after, err)
		}
		if err := h.Identity.RenewRecoveryCodes(t.Context(), p.Scope, p.Token); err != nil {
			t.Fatal(err)
		}
		_, err = h.Identity.ProveCode(t.Context(), identitytest.Here(), halfWay(t, h, p), codes.New[5])
		wantFault(t, err, fault.Invalid, "identity.totp.wrong")
	})
}

func TestSweepForgetsWhatExpired(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		p := h.Person(t, nord, "lea@chu.example", access.Reader)
		count := func(table string) (n int64) {
			err := h.DB.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
				_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM `+table, nil, &n)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		_, err := h.Identity.SignIn(t.Context(), identitytest.Here(), "nobody@chu.example", "a wrong password")
		wantFault(t, err, fault.Invalid, "identity.signin.wrong")
		if err := h.Identity.Sweep(t.Context(), h.Clock.Now()); err != nil || count("identity_sessions") != 1 || count("identity_throttles") != 1 {
			t.Fatalf("too early: %v", err)
		}
		h.Clock.Advance(61 * time.Minute)
		if err := h.Identity.Sweep(t.Context(), h.Clock.Now()); err != nil || count("identity_sessions") != 0 || count("identity_throttles") != 0 || count("identity_devices") != 1 {
			t.Errorf("an hour later: %v", err)
		}
		h.Clock.Advance(366 * 24 * time.Hour)
		if err := h.Identity.Sweep(t.Context(), h.Clock.Now()); err != nil || count("identity_devices") != 0 || count("identity_links") != 0 {
			t.Errorf("a year later: %v", err)
		}
		if _, err := h.Identity.SignIn(t.Context(), identitytest.Here(), p.Login, identitytest.Password); err != nil {
			t.Errorf("the account itself stays: %v", err)
		}
	})
}
