package sigma

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tocsin/internal/i18n/i18ntest"
)

func TestEverySentenceIsThere(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", Locales)
}

const windowsEvents = `{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon","Guid":"G"}},
 "EventID":{"#attributes":{"Qualifiers":0},"#text":1},"Execution":{"#attributes":{"ProcessID":3544}},"Correlation":null,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"pc"},
 "EventData":{"Image":"C:\\a.exe","ProcessId":4460,"Threat Name":"EICAR","#attributes":{"Name":"x"}}}}
[{"Event":{"System":{"EventID":1149},"UserData":{"EventXML":{"#attributes":{"xmlns":"y"},"Param1":"jean"}}}}, {"a":{"b":[1,2.50,true,null,{"c":"x"}]},"big":9007199254740993,"e":1e3,"vide":[]}]`

func TestParseEvents(t *testing.T) {
	t.Parallel()
	events, err := ParseEvents([]byte(windowsEvents))
	if err != nil || len(events) != 3 {
		t.Fatal(len(events), err)
	}
	for i, want := range []map[string]string{
		{"Provider_Name": "Microsoft-Windows-Sysmon", "EventID": "1", "EventID_Qualifiers": "0", "Execution_ProcessID": "3544", "Image": `C:\a.exe`, "ProcessId": "4460", "ThreatName": "EICAR", "Computer": "pc"},
		{"EventID": "1149", "Param1": "jean"},
		{"a.b": "1", "a.b.c": "x", "big": "9007199254740993", "e": "1000"},
	} {
		for name, value := range want {
			if v := events[i][name]; len(v) == 0 || v[0].String() != value {
				t.Errorf("event %d: %s is %v, want %q", i, name, v, value)
			}
		}
	}
	if v := events[2]["a.b"]; len(v) != 4 || v[1].String() != "2.50" || v[2].String() != "true" || !v[3].IsNull() {
		t.Errorf("%v", v)
	}
	if v, ok := events[2]["vide"]; !ok || len(v) != 0 {
		t.Error("an empty list is a field without a value")
	}
	for text, key := range map[string]string{
		`{"a":`: "traces.sigma.event_bad", `3`: "traces.sigma.event_bad", `["x"]`: "traces.sigma.event_bad",
		strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60): "traces.sigma.event_long",
		strings.Repeat(" ", maxEvent+1):                             "traces.sigma.event_long",
	} {
		_, err := ParseEvents([]byte(text))
		wantKey(t, err, key)
	}
}

func TestLogSources(t *testing.T) {
	t.Parallel()
	rule := func(source string) *Rule {
		return parseOne(t, "title: T\nlogsource: {"+source+"}\ndetection:\n  s:\n    Image|endswith: 'x'\n  condition: s\n")
	}
	sysmon := func(id string, more ...string) Record {
		return texts(append([]string{"Channel", "microsoft-windows-sysmon/operational", "EventID", id, "Image", "x"}, more...)...)
	}
	for _, c := range []struct {
		source string
		event  Record
		want   bool
	}{
		{"product: windows, category: process_creation", sysmon("1"), true},
		{"product: windows, category: process_creation", sysmon("2"), false},
		{"product: windows, category: process_creation", texts("Channel", "Security", "EventID", "4688", "NewProcessName", "x"), true},
		{"product: windows, category: process_creation", texts("Channel", "Security", "EventID", "4688", "Image", "x"), false},
		{"product: windows, category: process_creation", texts("Channel", "Linux-Sysmon/Operational", "EventID", "1", "Image", "x"), false},
		{"product: linux, category: process_creation", texts("Channel", "Linux-Sysmon/Operational", "EventID", "1", "Image", "x"), true},
		{"category: process_creation", texts("Channel", "Linux-Sysmon/Operational", "EventID", "1", "Image", "x"), true},
		{"category: process_creation", sysmon("1"), true},
		{"category: process_creation", texts("logsource.category", "Process_Creation", "Image", "x"), true},
		{"product: windows, category: process_creation", texts("logsource.category", "process_creation", "Image", "x"), false},
		{"product: windows, category: process_creation", texts("logsource.category", "process_creation", "logsource.product", "windows", "Image", "x"), true},
		{"product: windows", sysmon("99"), true},
		{"product: windows", texts("Image", "x"), false},
		{"product: windows, service: sysmon", sysmon("1"), true},
		{"product: windows, service: security", sysmon("1"), false},
		{"product: windows, service: sysmon, category: process_creation", sysmon("1"), true},
		{"product: windows, service: security, category: process_creation", sysmon("1"), false},
		{"product: windows, service: security, category: process_creation", texts("Channel", "Security", "EventID", "4688", "NewProcessName", "x"), true},
		{"product: windows, category: registry_delete", sysmon("12", "EventType", "DeleteValue"), true},
		{"product: windows, category: registry_delete", sysmon("12", "EventType", "CreateKey"), false},
		{"product: windows, category: antivirus", texts("Channel", "Microsoft-Windows-Windows Defender/Operational", "EventID", "1116", "Image", "x"), true},
		{"product: linux, service: sshd", texts("appname", "sshd", "Image", "x"), true},
		{"product: linux, service: sshd", texts("appname", "sudo", "Image", "x"), false},
		{"product: linux, service: syslog", texts("appname", "sudo", "Image", "x"), true},
		{"product: dpi, service: acces", texts("logsource.product", "dpi", "logsource.service", "acces", "Image", "x"), true},
		{"product: dpi, service: acces", texts("logsource.product", "dpi", "Image", "x"), false},
	} {
		set, err := Compile([]*Rule{rule(c.source)}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(set.NewMatcher().Match(c.event, nil)) == 1; got != c.want {
			t.Errorf("%s: %v for %v", c.source, got, c.event)
		}
	}
}

func TestPipelines(t *testing.T) {
	t.Parallel()
	own, err := ParsePipeline("dpi.yaml", []byte("- source: {product: dpi, category: access}\n  when:\n    - match: {app: [dpi1, dpi2]}\n      fields: {Image: module}\n"))
	if err != nil {
		t.Fatal(err)
	}
	both, err := DefaultPipeline()
	if err != nil {
		t.Fatal(err)
	}
	both = both.And(own)
	r := parseOne(t, "title: T\nlogsource: {product: dpi, category: access}\ndetection:\n  s: {Image: x}\n  condition: s\n")
	set, err := Compile([]*Rule{r}, both)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.NewMatcher().Match(texts("app", "DPI2", "module", "x"), nil)) != 1 {
		t.Error("a pipeline of one's own is not followed")
	}
	if !both.Covers(r.Source) || both.Covers(LogSource{Product: "inconnu"}) || set.Sources()["dpi/access"] != 1 {
		t.Error("what a pipeline covers is not known")
	}
	for text, key := range map[string]string{
		"": "traces.sigma.empty", "- x": "traces.sigma.want_map", "- {source: {product: a}}": "traces.sigma.pipeline", ":": "traces.sigma.not_yaml",
		"- {source: {product: a}, when: [{match: {}}]}": "traces.sigma.pipeline", "- {source: {}, when: []}": "traces.sigma.no_logsource",
		"- {source: {product: a}, when: [{match: {f: {g: h}}}]}": "traces.sigma.want_list", strings.Repeat("#", maxFile+1): "traces.sigma.too_long",
	} {
		if _, err := ParsePipeline("p.yaml", []byte(text)); text != ":" || err != nil {
			wantKey(t, err, key)
		}
	}
}

func TestCompileRefusesWhatWasNotRead(t *testing.T) {
	t.Parallel()
	_, err := Compile([]*Rule{{}}, nil)
	wantKey(t, err, "traces.sigma.not_parsed")
}

func TestTestFolder(t *testing.T) {
	t.Parallel()
	rules, err := fs.Sub(testdata, "testdata/rules")
	if err != nil {
		t.Fatal(err)
	}
	tried, err := Parser{}.TestFolder(rules)
	if err != nil {
		t.Fatal(err)
	}
	if len(tried) < 4 {
		t.Errorf("%d files of rules", len(tried))
	}
	for _, f := range tried {
		if !f.OK() || !f.Tested || f.Cases < 2 || f.Title == "" {
			t.Errorf("%+v", f)
		}
	}
	rule := ruleText("s:\n  A: x\ncondition: s\n")
	tried, err = Parser{}.TestFolder(fstest.MapFS{
		"a/faux.yml":       {Data: []byte(rule)},
		"a/faux.test.yml":  {Data: []byte("match:\n  - {A: x}\n  - {A: y}\nno_match:\n  - {A: X}\n")},
		"b/nu.yml":         {Data: []byte(rule)},
		"b/cassé.yml":      {Data: []byte("title: [")},
		"b/mal.yml":        {Data: []byte(rule)},
		"b/mal.test.yml":   {Data: []byte("hits: []\n")},
		"b/vide.yaml":      {Data: []byte(rule)},
		"b/vide.test.yaml": {Data: []byte("match: []\n")},
		"b/LISEZMOI.md":    {Data: []byte("x")},
	})
	if err != nil || len(tried) != 5 {
		t.Fatal(tried, err)
	}
	got := map[string]Tried{}
	for _, f := range tried {
		got[f.File] = f
	}
	if f := got["a/faux.yml"]; f.OK() || !slices.Equal(f.Failed, []Failed{{Line: 3, WantHit: true}, {Line: 5, WantHit: false}}) {
		t.Errorf("%+v", f)
	}
	if f := got["b/nu.yml"]; !f.OK() || f.Tested {
		t.Errorf("%+v", f)
	}
	wantKey(t, got["b/cassé.yml"].Err, "traces.sigma.not_yaml")
	wantKey(t, got["b/mal.yml"].Err, "traces.sigma.test_file")
	wantKey(t, got["b/vide.yaml"].Err, "traces.sigma.test_file")
}

func TestRegress(t *testing.T) {
	t.Parallel()
	rule := func(id, image string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("title: T " + id + "\nid: " + id + "\nlogsource: {product: windows, category: process_creation}\ndetection:\n  s:\n    Image|endswith: '" + image + "'\n  condition: s\n")}
	}
	trial := func(id string, count string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte("rule_metadata:\n  - id: " + id + "\n    title: T\nregression_tests_info:\n  - type: evtx\n" + count + "    path: regression_data/rules/" + id + "/" + id + ".evtx\n")}
	}
	event := &fstest.MapFile{Data: []byte(strings.SplitAfter(windowsEvents, "}}}}")[0])}
	other := &fstest.MapFile{Data: []byte(strings.Replace(string(event.Data), "Sysmon/Operational", "Autre", 1))}
	fsys := fstest.MapFS{
		"rules/x/hit.yml": rule("hit", "a.exe"), "rules/x/miss.yml": rule("miss", "b.exe"), "rules-two/few.yml": rule("few", "a.exe"), "rules/none.yml": rule("none", "a.exe"), "rules/src.yml": rule("src", "a.exe"), "rules/bad.yml": {Data: []byte("x")}, "other/skip.yml": {Data: []byte("x")},
		"regression_data/rules/hit/info.yml": trial("hit", ""), "regression_data/rules/hit/hit.json": event,
		"regression_data/rules/miss/info.yml": trial("miss", ""), "regression_data/rules/miss/miss.json": event,
		"regression_data/rules/few/info.yml": trial("few", "    match_count: 2\n"), "regression_data/rules/few/few.json": event,
		"regression_data/rules/none/info.yml": trial("none", ""), "regression_data/rules/src/info.yml": trial("src", ""), "regression_data/rules/src/src.json": other,
		"regression_data/rules/gone/info.yml": trial("gone", ""), "regression_data/rules/gone/gone.json": event, "regression_data/rules/odd/info.yml": {Data: []byte("x: [")},
	}
	report, err := Regress(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if report.Rules != 5 || len(report.Refused) != 1 || len(report.Outcomes) != 6 || report.Hits() != 1 {
		t.Errorf("%d rules, %d refused, %d outcomes, %d hits", report.Rules, len(report.Refused), len(report.Outcomes), report.Hits())
	}
	want := map[string]string{"hit": "", "miss": WhyNoHit, "few": WhyFewer, "none": WhyNoEvent, "src": WhyNoSource, "gone": WhyNoRule}
	for _, o := range report.Outcomes {
		if o.Why != want[o.Rule] || o.Hit() != (o.Rule == "hit") {
			t.Errorf("%s: %q", o.Rule, o.Why)
		}
	}
	_, err = Regress(fstest.MapFS{"rules/a.yml": rule("a", "x")})
	wantKey(t, err, "traces.sigma.no_regression")
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	r := parseOne(t, "title: T\nlogsource: {product: windows, category: process_creation}\ndetection:\n  s:\n    Image|endswith: '\\WINWORD.EXE'\n  condition: s\n")
	set, err := Compile([]*Rule{r}, nil)
	if err != nil {
		t.Fatal(err)
	}
	planted := texts("Channel", "Security", "EventID", "4688", "NewProcessName", `C:\winword.exe`)
	events := Stream([]Record{planted}, 400, 9)
	clock := epoch
	one := set.Measure(events, 2, 1, func() time.Time { clock = clock.Add(time.Second); return clock })
	two := set.Measure(events, 2, 2, func() time.Time { clock = clock.Add(time.Second); return clock })
	if one.Events != 800 || one.PerSecond() != 800 || one.Hits != two.Hits || one.Hits < 40 || one.Hits > 400 {
		t.Errorf("%+v %+v", one, two)
	}
	if (Speed{}).PerSecond() != 0 {
		t.Error("no time gives no speed")
	}
}
