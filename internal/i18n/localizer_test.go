package i18n_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

const fr = `
a.plain: "Bonjour {name} !"
a.braces: "Écrivez {{lieu}}."
a.people: {one: "{n} personne de {service}", other: "{n} personnes de {service}"}
a.port: "Le port {port} répond en {time} ({load})."
a.field: "Le champ « {field} » est vide : {field} ?"
a.field.name: "nom"
a.answer.sms: "Vous venez dans {time} ?"
fault.internal: "Erreur interne."
`

const en = `
a.plain: "Hello {name}!"
a.braces: "Write {{lieu}}."
a.people: {one: "{n} person of {service}", other: "{n} persons of {service}"}
a.port: "Port {port} answers in {time} ({load})."
a.field: "The field “{field}” is empty"
a.field.name: "name"
a.answer.sms: "You come in {time}?"
fault.internal: "Internal error."
`

func voices(t *testing.T) (french, english *i18n.Localizer) {
	t.Helper()
	c, err := i18n.Load(room(fr, en))
	if err != nil {
		t.Fatal(err)
	}
	return c.For(i18n.French), c.For(i18n.English)
}

func TestT(t *testing.T) {
	t.Parallel()
	french, english := voices(t)
	cases := []struct{ got, want string }{
		{french.T("a.plain", "name", "Léa"), "Bonjour Léa\u202f!"},
		{english.T("a.plain", "name", "Léa"), "Hello Léa!"},
		{french.T("a.plain"), "Bonjour ⟦name⟧\u202f!"},
		{french.T("a.plain", "name"), "Bonjour ⟦name⟧\u202f!"},
		{french.T("a.plain", "other", 1, "name", "{name}"), "Bonjour {name}\u202f!"},
		{french.T("a.braces"), "Écrivez {lieu}."},
		{french.T("a.nothing"), "⟦a.nothing⟧"},
		{french.T("a.people"), "⟦a.people⟧"},
		{french.T("a.port", "port", 8080, "time", 45*time.Second, "load", 1.5), "Le port 8080 répond en 45\u00a0s (1,5)."},
		{english.T("a.port", "port", 8080, "time", 45*time.Second, "load", 1.5), "Port 8080 answers in 45\u00a0s (1.5)."},
		{french.T("a.field", "field", i18n.Key("a.field.name")), "Le champ «\u00a0nom\u00a0» est vide\u00a0: nom\u202f?"},
		{french.T("a.answer.sms", "time", 2*time.Hour), "Vous venez dans 2 h ?"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if french.Language() != i18n.French || !french.Has("a.plain") || french.Has("a.no") {
		t.Error("Language or Has is wrong")
	}
}

func TestN(t *testing.T) {
	t.Parallel()
	french, english := voices(t)
	cases := []struct {
		n      int
		fr, en string
	}{
		{n: 0, fr: "0 personne de SAU", en: "0 persons of SAU"},
		{n: 1, fr: "1 personne de SAU", en: "1 person of SAU"},
		{n: -1, fr: "-1 personne de SAU", en: "-1 person of SAU"},
		{n: 2, fr: "2 personnes de SAU", en: "2 persons of SAU"},
		{n: 4300, fr: "4\u202f300 personnes de SAU", en: "4,300 persons of SAU"},
	}
	for _, c := range cases {
		if got := french.N("a.people", c.n, "service", "SAU"); got != c.fr {
			t.Errorf("fr %d: got %q, want %q", c.n, got, c.fr)
		}
		if got := english.N("a.people", c.n, "service", "SAU"); got != c.en {
			t.Errorf("en %d: got %q, want %q", c.n, got, c.en)
		}
	}
	if got := french.N("a.nothing", 2); got != "⟦a.nothing⟧" {
		t.Errorf("unknown plural: %q", got)
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	french, _ := voices(t)
	cases := []struct {
		err  error
		want string
	}{
		{nil, ""},
		{errors.New("disk full at /var"), "Erreur interne."},
		{fault.New(fault.Invalid, "a.plain", "name", "Léa"), "Bonjour Léa\u202f!"},
		{fmt.Errorf("save: %w", fault.New(fault.Invalid, "a.plain", "name", "Léa")), "Bonjour Léa\u202f!"},
		{fault.New(fault.Invalid, "a.gone"), "⟦a.gone⟧"},
	}
	for _, c := range cases {
		if got := french.Fault(c.err); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	_, english := voices(t)
	if got := i18n.FromContext(i18n.WithContext(t.Context(), english)); got != english {
		t.Error("the context lost its localizer")
	}
	if got := i18n.FromContext(context.Background()).T("a.plain"); got != "⟦a.plain⟧" {
		t.Errorf("without a localizer: %q", got)
	}
}

func TestForUnknownLanguageIsFrench(t *testing.T) {
	t.Parallel()
	c, err := i18n.Load(room(fr, en))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.For("de").Language(); got != i18n.French {
		t.Errorf("got %s", got)
	}
}

func TestNegotiate(t *testing.T) {
	t.Parallel()
	cases := map[string]i18n.Language{
		"":                              i18n.French,
		"fr-FR,fr;q=0.9,en;q=0.8":       i18n.French,
		"en-GB,en;q=0.9":                i18n.English,
		"de;q=1, en;q=0.4, fr;q=0.6":    i18n.French,
		"en;q=0.4, fr;q=0.2":            i18n.English,
		"de":                            i18n.French,
		"*":                             i18n.French,
		"\x00;;;q=notanumber,,,-------": i18n.French,
	}
	for header, want := range cases {
		if got := i18n.Negotiate(header); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
}
