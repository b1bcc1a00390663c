package alerting_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"

	"github.com/google/uuid"
)

// crowd fills the directory with n people, a mobile and an e-mail address each.
func (h *hospital) crowd(n int) {
	h.t.Helper()
	system := access.System(h.scope.Organisation(), "test")
	site, err := h.org.AddNode(h.t.Context(), system, organisation.Node{Kind: organisation.Site, Name: "Site Nord"}, uuid.Nil)
	if err != nil {
		h.t.Fatal(err)
	}
	var services []uuid.UUID
	for i := range 40 {
		s, err := h.org.AddNode(h.t.Context(), system, organisation.Node{Kind: organisation.CareService, Name: fmt.Sprintf("Service %d", i)}, site.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		services = append(services, s.ID)
	}
	people := []string{"organisation_id", "id", "since_gen", "until_gen", "revision", "source", "match_key", "matricule", "rpps", "last_name",
		"first_name", "name_folded", "search_folded", "metier", "metier_label", "qualifications", "service_id", "site_id", "status", "semester",
		"language", "protected", "refused", "human_id", "human_by", "created_us", "updated_us"}
	contacts := []string{"organisation_id", "id", "since_gen", "until_gen", "person_id", "kind", "address", "label", "private", "shared", "rank",
		"source", "origin", "state", "failures"}
	org, now := h.scope.Organisation(), storage.Micros(h.now())
	for from := 0; from < n; from += 1000 {
		var rows, points [][]any
		for i := from; i < min(n, from+1000); i++ {
			id := storage.NewID(h.now())
			last, first, matricule := fmt.Sprintf("Nom%d", i%7919), fmt.Sprintf("Prénom%d", i%997), fmt.Sprintf("M%06d", i)
			name := storage.Fold(last + " " + first)
			rows = append(rows, []any{org, id, 0, int64(math.MaxInt64), 0, "RH", "m:" + storage.Fold(matricule), matricule, "", last, first, name,
				name + " " + storage.Fold(matricule), []string{"ide", "iade", "aide_soignant"}[i%3], "Infirmier", "", services[i%len(services)], site.ID, "titulaire", "",
				"fr", false, "", id, "k1", now, now})
			points = append(points, []any{org, storage.NewID(h.now()), 0, int64(math.MaxInt64), id, "mobile", fmt.Sprintf("+336%08d", i), "", true, false, 0, "RH", "", "never", 0},
				[]any{org, storage.NewID(h.now()), 0, int64(math.MaxInt64), id, "email", fmt.Sprintf("m%d@chu.example", i), "", false, false, 1, "RH", "", "never", 0})
		}
		if err := h.db.Write(h.t.Context(), system, func(tx *storage.Tx) error {
			if err := tx.InsertRows(h.t.Context(), "directory_people", people, rows); err != nil {
				return err
			}
			return tx.InsertRows(h.t.Context(), "directory_contacts", contacts, points)
		}); err != nil {
			h.t.Fatal(err)
		}
	}
}

func BenchmarkLaunch100k(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		h := newHospital(b, storagetest.SQLite(b, rooms()...), night)
		h.crowd(100_000)
		d := h.draft(h.scenario(recall()))
		b.StartTimer()
		if _, _, err := h.Launch(b.Context(), h.scope, h.now(), d); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAlert100k measures what follows a launch of 100,000 people.
func BenchmarkAlert100k(b *testing.B) {
	h := newHospital(b, storagetest.SQLite(b, rooms()...), night)
	h.crowd(100_000)
	l := h.launch(recall(needs(30_000, "")))
	queued := h.fresh(l.ID)
	b.Run("facts of 100000 deliveries", func(b *testing.B) {
		for b.Loop() {
			h.tell(l.ID, queued, "", dispatch.FactAccepted)
			h.tell(l.ID, queued, "", dispatch.FactDelivered)
		}
	})
	b.Run("5000 answers", func(b *testing.B) {
		for b.Loop() {
			var list []dispatch.Reply
			for _, m := range queued[:5000] {
				list = append(list, dispatch.Reply{ID: storage.NewID(h.now()), Medium: channels.SMS, From: m.Address, Text: "1 30", At: h.now(), Campaign: l.ID, Subject: m.Subject})
			}
			for part := range slices.Chunk(list, 500) {
				if err := h.Replies(b.Context(), h.system(), h.now(), part); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("board", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Board(b.Context(), h.scope, l.ID, h.now()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("page of recipients", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Recipients(b.Context(), h.scope, l.ID, alerting.RecipientFilter{State: alerting.Exhausted}, alerting.Page{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("report", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.ReportData(b.Context(), h.scope, l.ID, h.now()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("idle tick", func(b *testing.B) {
		for b.Loop() {
			if _, err := h.Tick(b.Context(), h.now()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
