package pager

import (
	"embed"
	"net"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// Locales holds the sentences of this channel.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Kind is the way to speak to a paging server.
type Kind struct{}

// Describe lists the settings of a paging server.
func (Kind) Describe() channels.Description {
	text := func(name string) channels.Field { return channels.Field{Name: name, Type: channels.Text} }
	number := func(name, value string, low, high int) channels.Field {
		return channels.Field{Name: name, Type: channels.Number, Default: value, Min: low, Max: high}
	}
	return channels.Description{
		Kind:   "snpp",
		Medium: channels.Pager,
		Fields: []channels.Field{
			{Name: "host", Type: channels.Text, Required: true},
			number("port", "444", 1, 65535),
			text("user"),
			{Name: "password", Type: channels.Secret},
			number("length", "240", 20, 2000),
			{Name: "letters", Type: channels.Choice, Default: "plain", Choices: []string{"plain", "utf8"}},
			{Name: "level", Type: channels.Choice, Default: "none", Choices: []string{"none", "0", "1", "2", "3", "4"}},
			text("caller"), text("command"),
			number("connections", "2", 1, 16),
			number("rate", "0", 0, 6000),
			number("timeout", "15", 1, 300),
		},
		Concurrency: func(s channels.Settings) int { return max(1, s.Int("connections")) },
		Limits: func(s channels.Settings) channels.Limits {
			return channels.Limits{PerSecond: float64(s.Int("rate")) / 60, Links: max(1, s.Int("connections")), Calls: true}
		},
	}
}

// Open returns a channel to the server; nothing is connected yet.
func (Kind) Open(o channels.Opening) (channels.Channel, error) {
	s := o.Settings
	for _, name := range []string{"host", "user", "password", "caller", "command"} {
		if strings.ContainsFunc(s.Get(name), control) {
			return nil, fault.New(fault.Invalid, "channels.snpp.one_line").At(name)
		}
	}
	if strings.ContainsRune(s.Get("user"), ' ') {
		return nil, fault.New(fault.Invalid, "channels.snpp.one_line").At("user")
	}
	c := config{
		address: net.JoinHostPort(s.Get("host"), s.Get("port")), host: s.Get("host"), timeout: time.Duration(s.Int("timeout")) * time.Second,
		length: s.Int("length"), plain: s.Get("letters") == "plain",
	}
	if user := s.Get("user"); user != "" {
		c.login = strings.TrimSpace("LOGI " + user + " " + s.Get("password"))
	}
	if level := s.Get("level"); level != "none" {
		c.before = append(c.before, "LEVE "+level)
	}
	if caller := s.Get("caller"); caller != "" {
		c.before = append(c.before, "CALL "+caller)
	}
	if command := s.Get("command"); command != "" {
		c.before = append(c.before, command)
	}
	return &channel{config: c, links: o.Links, pulse: channels.NewPulse(o.Now)}, nil
}

func control(r rune) bool { return r < 0x20 || r == 0x7f }

// config is the settings, parsed once.
type config struct {
	address, host string
	login         string
	// before are the commands that precede a page.
	before  []string
	length  int
	plain   bool
	timeout time.Duration
}
