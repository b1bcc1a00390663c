package voice_test

import (
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/fault"
	peer "tocsin/test/peers/sip"
)

func through(exchange *peer.Kamailio, more channels.Settings) channels.Settings {
	s := settings(exchange.Port, channels.Settings{"domain": peer.Realm, "user": peer.User, "password": peer.Password, "register": "true", "identity": "pai"})
	for k, v := range more {
		s[k] = v
	}
	return s
}

// Through an exchange that registers, challenges and stays on the way of the call.
func TestThroughKamailio(t *testing.T) {
	t.Parallel()
	phone := peer.Start(t, peer.Options{Scenario: peer.Answer(500*time.Millisecond, 900*time.Millisecond, "2", "1")})
	exchange := peer.StartKamailio(t, phone.Port)
	b := open(t, through(exchange, nil), nil)
	// Another process writes what it saw when it has the time.
	channelstest.Eventually(t, "the exchange says that we registered", func() bool { return exchange.Saw("register "+peer.User) > 0 })
	if n := exchange.Saw("register " + peer.User); n != 1 {
		t.Errorf("registered %d times", n)
	}
	if out := b.send(message(1)); out.State != channels.Accepted || !out.Delivered || len(b.replies()) != 1 {
		t.Errorf("outcome %+v, replies %+v", out, b.replies())
	}
	channelstest.Eventually(t, "the end of the call went through the exchange", func() bool { return exchange.Saw("dialogue BYE") == 1 })
	if exchange.Saw("invite 0142000000") != 1 {
		t.Error("the number shown is another")
	}
	if err := b.channel.Check(t.Context()); err != nil {
		t.Errorf("check: %v", err)
	}
}

// A telephone that rings behind the exchange stops ringing when the caller gives up.
func TestGivingUpGoesThroughKamailio(t *testing.T) {
	t.Parallel()
	phone := peer.Start(t, peer.Options{Scenario: peer.Ring()})
	exchange := peer.StartKamailio(t, phone.Port)
	b := open(t, through(exchange, nil), nil)
	if out := b.send(message(1)); out.Reason != channels.ReasonNoAnswer {
		t.Errorf("outcome %+v", out)
	}
	channelstest.Eventually(t, "the telephone stops ringing", func() bool { return phone.Count("cancel") == 1 })
}

func TestAnExchangeThatRefusesUsSaysSo(t *testing.T) {
	t.Parallel()
	exchange := peer.StartKamailio(t, 9)
	kind := newKind()
	for what, s := range map[string]channels.Settings{"password": {"password": "faux"}, "silence": {"port": "9", "response_timeout": "1"}} {
		valid, err := kind.Describe().Validate(through(exchange, s))
		if err != nil {
			t.Fatal(err)
		}
		c, err := kind.Open(channels.Opening{Settings: valid, Inbox: channelstest.NewInbox(), Log: discard(), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		err = c.Check(t.Context())
		want := map[string]string{"password": "channels.sip.auth", "silence": "channels.sip.silent"}[what]
		if f := fault.As(err); f == nil || f.Key != want {
			t.Errorf("%s: %v, want %s", what, err, want)
		}
	}
}
