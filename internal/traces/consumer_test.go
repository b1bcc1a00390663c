package traces_test

import (
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

func wantedConsumer(name string) traces.WantedConsumer {
	return traces.WantedConsumer{Name: name, Reason: "Bouton du DPI", LastDay: "2027-11-23", Zone: time.UTC}
}

// Nobody lets another ask what he may not ask himself, and each admission is in
// the journal.
func TestWhoAdmitsAConsumer(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		weak := access.For(h.dpo.Organisation(), h.dpo.Actor(), false, access.DataProtection)
		for _, scope := range []access.Scope{h.admin, weak, {}} {
			if _, _, err := h.Admit(t.Context(), scope, wantedConsumer("DPI")); fault.KindOf(err) != fault.Denied && fault.KindOf(err) != fault.Unauthenticated {
				t.Errorf("admitted: %v", err)
			}
			if _, err := h.Consumers(t.Context(), scope); err == nil {
				t.Error("listed")
			}
		}
		one, token, err := h.Admit(t.Context(), h.dpo, wantedConsumer("DPI"))
		h.must(err)
		if !one.Until.Equal(time.Date(2027, 11, 24, 0, 0, 0, 0, time.UTC)) || one.By != h.dpo.Actor().Name {
			t.Errorf("%+v", one)
		}
		elsewhere := as(h.elsewhere.Organisation(), access.DataProtection)
		if list, err := h.Consumers(t.Context(), elsewhere); err != nil || len(list) > 0 {
			t.Errorf("seen from elsewhere: %+v %v", list, err)
		}
		if _, err := h.Revoke(t.Context(), elsewhere, one.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("revoked from elsewhere: %v", err)
		}
		_, err = h.ByConsumerToken(t.Context(), token, "")
		h.must(err)
		for range 2 { // twice is once
			_, err = h.Revoke(t.Context(), h.dpo, one.ID)
			h.must(err)
		}
		if _, err = h.ByConsumerToken(t.Context(), token, ""); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("revoked: %v", err)
		}
		var told int
		h.must(h.db.Read(t.Context(), h.dpo, func(tx *storage.Tx) error {
			_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM journal_entries WHERE action LIKE 'traces.consumer.%'`, nil, &told)
			return err
		}))
		if told != 2 {
			t.Errorf("%d entries of the journal", told)
		}
	})
}
