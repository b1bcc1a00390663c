package alerting

import (
	"strings"
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/wire/gsm"
)

func TestATextWithoutItsLinkAsksForAnSMS(t *testing.T) {
	t.Parallel()
	d := Definition{Answers: []Option{
		{Key: "1", Label: Localized{"fr": "Je viens", "en": "Coming"}}, {Key: "2", Label: Localized{"fr": "Indisponible", "en": "Unavailable"}},
	}}
	for _, c := range []struct {
		use      Use
		medium   channels.Medium
		language string
		body     string
		want     string
	}{
		{UseAlert, channels.SMS, "fr", "PLAN BLANC. Venez. Rép 1 oui 2 non ou {lien}", "PLAN BLANC. Venez. Rép 1 oui 2 non"},
		{UseAlert, channels.SMS, "fr", "Afflux. Répondez : {lien} avant 8 h. Merci.", "Afflux. Répondez avant 8 h. Merci. Répondez par SMS : 1 Je viens, 2 Indisponible."},
		{UseAlert, channels.SMS, "en", "Come to A&E. CHU {lien}", "Come to A&E. CHU. Reply by SMS: 1 Coming, 2 Unavailable."},
		{UseReminder, channels.Email, "fr", "Rép 1 oui 2 non :\n{lien}\nPassez par A.", "Rép 1 oui 2 non\n\nPassez par A. Nos liens ne fonctionnent pas : répondez par SMS, au message reçu : 1 Je viens, 2 Indisponible."},
		{UseEnd, channels.SMS, "fr", "Fin. Détails : {lien}", "Fin. Détails"},
		{UseAlert, channels.SMS, "fr", "Confinement. Restez.", "Confinement. Restez."},
	} {
		got := d.linkless(Text{Use: c.use, Medium: c.medium, Language: c.language}, c.body)
		if got != c.want {
			t.Errorf("%q\n became %q\n   want %q", c.body, got, c.want)
		}
		if strings.Contains(got, "{lien}") || gsm.Count(c.body).Encoding == gsm.GSM7 && c.medium == channels.SMS && gsm.Count(got).Encoding != gsm.GSM7 {
			t.Errorf("%q holds a link or costs twice", got)
		}
	}
}
