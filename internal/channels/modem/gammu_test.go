package modem_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/modem"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/test/peers/gammu"
)

// number returns the nth number of the range reserved for fiction (06 39 98).
func number(n int) string { return fmt.Sprintf("+3363998%04d", n) }

func settings(dir string) channels.Settings {
	at := func(name string) string { return filepath.Join(dir, name) }
	return channels.Settings{
		"outbox": at("out"), "sent": at("sent"), "error": at("error"), "inbox": at("in"), "pid_file": at("pid"), "timeout": "3", "rate": "600",
	}
}

// peer plugs the daemon into the suite.
type peer struct {
	t *testing.T
	*gammu.Daemon
	// cut ends the power cut that is awaited.
	cut *sync.WaitGroup
}

func (p peer) Settings() channels.Settings { return settings(p.Dir) }

func (p peer) Behave(b channelstest.Behaviour) {
	switch b {
	case channelstest.Accept:
		p.cut.Wait()
		p.Launch()
	case channelstest.Silent:
		p.Freeze()
	case channelstest.Cut:
		p.Freeze()
		p.cut.Go(func() { // the power goes once a message is in the outbox
			channelstest.Eventually(p.t, "a message is in the outbox", func() bool { return len(p.outbox()) > 0 })
			p.Kill()
		})
	case channelstest.Down:
		p.Kill()
	}
}

func (p peer) outbox() []string {
	list, err := filepath.Glob(filepath.Join(p.Dir, "out", "OUT*"))
	if err != nil {
		p.t.Fatal(err)
	}
	return list
}

func (p peer) Tell(n channelstest.News) { p.Receive(n.About.To, n.Reply) }

func (p peer) State() channelstest.State {
	out := channelstest.State{Unacknowledged: p.Waiting()}
	for name, text := range p.Sent() {
		out.Received = append(out.Received, channelstest.Received{To: strings.Split(name, "_")[3], Text: text})
	}
	return out
}

func TestConformance(t *testing.T) {
	channelstest.Run(t, channelstest.Suite{
		Kind: modem.Kind{}, Locales: modem.Locales,
		Start:            func(t *testing.T) channelstest.Peer { return peer{t, gammu.Start(t), new(sync.WaitGroup)} },
		Address:          number,
		BadAddress:       "accueil",
		UncertainWhenCut: true, // the daemon may have been sending it
		Many:             20,
		Unknown:          []channelstest.Behaviour{channelstest.Throttle},
	})
}

// opened is a channel at work in a folder.
func opened(t *testing.T, dir string, inbox channels.Inbox) channels.Channel {
	t.Helper()
	valid, err := modem.Kind{}.Describe().Validate(settings(dir))
	if err != nil {
		t.Fatal(err)
	}
	c, err := modem.Kind{}.Open(channels.Opening{Settings: valid, Inbox: inbox, Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Run(t.Context()) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	channelstest.Eventually(t, "the modem is up", func() bool { return c.Health().Up })
	return c
}

func message(n int) channels.Message {
	return channels.Message{ID: uuid.Must(uuid.NewV7()), To: number(n), Text: "Plan blanc : venez à l’hôpital 🏥"}
}

// TestTheSameMessageAfterACrashLeavesOnce: the sent folder remembers it.
func TestTheSameMessageAfterACrashLeavesOnce(t *testing.T) {
	t.Parallel()
	d := gammu.Start(t)
	m := message(1)
	for range 3 { // each its own channel, as after a crash
		if out := opened(t, d.Dir, channelstest.NewInbox()).Send(t.Context(), m); out.State != channels.Accepted || out.Uncertain {
			t.Fatalf("outcome %+v", out)
		}
	}
	sent := d.Sent()
	if len(sent) != 1 || strings.Count(d.Log(), "SMS sent on device") != 1 {
		t.Errorf("sent %v", sent)
	}
	for _, text := range sent {
		if text != m.Text {
			t.Errorf("sent %q", text)
		}
	}
	if !strings.Contains(d.Log(), `Recipient number "+33639980001"`) {
		t.Error("the telephone was not given the number")
	}
}

// TestALongReplyComesWhole: its parts are files, written one after another.
func TestALongReplyComesWhole(t *testing.T) {
	t.Parallel()
	d := gammu.Start(t)
	inbox := channelstest.NewInbox()
	opened(t, d.Dir, inbox)
	first, second := strings.Repeat("Je pars de Valbrume, ", 3), "j’arrive à 8 h."
	d.Receive(number(7), first, second)
	channelstest.Eventually(t, "the reply is kept", func() bool { return d.Waiting() == 0 })
	_, replies := inbox.Kept()
	var texts []string
	for _, r := range replies {
		texts = append(texts, r.Text)
		if r.From != number(7) || r.PeerID == "" {
			t.Errorf("reply %+v", r)
		}
	}
	if !slices.Equal(texts, []string{first + second}) {
		t.Errorf("replies %q", texts)
	}
}

// TestAFailureOfTheModemIsTriedAgainLater: the daemon gave up after its own retries.
func TestAFailureOfTheModemIsTriedAgainLater(t *testing.T) {
	t.Parallel()
	d := gammu.Start(t)
	c := opened(t, d.Dir, channelstest.NewInbox())
	d.Freeze()
	done := make(chan channels.Outcome, 1)
	go func() { done <- c.Send(t.Context(), message(2)) }()
	var path string
	channelstest.Eventually(t, "the message is in the outbox", func() bool {
		list, err := filepath.Glob(filepath.Join(d.Dir, "out", "OUT*"))
		if err != nil || len(list) == 0 {
			return false
		}
		path = list[0]
		return true
	})
	if err := os.Rename(path, filepath.Join(d.Dir, "error", filepath.Base(path))); err != nil {
		t.Fatal(err)
	}
	if out := <-done; out.State != channels.Retry || out.Uncertain || out.GatewayDown || out.RetryAfter != time.Minute {
		t.Errorf("outcome %+v", out)
	}
	d.Launch()
}

// TestHostileInbox: files that the daemon did not write, or that lie, take nothing down.
func TestHostileInbox(t *testing.T) {
	t.Parallel()
	d := gammu.Start(t)
	d.Kill() // nobody else reads the folder
	for name, text := range map[string]string{
		"IN20261130_051500_00_../../etc/passwd_00.txt":                "",
		"IN20261130_051500_01_+33639980001_00.txt":                    strings.Repeat("A", 1<<20),
		"IN20261130_051500_02_+33639980001_00.txt":                    "\xfe\xff\xd8",
		"IN20261130_051500_03_+33639980001_00.bin":                    "x",
		"IN20261130_051500_04_" + strings.Repeat("9", 80) + "_00.txt": "x",
		"smil.txt": "x",
	} {
		if strings.Contains(name, "/") {
			continue // no file system takes it
		}
		if err := os.WriteFile(filepath.Join(d.Dir, "in", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(d.Dir, "in", "IN20261130_051500_05_+33639980001_00.txt")); err != nil {
		t.Fatal(err)
	}
	d.Launch()
	inbox := channelstest.NewInbox()
	opened(t, d.Dir, inbox)
	channelstest.Eventually(t, "what can be read is read", func() bool { return d.Waiting() == 4 })
	_, replies := inbox.Kept()
	if len(replies) != 2 {
		t.Fatalf("%d replies", len(replies))
	}
	for _, r := range replies {
		if len(r.Text) > 4<<10 || strings.Contains(r.Text, "root:") {
			t.Errorf("a reply of %d octets", len(r.Text))
		}
	}
}

// TestAnAddressIsNoPath: what is no number never becomes the name of a file.
func TestAnAddressIsNoPath(t *testing.T) {
	t.Parallel()
	d := gammu.Start(t)
	c := opened(t, d.Dir, channelstest.NewInbox())
	for _, to := range []string{"../../x", "+33/639", "+", "", "+3363998000112345678901", "+33 6"} {
		m := message(1)
		m.To = to
		if out := c.Send(t.Context(), m); out.State != channels.Refused || out.Reason != channels.ReasonInvalidAddress {
			t.Errorf("%q: %+v", to, out)
		}
	}
}

func TestSettingsAreRefusedAtTheirField(t *testing.T) {
	t.Parallel()
	for at, value := range map[string]string{"outbox": "spool/out", "pid_file": "/", "sent": "sent"} {
		s := settings(t.TempDir())
		s[at] = value
		_, err := modem.Kind{}.Open(channels.Opening{Settings: s, Now: clock.Real().Now})
		if f := fault.As(err); f == nil || f.Field != at {
			t.Errorf("%s=%s: %v", at, value, err)
		}
	}
	s := settings(t.TempDir())
	s["error"] = s["sent"]
	if _, err := (modem.Kind{}).Open(channels.Opening{Settings: s, Now: clock.Real().Now}); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("the same folder twice: %v", err)
	}
}
