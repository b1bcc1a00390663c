package stories_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/channels/push"
	"tocsin/internal/dispatch"
	spacepages "tocsin/internal/space/pages"
	"tocsin/test/peers/firefox"
)

// A browser that we did not write opens the space, subscribes under the key of
// the house, decrypts what the house sends and shows it with its two buttons.
func TestANotificationInFirefox(t *testing.T) {
	t.Parallel()
	service := firefox.Serve(t)
	h := build(t, night(), "", push.Kind{Loopback: true})
	if _, err := h.Dispatch.CreateGateway(t.Context(), access.System(h.scope.Organisation(), "story"), h.now(), dispatch.GatewayInput{
		Kind: "webpush", Name: "Notifications", Priority: 1, Enabled: true, Settings: channels.Settings{"contact": "dsi@valbrume.example", "services": service.Host},
	}); err != nil {
		t.Fatal(err)
	}
	agent := h.agent("Un", "ide")
	house := httptest.NewServer(h.router)
	t.Cleanup(func() { house.CloseClientConnections(); house.Close() })
	base := strings.Replace(house.URL, "127.0.0.1", "localhost", 1)

	b := firefox.Start(t, service)
	b.Go(base + h.invited(agent))
	b.Click("main form button")
	b.Until("the space", `return location.pathname === "`+spacepages.Path+`" && navigator.serviceWorker.controller`)
	b.Go(base + spacepages.Path + "/moi")
	b.Click("[data-push-on]")
	b.Until("the subscription", `return document.querySelector("form[action$='/notifications/fin']")`)

	d := recall()
	for i := range d.Waves {
		d.Waves[i].Media = []channels.Medium{channels.Push, channels.SMS}
	}
	l := h.launch(d)
	h.settle()
	if code := service.Ack(t); code != firefox.Delivered {
		t.Fatalf("the browser answers %d to the notification", code)
	}
	b.Until("the notification", `return (await (await navigator.serviceWorker.ready).getNotifications()).length === 1`)
	var shown struct{ Title, Body, Tag, Language string }
	b.Run(`const [n] = await (await navigator.serviceWorker.ready).getNotifications();
		return { Title: n.title, Body: n.body, Tag: n.tag, Language: n.lang };`, &shown)
	if shown.Title != "Tocsin" || !strings.Contains(shown.Body, "VENEZ") || strings.Contains(shown.Body, "/r/") || shown.Tag == "" || shown.Language != "fr" {
		t.Errorf("the browser shows %+v", shown)
	}

	// A press on it leads to the space, where the answer is given.
	b.Press("VENEZ")
	b.Until("the space again", `return location.pathname === "`+spacepages.Path+`" && document.querySelector("button[value=coming-30]")`)
	b.Click("button[value=coming-30]")
	// The press on the notification may lead to the space once more, after the answer.
	b.Until("the answer", `return document.body.innerText.includes("Vous venez")`)
	r, err := h.Alerting.RecipientByID(t.Context(), h.scope, l.ID, h.person(l, agent).ID)
	if err != nil || len(r.Answers) != 1 || r.Answers[0].Source != alerting.BySpace {
		t.Errorf("the answer: %+v, %v", r.Answers, err)
	}
}
