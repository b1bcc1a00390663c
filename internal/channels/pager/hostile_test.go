package pager_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/pager"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
)

// server answers each connection with one text, whatever it is told.
func server(t *testing.T, says string) channels.Settings {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.WriteString(conn, says) // the other side may hang up
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}()
		}
	}()
	return channels.Settings{"host": "127.0.0.1", "port": strconv.Itoa(l.Addr().(*net.TCPAddr).Port), "timeout": "1"}
}

func opened(t *testing.T, s channels.Settings) channels.Channel {
	t.Helper()
	valid, err := pager.Kind{}.Describe().Validate(s)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pager.Kind{}.Open(channels.Opening{Settings: valid, Inbox: channelstest.NewInbox(), Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
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
	return c
}

// TestAServerThatDoesNotSpeakSNPP is the gateway's fault, and holds nothing for long.
func TestAServerThatDoesNotSpeakSNPP(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"endless line": strings.Repeat("2", 1<<20), "endless reply": strings.Repeat("220-encore\r\n", 10_000), "no digits": "HTTP/1.1 400 Bad Request\r\n\r\n",
		"negative": "-20 x\r\n", "short": "22\r\n", "nothing": "", "busy": "421 gateway service unavailable\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := opened(t, server(t, says))
			channelstest.Eventually(t, "the outcome blames the gateway", func() bool {
				out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: "71001", Text: "Plan blanc"})
				return out.State == channels.Retry && out.GatewayDown && !out.Uncertain && out.Reason == channels.ReasonUnreachable
			})
			if err := c.Check(t.Context()); fault.As(err) == nil {
				t.Errorf("check: %v", err)
			}
		})
	}
}

// TestNothingBreaksOutOfItsCommand: an address is digits, a text is one line, and so
// are the settings.
func TestNothingBreaksOutOfItsCommand(t *testing.T) {
	t.Parallel()
	c := opened(t, server(t, "220 SNPP\r\n250 ok\r\n250 ok\r\n250 sent\r\n"))
	channelstest.Eventually(t, "the server is up", func() bool { return c.Health().Up })
	for _, to := range []string{"71001\r\nSEND", "", "bip", strings.Repeat("7", 21), "+33639980001"} {
		out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: to, Text: "x"})
		if out.State != channels.Refused || out.Reason != channels.ReasonInvalidAddress {
			t.Errorf("%q: %+v", to, out)
		}
	}
	if out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: "71001", Text: "Plan\r\nQUIT\x00 blanc"}); out.State != channels.Accepted {
		t.Errorf("outcome %+v", out)
	}
	for at, value := range map[string]string{"user": "a\r\nQUIT", "password": "a\nb", "caller": "\x7f", "command": "SITE x\r\nSEND", "host": "a\x00"} {
		s, err := pager.Kind{}.Describe().Validate(channels.Settings{"host": "127.0.0.1", at: value})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (pager.Kind{}).Open(channels.Opening{Settings: s, Now: time.Now}); fault.As(err) == nil || fault.As(err).Field != at {
			t.Errorf("%s: %v", at, err)
		}
	}
}
