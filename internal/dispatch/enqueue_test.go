package dispatch_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

func TestTheSameOrderTwiceIsOnce(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS).open(nil)
		c, content, orders := dispatchtest.Mail(t0, channels.SMS, 10)
		if n := dispatchtest.Post(t, h.d, db, h.scope, t0, c, content, append(orders, orders[3])); n != 10 {
			t.Errorf("%d accepted, want 10", n)
		}
		if n := dispatchtest.Post(t, h.d, db, h.scope, t0, c, content, orders); n != 0 {
			t.Errorf("%d accepted the second time", n)
		}
		h.facts(dispatch.FactAccepted, 10)
		if h.air.Count() != 10 {
			t.Errorf("%d sends", h.air.Count())
		}
	})
}

func TestRunawayLimits(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS).open(nil)
		c, content, orders := dispatchtest.Mail(t0, channels.SMS, 12)
		c.MaxPerSubject, c.MaxTotal = 2, 8
		for i := range 4 {
			orders[i].Subject = orders[0].Subject
		}
		if n := dispatchtest.Post(t, h.d, db, h.scope, t0, c, content, orders[:3]); n != 2 {
			t.Errorf("%d accepted for one subject, want 2", n)
		}
		if n := dispatchtest.Post(t, h.d, db, h.scope, t0, c, content, orders[3:]); n != 6 {
			t.Errorf("%d accepted, want the 6 that the total leaves", n)
		}
		held := make(map[uuid.UUID]bool)
		for _, f := range h.facts(dispatch.FactGuarded, 4) {
			held[f.Delivery] = true
		}
		if !held[orders[2].ID] || !held[orders[3].ID] {
			t.Errorf("guarded %v", held)
		}
		h.facts(dispatch.FactAccepted, 8)
		if v := h.view(c); v.Guarded != 4 || v.Accepted != 8 {
			t.Errorf("view %+v", v)
		}
	})
}

func TestASharedNumberRingsOnce(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS).open(nil)
		c, content, orders := dispatchtest.Mail(t0, channels.SMS, 4)
		for i := range orders {
			orders[i].Address = orders[0].Address
		}
		orders[3].Purpose = "progress"
		dispatchtest.Post(t, h.d, db, h.scope, t0, c, content, orders[:2])
		h.facts(dispatch.FactMerged, 1)
		dispatchtest.Post(t, h.d, db, h.scope, t0, c, content, orders[2:])
		merged := h.facts(dispatch.FactMerged, 2)
		if merged[1].Delivery != orders[2].ID {
			t.Errorf("merged %+v", merged)
		}
		h.facts(dispatch.FactAccepted, 2) // the first call, and the progress message
	})
}

func TestOrdersThatCannotBeSent(t *testing.T) {
	h := lite(t, channels.SMS)
	c, content, _ := dispatchtest.Mail(t0, channels.SMS, 1)
	dispatchtest.Post(t, h.d, h.db, h.scope, t0, c, content, nil)
	for name, spoil := range map[string]func(*dispatch.Order){
		"dispatch.campaign.unknown": func(o *dispatch.Order) { o.Campaign = uuid.New() },
		"dispatch.content.unknown":  func(o *dispatch.Order) { o.Content = uuid.New() },
		"dispatch.order.address":    func(o *dispatch.Order) { o.Address = "\x00" },
		"dispatch.order.incomplete": func(o *dispatch.Order) { o.Subject = uuid.Nil },
	} {
		t.Run(name, func(t *testing.T) {
			_, _, orders := dispatchtest.Mail(t0, channels.SMS, 1)
			orders[0].Campaign, orders[0].Content = c.ID, content.ID
			spoil(&orders[0])
			err := h.db.Write(t.Context(), h.scope, func(tx *storage.Tx) error {
				_, err := h.d.Enqueue(t.Context(), tx, h.scope, t0, orders)
				return err
			})
			if f := fault.As(err); f == nil || f.Key != name {
				t.Errorf("got %v", err)
			}
		})
	}
	err := h.db.Write(t.Context(), h.scope, func(tx *storage.Tx) error {
		return h.d.AddContents(t.Context(), tx, h.scope, t0, c.ID, []dispatch.Content{{ID: uuid.New(), Medium: channels.SMS}})
	})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("an empty content gives %v", err)
	}
}

func TestTwoEstablishmentsShareNothing(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		north := newHouse(t, db, channels.SMS).open(nil)
		south := newHouse(t, db, channels.SMS) // no gateway of its own
		c, _ := north.post(5)
		south.d = north.d
		theirs, _ := south.post(5)
		north.within("accepted", func() bool { return north.view(c).Accepted == 5 })
		if v := south.view(theirs); v.Queued != 5 || v.Accepted != 0 {
			t.Errorf("view %+v", v)
		}
		if _, err := north.d.View(t.Context(), north.scope, theirs.ID, t0); !fault.Is(err, fault.NotFound) {
			t.Errorf("the neighbour's campaign gives %v", err)
		}
		if north.air.Count() != 5 {
			t.Errorf("%d sends", north.air.Count())
		}
	})
}

func TestTheFirstOrdersOfACampaign(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS).open(nil)
		first := func(limit int, change func(orders []dispatch.Order)) (c dispatch.Campaign, accepted int, err error) {
			c, content, orders := dispatchtest.Mail(t0, channels.SMS, 1300)
			slices.SortFunc(orders, func(a, b dispatch.Order) int { return bytes.Compare(a.ID[:], b.ID[:]) })
			c.MaxTotal = limit
			change(orders)
			err = db.Write(t.Context(), h.scope, func(tx *storage.Tx) error {
				if err := h.d.OpenCampaign(t.Context(), tx, h.scope, t0, c); err != nil {
					return err
				}
				if err := h.d.AddContents(t.Context(), tx, h.scope, t0, c.ID, []dispatch.Content{content}); err != nil {
					return err
				}
				accepted, err = h.d.EnqueueFirst(t.Context(), tx, h.scope, t0, c.ID, slices.Values(orders))
				return err
			})
			h.d.Wake()
			return c, accepted, err
		}
		c, n, err := first(1200, func(orders []dispatch.Order) { orders[7].Address = orders[6].Address })
		if err != nil || n != 1200 {
			t.Fatalf("%d accepted, %v", n, err)
		}
		h.within("all sent", func() bool { v := h.view(c); return v.Accepted == 1200 && v.Merged == 1 && v.Guarded == 99 })
		for name, spoil := range map[string]func(orders []dispatch.Order){
			"an id twice":          func(orders []dispatch.Order) { orders[900].ID = orders[899].ID },
			"of another campaign":  func(orders []dispatch.Order) { orders[900].Campaign = c.ID },
			"an unknown text":      func(orders []dispatch.Order) { orders[900].Content = uuid.New() },
			"an address of nobody": func(orders []dispatch.Order) { orders[900].Address = "" },
		} {
			broken, _, err := first(0, spoil)
			if err == nil {
				t.Errorf("%s: accepted", name)
			}
			if _, err := h.d.View(t.Context(), h.scope, broken.ID, t0); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: something is left: %v", name, err)
			}
		}
	})
}
