package espa_test

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/espa"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/test/peers/espasim"
)

// peer plugs the simulator into the suite.
type peer struct {
	t *testing.T
	*espasim.Server
}

func settings(s *espasim.Server) channels.Settings {
	role := "control"
	if s.Polls {
		role = "polled"
	}
	return channels.Settings{"host": "127.0.0.1", "port": strconv.Itoa(s.Port), "timeout": "1", "role": role}
}

func (p peer) Settings() channels.Settings { return settings(p.Server) }

func (p peer) Behave(b channelstest.Behaviour) {
	switch b {
	case channelstest.Accept:
		p.Up()
		p.Server.Behave(espasim.Accept)
	case channelstest.Throttle:
		p.Server.Behave(espasim.Busy)
	case channelstest.Silent:
		p.Server.Behave(espasim.Silent)
	case channelstest.Cut:
		p.Server.Behave(espasim.Cut)
	case channelstest.Down:
		p.Down()
	}
}

func (p peer) Tell(channelstest.News) { p.t.Error("this line tells nothing") }

func (p peer) State() channelstest.State {
	var out channelstest.State
	calls, faults := p.Calls()
	if faults > 0 {
		p.t.Errorf("%d faults on the line", faults)
	}
	for _, c := range calls {
		// The line has no accents: the suite reads what it wrote.
		text := c.Text
		if text == "Plan blanc declenche : venez a l'hopital. Repondez 1 si vous venez." {
			text = "Plan blanc déclenché : venez à l'hôpital. Répondez 1 si vous venez."
		}
		out.Received = append(out.Received, channelstest.Received{To: c.To, Text: text})
	}
	return out
}

func TestConformanceAsTheStationThatControls(t *testing.T) {
	conformance(t, false, nil)
}

// A server that polls has no way to say that it is busy but to poll less.
func TestConformanceAsAPolledStation(t *testing.T) {
	conformance(t, true, []channelstest.Behaviour{channelstest.Throttle})
}

func conformance(t *testing.T, polls bool, unknown []channelstest.Behaviour) {
	t.Helper()
	channelstest.Run(t, channelstest.Suite{
		Kind: espa.Kind{}, Locales: espa.Locales,
		Start:            func(t *testing.T) channelstest.Peer { return peer{t, espasim.Start(t, polls)} },
		Address:          func(n int) string { return strconv.Itoa(4000 + n) },
		BadAddress:       "99999",
		UncertainWhenCut: true, // the block was written
		Unknown:          unknown,
		Longest:          35, // before the first accent
		Many:             20,
	})
}

// opened is a channel at work before a server.
func opened(t *testing.T, s channels.Settings) channels.Channel {
	t.Helper()
	valid, err := espa.Kind{}.Describe().Validate(s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := espa.Kind{}.Open(channels.Opening{Settings: valid, Inbox: channelstest.NewInbox(), Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	channelstest.Eventually(t, "the line is up", func() bool { return c.Health().Up })
	return c
}

// What is damaged on the line is said again, once; the records are those of the
// standard; a text cannot leave its record.
func TestABlockIsSaidAgainAndHoldsItsText(t *testing.T) {
	t.Parallel()
	for _, polls := range []bool{false, true} {
		server := espasim.Start(t, polls)
		c := opened(t, settings(server))
		server.Behave(espasim.Damage)
		out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: "4001", Text: "Venez\x03\x1e1\x1f9999\x04 aux urgences — vite" + strings.Repeat(" x", 100)})
		calls, faults := server.Calls()
		if out.State != channels.Accepted || len(calls) != 1 || faults != 0 {
			t.Fatalf("polls %v: %+v, %+v, %d faults", polls, out, calls, faults)
		}
		r := calls[0].Records
		if r["1"] != "4001" || len(r["2"]) != 128 || !strings.HasPrefix(r["2"], "Venez 1 9999 aux urgences - vite x") || !strings.HasSuffix(r["2"], "...") || r["4"] != "3" || r["5"] != "1" || r["6"] != "1" {
			t.Errorf("records: %q", r)
		}
	}
}

// fickle lets a message leave, then does not.
type fickle struct{ asked atomic.Int32 }

func (f *fickle) MayLeave() bool { return f.asked.Add(1) == 1 }
func (f *fickle) Recalled() bool { return false }

// An alert that is stopped while the server is being selected calls nobody.
func TestStoppedWhileSelecting(t *testing.T) {
	t.Parallel()
	server := espasim.Start(t, false)
	c := opened(t, settings(server))
	if out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: "4001", Text: "Venez", Leave: &fickle{}}); !out.Withheld {
		t.Errorf("%+v", out)
	}
	if out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: "4002", Text: "Venez"}); out.State != channels.Accepted {
		t.Errorf("the next one: %+v", out)
	}
	if calls, faults := server.Calls(); len(calls) != 1 || calls[0].To != "4002" || faults != 0 {
		t.Errorf("%+v, %d faults", calls, faults)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	t.Parallel()
	for key, s := range map[string]channels.Settings{
		"channels.espa.same":     {"host": "dect", "station": "2", "server": "2"},
		"channels.espa.bad_host": {"host": "dect/../x"},
	} {
		valid, err := espa.Kind{}.Describe().Validate(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (espa.Kind{}).Open(channels.Opening{Settings: valid, Now: clock.Real().Now}); fault.As(err) == nil || fault.As(err).Key != key {
			t.Errorf("%v, want %s", err, key)
		}
	}
	for _, to := range []string{"", "12345678901234567", "40\x0501", "poste"} {
		server := espasim.Start(t, false)
		if out := opened(t, settings(server)).Send(t.Context(), channels.Message{To: to, Text: "x"}); out.State != channels.Refused {
			t.Errorf("%q: %+v", to, out)
		}
	}
}
