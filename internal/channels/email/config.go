package email

import (
	"encoding/hex"
	"net"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// config is the settings, parsed once.
type config struct {
	host, security, user, password string
	port                           int
	// pin is the SHA-256 of the relay's certificate, for a relay that no
	// authority signed; nil checks the certificate the usual way.
	pin         []byte
	from        string
	fromName    string
	replyDomain string
	helo        string
	pool        int
	perMinute   int
	timeout     time.Duration
	// dkim is nil when messages leave unsigned.
	dkim *signer
}

func parseConfig(s channels.Settings) (config, error) {
	c := config{
		host: strings.TrimSpace(s.Get("host")), port: s.Int("port"), security: s.Get("tls"),
		user: s.Get("user"), password: s.Get("password"), fromName: oneLine(s.Get("from_name")),
		pool: max(1, s.Int("pool")), perMinute: s.Int("rate"), timeout: time.Duration(s.Int("timeout")) * time.Second,
	}
	var err error
	if c.host == "" || strings.ContainsAny(c.host, " \t\r\n/") {
		return config{}, fault.New(fault.Invalid, "channels.smtp.bad_host").At("host")
	}
	if c.from, err = parseAddress(s.Get("from")); err != nil {
		return config{}, fault.Wrap(err, fault.Invalid, "channels.smtp.bad_from").At("from")
	}
	if c.replyDomain, err = parseDomain(s.Get("reply_domain")); err != nil {
		return config{}, fault.Wrap(err, fault.Invalid, "channels.smtp.bad_domain").At("reply_domain")
	}
	if c.helo, err = parseDomain(s.Get("helo")); err != nil {
		return config{}, fault.Wrap(err, fault.Invalid, "channels.smtp.bad_domain").At("helo")
	}
	if c.helo == "" {
		c.helo = c.domain()
	}
	if c.pin, err = parsePin(s.Get("tls_pin")); err != nil {
		return config{}, fault.Wrap(err, fault.Invalid, "channels.smtp.bad_pin").At("tls_pin")
	}
	if c.dkim, err = parseSigner(s, c.from); err != nil {
		return config{}, err
	}
	if c.timeout <= 0 {
		c.timeout = 30 * time.Second
	}
	if c.security == securityNone && c.user != "" && !isLoopback(c.host) {
		return config{}, fault.New(fault.Invalid, "channels.smtp.password_in_clear").At("tls")
	}
	return c, nil
}

// domain is the right-hand side of our identifiers.
func (c config) domain() string {
	if c.replyDomain != "" {
		return c.replyDomain
	}
	return c.from[strings.LastIndexByte(c.from, '@')+1:]
}

// parsePin reads 64 hexadecimal digits, with or without colons.
func parsePin(s string) ([]byte, error) {
	s = strings.NewReplacer(":", "", " ", "").Replace(s)
	if s == "" {
		return nil, nil
	}
	pin, err := hex.DecodeString(s)
	if err != nil {
		return nil, err
	}
	if len(pin) != 32 {
		return nil, hex.ErrLength
	}
	return pin, nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
