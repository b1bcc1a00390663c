package smshttp_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/clock"
	"tocsin/test/peers/kannel"
	"tocsin/test/peers/smpp"
)

// road is Tocsin → Kannel → an SMSC, and back.
type road struct {
	smsc    *smpp.Node
	inbox   *channelstest.Inbox
	channel channels.Channel
	broken  atomic.Int64
}

func takeRoad(t *testing.T, password string) *road {
	t.Helper()
	r := &road{smsc: smpp.StartNode(t, smpp.Options{}), inbox: channelstest.NewInbox()}
	receipts := true
	r.smsc.Behave(smpp.Behaviour{Receipts: &receipts})
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		if err != nil {
			t.Error(err)
		}
		answer := r.channel.(channels.Called).Call(q.Context(), channels.Call{Method: q.Method, Query: q.URL.RawQuery, Header: q.Header, Body: body})
		if answer.Status != http.StatusOK {
			r.broken.Add(1)
		}
		w.WriteHeader(answer.Status)
	}))
	t.Cleanup(back.Close)
	callback := back.URL + "/retour"
	k := kannel.Start(t, r.smsc.Port, callback)
	r.channel = openedAt(t, channels.Settings{
		"preset": "kannel", "url": k.URL, "clear": "true", "user": kannel.User, "password": password, "source": "33639980000",
	}, r.inbox, clock.Real().Now, callback)
	channelstest.Eventually(t, "Kannel has its SMSC", func() bool { return r.smsc.State().Binds > 0 })
	return r
}

// TestThroughKannel sends through a real Kannel, and brings back the receipt by
// dlr-url and the reply by its service.
func TestThroughKannel(t *testing.T) {
	t.Parallel()
	r := takeRoad(t, kannel.Password)
	if err := r.channel.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	texts := []string{
		"PLAN BLANC déclenché & ouvert = 100 % : venez à l'hôpital. Rép 1 oui 2 non", // ô: UCS-2
		"Plan blanc: 7-bit & à é è ù, répondez 1+2 = \"oui\"; #? %d %20",
	}
	ids := map[uuid.UUID]bool{}
	for n, text := range texts {
		m := channels.Message{ID: uuid.New(), To: phoneOf(n), Text: text, ExpiresAt: clock.Real().Now().Add(2 * 60 * 60 * 1e9)}
		ids[m.ID] = true
		channelstest.Eventually(t, "Kannel takes the message", func() bool {
			out := r.channel.Send(t.Context(), m)
			if out.State == channels.Refused {
				t.Fatalf("refused: %+v", out)
			}
			return out.State == channels.Accepted
		})
	}
	channelstest.Eventually(t, "the SMSC received both", func() bool { return len(r.smsc.State().Received) == len(texts) })
	for _, m := range r.smsc.State().Received {
		n := 0
		if "+"+m.To == phoneOf(1) {
			n = 1
		}
		if m.Text != texts[n] || "+"+m.To != phoneOf(n) || m.Source != "33639980000" {
			t.Errorf("the SMSC received %+v", m)
		}
	}
	channelstest.Eventually(t, "both receipts came by dlr-url", func() bool {
		receipts, _ := r.inbox.Kept()
		delivered := 0
		for _, e := range receipts {
			if e.Final && e.Delivered && ids[e.MessageID] {
				delivered++
			}
		}
		return delivered == len(texts)
	})
	const answer = "OUI j'arrive à 8h & demie, 100% sûr"
	r.inbox.FailNext(1) // Kannel calls again
	r.smsc.Tell(smpp.News{About: 0, Reply: answer})
	channelstest.Eventually(t, "the reply came", func() bool {
		_, replies := r.inbox.Kept()
		return len(replies) == 1
	})
	_, replies := r.inbox.Kept()
	if got := replies[0]; got.Text != answer || got.From != "+"+r.smsc.State().Received[0].To || got.PeerID == "" {
		t.Errorf("%+v", got)
	}
	if r.broken.Load() == 0 {
		t.Error("the inbox never failed: Kannel was not seen to call again")
	}
}

func TestKannelRefusesTheAccount(t *testing.T) {
	t.Parallel()
	r := takeRoad(t, "faux")
	channelstest.Eventually(t, "the channel is up", func() bool { return r.channel.Health().Up })
	out := r.channel.Send(t.Context(), channels.Message{ID: uuid.New(), To: phoneOf(1), Text: "x"})
	if out.State != channels.Retry || out.Reason != channels.ReasonAuth || !out.GatewayDown || out.Uncertain {
		t.Errorf("%+v", out)
	}
	if n := len(r.smsc.State().Received); n != 0 {
		t.Errorf("%d messages left", n)
	}
}
