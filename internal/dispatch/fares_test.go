package dispatch_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

func TestFares(t *testing.T) {
	t.Parallel()
	got, err := dispatch.ParseFares("+33 = 0,045\n\n +262=0.12 \n*")
	if err != nil || len(got) != 3 || got["+33"] != 45000 || got["+262"] != 120000 || got["*"] >= 0 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"+44 = 1", "+33 = cher", "+33 = -1", "+33 = NaN", "+33 = 101", "+33\n+33", "33"} {
		if _, err := dispatch.ParseFares(bad); fault.As(err) == nil || fault.As(err).Field != "fares" {
			t.Errorf("%q is accepted: %v", bad, err)
		}
	}
}

// Each number goes by the gateway meant for it, the cheapest at equal rank; when
// that one dies its messages take the next, and come back to it when it lives.
func TestRoutes(t *testing.T) {
	each(t, func(t *testing.T, db *storage.DB) {
		h := newHouse(t, db, channels.SMS)
		for name, fares := range map[string]string{"main": "+33 = 0,05\n*", "over": "+262 = 0,10\n+33 = 0,04", "dear": ""} {
			priority := 1
			if name == "dear" {
				priority = 2
			}
			if _, err := h.d.CreateGateway(t.Context(), h.scope, t0, dispatch.GatewayInput{
				Kind: "air-sms", Name: name, Settings: channels.Settings{"peer": name}, Priority: priority, Fares: fares, Enabled: true,
			}); err != nil {
				t.Fatal(err)
			}
		}
		h.start()
		h.by("+33639", "over")  // cheaper than main
		h.by("+262692", "over") // meant for it
		h.by("+590690", "main") // by « * »

		over, main := h.air.Channel("over"), h.air.Channel("main")
		over.Cut()
		h.by("+33639", "main")
		h.by("+262692", "main") // it takes the rest of the world
		main.Cut()
		h.by("+262692", "dear")
		over.Mend()
		h.within("the gateway is found alive again", func() bool {
			h.clock.Advance(time.Second)
			views, err := h.d.Panels(t.Context(), h.scope)
			if err != nil {
				t.Fatal(err)
			}
			return slices.ContainsFunc(views, func(p dispatch.Panel) bool {
				return p.Gateway.Name == "over" && p.View.Carrying && slices.Contains(p.View.Routes, "+262")
			})
		})
		h.by("+262692", "over")
	})
}

// by posts messages to numbers of a prefix and checks which gateway took them.
func (h *house) by(prefix, gateway string) {
	h.t.Helper()
	before := len(h.sink.Of(dispatch.FactAccepted))
	c, orders := h.post(5, func(_ *dispatch.Campaign, orders []dispatch.Order) {
		for i := range orders {
			orders[i].Address = prefix + fmt.Sprintf("98%04d", h.air.Count()+i)
		}
	})
	h.within(prefix+" by "+gateway, func() bool {
		h.clock.Advance(100 * time.Millisecond)
		return len(h.sink.Of(dispatch.FactAccepted)) >= before+len(orders)
	})
	for _, o := range orders {
		tries, err := h.d.Attempts(h.t.Context(), h.scope, c.ID, o.Subject)
		if err != nil || len(tries) == 0 || tries[len(tries)-1].Gateway != gateway {
			h.t.Fatalf("%s went by %+v, want %s (%v)", o.Address, tries, gateway, err)
		}
	}
}
