package modem

import (
	"embed"
	"path/filepath"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// Locales holds the sentences of this channel.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Kind is the way to speak to gammu-smsd.
type Kind struct{}

// Describe lists the settings. The folders are those of the daemon's own file.
func (Kind) Describe() channels.Description {
	text := func(name, value string) channels.Field {
		return channels.Field{Name: name, Type: channels.Text, Default: value}
	}
	number := func(name, value string, low, high int) channels.Field {
		return channels.Field{Name: name, Type: channels.Number, Default: value, Min: low, Max: high}
	}
	return channels.Description{
		Kind:   "modem",
		Medium: channels.SMS,
		Fields: []channels.Field{
			text("outbox", "/var/spool/gammu/outbox"), text("sent", "/var/spool/gammu/sent"),
			text("error", "/var/spool/gammu/error"), text("inbox", "/var/spool/gammu/inbox"),
			text("pid_file", "/run/gammu-smsd.pid"),
			// A modem sends six to ten parts a minute.
			number("rate", "8", 0, 600),
			number("timeout", "60", 1, 600),
		},
		// What waits in the outbox has left dispatch's hands: the next is written while
		// the modem is at work on one, and no more.
		Concurrency: func(channels.Settings) int { return 2 },
		Limits: func(s channels.Settings) channels.Limits {
			return channels.Limits{PerSecond: float64(s.Int("rate")) / 60}
		},
		Replies: true,
	}
}

// Open returns a channel to the daemon; nothing is written yet.
func (Kind) Open(o channels.Opening) (channels.Channel, error) {
	s := o.Settings
	c := config{
		outbox: s.Get("outbox"), sent: s.Get("sent"), failed: s.Get("error"), inbox: s.Get("inbox"),
		pid: s.Get("pid_file"), timeout: time.Duration(s.Int("timeout")) * time.Second,
	}
	for at, path := range map[string]string{"outbox": c.outbox, "sent": c.sent, "error": c.failed, "inbox": c.inbox, "pid_file": c.pid} {
		if !filepath.IsAbs(path) || filepath.Clean(path) == "/" {
			return nil, fault.New(fault.Invalid, "channels.modem.not_absolute").At(at)
		}
	}
	if c.outbox == c.sent || c.outbox == c.failed || c.outbox == c.inbox || c.sent == c.failed || c.inbox == c.sent || c.inbox == c.failed {
		return nil, fault.New(fault.Invalid, "channels.modem.same_folder").At("outbox")
	}
	return &channel{config: c, inbox: o.Inbox, log: o.Log, now: o.Now, pulse: channels.NewPulse(o.Now)}, nil
}

// config is the settings, parsed once.
type config struct {
	outbox, sent, failed, inbox string
	pid                         string
	timeout                     time.Duration
}
