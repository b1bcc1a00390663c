package push

import (
	"crypto/ecdh"
	"embed"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	webpush "github.com/SherClockHolmes/webpush-go"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// Locales holds the sentences of this channel.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Kind is the kind "webpush".
type Kind struct {
	// Loopback lets the channel speak to this machine, without TLS: tests only.
	Loopback bool
}

// The names of the settings.
const (
	settingContact  = "contact"
	settingKey      = "vapid_key"
	settingPublic   = channels.PushPublicKey
	settingServices = "services"
)

// Describe lists the settings.
func (Kind) Describe() channels.Description {
	return channels.Description{
		Kind:   "webpush",
		Medium: channels.Push,
		Fields: []channels.Field{
			{Name: settingContact, Type: channels.Text, Required: true},
			{Name: settingServices, Type: channels.Area},
			{Name: "rate", Type: channels.Number, Required: true, Default: "0", Min: 0, Max: 600000},
			{Name: "connections", Type: channels.Number, Required: true, Default: "32", Min: 1, Max: 256},
			{Name: "timeout", Type: channels.Number, Required: true, Default: "15", Min: 1, Max: 120},
			{Name: settingKey, Type: channels.Secret},
			{Name: settingPublic, Type: channels.Text},
		},
		Concurrency: func(s channels.Settings) int { return max(1, s.Int("connections")) },
		Limits: func(s channels.Settings) channels.Limits {
			return channels.Limits{PerSecond: float64(s.Int("rate")) / 60}
		},
	}
}

// Complete makes the pair of keys by which push services know this house.
func (Kind) Complete(s channels.Settings) (channels.Settings, error) {
	if s.Get(settingKey) == "" {
		private, public, err := webpush.GenerateVAPIDKeys()
		if err != nil {
			return nil, fmt.Errorf("keys of the notifications: %w", err)
		}
		s[settingKey], s[settingPublic] = private, public
		return s, nil
	}
	public, err := publicOf(s.Get(settingKey))
	s[settingPublic] = public
	return s, err
}

// publicOf is the public half of a key, as browsers want it.
func publicOf(private string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(private, "="))
	if err == nil {
		var key *ecdh.PrivateKey
		if key, err = ecdh.P256().NewPrivateKey(raw); err == nil {
			return base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), nil
		}
	}
	return "", fault.Wrap(err, fault.Invalid, "channels.webpush.bad_key").At(settingKey)
}

// config is the settings, read.
type config struct {
	contact, private, public string
	services                 []string
	loopback                 bool
	timeout                  time.Duration
	connections              int
	rate                     float64
}

// browsers are the push services of the browsers of the day; a name that begins
// with a dot is a domain.
func browsers() []string {
	return []string{"fcm.googleapis.com", "updates.push.services.mozilla.com", ".push.services.mozilla.com", ".push.apple.com", ".notify.windows.com"}
}

func (k Kind) read(s channels.Settings) (config, error) {
	c := config{
		private: s.Get(settingKey), loopback: k.Loopback, timeout: time.Duration(s.Int("timeout")) * time.Second,
		connections: max(1, s.Int("connections")), rate: float64(s.Int("rate")) / 60,
	}
	c.contact = strings.TrimSpace(s.Get(settingContact))
	if u, err := url.Parse(c.contact); err != nil || u.Scheme != "https" && !strings.Contains(c.contact, "@") {
		return c, fault.New(fault.Invalid, "channels.webpush.bad_contact").At(settingContact)
	}
	// The library adds mailto: by itself.
	c.contact = strings.TrimPrefix(c.contact, "mailto:")
	for line := range strings.Lines(s.Get(settingServices)) {
		name := strings.ToLower(strings.TrimSpace(line))
		if name == "" {
			continue
		}
		if strings.ContainsAny(name, "/@* ") {
			return c, fault.New(fault.Invalid, "channels.webpush.bad_service", "name", name).At(settingServices)
		}
		c.services = append(c.services, name)
	}
	var err error
	c.public, err = publicOf(c.private)
	return c, err
}

// allowed tells whether an endpoint is that of a push service; named tells that
// an administrator named it, so that it may be on the inside.
func (c config) allowed(endpoint string) (u *url.URL, named, ok bool) {
	u, err := url.Parse(endpoint)
	if err != nil || u.User != nil || u.Host == "" || len(endpoint) > channels.EndpointMost {
		return nil, false, false
	}
	if u.Scheme != "https" && (!c.loopback || u.Scheme != "http") {
		return nil, false, false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	for _, s := range c.services {
		if strings.EqualFold(s, u.Host) || s == host && (port == "" || port == "443") {
			return u, true, true
		}
	}
	if port != "" && port != "443" || net.ParseIP(host) != nil {
		return nil, false, false
	}
	for _, s := range browsers() {
		if host == s || strings.HasPrefix(s, ".") && strings.HasSuffix(host, s) {
			return u, false, true
		}
	}
	return nil, false, false
}

// Open builds a channel.
func (k Kind) Open(o channels.Opening) (channels.Channel, error) {
	cfg, err := k.read(o.Settings)
	if err != nil {
		return nil, err
	}
	return newChannel(cfg, o), nil
}
