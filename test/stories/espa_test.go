package stories_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/channels/espa"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage/storagetest"
	"tocsin/test/peers/espasim"
)

// paged calls handsets and nobody else.
func paged(d *alerting.Definition) {
	for i := range d.Waves {
		d.Waves[i].Media = []channels.Medium{channels.Pager}
	}
	for use, word := range map[alerting.Use]string{alerting.UseAlert: "Venez", alerting.UseEnd: "Fin", alerting.UseStandDown: "Inutile"} {
		for _, language := range []string{"fr", "en"} {
			d.Messages = append(d.Messages, alerting.Text{Use: use, Medium: channels.Pager, Language: language, Body: word})
		}
	}
}

// handsets adds a line to the DECT server.
func (h *hospital) handsets(name string, priority int, settings channels.Settings) {
	h.t.Helper()
	if _, err := h.Dispatch.CreateGateway(h.t.Context(), access.System(h.scope.Organisation(), "story"), h.now(), dispatch.GatewayInput{
		Kind: "espa", Name: name, Priority: priority, Enabled: true, Settings: settings,
	}); err != nil {
		h.t.Fatal(err)
	}
	storagetest.Eventually(h.t, patience, name+" is up", func() bool {
		h.clock.Advance(time.Second)
		return h.lineTo(name).Health.Up
	})
}

// lineTo is a gateway as the follow-up shows it.
func (h *hospital) lineTo(name string) dispatch.GatewayView {
	h.t.Helper()
	list, err := h.Dispatch.Health(h.t.Context(), access.System(h.scope.Organisation(), "story"))
	if err != nil {
		h.t.Fatal(err)
	}
	at := slices.IndexFunc(list, func(g dispatch.GatewayView) bool { return g.Name == name })
	if at < 0 {
		return dispatch.GatewayView{}
	}
	return list[at]
}

// The cable of the nurse-call line is pulled out while a call passes. Nobody knows
// whether the handset rang: the call says so, waits, and is made again when the cable
// is back, or at once by another line.
func TestTheCableOfTheHandsetsIsPulledOut(t *testing.T) {
	for _, spare := range []bool{false, true} {
		t.Run("with a spare line "+strconv.FormatBool(spare), func(t *testing.T) {
			onOneDatabase(t, func(t *testing.T, database string) {
				cable, device := espasim.StartSerial(t)
				h := build(t, night(), database, espa.Kind{})
				h.handsets("ligne série", 1, channels.Settings{"device": device, "role": "polled", "timeout": "1"})
				other := espasim.Start(t, false)
				if spare {
					h.handsets("secours", 2, channels.Settings{"host": "127.0.0.1", "port": strconv.Itoa(other.Port), "timeout": "1"})
				}
				agent := h.agent("Combiné", "ide", func(p *directory.Person) { p.Contacts = []directory.ContactPoint{at(directory.Pager, "4512")} })
				cable.Behave(espasim.Cut)
				l := h.launch(recall(paged))
				cable.PullOut()
				storagetest.Eventually(t, patience, "the line is known to be down", func() bool { return !h.lineTo("ligne série").Health.Up })
				if g := h.lineTo("ligne série"); g.Health.Reason != channels.ReasonUnreachable || g.Health.Detail == "" {
					t.Errorf("the line: %+v", g)
				}
				if got := h.person(l, agent); got.State == alerting.Exhausted || len(got.Attempts) != 1 || got.Attempts[0].State == alerting.AttemptFailed {
					t.Errorf("the person, while the cable is out: %s, %+v", got.State, got.Attempts)
				}
				carrier := other
				if !spare {
					carrier = cable
					cable.Behave(espasim.Accept)
					cable.PlugIn()
					storagetest.Eventually(t, patience, "the line is back", func() bool { return h.lineTo("ligne série").Health.Up })
				}
				h.pass(2 * time.Minute)
				storagetest.Eventually(t, patience, "the call is made", func() bool {
					calls, faults := carrier.Calls()
					return len(calls) == 1 && calls[0].To == "4512" && faults == 0
				})
				h.settle()
				got := h.person(l, agent)
				if len(got.Attempts) != 1 || got.Attempts[0].State != alerting.AttemptSubmitted || !got.Attempts[0].Doubled {
					t.Errorf("afterwards: %s, %+v", got.State, got.Attempts)
				}
			})
		})
	}
}
