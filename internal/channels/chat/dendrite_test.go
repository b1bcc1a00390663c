package chat_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/chat"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/test/peers/dendrite"
)

// running opens a channel that runs until stop.
func running(t *testing.T, s channels.Settings, inbox channels.Inbox) (c channels.Channel, stop func()) {
	t.Helper()
	valid, err := chat.Matrix{}.Describe().Validate(s)
	if err != nil {
		t.Fatal(err)
	}
	c, err = chat.Matrix{Loopback: true}.Open(channels.Opening{Settings: valid, Inbox: inbox, Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	channelstest.Eventually(t, "the channel is up", func() bool { return c.Health().Up })
	return c, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// A homeserver that we did not write carries a message once, brings the answer, and
// keeps the place we had read to: what is said while we are dead is read afterwards,
// were it more than it gives at once.
func TestMatrixWithDendrite(t *testing.T) {
	server := dendrite.Start(t)
	us, person, other := server.Account("tocsin"), server.Account("jeanne.martin"), server.Account("paul")
	s := channels.Settings{"server": server.URL, "token": us.Token, "clear": "true", "room_key": "clef"}
	inbox := channelstest.NewInbox()
	c, stop := running(t, s, inbox)

	m := channels.Message{ID: uuid.New(), To: person.ID, Text: "Plan blanc : répondez 1 si vous venez.", Language: "fr"}
	out := c.Send(t.Context(), m)
	if out.State != channels.Accepted || len(out.ProviderIDs) != 1 {
		t.Fatalf("outcome %+v", out)
	}
	if again := c.Send(t.Context(), m); again.State != channels.Accepted || again.ProviderIDs[0] != out.ProviderIDs[0] {
		t.Errorf("the same delivery is another event: %+v", again)
	}
	if out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: "@personne:" + dendrite.Name, Text: "?"}); out.State != channels.Refused || out.Reason != channels.ReasonInvalidAddress {
		t.Errorf("an account that does not exist: %+v", out)
	}
	person.Look()
	var read []dendrite.Message
	channelstest.Eventually(t, "the person is in the room", func() bool { read = person.Look(); return len(read) > 0 })
	if len(read) != 1 || read[0].Text != m.Text || read[0].ID != out.ProviderIDs[0] {
		t.Fatalf("the person reads %+v", read)
	}
	person.Read(read[0])
	person.Say(read[0].Room, "1 15")
	channelstest.Eventually(t, "the answer and the receipt are kept", func() bool {
		receipts, replies := inbox.Kept()
		return len(replies) == 1 && slices.ContainsFunc(receipts, func(r channels.Receipt) bool { return r.ProviderID == out.ProviderIDs[0] && r.Delivered })
	})
	if _, replies := inbox.Kept(); replies[0].From != person.ID || replies[0].Text != "1 15" || replies[0].PeerID == "" {
		t.Errorf("replies %+v", replies)
	}
	stop()

	const many = 70
	for n := range many {
		person.Say(read[0].Room, fmt.Sprint("ligne ", n))
	}
	inbox = channelstest.NewInbox()
	c, stop = running(t, s, inbox)
	defer stop()
	said := func() map[string]bool {
		_, replies := inbox.Kept()
		texts := map[string]bool{}
		for _, r := range replies {
			texts[r.Text] = true
		}
		return texts
	}
	channelstest.Eventually(t, "all that was said meanwhile is read", func() bool { return len(said()) >= many })
	for n := range many {
		if !said()[fmt.Sprint("ligne ", n)] {
			t.Fatalf("line %d was lost", n)
		}
	}

	person.Leave(read[0].Room)
	m.ID = uuid.New()
	channelstest.Eventually(t, "who left is asked back", func() bool {
		if out := c.Send(t.Context(), m); out.State != channels.Accepted {
			t.Fatalf("outcome %+v", out)
		}
		return len(person.Look()) > many
	})
	if n := len(other.Look()); n != 0 {
		t.Errorf("somebody else reads %d messages", n)
	}
	s["token"] = "faux"
	wrong, err := chat.Matrix{Loopback: true}.Open(channels.Opening{Settings: s, Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
	if err != nil {
		t.Fatal(err)
	}
	if f := fault.As(wrong.Check(t.Context())); f == nil || f.Key != "web.auth" && f.Key != "web.unreachable" {
		t.Errorf("a wrong token: %v", f)
	}
}
