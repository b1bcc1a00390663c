package dispatch_test

import (
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
)

// cents are hundredths of a euro as the outbox counts.
const cents = 10_000

// paid adds an SMS gateway whose segments cost five cents in France and which
// takes the rest of the world at a price nobody told.
func (h *house) paid() *house {
	h.t.Helper()
	if _, err := h.d.CreateGateway(h.t.Context(), h.scope, t0, dispatch.GatewayInput{
		Kind: "air-sms", Name: "opérateur", Settings: channels.Settings{"peer": "main"}, Priority: 1, Fares: "+33 = 0,05\n*", Enabled: true,
	}); err != nil {
		h.t.Fatal(err)
	}
	return h.start()
}

func (h *house) spending(c dispatch.Campaign) dispatch.Spending {
	h.t.Helper()
	v, err := h.d.View(h.t.Context(), h.scope, c.ID, h.clock.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	return v.Spending
}

func (h *house) lift(c dispatch.Campaign) (changed bool) {
	h.t.Helper()
	h.write(func(tx *storage.Tx) (err error) {
		changed, err = h.d.LiftCeiling(h.t.Context(), tx, h.scope, h.clock.Now(), c.ID)
		return err
	})
	h.d.Wake()
	return changed
}

func capped(euroCents int64, stops bool) func(*dispatch.Campaign, []dispatch.Order) {
	return func(c *dispatch.Campaign, _ []dispatch.Order) { c.Ceiling, c.CeilingStops = euroCents*cents, stops }
}

// One node stops at the ceiling to the cent, keeps what waits, and sends it as
// soon as the ceiling is lifted.
func TestTheCeilingHoldsWhatCosts(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		const people, ceiling = 600, 500 // 100 segments of five cents
		h := newHouse(t, db, channels.SMS).paid()
		c, _ := h.post(people, capped(ceiling, true))
		h.within("the ceiling is reached", func() bool { return h.spending(c).Held() })
		if s := h.spending(c); s.Micros != ceiling*cents || s.Segments != 100 || !s.Near() {
			t.Errorf("spent %+v", s)
		}
		// Another alert, without a ceiling, is not concerned: when it has passed, the
		// first one has had its chance.
		other, _ := h.post(64)
		h.within("another alert leaves", func() bool { return h.view(other).Accepted == 64 })
		if v := h.view(c); v.Accepted != 100 || v.Queued+v.Sending != people-100 || v.Failed+v.Withdrawn+v.Expired != 0 {
			t.Errorf("at the ceiling: %+v", v)
		}
		// Where no price is known nothing is spent: those messages pass.
		_, content, orders := dispatchtest.Mail(t0, channels.SMS, 3)
		for i := range orders {
			orders[i].Campaign, orders[i].Address = c.ID, "+39351000000"+string(rune('0'+i))
		}
		dispatchtest.Post(t, h.d, h.db, h.scope, t0, c, content, orders)
		h.within("messages without a price leave", func() bool { return h.view(c).Accepted == 103 })

		if !h.lift(c) || h.lift(c) {
			t.Error("a ceiling is lifted once")
		}
		h.within("everything leaves", func() bool { return h.view(c).Accepted == people+3 })
		if s := h.spending(c); s.Micros != people*5*cents || s.Held() || !s.Reached() || s.LiftedAt.IsZero() {
			t.Errorf("after the lift: %+v", s)
		}
	})
}

// A ceiling that only warns holds nothing back, and what no gateway took costs nothing.
func TestACeilingThatOnlyWarns(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS)
		h.air.Answer(func(m channels.Message) channels.Outcome {
			if m.To[len(m.To)-1] == '7' {
				return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress}
			}
			return dispatchtest.Accept(m)
		})
		h.paid()
		c, _ := h.post(100, capped(100, false))
		h.within("everything is settled", func() bool { v := h.view(c); return v.Accepted+v.Failed == 100 })
		if s, v := h.spending(c), h.view(c); s.Micros != v.Accepted*5*cents || v.Failed != 10 || s.Held() || !s.Reached() {
			t.Errorf("spent %+v, %+v", s, v)
		}
	})
}

// What was refused gives its money back to those who wait.
func TestRefusedMessagesLeaveTheirMoney(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS)
		h.air.Answer(func(m channels.Message) channels.Outcome {
			if (m.To[len(m.To)-1]-'0')%2 == 1 {
				return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress}
			}
			return dispatchtest.Accept(m)
		})
		h.paid()
		c, _ := h.post(300, capped(500, true))
		h.within("the ceiling is reached by accepted ones alone", func() bool { return h.spending(c).Held() })
		if v := h.view(c); v.Accepted != 100 || v.Failed < 90 || v.Failed > 110 {
			t.Errorf("%+v", v)
		}
	})
}

// Three nodes pass the ceiling by no more than what the others had in flight.
func TestThreeNodesShareACeiling(t *testing.T) {
	t.Parallel()
	const people, ceiling, flight = 3000, 5000, 64 // 1,000 segments of five cents
	url := storagetest.PostgresURL(t)
	var nodes []*house
	for range 3 {
		db, err := storage.Open(t.Context(), storage.Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		if err := db.Migrate(t.Context(), dispatchtest.Migrations()...); err != nil {
			t.Fatal(err)
		}
		n := newHouse(t, db, channels.SMS)
		if len(nodes) > 0 {
			n.scope = nodes[0].scope
		}
		nodes = append(nodes, n)
	}
	first := nodes[0]
	if _, err := first.d.CreateGateway(t.Context(), first.scope, t0, dispatch.GatewayInput{
		Kind: "air-sms", Name: "opérateur", Settings: channels.Settings{"peer": "main"}, Priority: 1, InFlight: 3 * flight, Fares: "+33 = 0,05", Enabled: true,
	}); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		n.start()
	}
	c, _ := first.post(people, capped(ceiling, true))
	first.within("the ceiling is reached", func() bool { return first.spending(c).Held() })
	first.within("nothing is in flight", func() bool { v := first.view(c); return v.Sending == 0 })
	left := 0
	for _, n := range nodes {
		left += n.air.Count()
	}
	if v := first.view(c); int(v.Accepted) != left || left < 1000 || left > 1000+3*flight {
		t.Errorf("%d left, %d accepted, of 1,000 the ceiling pays", left, v.Accepted)
	}
	t.Logf("%d messages left of the 1,000 the ceiling pays", left)
	if !first.lift(c) {
		t.Error("not lifted")
	}
	first.within("everything leaves", func() bool { return first.view(c).Accepted == people })
}

func TestTariff(t *testing.T) {
	h := lite(t, channels.SMS)
	for name, in := range map[string]dispatch.GatewayInput{
		"principale": {Fares: "+33 = 0,05", Priority: 1, Enabled: true}, "outre-mer": {Fares: "+262 = 0,10\n+33 = 0,04", Priority: 1, Enabled: true},
		"secours": {Fares: "*=1", Priority: 2, Enabled: true}, "arrêtée": {Fares: "+33 = 0,001", Priority: 1},
	} {
		in.Kind, in.Name, in.Settings = "air-sms", name, channels.Settings{"peer": name}
		if _, err := h.d.CreateGateway(t.Context(), h.scope, t0, in); err != nil {
			t.Fatal(err)
		}
	}
	tariff, err := h.d.Tariff(t.Context(), h.scope, channels.SMS)
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]int64{"+33639980001": 40_000, "+262692000000": 100_000, "+590690000000": 1_000_000} {
		if _, got, known := tariff.Price(channels.SMS, address); got != want || !known {
			t.Errorf("%s costs %d, want %d", address, got, want)
		}
	}
	if _, got, known := (dispatch.Tariff{}).Price(channels.SMS, "+33639980001"); known || got != 0 {
		t.Errorf("without a gateway: %d", got)
	}
}
