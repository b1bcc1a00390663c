package alerting_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
)

func TestASoundScenarioHasNoFault(t *testing.T) {
	t.Parallel()
	for _, err := range recall(byMetier("iade", "ide"), needs(3, "iade")).Check() {
		t.Error(err)
	}
}

// spoken makes the first wave call, with these words for every use.
func spoken(d *alerting.Definition, body string) {
	d.Waves[0].Media = []channels.Medium{channels.SMS, channels.Voice}
	for _, use := range []alerting.Use{alerting.UseAlert, alerting.UseEnd, alerting.UseStandDown} {
		for _, language := range []string{"fr", "en"} {
			d.Messages = append(d.Messages, alerting.Text{Use: use, Medium: channels.Voice, Language: language, Body: body})
		}
	}
}

func TestAScenarioThatCallsNeedsFewerWords(t *testing.T) {
	t.Parallel()
	d := recall()
	spoken(&d, "Venez {lieu}")
	for _, err := range d.Check() {
		t.Error(err)
	}
}

func TestCheckFindsEveryFault(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		change func(*alerting.Definition)
		field  string
		key    string
	}{
		{"no title", func(d *alerting.Definition) { delete(d.Title, "en") }, "title.en", "alerting.check.title"},
		{"family", func(d *alerting.Definition) { d.Family = "ovni" }, "family", "alerting.check.family"},
		{"profile", func(d *alerting.Definition) { d.Profile = "" }, "profile", "alerting.check.profile"},
		{"rest without reason", func(d *alerting.Definition) { d.Audience.IgnoreRest = true }, "audience.rest_reason", "alerting.check.rest_reason"},
		{"variable name", func(d *alerting.Definition) { d.Variables[0].Name = "Lieu!" }, "variables.0.name", "alerting.check.variable_name"},
		{"builtin", func(d *alerting.Definition) { d.Variables[0].Name = "lien" }, "variables.0.name", "alerting.check.variable_builtin"},
		{"twice", func(d *alerting.Definition) { d.Variables = append(d.Variables, d.Variables[0]) }, "variables.1.name", "alerting.check.variable_twice"},
		{"unused", func(d *alerting.Definition) {
			d.Variables = append(d.Variables, alerting.Variable{Name: "rien", Kind: "text", Required: true, Label: alerting.Localized{"fr": "?"}})
		}, "variables.1.name", "alerting.check.variable_unused"},
		{"neither required nor filled", func(d *alerting.Definition) { d.Variables[0].Required = false }, "variables.0.required", "alerting.check.variable_optional"},
		{"choice without choices", func(d *alerting.Definition) { d.Variables[0].Kind = "choice" }, "variables.0.choices", "alerting.check.variable_choices"},
		{"unknown blank", func(d *alerting.Definition) { d.Messages[0].Body = "Venez {vite}" }, "messages.0.body", "alerting.check.blank_unknown"},
		{"open brace", func(d *alerting.Definition) { d.Messages[0].Body = "Venez {lieu" }, "messages.0.body", "alerting.render.braces"},
		{"unknown blank on the page", func(d *alerting.Definition) { d.WhereToGo = alerting.Localized{"fr": "Au {sas}"} }, "where_to_go.fr", "alerting.check.blank_unknown"},
		{"e-mail without subject", func(d *alerting.Definition) { d.Messages[2].Subject = "" }, "messages.2.subject", "alerting.check.subject"},
		{"language missing", func(d *alerting.Definition) { d.Messages = d.Messages[:1] }, "messages.alert.sms.en", "alerting.check.message_missing"},
		{"use missing", func(d *alerting.Definition) {
			d.Messages = slices.DeleteFunc(d.Messages, func(t alerting.Text) bool { return t.Use == alerting.UseStandDown })
		}, "messages.stand_down.sms.fr", "alerting.check.message_missing"},
		{"answer key", func(d *alerting.Definition) { d.Answers[0].Key = "un" }, "answers.0.key", "alerting.check.answer_key"},
		{"same key", func(d *alerting.Definition) { d.Answers[1].Key = "1" }, "answers.1.key", "alerting.check.answer_twice"},
		{"the conference's key", func(d *alerting.Definition) { d.Conference, d.Answers[1].Key = true, "9" }, "answers.1.key", "alerting.check.conference_key"},
		{"a conference without calls", func(d *alerting.Definition) { d.Conference = true }, "conference", "alerting.check.conference_voice"},
		{"meaning", func(d *alerting.Definition) { d.Answers[1].Meaning = "perhaps" }, "answers.1.meaning", "alerting.check.answer_meaning"},
		{"delay", func(d *alerting.Definition) { d.Answers[0].Delays = []int{2000} }, "answers.0.delays", "alerting.check.answer_delay"},
		{"quota and nobody may come", func(d *alerting.Definition) {
			needs(1, "")(d)
			d.Answers = d.Answers[1:2]
		}, "answers", "alerting.check.answer_coming"},
		{"a call without words", func(d *alerting.Definition) {
			d.Waves[0].Media = []channels.Medium{channels.SMS, channels.Voice}
		}, "messages.alert.voice.fr", "alerting.check.message_missing"},
		{"a call that says a link", func(d *alerting.Definition) { spoken(d, "Venez {lieu} {lien}") }, "messages.32.body", "alerting.check.voice_link"},
		{"a call that never ends", func(d *alerting.Definition) { spoken(d, strings.Repeat("Venez ", 200)+"{lieu}") }, "messages.32.body", "alerting.check.body_long"},
		{"a call to people who hide", func(d *alerting.Definition) {
			spoken(d, "Venez {lieu}")
			d.Profile = alerting.Discret
		}, "waves.0.media", "alerting.check.voice_discret"},
		{"no wave", func(d *alerting.Definition) { d.Waves = nil }, "waves", "alerting.check.wave_none"},
		{"first wave waits", func(d *alerting.Definition) { d.Waves[0].After = minutes(1) }, "waves.0.after", "alerting.check.wave_first"},
		{"no medium", func(d *alerting.Definition) { d.Waves[0].Media = nil }, "waves.0.media", "alerting.check.wave_media"},
		{"medium twice", func(d *alerting.Definition) { d.Waves[0].Media = []channels.Medium{channels.SMS, channels.SMS} }, "waves.0.media", "alerting.check.wave_medium"},
		{"never escalates", func(d *alerting.Definition) { d.Waves[0].Escalate = 0 }, "waves.0.escalate", "alerting.check.wave_escalate"},
		{"waits for a quota there is not", func(d *alerting.Definition) { d.Waves[0].When = alerting.QuotaMissing }, "waves.0.when", "alerting.check.wave_quota"},
		{"order of waves", func(d *alerting.Definition) {
			byMetier("a", "b", "c")(d)
			d.Waves[2].After = minutes(1)
		}, "waves.2.after", "alerting.check.wave_order"},
		{"nobody needed", func(d *alerting.Definition) { needs(0, "")(d) }, "quotas.0.needed", "alerting.check.quota_needed"},
		{"slot", func(d *alerting.Definition) {
			d.Quotas = []alerting.Quota{{Needed: 1, From: minutes(60), To: minutes(30)}}
		}, "quotas.0.to", "alerting.check.quota_slot"},
		{"slots overlap", func(d *alerting.Definition) {
			d.Quotas = []alerting.Quota{{Skill: "ide", Needed: 1, To: minutes(60)}, {Skill: "ide", Needed: 1, From: minutes(30)}}
		}, "quotas.1.from", "alerting.check.quota_overlap"},
		{"quota of a diffusion", func(d *alerting.Definition) {
			d.Profile = alerting.Diffusion
			needs(1, "")(d)
		}, "quotas", "alerting.check.quota_diffusion"},
		{"validity", func(d *alerting.Definition) { d.Limits.Validity = 0 }, "limits.validity", "alerting.check.validity"},
		{"per person", func(d *alerting.Definition) { d.Limits.PerPerson = 51 }, "limits.per_person", "alerting.check.per_person"},
		{"a recall repeats", func(d *alerting.Definition) { d.Limits.RepeatEvery = minutes(3) }, "limits.repeat_every", "alerting.check.repeat_every"},
	}
	for _, c := range cases {
		faults := recall(c.change).Check()
		if !slices.ContainsFunc(faults, func(err error) bool { f := fault.As(err); return f != nil && f.Field == c.field && f.Key == c.key }) {
			t.Errorf("%s: want %s at %s among %v", c.name, c.key, c.field, faults)
		}
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	cases := []struct{ text, want, key string }{
		{"Venez au {lieu}.", "Venez au hall A.", ""},
		{"{lieu} {lieu}", "hall A hall A", ""},
		{"Rien", "Rien", ""},
		{"{mot} Venez", "Venez", ""}, // an establishment without a word
		{"Venez {quand}", "", "alerting.render.unfilled"},
		{"Venez {vide}", "", "alerting.render.unfilled"},
		{"Venez {lieu", "", "alerting.render.braces"},
		{"Venez {LIEU}", "", "alerting.render.braces"},
		{"Venez }{", "", "alerting.render.braces"},
	}
	for _, c := range cases {
		got, err := alerting.Render(c.text, map[string]string{"lieu": "hall A", "vide": ""})
		if c.key != "" {
			wantFault(t, err, c.key)
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%q: %q %v", c.text, got, err)
		}
	}
}

func TestMark(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode           alerting.Mode
		language, want string
	}{
		{alerting.Exercise, "fr", "EXERCICE - Venez"},
		{alerting.Exercise, "en", "EXERCISE - Venez"},
		{alerting.Test, "fr", "TEST - Venez"},
		{alerting.Real, "fr", "Venez"},
	} {
		if got := alerting.Mark(c.mode, c.language, "Venez"); got != c.want {
			t.Errorf("%s %s: %q", c.mode, c.language, got)
		}
	}
}

func TestVersions(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "ide")
		ctx := t.Context()
		sc := h.scenario(recall())
		l, _, err := h.Launch(ctx, h.scope, h.now(), h.draft(sc))
		if err != nil {
			t.Fatal(err)
		}
		first := h.deliver(l.ID)
		changed := recall(func(d *alerting.Definition) { d.Answers[1].Key = "9" })
		if sc, err = h.SaveScenario(ctx, h.scope, h.now(), sc.ID, 1, changed); err != nil || sc.Version != 2 {
			t.Fatalf("version %d, %v", sc.Version, err)
		}
		if sc, err = h.SaveScenario(ctx, h.scope, h.now(), sc.ID, 2, changed); err != nil || sc.Version != 2 {
			t.Errorf("what has not changed makes no version: %d, %v", sc.Version, err)
		}
		_, err = h.SaveScenario(ctx, h.scope, h.now(), sc.ID, 1, recall())
		wantFault(t, err, "alerting.scenario.edited_meanwhile")
		if _, old, err := h.ScenarioVersion(ctx, h.scope, sc.ID, 1); err != nil || old.Answers[1].Key != "2" {
			t.Errorf("the version used by an alert changed: %+v %v", old.Answers, err)
		}
		h.reply(l.ID, first[0], "2") // what "2" meant when the alert left
		if who := h.one(l.ID); who.Meaning != alerting.Unavailable {
			t.Errorf("the alert follows the version it left with: %q", who.Meaning)
		}
		versions, err := h.Versions(ctx, h.scope, sc.ID)
		if err != nil || len(versions) != 2 || versions[0].Used || !versions[1].Used {
			t.Errorf("%+v %v", versions, err)
		}
		if err := h.ArchiveScenario(ctx, h.scope, h.now(), sc.ID, true); err != nil {
			t.Fatal(err)
		}
		if list, err := h.Scenarios(ctx, h.scope, alerting.ScenarioFilter{}); err != nil || len(list) != 0 {
			t.Errorf("archived yet listed: %+v %v", list, err)
		}
		_, _, err = h.Launch(ctx, h.scope, h.now().Add(time.Hour), h.draft(sc))
		wantFault(t, err, "alerting.launch.archived")
		if list, err := h.Scenarios(ctx, h.scope, alerting.ScenarioFilter{Archived: true, Text: "PLÂN"}); err != nil || len(list) != 1 || list[0].LastLaunched.IsZero() {
			t.Errorf("search: %+v %v", list, err)
		}
	})
}

func TestImproviseLeavesInTwoCalls(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		h.agent("Un", "ide")
		h.agent("Deux", "iade")
		sc, err := h.Improvise(t.Context(), h.scope, h.now(), alerting.Improvisation{
			Title: "Fuite d'eau au bloc", Text: "Fuite au bloc 3, renfort demandé.",
			Audience: directory.Rule{Metiers: []string{"iade"}}, Needed: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		l, _, err := h.Launch(t.Context(), h.scope, h.now(), alerting.Draft{Scenario: sc.ID, Mode: alerting.Real, IdempotencyKey: "improvisation"})
		if err != nil {
			t.Fatal(err)
		}
		list := h.fresh(l.ID)
		if len(list) != 1 || !strings.HasPrefix(list[0].Text, "Fuite au bloc 3") || !contains(list[0].Text, "{lien}") {
			t.Errorf("%+v", list)
		}
		if all, err := h.Scenarios(t.Context(), h.scope, alerting.ScenarioFilter{}); err != nil || len(all) != 0 {
			t.Errorf("improvised scenarios do not crowd the launch page: %+v %v", all, err)
		}
		for _, profile := range []alerting.Profile{alerting.Rappel, alerting.Diffusion, alerting.Discret} {
			if _, err := h.Improvise(t.Context(), h.scope, h.now(), alerting.Improvisation{Title: "x", Text: "y", Profile: profile}); err != nil {
				t.Errorf("%s: %v", profile, err)
			}
		}
		_, err = h.Improvise(t.Context(), h.scope, h.now(), alerting.Improvisation{Title: "x"})
		wantFault(t, err, "alerting.improvise.text")
		_, err = h.Improvise(t.Context(), h.scope, h.now(), alerting.Improvisation{Title: "x", Text: "Venez {vite}"})
		wantFault(t, err, "alerting.check.blank_unknown")
		_, err = h.Improvise(t.Context(), person(h.scope.Organisation(), access.Reader), h.now(), alerting.Improvisation{Title: "x", Text: "y"})
		if !fault.Is(err, fault.Denied) {
			t.Errorf("a reader improvised: %v", err)
		}
	})
}

func TestPreviewShowsWhatForcesUnicode(t *testing.T) {
	each(t, func(t *testing.T, h *hospital) {
		d := recall()
		d.Messages[0].Body = "Ça presse au {lieu} : {lien}"
		list, err := h.PreviewDefinition(t.Context(), h.scope, h.now(), d, nil, alerting.Real)
		if err != nil || len(list) != len(d.Messages) {
			t.Fatalf("%d previews: %v", len(list), err)
		}
		p := list[0]
		if !p.Unicode && len(p.Offenders) > 0 || p.Segments == 0 || !contains(p.Body, "[Où ?]") || !contains(p.Body, "https://t.example/r/") {
			t.Errorf("%+v", p)
		}
		d.Messages[0].Body = "Forêt en feu"
		if list, err = h.PreviewDefinition(t.Context(), h.scope, h.now(), d, nil, alerting.Real); err != nil || !list[0].Unicode || list[0].Plain != "Foret en feu (CIGOGNE)" {
			t.Errorf("%+v %v", list[0], err)
		}
	})
}

func TestWords(t *testing.T) {
	t.Parallel()
	catalog := i18ntest.Catalog(t, alerting.Locales)
	var keys []string
	for _, k := range alerting.EventKinds() {
		keys = append(keys, k.Key())
	}
	for _, k := range alerting.States() {
		keys = append(keys, k.Key())
	}
	for _, k := range alerting.LeftOuts() {
		keys = append(keys, k.Key())
	}
	for _, k := range append(alerting.Meanings(), "stop") {
		keys = append(keys, k.Key())
	}
	for _, k := range []alerting.AttemptState{
		alerting.AttemptQueued, alerting.AttemptSubmitted, alerting.AttemptDelivered, alerting.AttemptFailed,
		alerting.AttemptExpired, alerting.AttemptWithdrawn, alerting.AttemptGuarded,
	} {
		keys = append(keys, k.Key())
	}
	for _, k := range keys {
		if !catalog.Has(k) {
			t.Errorf("no word for %s", k)
		}
	}
}
