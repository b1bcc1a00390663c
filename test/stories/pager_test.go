package stories_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/channels/pager"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/test/peers/hylafax"
)

// Who has only a pager is paged at once; who does not answer the SMS within five
// minutes is paged then; who answered is left alone.
func TestAPagerIsTheNextMedium(t *testing.T) {
	onOneDatabase(t, func(t *testing.T, database string) {
		server := hylafax.Start(t)
		h := build(t, night(), database, pager.Kind{})
		if _, err := h.Dispatch.CreateGateway(t.Context(), access.System(h.scope.Organisation(), "story"), h.now(), dispatch.GatewayInput{
			Kind: "snpp", Name: "bips", Priority: 1, Enabled: true, Settings: channels.Settings{
				"host": "127.0.0.1", "port": strconv.Itoa(server.Port), "user": hylafax.User, "password": hylafax.Password, "command": "SITE JQUEUE yes", "length": "100",
			},
		}); err != nil {
			t.Fatal(err)
		}
		beeped := func(number string) func(*directory.Person) {
			return func(p *directory.Person) { p.Contacts = append(p.Contacts, at(directory.Pager, number)) }
		}
		prompt, silent := h.agent("Prompte", "ide", beeped("71001")), h.agent("Silence", "ide", beeped("71002"))
		h.agent("Bip", "ide", func(p *directory.Person) { p.Contacts = []directory.ContactPoint{at(directory.Pager, "bip 71 003")} })
		l := h.launch(recall(func(d *alerting.Definition) {
			for i := range d.Waves {
				d.Waves[i].Media = []channels.Medium{channels.SMS, channels.Pager}
			}
			for use, word := range map[alerting.Use]string{alerting.UseAlert: "Venez à l’hôpital", alerting.UseEnd: "Fin", alerting.UseStandDown: "Inutile"} {
				for _, language := range []string{"fr", "en"} {
					d.Messages = append(d.Messages, alerting.Text{Use: use, Medium: channels.Pager, Language: language, Body: word})
				}
			}
		}))
		h.sms.answer(mobile(prompt), "1 15")
		h.settle()
		if got := server.Queued(); len(got) != 1 || got[0].To != "71003" || !strings.Contains(got[0].Text, "Venez a l'hopital") {
			t.Errorf("at the launch: %+v", got)
		}
		h.pass(302 * time.Second)
		got := server.Queued()
		if len(got) != 2 || got[1].To != "71002" {
			t.Errorf("after five minutes: %+v", got)
		}
		if who := h.person(l, silent); len(who.Attempts) != 2 || who.Attempts[0].State == alerting.AttemptFailed {
			t.Errorf("the silent one: %+v", who.Attempts)
		}
	})
}
