package stories_test

import (
	"fmt"
	"testing"
	"time"

	"tocsin/internal/directory"
)

// Twelve IADE are needed. Eleven are there and one says he comes, late: that is
// enough, the calls stop and who is not needed is told. His hour passes: the alert
// opens again and the next wave leaves. He comes after all: it is met again.
func TestQuotaOfTwelveIsReachedAtElevenAndOneComingLate(t *testing.T) {
	onOneEngine(t, night(), func(t *testing.T, h *hospital) {
		var iade []directory.Person
		for i := range 13 {
			iade = append(iade, h.agent(fmt.Sprintf("Iade%02d", i), "iade"))
		}
		spare := h.agent("Renfort", "ide")
		// The others wait in a second wave, so long as people are missing.
		l := h.launch(recall(waves("iade", "ide"), needs(12, "iade")))
		for _, p := range iade[:11] {
			h.sms.answer(mobile(p), "1 15")
		}
		for _, p := range iade[:11] {
			if err := h.Alerting.Arrive(t.Context(), h.scope, h.now(), l.ID, h.person(l, p).ID, true); err != nil {
				t.Fatal(err)
			}
		}
		if b := h.board(l); b.Quotas[0].Arrived != 11 || b.Quotas[0].Missing() != 1 || !b.Launch.QuotaMet.IsZero() {
			t.Fatalf("with eleven there: %+v", b.Quotas[0])
		}
		late := iade[11]
		h.sms.answer(mobile(late), "1 90")
		b := h.board(l)
		if b.Launch.QuotaMet.IsZero() || b.Quotas[0].Arrived != 11 || b.Quotas[0].Coming != 1 || b.Quotas[0].Missing() != 0 {
			t.Fatalf("with eleven there and one coming late: met %s, %+v", b.Launch.QuotaMet, b.Quotas[0])
		}
		h.pass(20 * time.Minute)
		count(t, h.sms.received(mobile(spare)), 0, "SMS to the second wave")
		count(t, h.sms.all("INUTILE"), 1, "stand-downs: the thirteenth alone was called and is not needed")

		h.pass(90 * time.Minute) // 90 minutes announced, 15 of grace
		if b := h.board(l); b.Quotas[0].Overdue != 1 || b.Quotas[0].Missing() != 1 || !b.Launch.QuotaMet.IsZero() {
			t.Errorf("once he is overdue: %+v", b.Quotas[0])
		}
		count(t, h.sms.received(mobile(spare)), 1, "SMS to the second wave once he is overdue")

		if err := h.Alerting.Arrive(t.Context(), h.scope, h.now(), l.ID, h.person(l, late).ID, true); err != nil {
			t.Fatal(err)
		}
		h.pass(2 * time.Second)
		if b := h.board(l); b.Launch.QuotaMet.IsZero() || b.Quotas[0].Arrived != 12 {
			t.Errorf("once he is there: %+v", b.Quotas[0])
		}
	})
}
