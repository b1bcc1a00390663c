package alerting_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
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
	for i := range n {
		h.numbered(i, fmt.Sprintf("Nom %05d", i), []string{"ide", "iade", "aide_soignant"}[i%3], func(p *directory.Person) { p.Service, p.Site = services[i%len(services)], site.ID })
	}
}

// crowded is how many people the benchmarks call.
const crowded = 10_000

func BenchmarkLaunch(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		h := newHospital(b, storagetest.SQLite(b, rooms()...), night)
		h.crowd(crowded)
		d := h.draft(h.scenario(recall()))
		b.StartTimer()
		if _, _, err := h.Launch(b.Context(), h.scope, h.now(), d); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAlert measures what follows a launch.
func BenchmarkAlert(b *testing.B) {
	h := newHospital(b, storagetest.SQLite(b, rooms()...), night)
	h.crowd(crowded)
	l := h.launch(recall(needs(3_000, "")))
	queued := h.fresh(l.ID)
	b.Run("facts of all", func(b *testing.B) {
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
