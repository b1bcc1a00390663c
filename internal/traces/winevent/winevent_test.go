package winevent_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/winevent"
)

const received = int64(1796047506000000) // 2026-11-30T14:05:06Z

// event writes one as Windows does.
func event(id, keywords, data string) string {
	return `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/><EventID>` + id + `</EventID><Version>2</Version><Level>0</Level><Task>12544</Task><Keywords>` + keywords + `</Keywords><TimeCreated SystemTime='2026-11-30T14:05:00.1234567Z'/><EventRecordID>77</EventRecordID><Correlation/><Execution ProcessID='4' ThreadID='8'/><Channel>Security</Channel><Computer>DC1.chu.local</Computer><Security/></System><EventData>` + data + `</EventData></Event>`
}

func data(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&b, `<Data Name='%s'>%s</Data>`, pairs[i], pairs[i+1])
	}
	return b.String()
}

const (
	passed = "0x8020000000000000"
	failed = "0x8010000000000000"
)

func TestMeanings(t *testing.T) {
	t.Parallel()
	cases := []struct{ in, want string }{
		{event("4624", passed, data("SubjectUserName", "-", "TargetUserName", "a.martin", "TargetDomainName", "CHU", "LogonType", "3", "WorkstationName", "W-2310-04", "IpAddress", "::ffff:10.1.2.3")), "login success a.martin W-2310-04 10.1.2.3 Network  "},
		{event("4625", failed, data("TargetUserName", "a.martin", "LogonType", "2", "WorkstationName", "-", "IpAddress", "-")), "login denied a.martin DC1.chu.local  Interactive  "},
		{event("4634", passed, data("TargetUserName", "a.martin", "LogonType", "3")), "logout success a.martin DC1.chu.local  Network  "},
		{event("4740", passed, data("TargetUserName", "a.martin", "SubjectUserName", "DC1$")), "login denied a.martin DC1.chu.local    "},
		{event("4768", failed, data("TargetUserName", "a.martin", "IpAddress", "10.1.2.3")), "login denied a.martin DC1.chu.local 10.1.2.3   "},
		{event("4728", passed, data("MemberName", "CN=Alice", "TargetUserName", "Domain Admins", "SubjectUserName", "admin")), "configure success admin DC1.chu.local   Domain Admins CN=Alice"},
		{event("4688", passed, data("SubjectUserName", "a", "NewProcessName", `C:\x.exe`, "CommandLine", "x /y")), `execute success a DC1.chu.local   C:\x.exe x /y`},
		{event("9999", "0x0", data("x", "y")), "unsaid unsaid  DC1.chu.local    "},
		{strings.Replace(event("307", "0x0", ""), "Security-Auditing", "PrintService", 1), "print success  DC1.chu.local    "},
	}
	for _, c := range cases {
		events, err := winevent.Format{}.Parse(nil, []byte(c.in), received)
		if err != nil || len(events) != 1 {
			t.Fatal(err, len(events))
		}
		e := events[0]
		got := fmt.Sprint(e.Action, " ", e.Outcome, " ", e.Account, " ", e.Workstation, " ", e.Address, " ", e.Purpose, " ", e.Object, " ", e.Parameter)
		if got != c.want || string(e.Raw) != c.in || e.At != 1796047500123456 || e.Severity != 6 || !strings.HasPrefix(e.Key, "DC1.chu.local/Security/77/") {
			t.Errorf("%s:\n got %q\nwant %q", e.Verb, got, c.want)
		}
	}
}

func TestPrintAndClearedLogAndMessage(t *testing.T) {
	t.Parallel()
	in := strings.NewReplacer("Security-Auditing", "PrintService", "<EventData></EventData>", "<UserData><DocumentPrinted xmlns='x'><Param1>5</Param1><Param2>CR &amp; ordonnance</Param2><Param3>a.martin</Param3><Param4>W1</Param4><Param5>IMP-2310</Param5></DocumentPrinted></UserData><RenderingInfo Culture='fr-FR'><Message>Le document a été imprimé.</Message><Level>x</Level></RenderingInfo>").Replace(event("307", "0x0", ""))
	events, err := winevent.Format{}.Parse(nil, []byte(in), received)
	e := events[0]
	if err != nil || e.Account != "a.martin" || e.Object != "CR & ordonnance" || e.Device != "IMP-2310" || e.Message != "Le document a été imprimé." || !slices.Contains(e.Extra, traces.Pair{Name: "event.workstation", Value: "W1"}) {
		t.Errorf("%v %+v", err, e)
	}
	events, _ = winevent.Format{}.Parse(nil, []byte(event("1102", "0x0", data("SubjectUserName", "admin"))), received)
	if e := events[0]; e.Action != traces.Delete || e.Object != "Security" || e.Account != "admin" {
		t.Errorf("%+v", e)
	}
}

func TestMany(t *testing.T) {
	t.Parallel()
	one, two := event("4624", passed, data("TargetUserName", "a")), event("4634", passed, data("TargetUserName", "b"))
	for _, in := range []string{one + "\n" + two, "<Events>" + one + two + "</Events>"} {
		events, err := winevent.Format{}.Parse(nil, []byte(in), received)
		if err != nil || len(events) != 2 || string(events[0].Raw) != one || string(events[1].Raw) != two || events[1].Account != "b" {
			t.Errorf("%d events, %v", len(events), err)
		}
	}
	cut := one + two[:200]
	events, err := winevent.Format{}.Parse(nil, []byte(cut), received)
	if f := fault.As(err); f == nil || f.Key != "traces.winevent.cut" || len(events) != 2 || string(events[1].Raw) != two[:200] || !events[1].AtGuessed {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestNoEndOfEvents(t *testing.T) {
	t.Parallel()
	in := "<Events>" + strings.Repeat("<Event/>", winevent.MaxEvents+10) + "</Events>"
	events, err := winevent.Format{}.Parse(nil, []byte(in), received)
	if f := fault.As(err); f == nil || f.Key != "traces.winevent.many" || len(events) != winevent.MaxEvents+1 || string(events[winevent.MaxEvents].Raw) != strings.Repeat("<Event/>", 10)+"</Events>" {
		t.Error(len(events), err)
	}
}

func TestHostile(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":     "cut",
		"<a/>": "none",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><Event>&b;</Event>": "doctype",
		"<Event>" + strings.Repeat("<a>", 100000):          "xml",
		"<Event><System>":  "cut",
		"<Event/>":         "time",
		"<Event></System>": "xml",
	} {
		events, err := winevent.Format{}.Parse(nil, []byte(in), received)
		if f := fault.As(err); f == nil || f.Key != "traces.winevent."+want || len(events) != 1 || string(events[0].Raw) != in {
			t.Errorf("%.60q: %v", in, err)
		}
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", winevent.Locales)
	if !winevent.Fits(event("1", "", "")) || winevent.Fits("<Event/>") {
		t.Error("what fits is not told")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(event("4624", passed, data("TargetUserName", "a", "IpAddress", "10.0.0.1"))))
	f.Add([]byte("<Events><Event><UserData><a><b>c</b></a></UserData></Event></Events>"))
	f.Fuzz(func(t *testing.T, in []byte) {
		events, err := winevent.Format{}.Parse(nil, in, received)
		if len(events) == 0 || err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%q: %v", in, err)
		}
		for _, e := range events {
			if !bytes.Contains(in, e.Raw) {
				t.Fatalf("%q: raw %q", in, e.Raw)
			}
		}
	})
}
