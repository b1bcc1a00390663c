package syslog_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/syslog"
)

func paris(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func at(text string) int64 {
	when, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return when.UnixMicro()
}

var received = at("2026-11-30T14:00:00Z")

func one(t testing.TB, f syslog.Format, message string, received int64) (traces.Event, error) {
	t.Helper()
	events, err := f.Parse(nil, []byte(message), received)
	if len(events) != 1 {
		t.Fatalf("%q: %d events", message, len(events))
	}
	e := events[0]
	if string(e.Raw) != message || e.Received != received || e.Collector != syslog.Name {
		t.Errorf("%q: raw %q", message, e.Raw)
	}
	return e, err
}

func extra(e traces.Event, name string) string {
	for _, p := range e.Extra {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// TestReadAs holds what machines write against what is understood of it.
func TestReadAs(t *testing.T) {
	t.Parallel()
	f := syslog.Format{Zone: paris(t)}
	cases := []struct {
		in                    string
		at                    string // "" is guessed
		severity              int8
		host, app, proc, text string
		problem               string
	}{
		{"<165>1 2026-11-30T14:05:06.003Z dpi.chu.fr evntslog 8710 ID47 [ex@32473 iut=\"3\" src=\"App\\\"lication\"] \ufeffUn dossier", "2026-11-30T14:05:06.003Z", 5, "dpi.chu.fr", "evntslog", "8710", "Un dossier", ""},
		{"<34>1 2026-11-30T15:05:06+01:00 h su - - - 'su root' failed", "2026-11-30T14:05:06Z", 2, "h", "su", "", "'su root' failed", ""},
		{"<14>1 - - - - - -", "", 6, "", "", "", "", ""},
		{"<14>1 - h a p m [x", "", 6, "h", "a", "p", "[x", "traces.syslog.data"},
		{"<14>1 - h a p m [x y=z] text", "", 6, "h", "a", "p", "[x y=z] text", "traces.syslog.data"},
		{"<14>1 - h a p m [ok a=\"b\"][x y=\"z] text", "", 6, "h", "a", "p", "[x y=\"z] text", "traces.syslog.data"},
		{"<14>1 2026-11-30T14:05:06Z h a", "2026-11-30T14:05:06Z", 6, "h", "a", "", "", "traces.syslog.header"},
		{"<14>1 - h a p m no data", "", 6, "h", "a", "p", "no data", "traces.syslog.data"},

		{"<34>Nov 30 14:05:06 mymachine su: 'su root' failed", "2026-11-30T13:05:06Z", 2, "mymachine", "su", "", "'su root' failed", ""},
		{"<34>Nov  3 14:05:06 srv sshd[123]: hello\n", "2026-11-03T13:05:06Z", 2, "srv", "sshd", "123", "hello", ""},
		{"<13>Feb  5 17:32:18 10.0.0.99 Use the BFG!", "2026-02-05T16:32:18Z", 5, "10.0.0.99", "", "", "Use the BFG!", ""},
		{"<13>Nov 30 14:05:06 root: from logger", "2026-11-30T13:05:06Z", 5, "", "root", "", "from logger", ""},
		{"<13>Nov 30 14:05:06.789 h app: ms", "2026-11-30T13:05:06.789Z", 5, "h", "app", "", "ms", ""},
		{"<13>Nov 30 2025 14:05:06 h app: an old one", "2025-11-30T13:05:06Z", 5, "h", "app", "", "an old one", ""},
		{"<13>2025 Nov 30 14:05:06 h app: year first", "2025-11-30T13:05:06Z", 5, "h", "app", "", "year first", ""},
		{"<13>Nov 30 14:05:06 2025 h app: ctime", "2025-11-30T13:05:06Z", 5, "h", "app", "", "ctime", ""},
		{"<13>Nov 30 14:05:06 UTC h app: zone", "2026-11-30T14:05:06Z", 5, "h", "app", "", "zone", ""},
		{"<13>Nov 30 14:05:06 +0400 h app: offset", "2026-11-30T10:05:06Z", 5, "h", "app", "", "offset", ""},
		{"<13>Nov 30 14:05:06 RET h app: La Réunion", "2026-11-30T10:05:06Z", 5, "h", "app", "", "La Réunion", ""},
		{"<13>2026-11-30T15:05:06.5+01:00 h postfix/smtpd[9]: iso", "2026-11-30T14:05:06.5Z", 5, "h", "postfix/smtpd", "9", "iso", ""},
		{"<13>2026-11-30 14:05:06 h app: iso local", "2026-11-30T13:05:06Z", 5, "h", "app", "", "iso local", ""},
		{"<189>45: *Mar  1 00:00:45.123 UTC: %SYS-5-CONFIG_I: Configured from console", "", 5, "", "SYS", "", "Configured from console", ""},
		{"<189>000045: *Nov 30 13:59:45.123 UTC: %SYS-5-CONFIG_I: Configured", "2026-11-30T13:59:45.123Z", 5, "", "SYS", "", "Configured", ""},
		{"<189>45: R1: .Nov 30 14:59:45.123: %LINK-3-UPDOWN: down", "2026-11-30T13:59:45.123Z", 5, "R1", "LINK", "", "down", ""},
		{"<189>R1: Nov 30 14:59:45.123: %LINK-3-UPDOWN: down", "2026-11-30T13:59:45.123Z", 5, "R1", "LINK", "", "down", ""},
		{"<166>Oct 10 2026 12:34:56: %ASA-6-302013: Built", "2026-10-10T10:34:56Z", 6, "", "ASA", "", "Built", ""},
		{"<166>Oct 10 2026 12:34:56 fw1 : %ASA-6-302013: Built", "2026-10-10T10:34:56Z", 6, "fw1", "ASA", "", "Built", ""},
		{"<166>%ASA-6-302013: Built", "", 6, "", "ASA", "", "Built", ""},
		{"<13>fe80::1 is up", "", 5, "", "", "", "fe80::1 is up", ""},
		{"<13>Nov 30 14:05:06 fe80::1 app: six", "2026-11-30T13:05:06Z", 5, "fe80::1", "app", "", "six", ""},
		{"<13>app[1]: no date", "", 5, "", "app", "1", "no date", ""},
		{"<13>http://x/y is no tag", "", 5, "", "", "", "http://x/y is no tag", ""},
		{"<13>", "", 5, "", "", "", "", ""},
		{"<13>Nov 31 14:05:06 h app: no such day", "", 5, "", "", "", "Nov 31 14:05:06 h app: no such day", ""},

		{"Nov 30 14:05:06 h app: no PRI", "2026-11-30T13:05:06Z", -1, "h", "app", "", "no PRI", ""},
		{"rien de tout cela", "", -1, "", "", "", "rien de tout cela", "traces.syslog.no_pri"},
		{"<999>Nov 30 14:05:06 h app: PRI", "2026-11-30T13:05:06Z", -1, "h", "app", "", "PRI", "traces.syslog.pri"},
		{"<999>1 2026-11-30T14:05:06Z h app - - - PRI", "2026-11-30T14:05:06Z", -1, "h", "app", "", "PRI", "traces.syslog.pri"},
		{"<1x>Nov 30 14:05:06 h app: PRI", "", -1, "", "", "", "<1x>Nov 30 14:05:06 h app: PRI", "traces.syslog.no_pri"},
		{"", "", -1, "", "", "", "", "traces.syslog.no_pri"},
		{"<13>Nov 30 14:05:06 h app: \xe9t\xe9 \x80", "2026-11-30T13:05:06Z", 5, "h", "app", "", "été €", ""},
		{"<13>Nov 30 14:05:06 h app: a\x00b\x00", "2026-11-30T13:05:06Z", 5, "h", "app", "", "a\ufffdb", ""},
		{"\ufeff<13>Nov 30 14:05:06 h app: mark", "2026-11-30T13:05:06Z", 5, "h", "app", "", "mark", ""},
	}
	for _, c := range cases {
		e, err := one(t, f, c.in, received)
		got := fmt.Sprint(e.Severity, "|", e.Workstation, "|", e.Application, "|", extra(e, "syslog.procid"), "|", e.Message)
		want := fmt.Sprint(c.severity, "|", c.host, "|", c.app, "|", c.proc, "|", c.text)
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", c.in, got, want)
		}
		wantAt := received
		if c.at != "" {
			wantAt = at(c.at)
		}
		if e.At != wantAt || e.AtGuessed != (c.at == "") {
			t.Errorf("%q: at %v guessed %v", c.in, time.UnixMicro(e.At).UTC(), e.AtGuessed)
		}
		problem := ""
		if f := fault.As(err); f != nil {
			problem = f.Key
		}
		if problem != c.problem {
			t.Errorf("%q: %q, want %q", c.in, problem, c.problem)
		}
	}
}

// TestTheYear holds what a stamp without a year means around its turn.
func TestTheYear(t *testing.T) {
	t.Parallel()
	cases := []struct{ zone, received, stamp, want string }{
		{"UTC", "2027-01-01T00:00:10Z", "Dec 31 23:59:59", "2026-12-31T23:59:59Z"},
		{"UTC", "2026-12-31T23:59:50Z", "Jan  1 00:00:05", "2027-01-01T00:00:05Z"},
		{"Europe/Paris", "2026-12-31T23:30:00Z", "Jan  1 00:30:00", "2026-12-31T23:30:00Z"},
		{"Pacific/Tahiti", "2027-01-01T05:00:00Z", "Dec 31 19:00:00", "2027-01-01T05:00:00Z"},
		{"UTC", "2028-03-01T00:00:00Z", "Feb 29 12:00:00", "2028-02-29T12:00:00Z"},
		{"UTC", "2026-03-01T00:00:00Z", "Feb 29 12:00:00", "2024-02-29T12:00:00Z"},
		{"UTC", "2026-03-01T00:00:00Z", "Jul  1 12:00:00", "2025-07-01T12:00:00Z"},
		{"UTC", "2026-03-01T00:00:00Z", "Mar 20 12:00:00", "2026-03-20T12:00:00Z"},
		// The hour that summer's end shows twice is the one near the reception.
		{"Europe/Paris", "2026-10-25T00:30:01Z", "Oct 25 02:30:00", "2026-10-25T00:30:00Z"},
		{"Europe/Paris", "2026-10-25T01:30:01Z", "Oct 25 02:30:00", "2026-10-25T01:30:00Z"},
	}
	for _, c := range cases {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		e, _ := one(t, syslog.Format{Zone: zone}, "<13>"+c.stamp+" h app: x", at(c.received))
		if e.At != at(c.want) || e.AtGuessed {
			t.Errorf("%s received %s: %v, want %s", c.stamp, c.received, time.UnixMicro(e.At).UTC(), c.want)
		}
	}
}

func TestStructuredDataGoesToExtra(t *testing.T) {
	t.Parallel()
	e, err := one(t, syslog.Format{}, `<165>1 2026-11-30T14:05:06Z h app 1 CONSULT [meta sequenceId="7"][chu@32473 ipp="8001" texte="a\]b\\c"][vide] dossier ouvert`, received)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"meta.sequenceId": "7", "chu@32473.ipp": "8001", "chu@32473.texte": `a]b\c`, "vide": "true", "syslog.facility": "local4"} {
		if got := extra(e, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if e.Verb != "CONSULT" || e.Message != "dossier ouvert" {
		t.Error(e.Verb, e.Message)
	}
}

func TestWhoCameInAndWhoWasRefused(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"sshd[1]: Failed password for invalid user admin from 10.1.2.3 port 55 ssh2":                                         "login denied admin 10.1.2.3",
		"sshd[1]: Accepted publickey for a.martin from 10.1.2.4 port 55 ssh2: ED25519":                                       "login success a.martin 10.1.2.4",
		"sshd[1]: Disconnected from user a.martin 10.1.2.4 port 55":                                                          "logout success a.martin 10.1.2.4",
		"su: pam_unix(su:session): session opened for user root(uid=0) by a.martin(uid=1000)":                                "login success root ",
		"login[4]: pam_unix(login:auth): authentication failure; logname= uid=0 tty=tty1 ruser= rhost=10.9.9.9  user=jeanne": "login denied jeanne 10.9.9.9",
		"sudo: a.martin : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow":                                  "execute success a.martin ",
		"sudo: jeanne : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls":                               "execute denied jeanne ",
		"nginx: Failed password for x from y":                                                                                "unsaid unsaid  ",
	}
	for line, want := range cases {
		e, _ := one(t, syslog.Format{}, "<86>Nov 30 14:05:06 srv "+line, received)
		if got := fmt.Sprint(e.Action, " ", e.Outcome, " ", e.Account, " ", e.Address); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// letters is a format that reads what begins with "L:".
type letters struct{}

func (letters) Describe() traces.Description { return traces.Description{Name: "letters"} }
func (letters) Parse(dst []traces.Event, m []byte, received int64) ([]traces.Event, error) {
	e := traces.Begin("letters", m, received)
	e.Message = string(m)
	if strings.HasSuffix(e.Message, "?") {
		return append(dst, e), fault.New(fault.Invalid, "common.invalid")
	}
	return append(dst, e), nil
}

func TestInnerFormats(t *testing.T) {
	t.Parallel()
	f := syslog.Format{Inner: []syslog.Inner{{Fits: func(s string) bool { return strings.HasPrefix(s, "L:") }, Format: letters{}}}}
	line := "<13>Nov 30 14:05:06 srv app[1]: L:bonjour"
	events, err := f.Parse(nil, []byte(line), received)
	if err != nil || len(events) != 1 {
		t.Fatal(err, len(events))
	}
	e := events[0]
	if e.Collector != "letters" || e.Message != "L:bonjour" || string(e.Raw) != line || e.Severity != 5 || e.At != at("2026-11-30T14:05:06Z") || extra(e, "syslog.host") != "srv" || extra(e, "syslog.procid") != "1" {
		t.Errorf("%+v", e)
	}
	if _, err := f.Parse(nil, []byte(line+"?"), received); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}

func TestTheRestOfALineTooLong(t *testing.T) {
	t.Parallel()
	f := syslog.Format{}
	events := f.Rest(nil, []byte("la suite"), received)
	if len(events) != 1 || extra(events[0], "tocsin.continues") != "true" || string(events[0].Raw) != "la suite" || !events[0].AtGuessed {
		t.Errorf("%+v", events)
	}
	long := "<13>Nov 30 14:05:06 srv app: " + strings.Repeat("é", traces.MaxRaw)
	events, err := f.Parse(nil, []byte(long), received)
	if err != nil || len(events[0].Raw) != traces.MaxRaw || len(events[0].Message) > traces.MaxText || !utf8.ValidString(events[0].Message) || extra(events[0], traces.CutName) == "" {
		t.Error(err, len(events[0].Raw), len(events[0].Message), events[0].Extra)
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", syslog.Locales)
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"<165>1 2026-11-30T14:05:06.003Z h app 8710 ID47 [ex@32473 iut=\"3\\\"\"] text", "<34>Nov  3 14:05:06 srv sshd[123]: Failed password for x from y port 1",
		"<189>45: *Mar  1 00:00:45.123 UTC: %SYS-5-CONFIG_I: Configured", "<13>2026-11-30 14:05:06,5 h app: x", "\xff\xfe<\x001\x00", "<166>Oct 10 2026 12:34:56 fw1 : %ASA-6-302013: Built", "<13>Feb 29 00:00:00 +0100 h\x00",
	} {
		f.Add([]byte(s))
	}
	format := syslog.Format{Zone: paris(f)}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		events, err := format.Parse(nil, in, received)
		if len(events) != 1 || !bytes.Equal(events[0].Raw, before) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%q: %d events, %v", in, len(events), err)
		}
		e := events[0]
		for _, text := range []string{e.Message, e.Workstation, e.Application, e.Verb, e.Account, e.Address} {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || len(text) > traces.MaxText {
				t.Fatalf("%q: %q", in, text)
			}
		}
	})
}
