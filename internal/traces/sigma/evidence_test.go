package sigma

import (
	"slices"
	"testing"
)

func TestEvidence(t *testing.T) {
	t.Parallel()
	r := parseOne(t, `title: T
logsource: {product: windows, category: process_creation}
detection:
  sel:
    Image|endswith: ['\cmd.exe', '\powershell.exe']
    CommandLine|contains|all: [' /c ', echo]
  autre:
    User: nobody
  filtre:
    ParentImage|endswith: '\explorer.exe'
  condition: (sel or autre) and not filtre
`)
	set, err := Compile([]*Rule{r}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := set.NewMatcher()
	e := texts("Channel", "Security", "EventID", "4688", "NewProcessName", `C:\Windows\cmd.exe`, "CommandLine", "cmd /C ECHO oui", "SubjectUserName", "jean", "ParentProcessName", `C:\x.exe`)
	want := []Evidence{{"NewProcessName", `C:\Windows\cmd.exe`}, {"CommandLine", "cmd /C ECHO oui"}}
	if got := m.Evidence(0, e); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	e["ParentProcessName"] = []Value{Text(`C:\Windows\explorer.exe`)}
	if got := m.Evidence(0, e); got != nil || !m.Reads(0, e) {
		t.Errorf("%v of a rule that does not hit", got)
	}
	if m.Evidence(0, texts("Channel", "Autre")) != nil || m.Reads(0, texts("Channel", "Autre")) {
		t.Error("evidence of an event of another log source")
	}
	words := parseOne(t, ruleText("mots:\n  - secret\ncondition: mots\n"))
	if set, err = Compile([]*Rule{words}, nil); err != nil {
		t.Fatal(err)
	}
	got := set.NewMatcher().Evidence(0, texts("logsource.category", "essai", "A", "rien", "B", "un SECRET"))
	if !slices.Equal(got, []Evidence{{"", "un SECRET"}}) {
		t.Errorf("%v", got)
	}
}
