package directory_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// crowd fills a directory with n people, two and a half contact points each.
func (h hospital) crowd(tb testing.TB, n int) {
	tb.Helper()
	at := h.places(tb, "Site Nord", "Urgences", "Réanimation", "Bloc", "Dialyse")
	people := []string{
		"organisation_id", "id", "since_gen", "until_gen", "revision", "source", "match_key", "matricule", "rpps", "last_name",
		"first_name", "name_folded", "search_folded", "metier", "metier_label", "qualifications", "service_id", "site_id", "status", "semester",
		"language", "protected", "refused", "points", "mobiles", "tried", "human_id", "human_keys", "human_by", "created_us", "updated_us",
	}
	contacts := []string{
		"organisation_id", "id", "since_gen", "until_gen", "person_id", "kind", "address", "label", "private", "shared", "rank",
		"source", "origin", "state", "failures", "answered_us",
	}
	org := h.scope.Organisation()
	for from := 0; from < n; from += 1000 {
		var rows, points [][]any
		for i := from; i < min(n, from+1000); i++ {
			id := storage.NewID(morning.Add(time.Duration(i) * time.Millisecond))
			last, first, matricule := fmt.Sprintf("Nom%d", i%7919), fmt.Sprintf("Prénom%d", i%997), fmt.Sprintf("M%06d", i)
			name := storage.Fold(last + " " + first)
			rows = append(rows, []any{
				org, id, 0, int64(math.MaxInt64), 0, "RH", "m:" + storage.Fold(matricule), matricule, "", last, first, name,
				name + " " + storage.Fold(matricule), []string{"ide", "iade", "aide_soignant"}[i%3], "Infirmier", "", at[1+i%4], at[0], "titulaire", "",
				"fr", false, "", 2 + i%2, 1, false, id, "", "k1", storage.Micros(morning), storage.Micros(morning),
			})
			for rank, address := range []string{fmt.Sprintf("+336%08d", i), fmt.Sprintf("m%d@chu.example", i), fmt.Sprintf("%05d", 10000+i%9000)} {
				if rank == 2 && i%2 == 0 {
					continue
				}
				kind := []string{directory.Mobile, directory.Email, directory.Extension}[rank]
				answered := any(nil)
				if i%3 == 0 && rank == 0 {
					answered = storage.Micros(morning)
				}
				points = append(points, []any{
					org, storage.NewID(morning), 0, int64(math.MaxInt64), id, kind, address, "", rank == 0, rank == 2, rank, "RH", "",
					"never", 0, answered,
				})
			}
		}
		if err := h.db.Write(tb.Context(), h.scope, func(tx *storage.Tx) error {
			if err := tx.InsertRows(tb.Context(), "directory_people", people, rows); err != nil {
				return err
			}
			return tx.InsertRows(tb.Context(), "directory_contacts", contacts, points)
		}); err != nil {
			tb.Fatal(err)
		}
	}
}

func BenchmarkResolve100k(b *testing.B) {
	h := newHospital(b, storagetest.SQLite(b, rooms()...))
	h.crowd(b, 100_000)
	for _, c := range []struct {
		name string
		rule directory.Rule
		want int
	}{{"everyone", directory.Rule{}, 100_000}, {"third", directory.Rule{Metiers: []string{"iade"}}, 33_333}, {"nobody", directory.Rule{People: []uuid.UUID{uuid.New()}}, 0}} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if got := len(h.resolve(b, h.scope, c.rule, directory.Rule{})); got != c.want {
					b.Fatalf("%d people", got)
				}
			}
		})
	}
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if n, err := h.Count(b.Context(), h.scope, directory.Rule{}, morning); err != nil || n != 100_000 {
				b.Fatal(n, err)
			}
		}
	})
}

// bigFile is a staff file of n rows as a large group has them.
func bigFile(n int) string {
	var b strings.Builder
	b.WriteString("Matricule;Nom;Prénom;Fonction;Service;Site;Portable;Téléphone;Mail\n")
	for i := range n {
		fmt.Fprintf(&b, "M%06d;NOM%d;Prénom%d;%s;Service %d;Site %d;06 %02d %02d %02d %02d;poste %d;agent%d@chu.example\n", i, i%7919, i%997,
			[]string{"IDE", "Aide-soignante", "IADE", "Médecin urgentiste"}[i%4], i%160, i%4, 10+i/1000000%90, i/10000%100, i/100%100, i%100, 10000+i%9000, i)
	}
	return b.String()
}

func BenchmarkImport100k(b *testing.B) {
	for b.Loop() {
		h := newHospital(b, storagetest.SQLite(b, rooms()...))
		file := bigFile(100_000)
		start := time.Now()
		step := func(what string) {
			b.ReportMetric(time.Since(start).Seconds(), what+"_s")
			start = time.Now()
		}
		i := h.preview(b, file)
		step("preview")
		if _, err := h.Confirm(b.Context(), h.scope, i.ID); err != nil {
			b.Fatal(err)
		}
		step("commit")
		if again := h.preview(b, file); again.Summary.Same != 100_000 {
			b.Fatalf("the same file changes %+v", again.Summary)
		}
		step("same")
		if _, err := h.Undo(b.Context(), h.scope, i.ID, false); err != nil {
			b.Fatal(err)
		}
		step("undo")
	}
}

func BenchmarkLists100k(b *testing.B) {
	h := newHospital(b, storagetest.SQLite(b, rooms()...))
	h.crowd(b, 100_000)
	for name, f := range map[string]directory.Filter{
		"first": {}, "text": {Text: "nom12 prenom7"}, "nothing": {Text: "personne ainsi"}, "cause": {Cause: directory.CauseNoContact},
		"unproven": {Cause: directory.CauseUnproven}, "metier": {Metier: "iade"}, "named": {Named: "nom5"}, "named/nothing": {Named: "aaa"},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := h.People(b.Context(), h.scope, f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("services", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Services(b.Context(), h.scope); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("quality/compute", func(b *testing.B) {
		for b.Loop() {
			h.clock.Advance(24 * time.Hour)
			if err := h.RefreshQuality(b.Context(), access.Instance("bench")); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("quality/read", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Quality(b.Context(), h.scope); err != nil {
				b.Fatal(err)
			}
		}
	})
}
