package espa_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/espa"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/test/peers/espasim"
)

func onLine(t *testing.T, s channels.Settings) (channels.Channel, error) {
	t.Helper()
	valid, err := espa.Kind{}.Describe().Validate(s)
	if err != nil {
		t.Fatal(err)
	}
	return espa.Kind{}.Open(channels.Opening{Settings: valid, Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
}

// A call passes through a serial line as through a network, and a line that one
// program holds is no other's.
func TestASerialLine(t *testing.T) {
	t.Parallel()
	server, device := espasim.StartSerial(t)
	settings := channels.Settings{"device": device, "role": "polled", "speed": "1200", "framing": "7e2", "timeout": "2"}
	c, err := onLine(t, settings)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	channelstest.Eventually(t, "the line is up", func() bool { return c.Health().Up })
	out := c.Send(t.Context(), channels.Message{ID: uuid.New(), To: "4512", Text: "Plan blanc : venez à l’hôpital"})
	calls, faults := server.Calls()
	if out.State != channels.Accepted || faults != 0 || len(calls) != 1 || calls[0].To != "4512" || calls[0].Text != "Plan blanc : venez a l'hopital" {
		t.Errorf("%+v, %d faults, %+v", out, faults, calls)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A file that is no line is neither made nor written to.
func TestAFileIsNoSerialLine(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("/dev/shm", "no-line-")
	if err != nil {
		t.Skip("there is no folder below /dev to put a file in")
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, device := range []string{file, filepath.Join(folder, "absent")} {
		c, err := onLine(t, channels.Settings{"device": device})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: %v", device, err)
		}
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "mine" {
		t.Errorf("%q %v", text, err)
	}
	for _, s := range []channels.Settings{
		{}, {"device": "/dev/ttyS0", "host": "dect.example"}, {"device": "/etc/passwd"}, {"device": "/dev/../etc/passwd"}, {"device": "ttyS0"},
	} {
		if _, err := onLine(t, s); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", s, err)
		}
	}
}
