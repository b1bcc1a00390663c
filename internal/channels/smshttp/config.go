package smshttp

import (
	"crypto/tls"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/wire/gsm"
)

// config is the settings and the preset, parsed once.
type config struct {
	method            string
	url, check        string
	headers           []pair
	body              body
	rules             []rule
	id                finder
	inbound           inbound
	account, source   string
	user, password    string
	callback          string
	proxy             *url.URL
	tls               *tls.Config
	connections, rate int
	connect, response time.Duration
}

// or is the setting, or what the preset says.
func or(setting, preset string) string {
	if setting == "" || setting == automatic {
		return preset
	}
	return setting
}

func parseConfig(s channels.Settings, callback string) (config, error) {
	p := presetOf(s.Get("preset"))
	c := config{
		method: or(s.Get("method"), p.method), url: or(s.Get("url"), p.url), check: or(s.Get("check_url"), p.check),
		account: s.Get("account"), source: s.Get("source"), user: s.Get("user"), password: s.Get("password"), callback: callback,
		connections: s.Int("connections"), rate: s.Int("rate"),
		connect: time.Duration(s.Int("connect_timeout")) * time.Second, response: time.Duration(s.Int("response_timeout")) * time.Second,
	}
	if c.url == "" {
		return c, fault.New(fault.Invalid, "channels.smshttp.no_url").At("url")
	}
	for at, address := range map[string]string{"url": c.url, "check_url": c.check} {
		if err := c.checkURL(address, at, s.Bool("clear")); err != nil {
			return c, err
		}
	}
	if strings.Contains(c.url, "{compte}") && c.account == "" {
		return c, fault.New(fault.Invalid, "channels.field.required").At("account")
	}
	if err := c.parseTemplates(s, p); err != nil {
		return c, err
	}
	if err := c.parseInbound(s, p); err != nil {
		return c, err
	}
	return c, c.parseNetwork(s)
}

// checkURL refuses an address that is not whole, or whose machine a value could choose.
func (c *config) checkURL(address, at string, clear bool) error {
	if address == "" {
		return nil
	}
	if err := known(address, at); err != nil {
		return err
	}
	u, err := url.Parse(fillURL(address, c.constants()))
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" || strings.ContainsAny(u.Host, "{}"):
		return fault.New(fault.Invalid, "channels.smshttp.bad_url").At(at)
	case strings.Contains(hostPart(address), "{"):
		return fault.New(fault.Invalid, "channels.smshttp.bad_url").At(at)
	case u.Scheme == "http" && !clear:
		return fault.New(fault.Invalid, "channels.smshttp.in_clear").At(at)
	}
	return nil
}

// hostPart is what stands between the scheme and the path.
func hostPart(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

func (c *config) parseTemplates(s channels.Settings, p preset) error {
	var err error
	if c.headers, err = parsePairs(or(s.Get("headers"), p.headers), ":", "headers"); err != nil {
		return err
	}
	for _, h := range c.headers {
		if !headerName(h.name) {
			return fault.New(fault.Invalid, "channels.smshttp.bad_line", "line", h.name, "separator", ":").At("headers")
		}
	}
	if c.body, err = parseBody(or(s.Get("format"), p.format), or(s.Get("body"), p.body)); err != nil {
		return err
	}
	if c.method == "GET" && c.body.format == formatJSON {
		return fault.New(fault.Invalid, "channels.smshttp.get_json").At("format")
	}
	if c.rules, err = parseRules(or(s.Get("answers"), p.answers)); err != nil {
		return err
	}
	if c.id, err = parseFinder(or(s.Get("id"), p.id)); err != nil {
		return fault.Wrap(err, fault.Invalid, "channels.smshttp.bad_expression", "line", s.Get("id")).At("id")
	}
	return nil
}

func headerName(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == "" &&
		!strings.EqualFold(s, "Host") && !strings.EqualFold(s, "Content-Length") && !strings.EqualFold(s, "Transfer-Encoding")
}

func (c *config) parseNetwork(s channels.Settings) error {
	var err error
	if c.tls, err = channels.ClientTLS(s); err != nil {
		return err
	}
	if text := s.Get("proxy"); text != "" {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fault.New(fault.Invalid, "channels.smshttp.bad_url").At("proxy")
		}
		c.proxy = u
	}
	return nil
}

// secondsMost is the longest validity that providers who count in seconds take.
const secondsMost = 4 * 60 * 60

// constants are the values that do not depend on a message.
func (c *config) constants() values {
	return values{
		"expediteur": c.source, "compte": c.account, "utilisateur": c.user, "mot_de_passe": c.password, "retour": c.callback,
		"identification": base64.StdEncoding.EncodeToString([]byte(c.user + ":" + c.password)),
	}
}

// valuesOf are what the placeholders stand for in one message.
func (c *config) valuesOf(m channels.Message, now time.Time) values {
	v := c.constants()
	digits := strings.TrimPrefix(m.To, "+")
	v["numero"], v["numero_chiffres"], v["numero_00"] = m.To, digits, "00"+digits
	v["texte"], v["id"] = m.Text, m.ID.String()
	// Two days is the longest that operators keep a message.
	minutes := 48 * 60
	if !m.ExpiresAt.IsZero() {
		minutes = min(minutes, max(1, int(m.ExpiresAt.Sub(now).Minutes())))
	}
	v["validite_minutes"] = strconv.Itoa(minutes)
	v["validite_secondes"] = strconv.Itoa(min(minutes*60, secondsMost))
	v["codage"] = "0"
	if e, _ := gsm.Encode(m.Text); e != gsm.GSM7 {
		v["codage"] = "2"
	}
	return v
}
