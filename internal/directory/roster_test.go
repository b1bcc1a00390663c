package directory_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/storage"
)

// morning is 9 a.m. in Paris on Sunday 22 November 2026.
const rosterFile = `Matricule;Date;Horaire
J1;22/11/2026;07:00-19:00
N1;21/11/2026;19h00-7h30
R1;22/11/2026;Repos
`

func (h hospital) roster(t testing.TB, source, text string) directory.Roster {
	t.Helper()
	r, err := h.StageRoster(t.Context(), h.scope, open(t, text), directory.File{Name: "planning.csv", Source: source})
	if err != nil {
		t.Fatalf("stage roster: %v", err)
	}
	return r
}

func (h hospital) inUse(t testing.TB, source, text string) directory.Roster {
	t.Helper()
	r := h.roster(t, source, text)
	if err := h.ConfirmRoster(t.Context(), h.scope, r.ID); err != nil {
		t.Fatalf("confirm roster: %v", err)
	}
	return r
}

func (h hospital) staff(t testing.TB, matricules ...string) {
	t.Helper()
	for _, m := range matricules {
		h.save(t, h.scope, directory.Person{LastName: m, Matricule: m, Status: "titulaire", Language: "fr"})
	}
}

// duties says who is where: "J1:on N1:off …", and until when each rests.
func (h hospital) duties(t testing.TB) string {
	t.Helper()
	var out []string
	for _, target := range h.resolve(t, h.scope, directory.Rule{}, directory.Rule{}) {
		text := target.LastName + ":" + string(target.Duty)
		if !target.RestUntil.IsZero() {
			text += "/" + target.RestUntil.UTC().Format("02T15:04")
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestARosterSaysWhoIsThereAndWhoRests(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.staff(t, "J1", "N1", "R1", "X1")
		if got, want := h.duties(t), "J1: N1: R1: X1:"; got != want {
			t.Errorf("without a roster: %s, want %s", got, want)
		}
		h.inUse(t, "Soins", rosterFile)
		// The night ended at 7:30, 6:30 UTC: twelve hours of rest.
		if got, want := h.duties(t), "J1:on N1:off/22T18:30 R1:off X1:"; got != want {
			t.Errorf("at 9 a.m.: %s, want %s", got, want)
		}
		on, off := directory.Rule{Duty: directory.OnDuty}, directory.Rule{Duty: directory.OffDuty}
		if got := names(h.resolve(t, h.scope, on, directory.Rule{})); got != "[J1 X1]" {
			t.Errorf("on duty: %s; who is in no roster is never left out", got)
		}
		if got := names(h.resolve(t, h.scope, off, directory.Rule{})); got != "[N1 R1 X1]" {
			t.Errorf("off duty: %s", got)
		}
		if n, err := h.Count(t.Context(), h.scope, on, h.clock.Now()); err != nil || n != 2 {
			t.Errorf("count on duty: %d, %v", n, err)
		}
		now, err := h.Duties(t.Context(), h.scope, h.clock.Now())
		if err != nil || now != (directory.Coverage{Known: true, On: 1, Off: 2}) {
			t.Errorf("coverage: %+v, %v", now, err)
		}
		h.clock.Advance(48 * time.Hour)
		if got, want := h.duties(t), "J1: N1: R1: X1:"; got != want {
			t.Errorf("two days after its last day: %s, want %s", got, want)
		}
	})
}

func TestANewRosterTakesThePlaceOfItsSourceAlone(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.staff(t, "J1", "N1", "R1", "X1")
		h.inUse(t, "Soins", rosterFile)
		if same := h.roster(t, "soins", rosterFile); !same.Same {
			t.Error("the same file twice is not told")
		}
		h.inUse(t, "Médecins", "Matricule;Date;Début;Fin\nX1;22/11/2026;8h;18h\n")
		second := h.inUse(t, "Soins", "Matricule;Date;Début;Fin\nR1;22/11/2026;08:30;16:30\n")
		if got, want := h.duties(t), "J1: N1: R1:on X1:on"; got != want {
			t.Errorf("after the second: %s, want %s", got, want)
		}
		if err := h.UndoRoster(t.Context(), h.scope, second.ID); err != nil {
			t.Fatal(err)
		}
		if got, want := h.duties(t), "J1:on N1:off/22T18:30 R1:off X1:on"; got != want {
			t.Errorf("undone: %s, want %s", got, want)
		}
		wantFault(t, h.UndoRoster(t.Context(), h.scope, second.ID), "directory.roster.state")
		wantFault(t, h.ConfirmRoster(t.Context(), h.scope, second.ID), "directory.roster.state")
	})
}

func TestEveryRowOfARosterIsUnderstoodOrExplained(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.staff(t, "A", "B", "C", "D", "E")
		r := h.roster(t, "", "MATRICULE\tJour\tHeure de début\tHeure de fin\n"+
			"A\t22/11/2026\t7h\t14h30\n"+
			"A\t22/11/2026\t7h\t15h\n"+ // the same beginning
			"B\t2026-11-22\t22/11/2026 19:00\t23/11/2026 07:00\n"+
			"C\t22.11.2026\t00:00\t24:00\n"+
			"D\t22/11/2026\tM7\t\n"+
			"D\tdimanche\t7h\t8h\n"+
			"\t22/11/2026\t7h\t8h\n"+
			"ZZ9\t22/11/2026\t7h\t8h\n"+
			"E\t22/11/2026\tmaladie\t\n")
		if r.Source != "RH" || r.Rows != 9 || r.Shifts != 3 || r.People != 3 || r.Refused != 6 {
			t.Errorf("source %q, %d rows, %d shifts, %d people, %d refused", r.Source, r.Rows, r.Shifts, r.People, r.Refused)
		}
		var got []string
		for _, p := range r.Problems {
			got = append(got, fmt.Sprintf("%d:%s", p.Line, strings.TrimPrefix(p.Key, "directory.roster.")))
		}
		if want := "3:twice 6:no_hour 7:no_day 8:no_matricule 9:unknown_person 10:no_hour"; strings.Join(got, " ") != want {
			t.Errorf("problems: %v, want %s", got, want)
		}
	})
}

func TestARosterThatSaysNothingLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.staff(t, "A")
		for text, key := range map[string]string{
			"Nom;Date;Horaire\nA;22/11/2026;7-8\n":            "directory.roster.no_person",
			"Matricule;Date\nA;22/11/2026\n":                  "directory.roster.no_hours",
			"Matricule;Date;Horaire\nZ;22/11/2026;7-8\n":      "directory.roster.nobody_first",
			"Matricule;Date;Horaire\nA;22/11/2026;07:00-7h\n": "", // a whole day, to the same hour of the next
		} {
			_, err := h.StageRoster(t.Context(), h.scope, open(t, text), directory.File{Name: "p.csv"})
			if key == "" {
				if err != nil {
					t.Errorf("%q: %v", text, err)
				}
				continue
			}
			wantFault(t, err, key)
		}
		if list, err := h.Rosters(t.Context(), h.scope); err != nil || len(list) != 1 {
			t.Errorf("%d rosters, want the one that was understood: %v", len(list), err)
		}
		if _, err := h.StageRoster(t.Context(), h.as(access.Reader), open(t, rosterFile), directory.File{}); err == nil {
			t.Error("a reader may load a roster")
		}
	})
}

// The night the clocks go back is an hour longer, and whoever works it too.
func TestANightOfTheChangeOfHour(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.staff(t, "N")
		h.inUse(t, "", "Matricule;Date;Horaire\nN;24/10/2026;19:00-07:00\n")
		for at, want := range map[string]directory.Duty{"2026-10-24T16:59:00Z": directory.OffDuty, "2026-10-24T17:00:00Z": directory.OnDuty, "2026-10-25T05:59:00Z": directory.OnDuty} {
			when, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			people := h.resolve(t, h.scope, directory.Rule{}, directory.Rule{})
			if is, _, err := h.DutyOf(t.Context(), h.scope, people[0].Person, when); err != nil || is != want {
				t.Errorf("at %s: %q, want %q (%v)", at, is, want, err)
			}
		}
	})
}

func TestHoursAreNotKeptLongerThanTheyServe(t *testing.T) {
	each(t, func(t *testing.T, h hospital) {
		h.staff(t, "J1", "N1", "R1")
		h.inUse(t, "Soins", rosterFile)
		h.roster(t, "Autre", rosterFile)
		other := h.establishment(t, "Clinique du Parc")
		if list, err := h.Rosters(t.Context(), other); err != nil || len(list) != 0 {
			t.Errorf("another establishment sees %d rosters: %v", len(list), err)
		}
		rows := func() (n int) {
			if err := h.db.Read(context.WithoutCancel(t.Context()), access.Instance("test"), func(tx *storage.Tx) error {
				_, err := tx.Row(t.Context(), `SELECT (SELECT COUNT(*) FROM directory_shifts) + (SELECT COUNT(*) FROM directory_roster_people) + (SELECT COUNT(*) FROM directory_rosters)`, nil, &n)
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := rows()
		h.clock.Advance(8 * 24 * time.Hour)
		if err := h.Sweep(t.Context(), access.Instance("test")); err != nil {
			t.Fatal(err)
		}
		if after := rows(); after != before/2 {
			t.Errorf("a file nobody confirmed: %d rows of %d are left after a week", after, before)
		}
		h.clock.Advance(30 * 24 * time.Hour)
		if err := h.Sweep(t.Context(), access.Instance("test")); err != nil {
			t.Fatal(err)
		}
		if after := rows(); after != 0 {
			t.Errorf("%d rows are left a month after the last day", after)
		}
	})
}
