package email

import (
	"embed"
	"fmt"
	"log/slog"
	"time"

	"tocsin/internal/channels"
)

// Locales holds the sentences of this kind: its settings, its faults, and the
// button of its messages.
//
//go:embed locales/*.yaml
var Locales embed.FS

// The ways to protect a connection to the relay.
const (
	securityNone     = "none"
	securityStartTLS = "starttls"
	securityTLS      = "tls"
)

// Kind is the kind "smtp": a pool of kept connections to a mail relay.
type Kind struct{}

var _ channels.Kind = Kind{}

// Describe says which settings a relay needs.
func (Kind) Describe() channels.Description {
	return channels.Description{
		Kind:   "smtp",
		Medium: channels.Email,
		Fields: []channels.Field{
			{Name: "host", Type: channels.Text, Required: true},
			{Name: "port", Type: channels.Number, Required: true, Default: "25", Min: 1, Max: 65535},
			{
				Name: "tls", Type: channels.Choice, Required: true, Default: securityStartTLS,
				Choices: []string{securityStartTLS, securityTLS, securityNone},
			},
			{Name: "tls_pin", Type: channels.Text},
			{Name: "user", Type: channels.Text},
			{Name: "password", Type: channels.Secret},
			{Name: "from", Type: channels.Text, Required: true},
			{Name: "from_name", Type: channels.Text},
			{Name: "reply_domain", Type: channels.Text},
			{Name: "helo", Type: channels.Text},
			{Name: "dkim_selector", Type: channels.Text},
			{Name: "dkim_key", Type: channels.Secret, Drawn: true},
			{Name: "pool", Type: channels.Number, Required: true, Default: "8", Min: 1, Max: 64},
			{Name: "rate", Type: channels.Number, Required: true, Default: "0", Min: 0, Max: 600000},
			{Name: "timeout", Type: channels.Number, Required: true, Default: "30", Min: 1, Max: 300},
		},
		Concurrency: func(s channels.Settings) int { return max(1, s.Int("pool")) },
		Limits: func(s channels.Settings) channels.Limits {
			return channels.Limits{PerSecond: float64(s.Int("rate")) / 60}
		},
		Receipts: true,
		Replies:  true,
	}
}

// Open builds the channel. What comes back by mail does not pass through it
// but through a Listener, which app starts beside it: Opening.Inbox is unused.
func (Kind) Open(o channels.Opening) (channels.Channel, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		return nil, fmt.Errorf("open smtp channel: no clock")
	}
	client, err := NewClient(o.Settings, o.Now)
	if err != nil {
		return nil, err
	}
	cfg := client.cfg
	if cfg.security == securityNone && !isLoopback(cfg.host) {
		o.Log.Warn("e-mail leaves in clear to the relay", "host", cfg.host)
	}
	return newChannel(client, o.Log, o.Now), nil
}

// idleClose is how long a connection is kept without use: shorter than the
// five minutes of RFC 5321 §4.5.3.2.7, because firewalls forget sooner.
const idleClose = 30 * time.Second

// perConnection is how many messages a connection carries before it is
// replaced; many relays cut at 100 or more.
const perConnection = 100
