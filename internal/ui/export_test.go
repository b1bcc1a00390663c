package ui

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// FormForTest is a page with every sort of field.
func FormForTest(c *Context, f *Form) templ.Component {
	fields := []templ.Component{
		Errors(f),
		Heading("Personne", ""),
		Field(f, FieldSpec{Name: "nom", Label: "Nom", Required: true}),
		Field(f, FieldSpec{Name: "mobile", Label: "Mobile", Hint: "Pour les alertes.", Type: "tel"}),
		Field(f, FieldSpec{Name: "rang", Label: "Rang", InputMode: "numeric"}),
		Field(f, FieldSpec{Name: "secret", Label: "Secret", Type: "password"}),
		Field(f, FieldSpec{Name: "note", Label: "Note", Rows: 3}),
		Select(f, FieldSpec{Name: "site", Label: "Site"}, []Choice{{Value: "nord", Label: "Nord"}, {Value: "sud", Label: "Sud"}, {Value: "ehpad", Label: "EHPAD", Group: "Médico-social"}}),
		Checks(f, FieldSpec{Name: "moyens", Label: "Moyens"}, []Choice{{Value: "sms", Label: "SMS"}, {Value: "mail", Label: "Courriel"}, {Value: "voix", Label: "Appel"}}),
		Checkbox(f, FieldSpec{Name: "accord", Label: "Relu", Required: true}),
	}
	body := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if _, err := io.WriteString(w, `<form class="form" method="post">`); err != nil {
			return err
		}
		for _, field := range fields {
			if err := field.Render(ctx, w); err != nil {
				return err
			}
		}
		_, err := io.WriteString(w, "</form>")
		return err
	})
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return Page(c, "Personne").Render(templ.WithChildren(ctx, body), w)
	})
}

// Bundles lists the embedded bundles by logical name, plain.
func Bundles() (map[string][]byte, error) {
	a, err := loadAssets()
	if err != nil {
		return nil, err
	}
	out := map[string][]byte{}
	for logical, path := range a.paths {
		out[logical] = a.files[path].variants[""]
	}
	return out, nil
}
