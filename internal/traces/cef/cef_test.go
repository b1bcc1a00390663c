package cef_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/cef"
)

const received = int64(1796047506000000) // 2026-11-30T14:05:06Z

func parse(t testing.TB, in string) (traces.Event, error) {
	t.Helper()
	events, err := cef.Format{}.Parse(nil, []byte(in), received)
	if len(events) != 1 || string(events[0].Raw) != in {
		t.Fatalf("%q: %d events", in, len(events))
	}
	return events[0], err
}

func said(e traces.Event) string {
	return fmt.Sprint([]any{e.At, e.Account, e.Address, e.Workstation, e.Application, e.Verb, e.Action, e.Outcome, e.Severity, e.Object, e.Message, e.Key})
}

func TestCEF(t *testing.T) {
	t.Parallel()
	in := `CEF:0|Wallix\|FR|Bastion|10.0|100|Session opened|7|rt=1796047500000 suser=CHU\\a.martin src=10.1.2.3 shost=W-2310-04 act=login outcome=failure msg=mot de passe refusé, a\=b reason=ticket 42 cs1Label=Cible cs1=srv dpi 1 request=https://h/?q\=1 x externalId=77 cn1=3 filePath=C:\\temp\\a b.txt`
	e, err := parse(t, in)
	want := `[1796047500000000 CHU\a.martin 10.1.2.3 W-2310-04 Bastion Session opened login denied 4 https://h/?q=1 x mot de passe refusé, a=b 77]`
	if err != nil || said(e) != want || e.Purpose != "ticket 42" {
		t.Errorf("%v\n got %s\nwant %s", err, said(e), want)
	}
	for _, p := range []traces.Pair{{Name: "event.vendor", Value: "Wallix|FR"}, {Name: "Cible", Value: "srv dpi 1"}, {Name: "cn1", Value: "3"}, {Name: "filePath", Value: `C:\temp\a b.txt`}} {
		if !slices.Contains(e.Extra, p) {
			t.Errorf("no %v in %v", p, e.Extra)
		}
	}
}

func TestLEEF(t *testing.T) {
	t.Parallel()
	tab := "LEEF:1.0|Stormshield|SNS|4.3|auth|devTime=Nov 30 2026 14:05:00.250\tusrName=a.martin\tsrc=10.1.2.3\tsev=5\tcat=login\toutcome=success\tmsg=a=b c"
	caret := "LEEF:2.0|Stormshield|SNS|4.3|auth|^|devTime=Nov 30 2026 14:05:00.250^usrName=a.martin^src=10.1.2.3^sev=5^cat=login^outcome=success^msg=a=b c"
	hex := "LEEF:2.0|Stormshield|SNS|4.3|auth|0x5E|" + caret[len("LEEF:2.0|Stormshield|SNS|4.3|auth|^|"):]
	for _, in := range []string{tab, caret, hex} {
		e, err := parse(t, in)
		want := `[1796047500250000 a.martin 10.1.2.3  SNS auth login success 5  a=b c ]`
		if err != nil || said(e) != want {
			t.Errorf("%q: %v\n got %s\nwant %s", in, err, said(e), want)
		}
	}
	e, err := parse(t, "LEEF:1.0|a|b|c|d|usrName=x src=10.0.0.1 msg=un deux")
	if err != nil || e.Account != "x" || e.Message != "un deux" {
		t.Error(err, e.Account, e.Message)
	}
}

func TestOdd(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"CEF:0|a|b|c|d|e|10":              "",
		"CEF:0|a|b|c|d|e|10|":             "",
		"CEF:0|a|b|c|d|e|High|just words": "",
		"CEF:0|a|b":                       "traces.cef.header",
		"CEF:":                            "traces.cef.header",
		"hello":                           "traces.cef.other",
		"CEF:0|a|b|c|d|e|1|rt=hier":       "traces.cef.value",
		"CEF:0|a|b|c|d|e|1|outcome=maybe": "traces.cef.value",
		"CEF:0|a|b|c|d|e|1|rt=Nov 30 2026 14:05:06 UTC end=2026-11-30T15:00:00Z": "",
	} {
		_, err := parse(t, in)
		got := ""
		if f := fault.As(err); f != nil {
			got = f.Key
		}
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	e, _ := parse(t, "CEF:0|a|b|c|d|e|1|msg=a = b c x=\\n y")
	if e.Message != "a = b c" || !slices.Contains(e.Extra, traces.Pair{Name: "x", Value: "\n y"}) {
		t.Error(e.Message, e.Extra)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", cef.Locales)
	if !cef.Fits("CEF:0|") || !cef.Fits("LEEF:1.0|") || cef.Fits("cef") {
		t.Error("what fits is not told")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`CEF:0|W\|x|B|1|100|S|7|rt=1796047500000 suser=a msg=b\=c cs1Label=d cs1=e`))
	f.Add([]byte("LEEF:2.0|S|N|4|auth|x5E|devTime=Nov 30 2026 14:05:00^usrName=a"))
	f.Fuzz(func(t *testing.T, in []byte) {
		events, err := cef.Format{}.Parse(nil, in, received)
		if len(events) != 1 || !bytes.Equal(events[0].Raw, in) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%q: %v", in, err)
		}
	})
}
