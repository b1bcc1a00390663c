package library_test

import (
	"strings"
	"testing"

	"tocsin/internal/alerting"
	"tocsin/internal/alerting/library"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

func all(t *testing.T) []alerting.Definition {
	t.Helper()
	defs, err := library.All()
	if err != nil {
		t.Fatal(err)
	}
	return defs
}

func get(t *testing.T, family string) alerting.Definition {
	t.Helper()
	def, err := library.Get(family)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

func TestNoScenarioHasAGap(t *testing.T) {
	t.Parallel()
	for _, def := range all(t) {
		for _, p := range library.Lint(def) {
			t.Errorf("%s: %s", def.Family, p)
		}
	}
}

func TestEachScenarioWithTheProfileOfTheirDanger(t *testing.T) {
	t.Parallel()
	type nature struct {
		profile alerting.Profile
		life    bool
	}
	want := map[string]nature{
		"plan_blanc": {alerting.Rappel, true}, "releves": {alerting.Rappel, true}, "tension": {alerting.Rappel, false}, "confinement": {alerting.Diffusion, true},
		"evacuation": {alerting.Diffusion, true}, "panne_si": {alerting.Rappel, false}, "cyberattaque": {alerting.Rappel, true},
		"coupure_electrique": {alerting.Rappel, true}, "nrbc": {alerting.Rappel, true}, "intrusion": {alerting.Discret, true},
		"rappel_service": {alerting.Rappel, false}, "test_mensuel": {alerting.Diffusion, false},
	}
	got := map[string]nature{}
	for _, def := range all(t) {
		got[def.Family] = nature{def.Profile, def.LifeSafety}
	}
	if len(got) != len(want) {
		t.Errorf("%d scenarios, want %d", len(got), len(want))
	}
	for family, n := range want {
		if got[family] != n {
			t.Errorf("%s is %+v, want %+v", family, got[family], n)
		}
	}
}

func TestAnUnknownFamilyIsNotFound(t *testing.T) {
	t.Parallel()
	for _, family := range []string{"", "autre", "../doc", "inondation"} {
		if _, err := library.Get(family); fault.KindOf(err) != fault.NotFound {
			t.Errorf("Get(%q) = %v, want NotFound", family, err)
		}
	}
}

func TestACopyDoesNotChangeTheLibrary(t *testing.T) {
	t.Parallel()
	mine := get(t, "plan_blanc")
	mine.Title["fr"] = "Mon plan"
	mine.Waves[0].Who.Metiers[0] = "personne"
	if again := get(t, "plan_blanc"); again.Title["fr"] == "Mon plan" || again.Waves[0].Who.Metiers[0] == "personne" {
		t.Error("a change to one copy shows in the next")
	}
}

// What an alert of this kind must say, whoever edits the files.
func TestTheHouseSaysWhatItMust(t *testing.T) {
	t.Parallel()
	body := func(family string, use alerting.Use, medium channels.Medium, lang string) string {
		for _, m := range get(t, family).Messages {
			if m.Use == use && m.Medium == medium && m.Language == lang {
				return m.Subject + "\n" + m.Body
			}
		}
		t.Errorf("%s has no %s by %s in %s", family, use, medium, lang)
		return ""
	}
	for _, c := range []struct{ where, text, want string }{
		{"evacuation, purpose", get(t, "evacuation").Purpose["fr"], "ne remplace jamais le système de sécurité incendie"},
		{"evacuation, purpose", get(t, "evacuation").Purpose["en"], "never replaces the fire-safety system"},
		{"evacuation, mail", body("evacuation", alerting.UseAlert, channels.Email, "fr"), "pompiers"},
		{"evacuation, mail", body("evacuation", alerting.UseAlert, channels.Email, "fr"), "sans ascenseur"},
		{"cyberattaque, purpose", get(t, "cyberattaque").Purpose["fr"], "Aucune rançon n’est payée"},
		{"cyberattaque, purpose", get(t, "cyberattaque").Purpose["en"], "No ransom is paid"},
		{"cyberattaque, mail", body("cyberattaque", alerting.UseAlert, channels.Email, "fr"), "ne paie pas et ne négocie pas"},
		{"cyberattaque, mail", body("cyberattaque", alerting.UseAlert, channels.Email, "en"), "does not pay and does not negotiate"},
		{"intrusion, sms", body("intrusion", alerting.UseAlert, channels.SMS, "fr"), "NE VENEZ PAS"},
		{"intrusion, sms", body("intrusion", alerting.UseStayAway, channels.SMS, "en"), "DO NOT COME"},
		{"intrusion, mail", body("intrusion", alerting.UseAlert, channels.Email, "fr"), "silencieux, sans vibreur"},
		{"test, sms", body("test_mensuel", alerting.UseAlert, channels.SMS, "fr"), "ne venez pas"},
		{"rappel, mail", body("rappel_service", alerting.UseAlert, channels.Email, "fr"), "pas une obligation"},
		{"tension, mail", body("tension", alerting.UseAlert, channels.Email, "fr"), "pas une obligation"},
	} {
		if !strings.Contains(strings.ReplaceAll(c.text, "\u00a0", " "), c.want) {
			t.Errorf("%s does not say %q:\n%s", c.where, c.want, c.text)
		}
	}
}

// The duties with a source are those of the facts; every other one is to be verified.
func TestOnlySourcedDutiesAreNotToBeVerified(t *testing.T) {
	t.Parallel()
	sourced := []string{"CERT Santé", "ANSSI", "Police ou gendarmerie", "CNIL"}
	seen := 0
	for _, def := range all(t) {
		for _, d := range def.Duties {
			if d.Verify {
				continue
			}
			seen++
			if (def.Family != "cyberattaque" && def.Family != "panne_si") || !contains(sourced, d.Who["fr"]) {
				t.Errorf("%s: %s is given as certain", def.Family, d.Who["fr"])
			}
		}
	}
	if seen != 5 {
		t.Errorf("%d duties are certain, want 5", seen)
	}
	clocks := map[string]string{"ANSSI": "24h0m0s", "Police ou gendarmerie": "72h0m0s", "CNIL": "72h0m0s"}
	for _, d := range get(t, "cyberattaque").Duties {
		if want := clocks[d.Who["fr"]]; want != "" && d.Within.Std().String() != want {
			t.Errorf("%s is due within %s, want %s", d.Who["fr"], d.Within.Std(), want)
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// French outside SMS follows the typography of the house.
func TestFrenchIsTypeset(t *testing.T) {
	t.Parallel()
	check := func(where, text string) {
		if strings.Contains(text, "'") {
			t.Errorf("%s has a straight apostrophe: %s", where, text)
		}
		for _, sign := range []string{" :", " ;", " !", " ?", "« ", " »"} {
			if strings.Contains(text, sign) {
				t.Errorf("%s has an ordinary space at %q: %s", where, sign, text)
			}
		}
	}
	for _, def := range all(t) {
		for _, l := range []alerting.Localized{def.Title, def.Purpose, def.WhereToGo, def.WhatToBring, def.Authority.Functions} {
			check(def.Family, l["fr"])
		}
		for _, m := range def.Messages {
			if m.Language == "fr" && m.Medium == channels.Email {
				check(def.Family+" "+string(m.Use), m.Subject+"\n"+m.Body)
			}
		}
		for _, o := range def.Answers {
			check(def.Family+" answer", o.Label["fr"])
		}
	}
}

// An SMS rings as the telephone is set: a discreet scenario asks to mute it and promises nothing more.
func TestDiscreetScenariosPromiseNoSilence(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, def := range all(t) {
		if def.Profile != alerting.Discret {
			continue
		}
		for lang, words := range map[string][2]string{"fr": {"peut sonner", "muet"}, "en": {"may ring", "mute"}} {
			if !strings.Contains(def.Purpose.In(lang), words[0]) {
				t.Errorf("%s, %s: the purpose does not say that a telephone may ring: %s", def.Family, lang, def.Purpose.In(lang))
			}
			for _, m := range def.Messages {
				if m.Use != alerting.UseAlert || m.Medium != channels.SMS || m.Language != lang {
					continue
				}
				if seen++; !strings.Contains(m.Body, words[1]) {
					t.Errorf("%s, %s: the first SMS does not ask to mute the telephone: %s", def.Family, lang, m.Body)
				}
			}
		}
	}
	if seen != 2 {
		t.Errorf("%d first SMS were read, want one in each language", seen)
	}
}
