package directory

import (
	"embed"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"tocsin/internal/document/assist"
)

//go:embed reference/metiers.yaml
var referenceFile embed.FS

// Metier is a métier or a qualification of the built-in list.
type Metier struct {
	// Code is folded: "iade".
	Code string `yaml:"code"`
	// FR and EN are its names.
	FR string `yaml:"fr"`
	EN string `yaml:"en"`
	// Synonyms are how staff files write it; case, accents and punctuation aside.
	Synonyms []string `yaml:"synonyms"`
}

// Reference is the built-in list of métiers, with what recognises them.
type Reference struct {
	list   []Metier
	byCode map[string]Metier
	known  map[string]string
}

// LoadReference reads the list; an error names a code or a synonym given twice.
func LoadReference() (*Reference, error) {
	text, err := referenceFile.ReadFile("reference/metiers.yaml")
	if err != nil {
		return nil, err
	}
	r := &Reference{byCode: map[string]Metier{}, known: map[string]string{}}
	if err := yaml.Unmarshal(text, &r.list); err != nil {
		return nil, fmt.Errorf("métiers: %w", err)
	}
	for _, m := range r.list {
		if _, twice := r.byCode[m.Code]; twice || m.Code != assist.Slug(m.Code) || m.FR == "" || m.EN == "" {
			return nil, fmt.Errorf("métiers: %q is incomplete or there twice", m.Code)
		}
		r.byCode[m.Code] = m
		for _, name := range append([]string{m.Code, m.FR, m.EN}, m.Synonyms...) {
			key := recognisable(name)
			if other, twice := r.known[key]; twice && other != m.Code {
				return nil, fmt.Errorf("métiers: %q is both %s and %s", name, other, m.Code)
			}
			r.known[key] = m.Code
		}
	}
	return r, nil
}

// Metiers lists them in the order of the file.
func (r *Reference) Metiers() []Metier { return append([]Metier(nil), r.list...) }

// Label names a code in "fr" or "en"; an establishment's own code is written with spaces.
func (r *Reference) Label(code, language string) string {
	m, ok := r.byCode[code]
	switch {
	case !ok:
		return strings.ReplaceAll(code, "_", " ")
	case language == "en":
		return m.EN
	}
	return m.FR
}

// Recognise gives the code of what a staff file says. known is false when it
// is none of the list: the text, folded, is then the establishment's own code.
func (r *Reference) Recognise(text string) (code string, known bool) {
	key := recognisable(text)
	if code, ok := r.known[key]; ok {
		return code, true
	}
	// "INFIRMIER(E) DE CLASSE NORMALE", "Aide-soignant 2e grade": the grade does not change the métier.
	for _, tail := range []string{
		"classenormale", "classesuperieure", "horsclasse", "1ergrade", "2egrade", "2emegrade", "3egrade",
		"cdi", "cdd", "titulaire", "stagiaire", "contractuel", "denuit", "dejour", "nuit", "jour",
	} {
		if shorter, ok := strings.CutSuffix(key, tail); ok {
			for _, try := range []string{shorter, strings.TrimSuffix(shorter, "de")} {
				if code, ok := r.known[try]; ok {
					return code, true
				}
			}
		}
	}
	return assist.Slug(text), false
}

// recognisable takes away what varies from file to file: accents, case,
// punctuation, and the marks of the feminine.
func recognisable(text string) string {
	s := assist.Slug(text)
	for _, mark := range []string{"_e_", "_ne_", "_iere_", "_ere_", "_se_", "_rice_", "_trice_", "_euse_"} {
		s = strings.ReplaceAll(s+"_", mark, "_")
	}
	return strings.ReplaceAll(s, "_", "")
}
