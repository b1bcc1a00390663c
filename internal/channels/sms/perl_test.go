package sms_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/wire/smpp"
	peer "tocsin/test/peers/smpp"
)

func perlSettings(p *peer.Perl) channels.Settings {
	return channels.Settings{
		"host": "127.0.0.1", "port": strconv.Itoa(p.Port), "system_id": "hopital", "password": "secret",
		"source": "36000", "id_format": "hex", "response_timeout": "5", "connect_timeout": "5",
	}
}

// A second gateway that we did not write, whose receipt precedes its response
// and names the message in another base.
func TestPerlGateway(t *testing.T) {
	t.Parallel()
	gateway := peer.StartPerl(t)
	r := run(t, perlSettings(gateway))
	r.inbox.FailNext(1)
	expires := clock.Real().Now().Add(time.Hour)
	out := r.Send(context.Background(), channels.Message{
		ID: uuid.New(), To: number(1), Text: "Plan blanc à l'été", ExpiresAt: expires,
	})
	if out.State != channels.Accepted || len(out.ProviderIDs) != 1 {
		t.Fatalf("outcome %+v", out)
	}
	channelstest.Eventually(t, "both deliveries are answered, one of them refused for now", func() bool {
		return len(gateway.Acknowledgements()) == 2
	})
	refused := 0
	for _, a := range gateway.Acknowledgements() {
		if a.Status == int(smpp.StatusReceiverTemporary) {
			refused++
		} else if a.Status != 0 {
			t.Errorf("acknowledgement %+v", a)
		}
	}
	if refused != 1 {
		t.Errorf("%d deliveries refused, want the one the inbox could not keep", refused)
	}
	got := gateway.Messages()
	if len(got) != 1 || got[0].To != number(1)[1:] || got[0].From != "36000" || got[0].Text != "Plan blanc \x7f l'\x05t\x05" ||
		got[0].Coding != smpp.CodingDefault || got[0].Registered != smpp.RegisteredFinal {
		t.Errorf("the gateway took %+v", got)
	}

	end, err := smpp.ParseTime(got[0].Validity, clock.Real().Now())
	if err != nil || end.Sub(expires).Abs() > 10*time.Second {
		t.Errorf("validity %s, want until %s (%v)", got[0].Validity, expires, err)
	}
	second := r.accepted(2, "Plan blanc")
	for _, receipt := range r.receipts(1) {
		if receipt.ProviderID != second.ProviderIDs[0] && receipt.ProviderID != out.ProviderIDs[0] || !receipt.Delivered {
			t.Errorf("receipt %+v, outcomes %+v and %+v", receipt, out, second)
		}
	}
	channelstest.Eventually(t, "the reply arrives", func() bool {
		_, replies := r.inbox.Kept()
		return len(replies) > 0 && replies[len(replies)-1].Text == "OUI j'arrive" && replies[len(replies)-1].From == number(2) &&
			replies[len(replies)-1].To == "36000"
	})
}

func TestPerlGatewayRefusesTheBind(t *testing.T) {
	t.Parallel()
	in := perlSettings(peer.StartPerl(t))
	channel := open(t, in, channelstest.NewInbox())
	if err := channel.Check(context.Background()); err != nil {
		t.Errorf("right password: %v", err)
	}
	in["password"] = "faux"
	err := open(t, in, channelstest.NewInbox()).Check(context.Background())
	if f := fault.As(err); f == nil || f.Key != "channels.smpp.auth" {
		t.Errorf("wrong password: got %v", err)
	}
}
