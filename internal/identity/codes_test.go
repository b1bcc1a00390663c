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
)

// Somebody who stole a password tries ten thousand codes in a night, from as many
// networks as he likes: six digits of an application, or recovery codes. Almost
// none is judged, none opens; the person on her own device and her colleague in
// the thief's network wait for nothing.
func TestTenThousandWrongCodes(t *testing.T) {
	for kind, guess := range map[string]func(i int) string{
		"application": func(i int) string { return fmt.Sprintf("%06d", (i*7919)%1_000_000) },
		"recovery":    func(i int) string { return fmt.Sprintf("%05d-%05d", 22222+i%1000, 33333+i) },
	} {
		t.Run(kind, func(t *testing.T) {
			each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
				ctx := t.Context()
				victim, colleague := h.Person(t, nord, "nuit@chu.example", access.Launcher), h.Person(t, nord, "jour@chu.example", access.Launcher)
				good := func(code string) bool {
					for _, later := range []time.Duration{-60 * time.Second, -30 * time.Second, 0, 30 * time.Second, 60 * time.Second} {
						if code == victim.Code(t, later) {
							return true
						}
					}
					return false
				}
				judged, token := 0, ""
				thief := identity.Client{Device: "thief"}
				began := h.Clock.Now()
				for i := range guesses(h) {
					h.Clock.Advance(3 * time.Second)
					thief.Address = fmt.Sprintf("10.%d.%d.7", i/250%250, i%250)
					code := guess(i)
					if good(code) {
						continue // luck is not what is tested
					}
					if token == "" {
						step, err := h.Identity.SignIn(ctx, thief, victim.Login, identitytest.Password)
						if err != nil {
							t.Fatalf("try %d: the thief has the password: %v", i, err)
						}
						token = step.Token
					}
					_, err := h.Identity.ProveCode(ctx, thief, token, code)
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
				// Twenty for nothing, then one every five minutes at the most.
				night := h.Clock.Now().Sub(began)
				if most := 30 + int(night/(5*time.Minute)); judged > most || judged < 20 {
					t.Errorf("%d of %d codes were judged in %s, want at most %d", judged, guesses(h), night, most)
				}
				t.Logf("%d judged in %s", judged, night)

				home := identity.Client{Address: "192.0.2.10", Device: "home", Known: victim.Device}
				if _, err := h.Identity.ProveCode(ctx, home, halfway(t, h, home, victim), victim.Code(t, 0)); err != nil {
					t.Errorf("the victim on her own device: %v", err)
				}
				beside := identity.Client{Address: thief.Address, Device: "work"}
				if _, err := h.Identity.ProveCode(ctx, beside, halfway(t, h, beside, colleague), colleague.Code(t, 0)); err != nil {
					t.Errorf("a colleague in the thief's own network: %v", err)
				}
			})
		})
	}
}

// What looks like a code and is none is refused with one sentence, and costs the
// program nothing.
func TestCodesThatAreNone(t *testing.T) {
	each(t, func(t *testing.T, h *identitytest.House, nord uuid.UUID) {
		victim := h.Person(t, nord, "nuit@chu.example", access.Launcher)
		for _, typed := range []string{"", "000000 OR 1=1", strings.Repeat("9", 100_000), "\x00\x00\x00\x00\x00\x00", "１２３４５６", "-12345", "12345", "1234567"} {
			here := identity.Client{Address: "192.0.2.10", Device: "home", Known: victim.Device}
			_, err := h.Identity.ProveCode(t.Context(), here, halfway(t, h, here, victim), typed)
			if !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooMany) {
				t.Errorf("%.20q: %v", typed, err)
			}
			h.Clock.Advance(10 * time.Minute)
		}
	})
}
