package directory_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/directory"
	"tocsin/internal/storage"
)

// A wish holds at its hours by the clock of the site, for that person only, and
// never for a medium that he refuses.
func TestPreferencesHoldAtTheirHours(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		p := h.save(t, h.scope, directory.Person{LastName: "Nuit", Status: "titulaire", Refused: []string{directory.Mail}})
		h.save(t, h.scope, directory.Person{LastName: "Autre", Status: "titulaire"})
		wish := directory.Preferences{Day: directory.SMS, Night: directory.Voice}
		if err := h.Prefer(t.Context(), h.scope, p.ID, wish); err != nil {
			t.Fatal(err)
		}
		if got, err := h.PreferencesOf(t.Context(), h.scope, p.ID); err != nil || got != wish {
			t.Errorf("kept %+v, %v", got, err)
		}
		for at, want := range map[string]string{"2026-11-22T03:00:00+01:00": directory.Voice, "2026-11-22T06:59:00+01:00": directory.Voice, "2026-11-22T07:00:00+01:00": directory.SMS, "2026-11-22T20:59:00+01:00": directory.SMS, "2026-11-22T21:00:00+01:00": directory.Voice} {
			now, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			for _, target := range h.resolveAt(t, now) {
				if expected := map[string]string{"Nuit": want}[target.LastName]; target.First != expected {
					t.Errorf("at %s %s is called first by %q, want %q", at, target.LastName, target.First, expected)
				}
			}
		}
		wantFault(t, h.Prefer(t.Context(), h.scope, p.ID, directory.Preferences{Day: directory.Mail}), "directory.preference_refused")
		wantFault(t, h.Prefer(t.Context(), h.scope, p.ID, directory.Preferences{Day: "pigeon"}), "directory.medium_unknown")
		wantFault(t, h.Prefer(t.Context(), h.scope, uuid.New(), wish), "directory.person_not_found")
		wantFault(t, h.Prefer(t.Context(), h.establishment(t, "Autre CHU"), p.ID, wish), "directory.person_not_found")
		if err := h.Prefer(t.Context(), h.scope, p.ID, directory.Preferences{}); err != nil {
			t.Fatal(err)
		}
		if got, err := h.PreferencesOf(t.Context(), h.scope, p.ID); err != nil || got != (directory.Preferences{}) {
			t.Errorf("taken back: %+v, %v", got, err)
		}
	})
}

// resolveAt is everybody as an alert at that instant would call him.
func (h hospital) resolveAt(t testing.TB, now time.Time) (out []directory.Target) {
	t.Helper()
	err := h.db.Read(t.Context(), h.scope, func(tx *storage.Tx) error {
		return h.Resolve(t.Context(), tx, h.scope, directory.Rule{}, directory.Rule{}, now, func(target directory.Target) error {
			out = append(out, target)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
