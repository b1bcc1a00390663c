package finess_test

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"tocsin/internal/fault"
	"tocsin/internal/organisation/finess"
)

// Numbers of public hospitals, as printed in the acts of the regional agencies
// and in the open register.
func TestParseRealNumbers(t *testing.T) {
	t.Parallel()
	for number, department := range map[string]string{
		"750712184": "75", "690781810": "69", "440000289": "44", "130786049": "13",
		"970400024": "974", "970100228": "971", "980500003": "976",
		"2A0000014": "2A", "2A0000170": "2A", "2A0000386": "2A", "2A0002606": "2A", "2A0000261": "2A", "2A0002051": "2A",
		"2B0000020": "2B", "2B0005342": "2B", "2B0004246": "2B", "2B0000442": "2B", "2B0003107": "2B", "2B0003057": "2B",
		"2B0004238": "2B", "2B0000939": "2B", "2B0003628": "2B", "2B0003073": "2B", "2B0000459": "2B", "2B0001341": "2B",
	} {
		n, err := finess.Parse(number)
		if err != nil {
			t.Errorf("Parse(%s): %v", number, err)
			continue
		}
		if n.String() != number || n.Department() != department {
			t.Errorf("Parse(%s) = %s in %s, want %s", number, n, n.Department(), department)
		}
	}
}

func TestParseTidies(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"75 071 218 4":          "75 071 218 4",
		" 750.712.184 ":         "75 071 218 4",
		"75-071-2184":           "75 071 218 4",
		"2a 0000014":            "2A 000 001 4",
		"\u00a0690781810\u00a0": "69 078 181 0",
		"10000024":              "01 000 002 4",
	} {
		n, err := finess.Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
		} else if n.Format() != want {
			t.Errorf("Parse(%q) = %q, want %q", text, n.Format(), want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, key := range map[string]string{
		"":           "finess.length",
		"75071218":   "finess.length",
		"7507121840": "finess.length",
		"750712185":  "finess.key",
		"570712184":  "finess.key",
		"2B0000014":  "finess.key",
		"200000014":  "finess.department",
		"000712184":  "finess.department",
		"960712184":  "finess.department",
		"2C0000014":  "finess.department",
		"75O712184":  "finess.characters",
		"750712l84":  "finess.characters",
		"75é712184":  "finess.characters",
		"75071218é":  "finess.characters", "FINESS 7507": "finess.length",
	} {
		n, err := finess.Parse(text)
		if f := fault.As(err); f == nil || f.Key != key || f.Kind != fault.Invalid || !n.IsZero() {
			t.Errorf("Parse(%q) = %q, %v; want %s", text, n, err, key)
		}
	}
}

// TestKeyCatchesEverySlip changes each character of a number in turn: no other
// value may pass.
func TestKeyCatchesEverySlip(t *testing.T) {
	t.Parallel()
	const good = "750712184"
	for i := 2; i < len(good); i++ {
		for d := '0'; d <= '9'; d++ {
			slip := good[:i] + string(d) + good[i+1:]
			if _, err := finess.Parse(slip); (err == nil) != (slip == good) {
				t.Errorf("Parse(%s): %v", slip, err)
			}
		}
	}
}

func TestZeroNumber(t *testing.T) {
	t.Parallel()
	var n finess.Number
	if !n.IsZero() || n.String() != "" || n.Format() != "" || n.Department() != "" {
		t.Errorf("zero number = %q %q %q", n, n.Format(), n.Department())
	}
}

func TestParseLevel(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]finess.Level{
		"EJ": finess.EJ, "entité juridique": finess.EJ, " Juridique": finess.EJ,
		"et": finess.ET, "Établissement": finess.ET, "etablissement": finess.ET, "FINESS géographique": finess.ET,
		"": "", "site": "",
	} {
		got, err := finess.ParseLevel(text)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("ParseLevel(%q) = %q, %v", text, got, err)
		}
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	keys := map[string]string{
		"finess.length": "{count}", "finess.department": "{code}", "finess.characters": "", "finess.key": "", "finess.level": "",
		finess.EJ.Key(): "", finess.ET.Key(): "",
	}
	for _, language := range []string{"fr", "en"} {
		text, err := finess.Locales.ReadFile("locales/" + language + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var sentences map[string]string
		if err := yaml.Unmarshal(text, &sentences); err != nil {
			t.Fatal(err)
		}
		if len(sentences) != len(keys) {
			t.Errorf("%s: %d sentences, want %d", language, len(sentences), len(keys))
		}
		for key, argument := range keys {
			if s := sentences[key]; s == "" || !strings.Contains(s, argument) {
				t.Errorf("%s: %s = %q, want a sentence with %q", language, key, s, argument)
			}
		}
	}
}
