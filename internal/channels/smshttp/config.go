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
	"tocsin/internal/wire/web"
)

// config is the settings and the preset, parsed once.
type config struct {
	method            string
	url, check        string
	headers           []web.Pair
	body              web.Body
	rules             []web.Rule
	id                web.Finder
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
		if address == "" {
			continue
		}
		if err := web.CheckURL(address, at, c.constants(), placeholders(), s.Bool("clear")); err != nil {
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

func (c *config) parseTemplates(s channels.Settings, p preset) error {
	var err error
	if c.headers, err = web.ParseHeaders(or(s.Get("headers"), p.headers), placeholders()); err != nil {
		return err
	}
	format := or(s.Get("format"), p.format)
	if c.body, err = web.ParseBody(format, or(s.Get("body"), p.body), placeholders()); err != nil {
		return err
	}
	if c.method == "GET" && format == web.JSON {
		return fault.New(fault.Invalid, "web.get_json").At("format")
	}
	if c.rules, err = web.ParseRules(or(s.Get("answers"), p.answers)); err != nil {
		return err
	}
	if c.id, err = web.ParseFinder(or(s.Get("id"), p.id)); err != nil {
		return fault.Wrap(err, fault.Invalid, "web.bad_expression", "line", s.Get("id")).At("id")
	}
	return nil
}

func (c *config) parseNetwork(s channels.Settings) error {
	var err error
	if c.tls, err = channels.ClientTLS(s); err != nil {
		return err
	}
	c.proxy, err = web.ParseProxy(s.Get("proxy"))
	return err
}

// placeholders are the names a template may use.
func placeholders() []string {
	return []string{
		"numero", "numero_chiffres", "numero_00", "texte", "id", "expediteur", "compte", "utilisateur", "mot_de_passe",
		"identification", "validite_minutes", "validite_secondes", "codage", "retour",
	}
}

// head is the headers of one call.
func (c *config) head(v web.Values) []web.Pair {
	out := make([]web.Pair, len(c.headers))
	for i, h := range c.headers {
		out[i] = web.Pair{Name: h.Name, Value: v.Fill(h.Value)}
	}
	return out
}

// outcome is the truth about an answer, as the rules of the settings read it.
func (c *config) outcome(a web.Answer, now time.Time) channels.Outcome {
	l := web.Leaves{}
	l.AddJSON([]byte(a.Text))
	v := web.Judge(c.rules, a.Status, a.Text, l)
	if id := c.id.Find(a.Text, l); v == web.OK && id != "" {
		return channels.Judged(v, a, now, id)
	}
	return channels.Judged(v, a, now)
}

// secondsMost is the longest validity that providers who count in seconds take.
const secondsMost = 4 * 60 * 60

// constants are the values that do not depend on a message.
func (c *config) constants() web.Values {
	return web.Values{
		"expediteur": c.source, "compte": c.account, "utilisateur": c.user, "mot_de_passe": c.password, "retour": c.callback,
		"identification": base64.StdEncoding.EncodeToString([]byte(c.user + ":" + c.password)),
	}
}

// valuesOf are what the placeholders stand for in one message.
func (c *config) valuesOf(m channels.Message, now time.Time) web.Values {
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
