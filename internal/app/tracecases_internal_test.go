package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/config"
	"tocsin/internal/directory"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/watch"
)

func TestTheAlertOfACaseFillsItsScenario(t *testing.T) {
	def := alerting.Definition{Variables: []alerting.Variable{
		{Name: "niveau", Kind: "choice"}, {Name: "fait", Kind: "text", MaxLength: 12}, {Name: "dossier", Kind: "text", MaxLength: 60}, {Name: "suite", Kind: "text"},
	}}
	got := caseValues(def, "Sauvegardes  supprimées", "https://t.example/traces/alertes/1")
	if len(got) != 2 || got["fait"] != "Sauvegardes " || got["dossier"] != "https://t.example/traces/alertes/1" {
		t.Errorf("%q", got)
	}
	if got := caseValues(def, "x", strings.Repeat("y", 61)); got["dossier"] != "" {
		t.Errorf("half a link leads nowhere: %q", got)
	}
}

func TestRulesAreTriedAtTheCommandLine(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	run := func(want int, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		if got := Main(append([]string{"traces", "rules", "test"}, args...), strings.NewReader(""), &out, &errOut); got != want {
			t.Fatalf("%v: status %d, want %d\n%s%s", args, got, want, out.String(), errOut.String())
		}
		return out.String() + errOut.String()
	}
	good := put("bon.yml", "title: Bon\nlogsource: {product: tocsin}\ndetection: {s: {message|contains: abc}, condition: s}\n")
	put("bon.test.yml", "match:\n  - {message: xabcx}\nno_match:\n  - {message: x}\n")
	if out := run(0, dir); !strings.Contains(out, "Bon") || !strings.Contains(out, "2") {
		t.Error(out)
	}
	events := put("e.json", `{"message":"abc"}{"message":"d"}`)
	if out := run(0, good, events); !strings.Contains(out, "message = abc") {
		t.Error(out)
	}
	put("casse.yml", "title: Cassée\nlogsource: {product: tocsin}\ndetection: {s: {a: b}, condition: absent}\n")
	if out := run(1, dir); !strings.Contains(out, "casse.yml") || !strings.Contains(out, "Bon") {
		t.Error(out)
	}
	run(0, good)
	run(1, filepath.Join(dir, "absent"))
}

// securityAlert is a scenario that calls whoever holds a function: an SMS, with
// what the case is about and the way to it.
func securityAlert(onCall uuid.UUID) alerting.Definition {
	text := func(name string, most int) alerting.Variable {
		return alerting.Variable{Name: name, Label: alerting.Localized{"fr": name, "en": name}, Kind: "text", Required: true, MaxLength: most}
	}
	d := alerting.Definition{
		Title: alerting.Localized{"fr": "Alerte de sécurité", "en": "Security alert"}, Family: "cyberattaque", Profile: alerting.Rappel,
		Variables: []alerting.Variable{text("fait", 60), text("dossier", 200)},
		Answers: []alerting.Option{
			{Key: "1", Meaning: alerting.Coming, Label: alerting.Localized{"fr": "Je viens", "en": "Coming"}, Delays: []int{15, 30}},
			{Key: "2", Meaning: alerting.Unavailable, Label: alerting.Localized{"fr": "Indisponible", "en": "Unavailable"}},
		},
		Audience: alerting.Audience{Include: directory.Rule{OnCall: []uuid.UUID{onCall}, OnCallLevels: []int{1}}},
		Waves: []alerting.Wave{{
			Name: alerting.Localized{"fr": "Astreinte"}, Who: directory.Rule{OnCall: []uuid.UUID{onCall}, OnCallLevels: []int{1}},
			Media: []channels.Medium{channels.SMS}, Escalate: alerting.Duration(time.Hour), When: alerting.Always,
		}},
		Limits: alerting.Limits{Validity: alerting.Duration(2 * time.Hour), PerPerson: 20, StandDown: true},
	}
	for _, use := range []alerting.Use{alerting.UseAlert, alerting.UseReminder, alerting.UseProgress, alerting.UseStandDown, alerting.UseStayAway, alerting.UseEnd, alerting.UseLate, alerting.UseAck} {
		for _, language := range []string{"fr", "en"} {
			d.Messages = append(d.Messages, alerting.Text{Use: use, Medium: channels.SMS, Language: language, Body: string(use) + " {fait} {dossier} {lien}"})
		}
	}
	return d
}

// TestAGraveCaseCallsTheSecurityOfficerOnCall launches a real alert from a case,
// with the alerting of the house: the program stops between the launch and its
// note, and starts again.
func TestAGraveCaseCallsTheSecurityOfficerOnCall(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := &config.Server{Listen: "127.0.0.1:0", PublicURL: "https://tocsin.test", Data: filepath.Join(folder, "data"), KeyFile: filepath.Join(folder, "tocsin.key"), LogLevel: "error", LogFormat: "text", Language: "fr", Timezone: "Europe/Paris"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Validate())
	h, err := Build(t.Context(), Plan{Settings: s, Log: slog.New(slog.DiscardHandler)})
	must(err)
	defer func() { must(h.Close()) }()
	e, err := h.Houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CHU", Language: "fr"})
	must(err)
	ctx, scope := t.Context(), access.System(e.ID, "test")
	officer, err := h.Directory.Save(ctx, scope, directory.Person{LastName: "Lamine", FirstName: "Youssef", Metier: "ide", Status: directory.Titulaire, Language: "fr", Contacts: []directory.ContactPoint{
		{Contact: directory.Contact{Kind: directory.Mobile, Address: "+33639980001"}},
	}})
	must(err)
	today := oncall.DayOf(h.Clock.Now(), time.UTC)
	function, err := h.OnCall.Save(ctx, scope, oncall.Function{Name: "RSSI", Roster: oncall.Roster{
		Rotations: []oncall.Rotation{{Start: today - 2, Handover: 8 * 60, Every: 1, Unit: oncall.Weekly, Members: []uuid.UUID{officer.ID}}},
	}})
	must(err)
	if f := securityAlert(function.ID).Check(); len(f) > 0 {
		t.Fatal(f)
	}
	scenario, err := h.Alerting.CreateScenario(ctx, scope, h.Clock.Now(), securityAlert(function.ID))
	must(err)
	rssi := access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Youssef Lamine"}, true, access.SecurityOfficer)
	must(h.Cases.Set(ctx, rssi, cases.Settings{Kind: cases.System, OpensFrom: 40, Alerts: true, AlertsFrom: 90, AlertsHour: 2, Scenario: scenario.ID, Mode: string(alerting.Real), KeepMonths: 12}))
	now := h.Clock.Now()
	hit := traces.Hit{Organisation: e.ID, Rule: "sigma:r1", Title: "Sauvegardes supprimées", Score: 95, Workstation: "srv-01", First: now.UnixMicro(), Last: now.UnixMicro(), Events: 1}
	must(h.DB.Write(ctx, access.Instance("test"), func(tx *storage.Tx) error {
		return h.Cases.Keep(ctx, tx, now, watch.Catch{Hits: []traces.Hit{hit}})
	}))
	// The alert leaves, and the program stops before it is noted.
	halting := cases.New(cases.Options{
		DB: h.DB, Guard: h.Guard, Clock: h.Clock, Log: h.Log, TitleKey: caseTitle, Alarm: halted{caseAlarm{h}},
		CaseLink: func(id uuid.UUID) string { return "https://tocsin.test/traces/alertes/" + id.String() },
	})
	if _, err := halting.Alert(ctx, now); !errors.Is(err, errStops) {
		t.Fatalf("the program did not stop: %v", err)
	}
	for range 2 {
		_, err = h.Cases.Alert(ctx, now.Add(3*time.Minute))
		must(err)
	}
	launches, err := h.Alerting.Launches(ctx, scope, alerting.Page{Limit: 10})
	must(err)
	list, err := h.Cases.Find(ctx, rssi, cases.Filter{})
	must(err)
	if len(launches) != 1 || len(list.Cases) != 1 {
		t.Fatalf("%d alerts for %d cases", len(launches), len(list.Cases))
	}
	l, c := launches[0], list.Cases[0]
	if l.Mode != alerting.Real || c.Alert != cases.Launched || c.Launch != l.ID || !strings.Contains(l.Values["fait"], "Sauvegardes supprimées") || l.Values["dossier"] != "https://tocsin.test/traces/alertes/"+c.ID.String() {
		t.Errorf("launched %+v\nfor %+v", l, c)
	}
	called, err := h.Alerting.Recipients(ctx, scope, l.ID, alerting.RecipientFilter{}, alerting.Page{Limit: 10})
	must(err)
	if len(called) != 1 || called[0].LastName != "Lamine" {
		t.Errorf("called %+v", called)
	}
}

// halted launches, and the program stops before it hears of it.
type halted struct{ caseAlarm }

// Launch implements cases.Alarm.
func (a halted) Launch(ctx context.Context, scope access.Scope, now time.Time, c cases.Call) (uuid.UUID, error) {
	_, err := a.caseAlarm.Launch(ctx, scope, now, c)
	return uuid.Nil, errors.Join(err, errStops)
}

var errStops = errors.New("the program stops")
