package stories_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
)

// agent adds a person who has a mobile and a mailbox.
func (h *hospital) agent(name, metier string, change ...func(*directory.Person)) directory.Person {
	h.t.Helper()
	return h.agentOf(h.scope, name, metier, change...)
}

func (h *hospital) agentOf(scope access.Scope, name, metier string, change ...func(*directory.Person)) directory.Person {
	h.t.Helper()
	n := h.number(`SELECT COUNT(*) FROM directory_people`)
	p := directory.Person{LastName: name, FirstName: "Camille", Metier: metier, Status: directory.Titulaire, Language: "fr", Contacts: []directory.ContactPoint{
		at(directory.Mobile, fmt.Sprintf("+3363998%04d", n)), at(directory.Email, fmt.Sprintf("agent%d@valbrume.example", n)),
	}}
	for _, c := range change {
		c(&p)
	}
	saved, err := h.Directory.Save(h.t.Context(), access.System(scope.Organisation(), "story"), p)
	if err != nil {
		h.t.Fatalf("save %s: %v", name, err)
	}
	return saved
}

func at(kind, address string) directory.ContactPoint {
	return directory.ContactPoint{Contact: directory.Contact{Kind: kind, Address: address}}
}

// mobile and mailbox are the addresses of an agent.
func mobile(p directory.Person) string { return address(p, directory.Mobile) }

func mailbox(p directory.Person) string { return address(p, directory.Email) }

func address(p directory.Person, kind string) string {
	for _, c := range p.Contacts {
		if c.Kind == kind {
			return c.Address
		}
	}
	return ""
}

// recall is a scenario that calls staff off duty: SMS, then e-mail after five
// minutes without an answer. Each text begins with what it is for.
func recall(change ...func(*alerting.Definition)) alerting.Definition {
	d := alerting.Definition{
		Title: alerting.Localized{"fr": "Afflux de victimes", "en": "Mass casualties"}, Family: "plan_blanc", Profile: alerting.Rappel,
		Variables: []alerting.Variable{{Name: "lieu", Label: alerting.Localized{"fr": "Où ?", "en": "Where?"}, Kind: "text", Required: true}},
		Answers: []alerting.Option{
			{Key: "1", Meaning: alerting.Coming, Label: alerting.Localized{"fr": "Je viens", "en": "Coming"}, Delays: []int{15, 30, 60, 90}},
			{Key: "2", Meaning: alerting.Unavailable, Label: alerting.Localized{"fr": "Indisponible", "en": "Unavailable"}},
			{Key: "3", Meaning: alerting.OnSite, Label: alerting.Localized{"fr": "Sur place", "en": "On site"}},
		},
		Waves:  []alerting.Wave{{Name: alerting.Localized{"fr": "Tous"}, Media: []channels.Medium{channels.SMS, channels.Email}, Escalate: minutes(5)}},
		Limits: alerting.Limits{Validity: minutes(120), PerPerson: 20, ArrivalGrace: minutes(15), StandDown: true},
	}
	for use, word := range map[alerting.Use]string{
		alerting.UseAlert: "VENEZ", alerting.UseReminder: "RAPPEL", alerting.UseProgress: "POINT", alerting.UseStandDown: "INUTILE", alerting.UseEnd: "FIN",
		alerting.UseLate: "TROP TARD", alerting.UseAck: "NOTE", alerting.UseStayAway: "RESTEZ",
	} {
		for _, m := range []channels.Medium{channels.SMS, channels.Email} {
			for _, lang := range []string{"fr", "en"} {
				text := alerting.Text{Use: use, Medium: m, Language: lang, Body: word + " {lieu}. {etablissement} {lien}"}
				if m == channels.Email {
					text.Subject = word + " {lieu}"
				}
				d.Messages = append(d.Messages, text)
			}
		}
	}
	for _, c := range change {
		c(&d)
	}
	return d
}

func minutes(n int) alerting.Duration { return alerting.Duration(time.Duration(n) * time.Minute) }

// waves makes a wave for each métier, ten minutes apart, the later ones only
// while people are missing.
func waves(metiers ...string) func(*alerting.Definition) {
	return func(d *alerting.Definition) {
		d.Waves = nil
		for i, m := range metiers {
			w := alerting.Wave{
				Name: alerting.Localized{"fr": m}, Who: directory.Rule{Metiers: []string{m}}, After: minutes(10 * i),
				Media: []channels.Medium{channels.SMS, channels.Email}, Escalate: minutes(5), When: alerting.QuotaMissing,
			}
			if i == 0 {
				w.When = alerting.Always
			}
			d.Waves = append(d.Waves, w)
		}
	}
}

// needs asks for so many people of a skill.
func needs(n int, skill string) func(*alerting.Definition) {
	return func(d *alerting.Definition) {
		d.Quotas = append(d.Quotas, alerting.Quota{Skill: skill, Needed: n})
	}
}

// scenario keeps a definition.
func (h *hospital) scenario(d alerting.Definition) alerting.Scenario {
	h.t.Helper()
	sc, err := h.Alerting.CreateScenario(h.t.Context(), h.scope, h.now(), d)
	if err != nil {
		h.t.Fatal(err)
	}
	return sc
}

// draft is what a person is about to launch.
func draft(sc alerting.Scenario) alerting.Draft {
	return alerting.Draft{Scenario: sc.ID, Mode: alerting.Real, Values: map[string]string{"lieu": "aux urgences"}, OrderedBy: "Dr Ordre", IdempotencyKey: uuid.NewString()}
}

// launch starts an alert and lets its first messages arrive.
func (h *hospital) launch(d alerting.Definition) alerting.Launch {
	h.t.Helper()
	l, already, err := h.Alerting.Launch(h.t.Context(), h.scope, h.now(), draft(h.scenario(d)))
	if err != nil || already {
		h.t.Fatalf("launch: already %v, %v", already, err)
	}
	h.settle()
	return l
}

// board is the dashboard of an alert.
func (h *hospital) board(l alerting.Launch) alerting.Board {
	h.t.Helper()
	b, err := h.Alerting.Board(h.t.Context(), h.scope, l.ID, h.now())
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// person is what the alert knows of an agent.
func (h *hospital) person(l alerting.Launch, p directory.Person) alerting.Recipient {
	h.t.Helper()
	list, err := h.Alerting.Recipients(h.t.Context(), h.scope, l.ID, alerting.RecipientFilter{Text: p.LastName}, alerting.Page{})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range list {
		if r.Person == p.ID {
			return r
		}
	}
	h.t.Fatalf("%s is not in the alert", p.LastName)
	return alerting.Recipient{}
}

// count checks how many letters there are.
func count(t *testing.T, letters []letter, want int, what string) {
	t.Helper()
	if len(letters) != want {
		texts := make([]string, len(letters))
		for i, l := range letters {
			texts[i] = fmt.Sprintf("%s %q", l.At.Format(time.TimeOnly), l.Text)
		}
		t.Fatalf("%s: %d, want %d %v", what, len(letters), want, texts)
	}
}

func wantFault(t *testing.T, err error, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Key != key {
		t.Errorf("error = %v, want %s", err, key)
	}
}
