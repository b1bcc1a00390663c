package rules

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/sigma"
)

func nord() uuid.UUID { return uuid.MustParse("01900000-0000-7000-8000-000000000001") }
func sud() uuid.UUID  { return uuid.MustParse("01900000-0000-7000-8000-000000000002") }

func start() time.Time { return time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC) }

// shelf is rules in service on a folder and a database of a test.
func shelf(t *testing.T, dir string) (*Service, *storage.DB) {
	t.Helper()
	db := storagetest.SQLite(t, organisation.Migrations, journal.Migrations, traces.Migrations)
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	houses := organisation.New(db, guard, clock.NewFake(start()))
	for _, id := range []uuid.UUID{nord(), sud()} {
		if _, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{ID: id, Name: "CH " + id.String()}); err != nil {
			t.Fatal(err)
		}
	}
	s := New(Options{DB: db, Guard: guard, Clock: clock.NewFake(start()), Log: slog.New(slog.DiscardHandler), Dir: dir})
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, db
}

func officer(organisation uuid.UUID, roles ...access.Role) access.Scope {
	return access.For(organisation, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Youssef Lamine"}, true, roles...)
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const rule = `title: %s
id: %s
logsource: {product: tocsin}
detection: {s: {message|contains: %s}, condition: s}
level: high
`

func said(organisation uuid.UUID, message string) traces.Event {
	us := storage.Micros(start())
	return traces.Event{Organisation: organisation, Source: uuid.New(), Collector: "syslog", At: us, Received: us, Application: "sshd", Workstation: "srv-01", Message: message, Severity: 6}
}

func observe(t *testing.T, d traces.Detector, events ...traces.Event) []traces.Hit {
	t.Helper()
	hits, err := d.Observe(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

func TestOwnRulesPassTheirTrials(t *testing.T) {
	own, err := Own()
	if err != nil {
		t.Fatal(err)
	}
	tried, err := sigma.Parser{}.TestFolder(own)
	if err != nil || len(tried) != 3 {
		t.Fatal(len(tried), err)
	}
	for _, one := range tried {
		if !one.OK() || !one.Tested || one.Cases < 2 {
			t.Errorf("%s: %+v", one.File, one)
		}
	}
}

func TestABrokenRuleIsToldAndTheOthersServe(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "bon.yml", fmt.Sprintf(rule, "Mot suspect", "11111111-1111-4111-8111-111111111111", "malveillant"))
	put(t, dir, "casse.yml", "title: Cassée\nlogsource: {product: tocsin}\ndetection:\n  s: {a: b}\n  condition: absent\n")
	put(t, dir, "double.yml", fmt.Sprintf(rule, "Le même", "11111111-1111-4111-8111-111111111111", "x"))
	put(t, dir, "seule.yml", "title: Seule\ncorrelation:\n  type: event_count\n  rules: [personne]\n  group-by: [account]\n  timespan: 5m\n  condition: {gte: 3}\n")
	s, _ := shelf(t, dir)
	sheet, err := s.List(t.Context(), officer(nord(), access.SecurityOfficer))
	if err != nil || len(sheet.Refused) != 3 {
		t.Fatalf("%d refused, %v", len(sheet.Refused), err)
	}
	loc := i18ntest.Localizer(t, i18n.French, Locales, sigma.Locales)
	for _, r := range sheet.Refused {
		if sentence := loc.Fault(r.Err); !strings.Contains(sentence, "ligne") {
			t.Errorf("%s: %q names no line", r.File, sentence)
		}
	}
	d := s.Detector()
	if hits := observe(t, d, said(nord(), "un programme malveillant")); len(hits) != 1 || hits[0].Score != 75 || hits[0].Title != "Mot suspect" || len(hits[0].Evidence) != 1 {
		t.Fatalf("%+v", hits)
	}
	// The folder changes: the same Detector serves what it holds now.
	put(t, dir, "bon.yml", fmt.Sprintf(rule, "Mot suspect", "11111111-1111-4111-8111-111111111111", "inoffensif"))
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if hits := observe(t, d, said(nord(), "un programme malveillant"), said(nord(), "un mot inoffensif")); len(hits) != 1 {
		t.Fatalf("after the change: %+v", hits)
	}
}

func TestARuleSwitchedOffServesElsewhere(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "bon.yml", fmt.Sprintf(rule, "Mot suspect", "11111111-1111-4111-8111-111111111111", "malveillant"))
	s, db := shelf(t, dir)
	key := Prefix + "11111111-1111-4111-8111-111111111111"
	for name, scope := range map[string]access.Scope{"dpo": officer(nord(), access.DataProtection), "admin": officer(nord(), access.Administrator)} {
		if err := s.Switch(t.Context(), scope, key, false, "bruit"); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	scope := officer(nord(), access.SecurityOfficer)
	if err := s.Switch(t.Context(), scope, key, false, " "); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a reason: %v", err)
	}
	if err := s.Switch(t.Context(), scope, key, false, "Trop de bruit avec la sauvegarde"); err != nil {
		t.Fatal(err)
	}
	d := s.Detector()
	if hits := observe(t, d, said(nord(), "malveillant"), said(sud(), "malveillant")); len(hits) != 1 || hits[0].Organisation != sud() {
		t.Fatalf("%+v", hits)
	}
	r, err := s.Rule(t.Context(), scope, key)
	if err != nil || r.Off.By != "Youssef Lamine" || r.Off.Why == "" {
		t.Errorf("%+v, %v", r, err)
	}
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	noted, err := journal.NewReader(db, guard).Search(t.Context(), officer(nord(), access.Auditor), journal.Filter{Action: "traces.rules."})
	if err != nil || len(noted) != 1 || noted[0].ObjectID != key {
		t.Errorf("journal: %+v, %v", noted, err)
	}
	if err := s.Switch(t.Context(), scope, key, true, "Réglé"); err != nil {
		t.Fatal(err)
	}
	if hits := observe(t, d, said(nord(), "malveillant")); len(hits) != 1 {
		t.Errorf("back on: %+v", hits)
	}
}

func denied(organisation uuid.UUID, n int) traces.Event {
	us := storage.Micros(start().Add(time.Duration(n) * time.Second))
	return traces.Event{Organisation: organisation, Class: traces.Authentication, Collector: "jsonl", At: us, Received: us, Account: "durand", Action: traces.Login, Outcome: traces.Denied, Severity: -1}
}

func TestWhatAddsUpIsNeverMixedBetweenEstablishments(t *testing.T) {
	s, _ := shelf(t, "")
	d := s.Detector()
	for n := range 9 {
		if hits := observe(t, d, denied(nord(), n), denied(sud(), n)); len(hits) > 0 {
			t.Fatalf("%d refusals in each: %+v", n+1, hits)
		}
	}
	hits := observe(t, d, denied(nord(), 9))
	if len(hits) != 1 || hits[0].Organisation != nord() || hits[0].Account != "durand" || hits[0].Evidence[0].Args["count"] != "10" {
		t.Fatalf("%+v", hits)
	}
}

func TestAFloodOfOneRuleIsOneHit(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "bon.yml", fmt.Sprintf(rule, "Mot suspect", "11111111-1111-4111-8111-111111111111", "malveillant"))
	s, _ := shelf(t, dir)
	var events []traces.Event
	for range 5000 {
		events = append(events, said(nord(), "malveillant <script>alert(1)</script>"))
	}
	if hits := observe(t, s.Detector(), events...); len(hits) != 1 || hits[0].Events != 5000 {
		t.Fatalf("%d hits", len(hits))
	}
}

func TestNothingPassesBeforeTheRulesWereRead(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "bon.yml", fmt.Sprintf(rule, "Mot suspect", "11111111-1111-4111-8111-111111111111", "malveillant"))
	read, _ := shelf(t, dir)
	s := New(read.opt)
	if hits := observe(t, s.Detector(), said(nord(), "malveillant")); len(hits) != 1 {
		t.Errorf("%+v", hits)
	}
}

func TestFormatsAreReadUnderTheNamesOfRules(t *testing.T) {
	f := newFields()
	has := func(name, want string) {
		t.Helper()
		if v, ok := f.Record[name]; !ok || v[0].String() != want {
			t.Errorf("%s is %v, want %q", name, v, want)
		}
	}
	f.show(&traces.Event{Collector: "winevent", Verb: "4625", Action: traces.Login, Account: "durand", Purpose: "RemoteInteractive", Application: "Microsoft-Windows-Security-Auditing", Extra: []traces.Pair{{Name: "event.channel", Value: "Security"}, {Name: "Status", Value: "0xc000006d"}}})
	has("Channel", "Security")
	has("EventID", "4625")
	has("TargetUserName", "durand")
	has("LogonType", "10")
	has("Status", "0xc000006d")
	f.show(&traces.Event{Collector: "bulk", Extra: []traces.Pair{{Name: "winlog.event_data.CommandLine", Value: "whoami /all"}, {Name: "winlog.channel", Value: "Security"}, {Name: "winlog.event_id", Value: "4688"}}})
	has("CommandLine", "whoami /all")
	has("EventID", "4688")
	if _, old := f.Record["TargetUserName"]; old {
		t.Error("a field of the event before is left")
	}
	f.show(&traces.Event{Collector: "syslog", Class: traces.System, Application: "sshd", Workstation: "srv", Message: "x"})
	has("appname", "sshd")
	has("logsource.product", "tocsin")
	has("logsource.category", "system")
}

func TestARuleIsTriedOnEventsOfOnesChoice(t *testing.T) {
	s, _ := shelf(t, "")
	scope := officer(nord(), access.SecurityOfficer)
	const copies, series = Prefix + "7b1f5a52-3c0e-4a64-9a53-2f6f5b8f1006", Prefix + "7b1f5a52-3c0e-4a64-9a53-2f6f5b8f1003"
	out, err := s.Try(t.Context(), scope, copies, `{"message":"vssadmin delete shadows /all"} {"message":"bonjour"}`)
	if err != nil || len(out.Events) != 2 || !out.Events[0].Hit || out.Events[1].Hit || len(out.Events[0].Evidence) == 0 {
		t.Errorf("%+v, %v", out, err)
	}
	out, err = s.Try(t.Context(), scope, series, strings.Repeat(`{"action":"login","outcome":"denied","account":"a"}`, 10))
	if err != nil || !out.Held || out.Events[0].Hit {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := s.Try(t.Context(), scope, copies, "{"); !fault.Is(err, fault.Invalid) {
		t.Errorf("no JSON: %v", err)
	}
	if _, err := s.Try(t.Context(), scope, Prefix+"x", "{}"); !fault.Is(err, fault.NotFound) {
		t.Errorf("no rule: %v", err)
	}
	if _, err := s.Try(t.Context(), officer(nord(), access.Administrator), copies, "{}"); !fault.Is(err, fault.Denied) {
		t.Errorf("an administrator: %v", err)
	}
}
