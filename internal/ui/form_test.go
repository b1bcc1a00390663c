package ui_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
)

// personForm is the page of a form with every sort of field.
func personForm(c *ui.Context, f *ui.Form) templ.Component {
	return ui.FormForTest(c, f)
}

// formHouse serves the form; save decides what the operation answers.
func formHouse(t *testing.T, save func(f *ui.Form) error) *ui.Router {
	t.Helper()
	r := uitest.House(t, uitest.As(access.DirectoryManager), nil)
	r.Get("/personne", access.DirectoryRead, func(c *ui.Context) error {
		f := c.NewForm(map[string]string{"nom": "Noël Çelik", "site": "sud"})
		f.SetList("moyens", []string{"sms", "mail"})
		return c.Render(personForm(c, f))
	})
	r.Post("/personne", access.DirectoryWrite, func(c *ui.Context) error {
		f := c.Form()
		if err := save(f); err != nil || !f.Valid() {
			return c.Refill(f, err, personForm(c, f))
		}
		c.Flash(ui.Success, "Enregistré : "+f.Value("nom"))
		return c.Redirect("/personne")
	})
	return r
}

func TestFormShowsWhatItEdits(t *testing.T) {
	t.Parallel()
	p := uitest.Get(t, formHouse(t, nil), "/personne").Want(200).Whole()
	p.Value("#f-nom", "value", "Noël Çelik").Has("#f-nom[required]")
	p.Has(`#f-site option[value=sud][selected]`).Has(`optgroup[label="Médico-social"] option[value=ehpad]`)
	p.Count("input[name=moyens][checked]", 2)
	p.Value("#f-mobile", "aria-describedby", "f-mobile-hint")
	p.Lacks(".summary").Lacks("[aria-invalid]")
	p.Says(`label[for=f-mobile]`, "facultatif")
}

func TestRefusedFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	r := formHouse(t, func(f *ui.Form) error {
		f.Require("nom", "accord")
		f.Int("rang", 1, 9)
		return nil
	})
	p := uitest.Post(t, r, "/personne", []string{
		"nom", "  ", "mobile", "06 <b>", "rang", "12", "site", "sud", "moyens", "mail", "secret", "motdepasse", "note", "deux\nlignes",
	}).Want(http.StatusUnprocessableEntity).Whole()
	p.Value("#f-mobile", "value", "06 <b>").Value("#f-rang", "value", "12").Says("#f-note", "deux lignes")
	p.Has(`#f-site option[value=sud][selected]`).Count("input[name=moyens][checked]", 1)
	p.Value("#f-secret", "value", "")
	if strings.Contains(p.Body, "motdepasse") {
		t.Error("a password came back in the page")
	}
	p.Says(".summary", "3 points à corriger").Says(`.summary a[href="#f-nom"]`, "Nom : Ce champ est obligatoire.").Says(`.summary a[href="#f-accord"]`, "Relu :")
	p.Value("#f-rang", "aria-invalid", "true").Says("#f-rang-error", "Indiquez un nombre entier de 1 à 9")
	p.Value("#f-mobile", "aria-describedby", "f-mobile-hint")
}

func TestFaultsLandAtTheirFields(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		status int
		check  func(p *uitest.Page)
	}{
		{"at a field", fault.New(fault.Invalid, "fault.invalid").At("mobile"), 422, func(p *uitest.Page) {
			p.Has("#f-mobile-error").Says(".summary", "1 point à corriger")
		}},
		{"several joined", errors.Join(
			fault.New(fault.Invalid, "fault.invalid").At("mobile"),
			fault.New(fault.Conflict, "fault.conflict").At("nom"),
			fault.New(fault.Invalid, "fault.invalid"),
		), 422, func(p *uitest.Page) {
			p.Has("#f-mobile-error").Has("#f-nom-error").Count(".summary li", 3).Count(".summary a", 2)
		}},
		{"conflict", fault.New(fault.Conflict, "fault.conflict"), 409, func(p *uitest.Page) { p.Has(".summary") }},
		{"unavailable keeps the form", fault.New(fault.Unavailable, "fault.unavailable"), 503, func(p *uitest.Page) {
			p.Value("#f-nom", "value", "Zoé")
		}},
		{"our failure keeps the form", errors.New("disk"), 500, func(p *uitest.Page) {
			p.Value("#f-nom", "value", "Zoé").Says(".summary", "Erreur interne")
		}},
		{"not permitted is a page", fault.New(fault.Denied, "access.denied"), 403, func(p *uitest.Page) {
			p.Lacks("form.form").Says("h1", "Accès refusé")
		}},
		{"gone is a page", fault.New(fault.NotFound, "fault.not_found"), 404, func(p *uitest.Page) {
			p.Lacks("form.form")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := formHouse(t, func(*ui.Form) error { return tt.err })
			tt.check(uitest.Post(t, r, "/personne", []string{"nom", "Zoé"}).Want(tt.status).Whole())
		})
	}
}

func TestFormNumbers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		typed string
		want  int
		valid bool
	}{
		{"", 0, true},
		{"42", 42, true},
		{" 1 240 ", 1240, true},
		{"1\u202f240", 1240, true},
		{"1\u00a0240", 1240, true},
		{"0", 0, false},
		{"5001", 0, false},
		{"douze", 0, false},
		{"1.5", 0, false},
		{"-3", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.typed, func(t *testing.T) {
			t.Parallel()
			var got int
			var valid bool
			r := formHouse(t, func(f *ui.Form) error {
				got, valid = f.Int("rang", 1, 5000), f.Valid()
				return nil
			})
			uitest.Post(t, r, "/personne", []string{"rang", tt.typed})
			if got != tt.want || valid != tt.valid {
				t.Errorf("Int(%q) = %d, valid %v; want %d, %v", tt.typed, got, valid, tt.want, tt.valid)
			}
		})
	}
}

func TestConfirmedByWordOrByHolding(t *testing.T) {
	t.Parallel()
	hold := ui.HoldSpec{Act: "déclencher", Word: "DÉCLENCHER", Name: "mot"}
	tests := []struct {
		name   string
		fields []string
		want   bool
	}{
		{"nothing", nil, false},
		{"held", []string{"mot-tenu", "oui"}, true},
		{"not held to the end", []string{"mot-tenu", ""}, false},
		{"the word", []string{"mot", "DÉCLENCHER"}, true},
		{"without accent nor capitals", []string{"mot", " declencher "}, true},
		{"decomposed accent", []string{"mot", "de\u0301clencher"}, true},
		{"half the word", []string{"mot", "DÉCLEN"}, false},
		{"another word", []string{"mot", "ANNULER"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got bool
			r := formHouse(t, func(f *ui.Form) error {
				got = f.Confirmed(hold)
				return nil
			})
			p := uitest.Post(t, r, "/personne", append(tt.fields, "nom", "Zoé"))
			if got != tt.want {
				t.Errorf("confirmed %v, want %v", got, tt.want)
			}
			if !tt.want {
				p.Want(422).Says(".summary", "n’est pas « DÉCLENCHER »")
			}
		})
	}
}

func TestFlashIsShownOnceAndSigned(t *testing.T) {
	t.Parallel()
	r := formHouse(t, func(*ui.Form) error { return nil })
	sent := uitest.Post(t, r, "/personne", []string{"nom", "Zoé"}).Leads("/personne")
	cookies := sent.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode {
		t.Fatalf("cookies %v, want one, not for scripts, of this site", cookies)
	}
	shown := uitest.Get(t, r, "/personne", uitest.Cookie(cookies[0])).Says("#notices .tone-succes", "Enregistré : Zoé")
	if dropped := shown.Cookies(); len(dropped) != 1 || dropped[0].MaxAge >= 0 {
		t.Errorf("the notice is not dropped once shown: %v", dropped)
	}
	forged := *cookies[0]
	forged.Value = strings.Replace(forged.Value, forged.Value[:4], "AAAA", 1)
	uitest.Get(t, r, "/personne", uitest.Cookie(&forged)).Want(200).Lacks("#notices .message")
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	r := formHouse(t, func(*ui.Form) error { return nil })
	p := uitest.Post(t, r, "/personne", []string{"note", strings.Repeat("a", 2<<20)})
	p.Want(http.StatusRequestEntityTooLarge).Says(".lead", "dépasse la taille acceptée")
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	tests := []struct{ given, want string }{
		{"/annuaire?q=a", "/annuaire?q=a"},
		{"", "/"},
		{"annuaire", "/"},
		{"//evil.test/x", "/"},
		{"https://evil.test", "/"},
		{"/\\evil.test", "/"},
		{"javascript:alert(1)", "/"},
		{"/a\r\nSet-Cookie: x", "/"},
		{"/\t/evil.test", "/"},
	}
	for _, tt := range tests {
		if got := ui.LocalPath(tt.given, "/"); got != tt.want {
			t.Errorf("LocalPath(%q) = %q, want %q", tt.given, got, tt.want)
		}
	}
}
