package espa

import (
	"cmp"
	"embed"
	"net"
	"path"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// Locales holds the sentences of this channel.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Kind is the way to speak to a DECT or nurse-call server.
type Kind struct{}

// The roles on the line.
const (
	roleControl = "control"
	rolePolled  = "polled"
)

// Describe lists the settings of a line.
func (Kind) Describe() channels.Description {
	number := func(name, value string, low, high int) channels.Field {
		return channels.Field{Name: name, Type: channels.Number, Default: value, Min: low, Max: high}
	}
	return channels.Description{
		Kind:   "espa",
		Medium: channels.Pager,
		Fields: []channels.Field{
			{Name: "host", Type: channels.Text},
			number("port", "4444", 1, 65535),
			{Name: "device", Type: channels.Text},
			{Name: "speed", Type: channels.Choice, Default: "9600", Choices: []string{"300", "600", "1200", "2400", "4800", "9600", "19200"}},
			{Name: "framing", Type: channels.Choice, Default: "7e1", Choices: []string{"7e1", "7e2", "8n1", "8e1", "8n2"}},
			{Name: "role", Type: channels.Choice, Default: roleControl, Choices: []string{roleControl, rolePolled}},
			number("station", "1", 0, 9),
			number("server", "2", 0, 9),
			number("length", "128", 20, textMost),
			{Name: "priority", Type: channels.Choice, Default: "1", Choices: []string{"1", "2", "3"}},
			number("beep", "3", 1, 9),
			number("repeats", "1", 1, 9),
			number("rate", "0", 0, 6000),
			number("timeout", "5", 1, 60),
		},
		Concurrency: func(channels.Settings) int { return 1 },
		Limits: func(s channels.Settings) channels.Limits {
			return channels.Limits{PerSecond: float64(s.Int("rate")) / 60, Links: 1}
		},
	}
}

// Open returns a channel to the server; nothing is connected yet.
func (Kind) Open(o channels.Opening) (channels.Channel, error) {
	s := o.Settings
	if s.Get("station") == s.Get("server") {
		return nil, fault.New(fault.Invalid, "channels.espa.same").At("server")
	}
	if strings.ContainsAny(s.Get("host"), " /\\@") {
		return nil, fault.New(fault.Invalid, "channels.espa.bad_host").At("host")
	}
	device := s.Get("device")
	if (device == "") == (s.Get("host") == "") {
		return nil, fault.New(fault.Invalid, "channels.espa.one_way").At("host")
	}
	if device != "" && (path.Clean(device) != device || !strings.HasPrefix(device, "/dev/")) {
		return nil, fault.New(fault.Invalid, "channels.espa.bad_device").At("device")
	}
	c := config{
		address: net.JoinHostPort(s.Get("host"), s.Get("port")), name: cmp.Or(s.Get("host"), device),
		device: device, speed: s.Get("speed"), framing: s.Get("framing"), timeout: time.Duration(s.Int("timeout")) * time.Second,
		polled: s.Get("role") == rolePolled, own: byte('0' + s.Int("station")), server: byte('0' + s.Int("server")),
		length: s.Int("length"), priority: s.Int("priority"), beep: s.Int("beep"), repeats: s.Int("repeats"),
	}
	return &channel{config: c, links: o.Links, pulse: channels.NewPulse(o.Now), jobs: make(chan job)}, nil
}

// config is the settings, parsed once.
type config struct {
	address string
	// name is the server or its line, for people.
	name string
	// device is the serial line, and how it is spoken to; empty for TCP.
	device, speed, framing string
	// polled waits for the server to ask; otherwise this station controls the line.
	polled      bool
	own, server byte
	length      int

	priority, beep, repeats int

	timeout time.Duration
}
