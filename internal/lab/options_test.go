package lab_test

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"tocsin/internal/lab"
)

// The lab listens and connects on this machine only, whatever is asked.
func TestTheLabStaysOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:2775", ":2775", "[::]:2775", "192.168.1.2:2775", "smsc.example:2775", "localhost.example:2775", "127.0.0.1.example:25", "::1", "127.1:25"} {
		for what, set := range map[string]func(*lab.Options){
			"smpp":    func(o *lab.Options) { o.SMPP = address },
			"smtp":    func(o *lab.Options) { o.SMTP = address },
			"sip":     func(o *lab.Options) { o.SIP = address },
			"control": func(o *lab.Options) { o.Control = address },
			"intake":  func(o *lab.Options) { o.Intake = address },
		} {
			o := lab.Defaults()
			o.SMPP, o.SMTP, o.SIP, o.Control = "", "", "", ""
			o.Ready = func(lab.Addresses) { t.Errorf("%s = %s: the lab runs", what, address) }
			set(&o)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := lab.Run(ctx, o); err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("%s = %s: %v", what, address, err)
			}
		}
	}
	for address, want := range map[string]string{"localhost:25": "127.0.0.1:25", "127.9.9.9:1": "127.9.9.9:1", "[::1]:25": "[::1]:25", "[::ffff:127.0.0.1]:25": "[::ffff:127.0.0.1]:25"} {
		if got, err := lab.Loopback(address); err != nil || got != want {
			t.Errorf("Loopback(%s) = %s, %v", address, got, err)
		}
	}
}

func TestAPortTakenIsSaidAndNothingStaysOpen(t *testing.T) {
	t.Parallel()
	r := start(t, nil)
	o := lab.Defaults()
	o.SMPP, o.SMTP, o.SIP, o.Control = "127.0.0.1:0", "127.0.0.1:0", "", r.Control
	if err := lab.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "lab: ") {
		t.Errorf("%v", err)
	}
}

// The command line without options and a program without a command line run the same lab.
func TestTheTagsSayTheDefaults(t *testing.T) {
	t.Parallel()
	var o lab.Options
	parser, err := kong.New(&o, kong.Name("lab"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(nil); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(o, lab.Defaults()) {
		t.Errorf("tags: %+v\nDefaults: %+v", o, lab.Defaults())
	}
	if _, err := parser.Parse([]string{"--fast", "--gateway-rate=200", "--people-speed=10", "--people-coming=0.3", "--intake=127.0.0.1:2526"}); err != nil {
		t.Fatal(err)
	}
	if !o.Fast || o.Gateway.Rate != 200 || o.People.Speed != 10 || o.People.Coming != 0.3 || o.Intake != "127.0.0.1:2526" {
		t.Errorf("%+v", o)
	}
}
