package phone_test

import (
	"os"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v3"

	"tocsin/internal/directory/phone"
)

// TestEverySentenceExists reads the keys in the source and looks for each in
// both languages; a sentence nobody uses fails too.
func TestEverySentenceExists(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, k := range []phone.Kind{phone.Mobile, phone.Landline, phone.Extension, phone.Short} {
		used[k.Key()] = true
	}
	key := regexp.MustCompile(`"(phone\.(?:problem|warning)\.[a-z_]+)"`)
	for _, file := range []string{"phone.go", "plan.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range key.FindAllStringSubmatch(string(source), -1) {
			used[m[1]] = true
		}
	}
	for _, language := range []string{"fr", "en"} {
		text, err := phone.Locales.ReadFile("locales/" + language + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var sentences map[string]string
		if err := yaml.Unmarshal(text, &sentences); err != nil {
			t.Fatal(err)
		}
		for k := range used {
			if sentences[k] == "" {
				t.Errorf("%s: no sentence for %s", language, k)
			}
		}
		for k := range sentences {
			if !used[k] {
				t.Errorf("%s: %s is used nowhere", language, k)
			}
		}
	}
}
