package stories_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/channels/modem"
	"tocsin/internal/channels/voice"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/storage/storagetest"
	"tocsin/test/peers/gammu"
	"tocsin/test/peers/sip"
)

// The internet is down: modem and internal calls. Neither the operator nor the relay
// of mail answers. The modem on site carries the SMS at its own pace and brings the
// replies back; the exchange of the hospital rings the extensions.
func TestTheInternetIsDownModemAndInternalCalls(t *testing.T) {
	onOneDatabase(t, func(t *testing.T, database string) {
		exchange := sip.Start(t, sip.Options{Scenario: sip.Answer(time.Second, 2*time.Second, "2", "1")})
		daemon := gammu.Start(t)
		h := build(t, night(), database, modem.Kind{}, voice.New())
		h.trunk(exchange, "4")
		h.modem(daemon)
		h.up("modem", "ligne")
		h.sms.Air.Channel("main").Cut()
		h.mail.Air.Channel("main").Cut()
		h.sms.Air.Answer(dispatchtest.Down)
		h.mail.Air.Answer(dispatchtest.Down)

		director, nurse := h.agent("Directrice", "ide"), h.agent("Infirmière", "ide")
		inside := h.agent("Poste", "ide", func(p *directory.Person) {
			p.Contacts = []directory.ContactPoint{at(directory.Extension, "4512")}
		})
		l := h.launch(recall(called))
		h.pass(10 * time.Second)
		texts := map[string]string{}
		for name, text := range daemon.Sent() {
			texts[strings.Split(name, "_")[3]] = text
		}
		for _, who := range []string{mobile(director), mobile(nurse)} {
			if texts[who] == "" {
				t.Errorf("the modem sent nothing to one of them: %d texts", len(texts))
			}
		}
		if got := h.person(l, inside); got.Meaning != alerting.Unavailable {
			t.Errorf("the extension: %s, %s", got.State, got.Meaning)
		}
		daemon.Receive(mobile(director), "1 15")
		storagetest.Eventually(t, patience, "the reply is taken", func() bool { return daemon.Waiting() == 0 })
		h.pass(5 * time.Second)
		if got := h.person(l, director); got.Meaning != alerting.Coming || got.Minutes != 15 {
			t.Errorf("the director: %s, %s in %d minutes", got.State, got.Meaning, got.Minutes)
		}
		if n := len(h.sms.all("")); n != 0 {
			t.Errorf("%d texts left by the operator, who was down", n)
		}
	})
}

// up waits until gateways are seen up: what is due while none of a
// medium is waits for a clock that stands still.
func (h *hospital) up(names ...string) {
	h.t.Helper()
	storagetest.Eventually(h.t, patience, "the gateways are up", func() bool {
		list, err := h.Dispatch.Health(h.t.Context(), access.System(h.scope.Organisation(), "story"))
		if err != nil {
			h.t.Fatal(err)
		}
		n := 0
		for _, g := range list {
			if slices.Contains(names, g.Name) && g.Health.Up {
				n++
			}
		}
		return n == len(names)
	})
}

// modem adds a modem after the gateways of the operator.
func (h *hospital) modem(d *gammu.Daemon) {
	h.t.Helper()
	at := func(name string) string { return filepath.Join(d.Dir, name) }
	if _, err := h.Dispatch.CreateGateway(h.t.Context(), access.System(h.scope.Organisation(), "story"), h.now(), dispatch.GatewayInput{
		Kind: "modem", Name: "modem", Priority: 2, Enabled: true, Settings: channels.Settings{
			"outbox": at("out"), "sent": at("sent"), "error": at("error"), "inbox": at("in"), "pid_file": at("pid"),
			"rate": "0", // a pace is counted on the clock, and that of a story stands still
		},
	}); err != nil {
		h.t.Fatal(err)
	}
}
