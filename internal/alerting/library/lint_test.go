package library_test

import (
	"slices"
	"strings"
	"testing"

	"tocsin/internal/alerting"
	"tocsin/internal/alerting/library"
	"tocsin/internal/channels"
)

// text gives the message of a definition to change it.
func text(t *testing.T, d *alerting.Definition, use alerting.Use, medium channels.Medium, lang string) *alerting.Text {
	t.Helper()
	for i, m := range d.Messages {
		if m.Use == use && m.Medium == medium && m.Language == lang {
			return &d.Messages[i]
		}
	}
	t.Fatalf("no %s by %s in %s", use, medium, lang)
	return nil
}

// Each case opens one gap in a scenario that has none, and names the problem
// that must be found.
func TestLintFindsEachGap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, family, field, rule string
		spoil                     func(*testing.T, *alerting.Definition)
	}{
		{"a language is missing", "plan_blanc", "messages.ack.email.en", "message_missing", func(_ *testing.T, d *alerting.Definition) {
			d.Messages = slices.DeleteFunc(d.Messages, func(m alerting.Text) bool {
				return m.Use == alerting.UseAck && m.Medium == channels.Email && m.Language == "en"
			})
		}},
		{"a use is missing", "confinement", "messages.progress.sms.fr", "message_missing", func(_ *testing.T, d *alerting.Definition) {
			d.Messages = slices.DeleteFunc(d.Messages, func(m alerting.Text) bool { return m.Use == alerting.UseProgress })
		}},
		{"a text is there twice", "tension", "messages.end.sms.fr", "message_twice", func(t *testing.T, d *alerting.Definition) {
			d.Messages = append(d.Messages, *text(t, d, alerting.UseEnd, channels.SMS, "fr"))
		}},
		{"a text can never leave", "evacuation", "messages.stand_down.sms.fr", "message_never_sent", func(_ *testing.T, d *alerting.Definition) {
			d.Messages = append(d.Messages, alerting.Text{Use: alerting.UseStandDown, Medium: channels.SMS, Language: "fr", Body: "{etablissement} : merci."})
		}},
		{"an e-mail without a subject", "panne_si", "messages.20.subject", "alerting.check.subject", func(_ *testing.T, d *alerting.Definition) {
			d.Messages[20].Medium, d.Messages[20].Subject = channels.Email, ""
		}},
		{"nobody says who speaks", "nrbc", "messages.late.sms.en", "anonymous", func(t *testing.T, d *alerting.Definition) {
			text(t, d, alerting.UseLate, channels.SMS, "en").Body = "Thank you."
		}},
		{"no way to answer", "rappel_service", "messages.alert.sms.fr", "no_answer_link", func(t *testing.T, d *alerting.Definition) {
			m := text(t, d, alerting.UseAlert, channels.SMS, "fr")
			m.Body = strings.ReplaceAll(m.Body, "{lien}", "")
		}},
		{"a variable is not declared", "tension", "messages.0.body", "alerting.check.blank_unknown", func(_ *testing.T, d *alerting.Definition) { d.Messages[0].Body += " {lits}" }},
		{"a variable is not used", "tension", "variables.2.name", "alerting.check.variable_unused", func(_ *testing.T, d *alerting.Definition) {
			v := d.Variables[1]
			v.Name = "lits"
			d.Variables = append(d.Variables, v)
		}},
		{"a question in one language", "tension", "variables.0.label.en", "text_missing", func(_ *testing.T, d *alerting.Definition) { d.Variables[0].Label["en"] = "" }},
		{"a choice in one language", "cyberattaque", "variables.0.choices.1.en", "text_missing", func(_ *testing.T, d *alerting.Definition) { d.Variables[0].Choices[1]["en"] = "" }},
		{"a letter that telephones do not have", "plan_blanc", "messages.end.sms.fr", "sms_letters", func(t *testing.T, d *alerting.Definition) {
			text(t, d, alerting.UseEnd, channels.SMS, "fr").Body = "{etablissement} : ça y est, c'est fini."
		}},
		{"a letter in the usual value", "evacuation", "messages.alert.sms.fr", "sms_letters", func(_ *testing.T, d *alerting.Definition) {
			d.Variables[1].Default["fr"] = "hôpital"
		}},
		{"an endless SMS", "plan_blanc", "messages.end.sms.en", "sms_segments", func(t *testing.T, d *alerting.Definition) {
			text(t, d, alerting.UseEnd, channels.SMS, "en").Body = "{etablissement} " + strings.Repeat("thank you ", 30)
		}},
		{"a first SMS too long", "intrusion", "messages.stay_away.sms.en", "sms_long", func(t *testing.T, d *alerting.Definition) {
			text(t, d, alerting.UseStayAway, channels.SMS, "en").Body += " Wait for the end message."
		}},
		{"nobody said not to come", "intrusion", "messages.stay_away.sms.fr", "stay_away_missing", func(t *testing.T, d *alerting.Definition) {
			text(t, d, alerting.UseStayAway, channels.SMS, "fr").Body = "{etablissement} : danger {lieu}. {lien}"
		}},
		{"no wave for those outside", "intrusion", "waves", "stay_away_wave_missing", func(_ *testing.T, d *alerting.Definition) { d.Waves[1].Use = "" }},
		{"those outside wait", "intrusion", "waves.1", "discret_waits", func(_ *testing.T, d *alerting.Definition) { d.Waves[1].After = d.Limits.Validity }},
		{"no delay proposed", "plan_blanc", "answers.0.delays", "delays", func(_ *testing.T, d *alerting.Definition) { d.Answers[0].Delays = nil }},
		{"no way to ask for a call", "plan_blanc", "answers", "answer_missing", func(_ *testing.T, d *alerting.Definition) { d.Answers = d.Answers[:3] }},
		{"asked to come to a danger", "confinement", "answers.0", "answer_coming", func(_ *testing.T, d *alerting.Definition) {
			d.Answers[0].Meaning, d.Answers[0].Delays = alerting.Coming, []int{15, 30, 60, 90}
		}},
		{"a métier nobody knows", "nrbc", "waves.1.who", "metier_unknown", func(_ *testing.T, d *alerting.Definition) { d.Waves[1].Who.Metiers[0] = "sorcier" }},
		{"a status nobody has", "intrusion", "waves.0.who", "status_unknown", func(_ *testing.T, d *alerting.Definition) { d.Waves[0].Who.Statuses = []string{"retraite"} }},
		{"no wave for part of the audience", "tension", "audience.include", "audience_without_wave", func(_ *testing.T, d *alerting.Definition) {
			d.Audience.Include.Metiers = append(d.Audience.Include.Metiers, "psychologue")
		}},
		{"a wave outside the audience", "tension", "waves.0.who", "wave_outside_audience", func(_ *testing.T, d *alerting.Definition) {
			d.Waves[0].Who.Metiers = append(d.Waves[0].Who.Metiers, "psychologue")
		}},
		{"a métier in two waves", "tension", "waves.1.who", "wave_twice", func(_ *testing.T, d *alerting.Definition) {
			d.Waves[1].Who.Metiers = append(d.Waves[1].Who.Metiers, "ide")
		}},
		{"a wave by one medium", "tension", "waves.2.media", "medium_missing", func(_ *testing.T, d *alerting.Definition) { d.Waves[2].Media = []channels.Medium{channels.SMS} }},
		{"no wave at all", "test_mensuel", "waves", "alerting.check.wave_none", func(_ *testing.T, d *alerting.Definition) { d.Waves = nil }},
		{"no quota in a rappel", "rappel_service", "quotas", "quota_missing", func(_ *testing.T, d *alerting.Definition) { d.Quotas = nil }},
		{"a quota of people not called", "panne_si", "quotas.0.skill", "quota_nobody_called", func(_ *testing.T, d *alerting.Definition) { d.Quotas[0].Skill = "ibode" }},
		{"a quota without end", "nrbc", "quotas.0.to", "quota_without_slot", func(_ *testing.T, d *alerting.Definition) { d.Quotas[0].To = 0 }},
		{"a quota in a diffusion", "confinement", "quotas", "quota_out_of_place", func(_ *testing.T, d *alerting.Definition) {
			d.Quotas = []alerting.Quota{{Needed: 1, To: d.Limits.Validity}}
		}},
		{"nobody to tell", "evacuation", "duties", "duty_missing", func(_ *testing.T, d *alerting.Definition) { d.Duties = nil }},
		{"a duty in one language", "evacuation", "duties.0.how.en", "text_missing", func(_ *testing.T, d *alerting.Definition) { d.Duties[0].How["en"] = " " }},
		{"nobody decides", "evacuation", "authority.functions.fr", "text_missing", func(_ *testing.T, d *alerting.Definition) { d.Authority.Functions["fr"] = "" }},
		{"no validity", "nrbc", "limits.validity", "validity_missing", func(_ *testing.T, d *alerting.Definition) { d.Limits.Validity = 0 }},
		{"a call that leaves at nine in the morning", "nrbc", "limits.validity", "validity_long", func(_ *testing.T, d *alerting.Definition) { d.Limits.Validity *= 8 }},
		{"people not needed are not told", "nrbc", "limits.stand_down", "stand_down_missing", func(_ *testing.T, d *alerting.Definition) { d.Limits.StandDown = false }},
		{"no grace at the door", "nrbc", "limits.arrival_grace", "grace_missing", func(_ *testing.T, d *alerting.Definition) { d.Limits.ArrivalGrace = 0 }},
		{"said only once", "evacuation", "limits.repeat_every", "repeat_missing", func(_ *testing.T, d *alerting.Definition) { d.Limits.RepeatEvery = 0 }},
		{"rest ignored for no reason", "tension", "audience.rest_reason.fr", "text_missing", func(_ *testing.T, d *alerting.Definition) { d.Audience.IgnoreRest = true }},
		{"nowhere to go", "nrbc", "where_to_go.en", "text_missing", func(_ *testing.T, d *alerting.Definition) { d.WhereToGo["en"] = "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			def := get(t, c.family)
			c.spoil(t, &def)
			found := library.Lint(def)
			if !slices.ContainsFunc(found, func(p library.Problem) bool { return p.Field == c.field && p.Rule == c.rule }) {
				t.Errorf("want %s: %s, found %v", c.field, c.rule, found)
			}
		})
	}
}

func TestAProblemIsReadable(t *testing.T) {
	t.Parallel()
	if got := (library.Problem{Field: "quotas.0.skill", Rule: "quota_nobody_called", Detail: "ibode"}).String(); got != "quotas.0.skill: quota_nobody_called (ibode)" {
		t.Error(got)
	}
	if got := (library.Problem{Field: "quotas", Rule: "quota_missing"}).String(); got != "quotas: quota_missing" {
		t.Error(got)
	}
}
