package stories_test

import (
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/storage/storagetest"
)

// Two establishments share the installation. The second sees nothing of the
// first: no alert, no person, no figure; and what its telephones answer never
// counts for the other.
func TestTheNeighbourSeesNothing(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		agent := h.agent("Secret", "iade")
		other := h.establishment("Clinique du Parc", "voisine")
		h.Dispatch.Wake()
		same := h.agentOf(other, "Voisin", "iade", func(p *directory.Person) { p.Contacts[0].Address = mobile(agent) })
		sc := h.scenario(recall(needs(1, "")))
		l, _, err := h.Alerting.Launch(t.Context(), h.scope, h.now(), draft(sc))
		if err != nil {
			t.Fatal(err)
		}
		h.settle()
		who := h.person(l, agent)

		h.seesNothing(other, l, who, sc, agent)
		storagetest.Eventually(t, patience, "the neighbour's gateway is open", func() bool { return h.sms.Channel("voisine") != nil })
		if err := h.sms.Channel("voisine").Inbox().Replies(t.Context(), []channels.Reply{{PeerID: "v1", From: mobile(same), Text: "1 15", At: h.now()}}); err != nil {
			t.Fatal(err)
		}
		h.settle()
		if who := h.person(l, agent); who.Meaning != "" {
			t.Errorf("a reply to the neighbour counts here: %s", who.Meaning)
		}
		h.sms.answer(mobile(agent), "1 15")
		if who := h.person(l, agent); who.Meaning != alerting.Coming {
			t.Errorf("our own reply does not count: %q", who.Meaning)
		}
		launches, err := h.Alerting.Launches(t.Context(), other, alerting.Page{})
		if err != nil || len(launches) != 0 {
			t.Errorf("the neighbour lists %d alerts: %v", len(launches), err)
		}
	})
}

func (h *hospital) seesNothing(other access.Scope, l alerting.Launch, who alerting.Recipient, sc alerting.Scenario, agent directory.Person) {
	h.t.Helper()
	ctx, t := h.t.Context(), h.t
	_, board := h.Alerting.Board(ctx, other, l.ID, h.now())
	_, recipient := h.Alerting.RecipientByID(ctx, other, l.ID, who.ID)
	_, report := h.Alerting.ReportData(ctx, other, l.ID, h.now())
	_, _, scenario := h.Alerting.Scenario(ctx, other, sc.ID)
	_, person := h.Directory.Person(ctx, other, agent.ID)
	_, view := h.Dispatch.View(ctx, other, l.ID, h.now())
	for name, err := range map[string]error{
		"board": board, "recipient": recipient, "report": report, "scenario": scenario, "person": person, "outbox": view,
		"end": h.Alerting.End(ctx, other, h.now(), l.ID, nil), "kill": h.Alerting.Kill(ctx, other, h.now(), l.ID, "x"),
		"arrival": h.Alerting.Arrive(ctx, other, h.now(), l.ID, who.ID, true),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of the neighbour: %v, want NotFound", name, err)
		}
	}
	stolen := draft(sc)
	if _, _, err := h.Alerting.Launch(ctx, other, h.now(), stolen); !fault.Is(err, fault.NotFound) {
		t.Errorf("launch of the neighbour's scenario: %v", err)
	}
	people, err := h.Directory.People(ctx, other, directory.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people.People {
		if p.ID == agent.ID {
			t.Error("the neighbour lists our people")
		}
	}
	if list, err := h.Alerting.Recipients(ctx, other, l.ID, alerting.RecipientFilter{}, alerting.Page{}); err == nil && len(list) > 0 {
		t.Errorf("the neighbour lists %d recipients", len(list))
	}
	if events, err := h.Alerting.Timeline(ctx, other, l.ID); err == nil && len(events) > 0 {
		t.Errorf("the neighbour reads %d events", len(events))
	}
}
