package sms

import (
	"crypto/tls"
	"embed"
	"net"
	"strconv"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/wire/gsm"
	"tocsin/internal/wire/smpp"
)

// Locales holds the sentences of this channel.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Kind is the way to speak to an SMSC.
type Kind struct{}

// Describe lists the settings of a gateway, in the order of its contract sheet.
func (Kind) Describe() channels.Description {
	number := func(name, value string, low, high int) channels.Field {
		return channels.Field{Name: name, Type: channels.Number, Default: value, Min: low, Max: high}
	}
	choice := func(name string, values ...string) channels.Field {
		return channels.Field{Name: name, Type: channels.Choice, Default: values[0], Choices: values}
	}
	return channels.Description{
		Kind:   "smpp",
		Medium: channels.SMS,
		Fields: []channels.Field{
			{Name: "host", Type: channels.Text, Required: true},
			number("port", "2775", 1, 65535),
			{Name: "tls", Type: channels.Bool, Default: "false"},
			{Name: "tls_ca", Type: channels.Text},
			{Name: "tls_server_name", Type: channels.Text},
			{Name: "system_id", Type: channels.Text, Required: true},
			{Name: "password", Type: channels.Secret},
			{Name: "system_type", Type: channels.Text},
			{Name: "source", Type: channels.Text},
			choice("source_ton", tonChoices()...),
			choice("source_npi", npiChoices()...),
			choice("dest_ton", tonChoices()...),
			choice("dest_npi", npiChoices()...),
			choice("bind_mode", "transceiver", "separate"),
			number("binds", "1", 1, 16),
			number("window", "50", 1, 1000),
			number("rate", "0", 0, 100000),
			choice("long", "udh8", "udh16", "payload"),
			choice("id_format", "auto", "same", "hex", "dec"),
			choice("receipts", "all", "failures", "none"),
			choice("validity", "relative", "absolute", "none"),
			{Name: "service_type", Type: channels.Text},
			number("connect_timeout", "10", 1, 120),
			number("response_timeout", "10", 1, 120),
			number("enquire_link", "30", 1, 600),
		},
		Concurrency: concurrency,
		Limits: func(s channels.Settings) channels.Limits {
			return channels.Limits{PerSecond: float64(s.Int("rate")), Links: max(s.Int("binds"), 1)}
		},
		Receipts: true,
		Replies:  true,
	}
}

func tonChoices() []string { return []string{"auto", "0", "1", "2", "3", "4", "5", "6"} }

func npiChoices() []string {
	return []string{"auto", "0", "1", "3", "4", "6", "8", "9", "10", "14", "18"}
}

// concurrency fills every window; under a rate, two seconds' worth is enough
// for the longest usual response time.
func concurrency(s channels.Settings) int {
	n := max(s.Int("binds"), 1) * max(s.Int("window"), 1)
	if rate := s.Int("rate"); rate > 0 {
		n = min(n, max(2*rate, 2))
	}
	return n
}

// Open returns a channel to the gateway; nothing is connected yet.
func (Kind) Open(o channels.Opening) (channels.Channel, error) {
	cfg, err := parseConfig(o.Settings)
	if err != nil {
		return nil, err
	}
	return newChannel(cfg, o), nil
}

// Modes of long messages.
const longPayload = "payload"

// config is the settings, parsed once.
type config struct {
	address           string
	tls               *tls.Config
	bind              smpp.Bind
	source            smpp.Address
	destTON, destNPI  string
	separate          bool
	binds, window     int
	rate              int
	long              string
	reference         gsm.Reference
	idFormat          string
	registered        byte
	validity          string
	serviceType       string
	connect, response time.Duration
	enquire           time.Duration
}

func parseConfig(s channels.Settings) (config, error) {
	seconds := func(name string) time.Duration { return time.Duration(s.Int(name)) * time.Second }
	c := config{
		address: net.JoinHostPort(s.Get("host"), s.Get("port")),
		bind: smpp.Bind{
			SystemID: s.Get("system_id"), Password: s.Get("password"), SystemType: s.Get("system_type"),
		},
		source:      sourceAddress(s),
		destTON:     s.Get("dest_ton"),
		destNPI:     s.Get("dest_npi"),
		separate:    s.Get("bind_mode") == "separate",
		binds:       s.Int("binds"),
		window:      s.Int("window"),
		rate:        s.Int("rate"),
		long:        s.Get("long"),
		reference:   gsm.Reference8,
		idFormat:    s.Get("id_format"),
		registered:  registered(s.Get("receipts")),
		validity:    s.Get("validity"),
		serviceType: s.Get("service_type"),
		connect:     seconds("connect_timeout"),
		response:    seconds("response_timeout"),
		enquire:     seconds("enquire_link"),
	}
	if c.long == "udh16" {
		c.reference = gsm.Reference16
	}
	if err := c.checkLengths(s.Get("source")); err != nil {
		return config{}, err
	}
	if s.Bool("tls") {
		var err error
		if c.tls, err = channels.ClientTLS(s); err != nil {
			return config{}, err
		}
	}
	return c, nil
}

// checkLengths tries what the protocol bounds, so that a setting too long is
// told at once and at its field.
func (c config) checkLengths(source string) error {
	if _, err := smpp.AppendBind(nil, smpp.BindTransceiver, 1, &c.bind); err != nil {
		return fieldFault(err)
	}
	probe := smpp.Message{ServiceType: c.serviceType, Source: c.source}
	if _, err := smpp.AppendMessage(nil, smpp.SubmitSM, 1, &probe); err != nil {
		return fieldFault(err)
	}
	// An alphanumeric sender holds 11 characters (TS 23.040 §9.1.2.5).
	if c.source.TON == smpp.TONAlphanumeric && len(source) > 11 {
		return fault.New(fault.Invalid, "channels.smpp.too_long", "max", 11).At("source")
	}
	return nil
}

func registered(receipts string) byte {
	switch receipts {
	case "failures":
		return smpp.RegisteredFailure
	case "none":
		return smpp.RegisteredNone
	default:
		return smpp.RegisteredFinal
	}
}

// byteOr returns the number of a TON or NPI setting, or the automatic value.
func byteOr(setting string, automatic byte) byte {
	n, err := strconv.ParseUint(setting, 10, 8)
	if err != nil {
		return automatic
	}
	return byte(n)
}
