package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tocsin/internal/app"
	"tocsin/internal/channels"
	"tocsin/internal/i18n"
)

// described is the part of the guide that the program writes of one kind.
var described = regexp.MustCompile(`(?s)<!-- réglages de ([a-z0-9]+) -->\n.*?<!-- fin -->`)

// TestTheGuideOfTheChannelsIsWhatTheySay: the tables of settings are written from the
// channels' own descriptions. Run it with -update after changing one.
func TestTheGuideOfTheChannelsIsWhatTheySay(t *testing.T) {
	t.Parallel()
	catalog, err := app.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	loc := catalog.For(i18n.French)
	written := map[string]string{}
	for _, d := range channels.NewRegistry(app.Kinds()...).Descriptions() {
		written[d.Kind] = describe(loc, d)
	}
	text, seen := guide(t, "guides/canaux.md"), map[string]bool{}
	want := described.ReplaceAllStringFunc(text, func(old string) string {
		kind := described.FindStringSubmatch(old)[1]
		seen[kind] = true
		if written[kind] == "" {
			t.Errorf("the guide explains %s, which does not exist", kind)
		}
		return written[kind]
	})
	for kind := range written {
		if !seen[kind] {
			t.Errorf("the guide has no part for %s: add its heading and the two marks", kind)
		}
	}
	if *update {
		if err := os.WriteFile(filepath.Join(docs, "guides/canaux.md"), []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if text != want {
		t.Error("docs/guides/canaux.md is not what the channels say: go test ./internal/app -run TheGuideOfTheChannels -update")
	}
}

// describe writes what a kind says of itself as a table, between its marks.
func describe(loc *i18n.Localizer, d channels.Description) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!-- réglages de %s -->\n*%s, `%s`.* %s\n\n", d.Kind, loc.T("channels."+d.Kind), d.Kind, abilities(d))
	b.WriteString("| Réglage | Nom | Défaut | Valeurs | À savoir |\n|---|---|---|---|---|\n")
	for _, f := range d.Fields {
		key, value := "channels."+d.Kind+"."+f.Name, ""
		if f.Default != "" {
			value = "`" + f.Default + "`"
		}
		help := strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;", "\n", " ").Replace(loc.T(key + ".help"))
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s |\n", loc.T(key), f.Name, value, possible(f), help)
	}
	return b.String() + "<!-- fin -->"
}

// abilities says what a medium brings back, and what of its contract the nodes share.
func abilities(d channels.Description) string {
	words := []string{}
	if d.Receipts {
		words = append(words, "Rapporte les accusés de réception.")
	}
	if d.Replies {
		words = append(words, "Rapporte les réponses.")
	}
	if d.Limits != nil {
		words = append(words, "Les nœuds se partagent ses limites.")
	}
	return strings.Join(words, " ")
}

// possible says what may be typed.
func possible(f channels.Field) string {
	var words []string
	if f.Required {
		words = append(words, "obligatoire")
	}
	switch f.Type {
	case channels.Secret:
		words = append(words, "secret, gardé scellé")
	case channels.Bool:
		words = append(words, "oui, non")
	case channels.Choice:
		words = append(words, "`"+strings.Join(f.Choices, "`, `")+"`")
	case channels.Area:
		words = append(words, "plusieurs lignes")
	case channels.Number:
		if f.Max > 0 {
			words = append(words, fmt.Sprintf("%d à %d", f.Min, f.Max))
		}
	case channels.Text:
	}
	return strings.Join(words, ", ")
}
