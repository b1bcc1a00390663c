package dispatch_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithCancel(t.Context())
}

func (h *house) write(fn func(tx *storage.Tx) error) {
	h.t.Helper()
	if err := h.db.Write(h.t.Context(), h.scope, fn); err != nil {
		h.t.Fatal(err)
	}
}

func TestKill(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		const n = 600
		h := newHouse(t, db, channels.SMS)
		gate, out := make(chan struct{}), make(chan struct{}, n)
		h.air.Answer(func(m channels.Message) channels.Outcome {
			out <- struct{}{}
			<-gate
			return dispatchtest.Accept(m)
		})
		h.open(channels.Settings{"senders": "4"})
		c, _ := h.post(n)
		h.within("four sends under way", func() bool { return len(out) == 4 })
		var waiting int64
		h.write(func(tx *storage.Tx) (err error) {
			waiting, err = h.d.Kill(t.Context(), tx, h.scope, t0, c.ID)
			return err
		})
		if waiting != n {
			t.Errorf("%d waiting at the kill, want %d", waiting, n)
		}
		h.d.Wake()
		h.within("the lots nobody held are withdrawn", func() bool { return h.view(c).Withdrawn > 0 })
		close(gate)
		h.facts(dispatch.FactWithdrawn, n-4)
		h.facts(dispatch.FactAccepted, 4)
		if v := h.view(c); v.Withdrawn != n-4 || v.Accepted != 4 || v.Queued != 0 || v.Sending != 0 {
			t.Errorf("view %+v", v)
		}
		if h.air.Count() != 4 {
			t.Errorf("%d messages left", h.air.Count())
		}
		h.lateOrder(c)
	})
}

// lateOrder enqueues into a stopped campaign: kept, told, never sent.
func (h *house) lateOrder(c dispatch.Campaign) {
	h.t.Helper()
	_, content, orders := dispatchtest.Mail(t0, h.air.Describe().Medium, 1)
	orders[0].Campaign = c.ID
	if n := dispatchtest.Post(h.t, h.d, h.db, h.scope, t0, c, content, orders); n != 0 {
		h.t.Errorf("%d accepted after the kill", n)
	}
	var again int64
	h.write(func(tx *storage.Tx) (err error) {
		again, err = h.d.Kill(h.t.Context(), tx, h.scope, t0, c.ID)
		return err
	})
	if again != 0 {
		h.t.Errorf("a second kill stopped %d", again)
	}
}

func TestWithdraw(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS).open(nil)
		later := t0.Add(5 * time.Minute)
		c, orders := h.post(300, func(_ *dispatch.Campaign, orders []dispatch.Order) {
			for i := range orders {
				orders[i].NotBefore, orders[i].Wave = later, 1+i/100
			}
		})
		withdraw := func(sel dispatch.Selection) (n int64) {
			h.write(func(tx *storage.Tx) (err error) {
				n, err = h.d.Withdraw(t.Context(), tx, h.scope, t0, c.ID, sel)
				return err
			})
			h.d.Wake()
			return n
		}
		if n := withdraw(dispatch.Selection{Subjects: []uuid.UUID{orders[0].Subject, orders[250].Subject}, Waves: []int{1}}); n != 1 {
			t.Errorf("%d withdrawn by subject and wave, want 1", n)
		}
		if n := withdraw(dispatch.Selection{Waves: []int{3}, Purposes: []string{"call"}, Medium: channels.SMS}); n != 100 {
			t.Errorf("%d withdrawn by wave, want 100", n)
		}
		if n := withdraw(dispatch.Selection{Purposes: []string{"end"}}); n != 0 {
			t.Errorf("%d withdrawn for another purpose", n)
		}
		h.facts(dispatch.FactWithdrawn, 101)
		h.clock.Advance(5 * time.Minute)
		h.d.Wake()
		h.facts(dispatch.FactAccepted, 199)
		if n := withdraw(dispatch.Selection{}); n != 0 {
			t.Errorf("%d withdrawn after they left", n)
		}
		for _, m := range h.air.Sent() {
			if m.ID == orders[0].ID || m.ID == orders[250].ID {
				t.Error("a withdrawn message left")
			}
		}
	})
}

func TestPrioritiesThenWaves(t *testing.T) {
	h := newHouse(t, storagetest.SQLite(t, dispatchtest.Migrations()...), channels.SMS)
	c, orders := h.post(6, func(_ *dispatch.Campaign, orders []dispatch.Order) {
		for i, key := range []struct{ priority, wave int }{{1, 1}, {0, 2}, {0, 1}, {2, 0}, {1, 0}, {0, 3}} {
			orders[i].Priority, orders[i].Wave = key.priority, key.wave
		}
	})
	h.open(channels.Settings{"senders": "1"})
	h.within("all accepted", func() bool { return h.view(c).Accepted == 6 })
	for i, want := range []int{2, 1, 5, 4, 0, 3} {
		if got := h.air.Sent()[i].ID; got != orders[want].ID {
			t.Errorf("message %d is not order %d", i, want)
		}
	}
}
