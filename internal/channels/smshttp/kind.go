package smshttp

import (
	"embed"

	"tocsin/internal/channels"
	"tocsin/internal/wire/web"
)

// Locales holds the sentences of this channel.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Kind is the way to speak to a provider by HTTP.
type Kind struct {
	// Loopback lets the channel call this machine: tests and demonstrations only.
	Loopback bool
}

// automatic web.Leaves a setting to the preset.
const automatic = "auto"

// Describe lists the settings: the account first, then what a preset already knows.
func (Kind) Describe() channels.Description {
	text := func(name string) channels.Field { return channels.Field{Name: name, Type: channels.Text} }
	area := func(name string) channels.Field { return channels.Field{Name: name, Type: channels.Area} }
	number := func(name, value string, low, high int) channels.Field {
		return channels.Field{Name: name, Type: channels.Number, Default: value, Min: low, Max: high}
	}
	choice := func(name string, values ...string) channels.Field {
		return channels.Field{Name: name, Type: channels.Choice, Default: values[0], Choices: values}
	}
	return channels.Description{
		Kind:   "smshttp",
		Medium: channels.SMS,
		Fields: []channels.Field{
			choice("preset", presetNames()...),
			text("url"), text("account"), text("user"),
			{Name: "password", Type: channels.Secret},
			text("source"),
			choice("inbound_auth", automatic, authNone, authBasic, authHMAC, authTwilio),
			{Name: "inbound_secret", Type: channels.Secret},
			choice("method", automatic, "POST", "GET"),
			choice("format", automatic, web.Form, web.JSON),
			area("headers"), area("body"), area("answers"), text("id"), area("inbound"), text("check_url"),
			{Name: "clear", Type: channels.Bool, Default: "false"},
			text("proxy"), text("tls_ca"),
			number("connections", "8", 1, 64),
			number("rate", "0", 0, 10000),
			number("connect_timeout", "10", 1, 120),
			number("response_timeout", "15", 1, 120),
			number("address_round", "1", 1, 1000000),
		},
		Concurrency: func(s channels.Settings) int { return max(1, s.Int("connections")) },
		Receipts:    true,
		Replies:     true,
	}
}

// Open returns a channel to the provider; nothing is connected yet.
func (k Kind) Open(o channels.Opening) (channels.Channel, error) {
	cfg, err := parseConfig(o.Settings, o.Callback)
	if err != nil {
		return nil, err
	}
	return newChannel(cfg, o, k.Loopback), nil
}
