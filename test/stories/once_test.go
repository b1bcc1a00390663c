package stories_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/directory"
)

// A person who is in three groups, by list and by rule, gets one message.
func TestThreeGroupsOneMessage(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		agent, other := h.agent("Partout", "iade"), h.agent("Ailleurs", "ide")
		groups := []uuid.UUID{h.group("Bloc", nil, agent, other), h.group("Réserve", nil, agent), h.group("IADE", &directory.Rule{Metiers: []string{"iade"}})}
		l := h.launch(recall(func(d *alerting.Definition) { d.Audience.Include.Groups = groups }))
		count(t, h.sms.received(mobile(agent)), 1, "SMS to the person of three groups")
		count(t, h.sms.received(mobile(other)), 1, "SMS to the person of one group")
		if l.People != 2 {
			t.Errorf("%d people in the alert, want 2", l.People)
		}
	})
}

// Two people share a telephone: it rings once for the same words.
func TestSharedTelephoneRingsOnce(t *testing.T) {
	onBothEngines(t, night(), func(t *testing.T, h *hospital) {
		one := h.agent("Couple", "iade")
		h.agent("Conjoint", "ide", func(p *directory.Person) { p.Contacts[0].Address = mobile(one) })
		l := h.launch(recall(func(d *alerting.Definition) {
			for i := range d.Messages {
				d.Messages[i].Body = strings.ReplaceAll(d.Messages[i].Body, " {lien}", "")
			}
		}))
		count(t, h.sms.received(mobile(one)), 1, "SMS to the shared telephone")
		if l.People != 2 {
			t.Errorf("%d people in the alert, want both", l.People)
		}
	})
}

func (h *hospital) group(name string, rule *directory.Rule, members ...directory.Person) uuid.UUID {
	h.t.Helper()
	scope := access.System(h.scope.Organisation(), "story")
	g, err := h.Directory.SaveGroup(h.t.Context(), scope, directory.Group{Name: name, Rule: rule})
	if err != nil {
		h.t.Fatal(err)
	}
	if rule != nil {
		return g.ID
	}
	ids := make([]uuid.UUID, len(members))
	for i, p := range members {
		ids[i] = p.ID
	}
	if err := h.Directory.AddMembers(h.t.Context(), scope, g.ID, ids); err != nil {
		h.t.Fatal(err)
	}
	return g.ID
}
