package demo_test

import (
	"errors"
	"maps"
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/channels/email"
	"tocsin/internal/channels/sms"
	"tocsin/internal/demo"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

var errOpened = errors.New("opened")

// gate tells what it was opened with, and opens nothing.
type gate struct {
	channels.Kind
	opened *channels.Settings
}

func (g gate) Open(o channels.Opening) (channels.Channel, error) {
	*g.opened = o.Settings
	return nil, errOpened
}

func TestFenceLetsOnlyThisMachineThrough(t *testing.T) {
	t.Parallel()
	for host, passes := range map[string]bool{
		"127.0.0.1": true, "127.8.9.10": true, "localhost": true, "::1": true, "[::1]": true, "::ffff:127.0.0.1": true, "127.0.0.1:2775": true,
		"": false, "smsc.operateur.example": false, "192.168.1.10": false, "10.0.0.1": false, "0.0.0.0": false, "::": false, "::ffff:8.8.8.8": false,
		"localhost.attaquant.example": false, "LOCALHOST": false, "127.0.0.1.nip.example": false, "127.1": false, "2130706433": false, "0x7f000001": false,
		" 127.0.0.1": false, "127.0.0.1 smsc.example": false, "127.0.0.1@smsc.example": false, "http://smsc.example/127.0.0.1": false, "http://127.0.0.1@smsc.example/": false,
		"http://127.0.0.1:8080/x": true, "localhost.": false, "ip6-localhost": false, "fe80::1%lo": false,
	} {
		opened := channels.Settings(nil)
		kind := demo.Fence(gate{sms.Kind{}, &opened})
		_, err := kind.Open(channels.Opening{Settings: channels.Settings{"host": host, "port": "2775"}})
		if through := errors.Is(err, errOpened); through != passes {
			t.Errorf("host %q: through is %v, want %v (%v)", host, through, passes, err)
		}
		if !passes && (opened != nil || fault.KindOf(err) != fault.Denied) {
			t.Errorf("host %q: the channel was opened, or the refusal is %v", host, err)
		}
		if host == "localhost" && opened.Get("host") != "127.0.0.1" {
			t.Errorf("localhost is opened as %q: a hosts file could lead it away", opened.Get("host"))
		}
	}
}

func TestFenceLooksAtEverySettingThatLeadsSomewhere(t *testing.T) {
	t.Parallel()
	good := channels.Settings{"host": "127.0.0.1", "tls_server_name": "smsc.example", "source": "CHSA", "from": "alerte@sainte-aurore.example"}
	if err := demo.OnlyLoopback(good); err != nil {
		t.Errorf("refused: %v", err)
	}
	for _, name := range []string{"proxy", "http_proxy", "base_url", "relay_host", "backup_address", "endpoint"} {
		s := maps.Clone(good)
		s[name] = "https://smsc.example/"
		if err := demo.OnlyLoopback(s); fault.KindOf(err) != fault.Denied {
			t.Errorf("%s leads elsewhere and passes: %v", name, err)
		}
	}
}

// The kinds of the product, opened through the fence with their own checks.
func TestFenceAroundTheRealKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range []channels.Kind{sms.Kind{}, email.Kind{}} {
		fenced := demo.Fence(kind)
		if fenced.Describe().Kind != kind.Describe().Kind {
			t.Errorf("the fence changes the description of %s", kind.Describe().Kind)
		}
		found := false
		for _, f := range fenced.Describe().Fields {
			found = found || f.Name == "host"
		}
		if !found {
			t.Errorf("%s has no host: the fence would refuse it always", kind.Describe().Kind)
		}
		_, err := fenced.Open(channels.Opening{Settings: channels.Settings{"host": "gateway.example", "port": "2775", "system_id": "x", "from": "a@b.example"}})
		if fault.KindOf(err) != fault.Denied {
			t.Errorf("%s leaves the machine: %v", kind.Describe().Kind, err)
		}
	}
}

func TestSentencesOfTheFence(t *testing.T) {
	t.Parallel()
	catalog, err := i18n.Load(demo.Locales)
	if err != nil {
		t.Fatal(err)
	}
	for _, settings := range []channels.Settings{{"host": "gateway.example"}, {}} {
		refusal := demo.OnlyLoopback(settings)
		for _, language := range []i18n.Language{i18n.French, i18n.English} {
			if said := catalog.For(language).Fault(refusal); len(said) < 30 || said == refusal.Error() {
				t.Errorf("%s: the refusal reads %q", language, said)
			}
		}
	}
}
