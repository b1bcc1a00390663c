package alerting_test

import (
	"testing"

	"tocsin/internal/alerting"
	"tocsin/internal/channels"
)

// worded makes the first SMS in French say body; the e-mail says the same.
func worded(body string) func(*alerting.Definition) {
	return func(d *alerting.Definition) {
		for i := range d.Messages {
			if m := &d.Messages[i]; m.Use == alerting.UseAlert && m.Language == "fr" {
				m.Body = body
			}
		}
	}
}

func TestOneLetterOfANameDoesNotDoubleAnSMS(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Lettre", "ide")
		for _, c := range []struct {
			body, sms, email string
			unicode          bool
		}{
			{"Venez à {lieu} : {lien}", "Venez à hopital L'Orée d'Ille : {lien}", "Venez à hôpital L’Orée d’Ille : {lien}", false},
			{"Forêt en feu, {lieu} {lien}", "Forêt en feu, hôpital L’Orée d’Ille {lien}", "Forêt en feu, hôpital L’Orée d’Ille {lien}", true},
		} {
			d := h.draft(h.scenario(recall(worded(c.body))))
			d.Mode, d.Values = alerting.Real, map[string]string{"lieu": "hôpital L’Orée d’Ille"}
			sheet, err := h.Prepare(t.Context(), h.scope, h.now(), d)
			if err != nil {
				t.Fatal(err)
			}
			l, _, err := h.Launch(t.Context(), h.scope, h.now(), d)
			if err != nil {
				t.Fatal(err)
			}
			sent := h.deliver(l.ID)[0]
			if sent.Text != c.sms+signed(channels.SMS) {
				t.Errorf("sent %q", sent.Text)
			}
			for _, p := range sheet.Previews {
				want := map[channels.Medium]string{channels.SMS: c.sms, channels.Email: c.email}[p.Medium] + signed(p.Medium)
				if p.Use == alerting.UseAlert && p.Language == "fr" && (!sameText(p.Body, want) || p.Medium == channels.SMS && p.Unicode != c.unicode) {
					t.Errorf("preview by %s: %q, unicode %v", p.Medium, p.Body, p.Unicode)
				}
			}
			link, err := h.OpenLink(t.Context(), h.code(h.one(l.ID).ID), h.now())
			if err != nil || !contains(link.Message, "hôpital L’Orée d’Ille") {
				t.Errorf("a page has room for every letter: %q %v", link.Message, err)
			}
			if err := h.Kill(t.Context(), h.scope, h.now(), l.ID, "fin"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestWordsOfTheCellAreSpelledForAnSMSToo(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Mot", "ide")
		d := h.draft(h.scenario(recall()))
		d.Values = map[string]string{"lieu": "hôpital"}
		l, _, err := h.Launch(t.Context(), h.scope, h.now(), d)
		if err != nil {
			t.Fatal(err)
		}
		h.deliver(l.ID)
		if err := h.Progress(t.Context(), h.scope, h.now(), l.ID, alerting.ToAll, alerting.Localized{"fr": "Point fait à {lieu}"}); err != nil {
			t.Fatal(err)
		}
		h.tick()
		list := h.fresh(l.ID)
		if len(list) != 1 || list[0].Text != "EXERCICE - Point fait à hopital"+signed(list[0].Medium) {
			t.Errorf("%+v", list)
		}
	})
}
