package config

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/fault"
	"tocsin/internal/i18n"
)

// Validate checks every option; kong calls it. The error joins one fault per
// wrong value, whose Field is the option's name; see Faults.
func (s *Server) Validate() error {
	c := &checks{}
	c.address("listen", s.Listen, true)
	c.address("smtp-listen", s.SMTPListen, false)
	c.address("syslog-listen", s.SyslogListen, false)
	c.address("syslog-tls-listen", s.SyslogTLSListen, false)
	c.address("gelf-listen", s.GELFListen, false)
	c.address("mllp-listen", s.MLLPListen, false)
	c.address("mllp-tls-listen", s.MLLPTLSListen, false)
	c.address("otlp-grpc-listen", s.OTLPGRPCListen, false)
	c.address("metrics-listen", s.MetricsListen, false)
	c.web("timestamp-url", s.TimestampURL)
	c.traces(s)
	c.web("heartbeat-url", s.HeartbeatURL)
	c.web("reach-proxy", s.ReachProxy)
	s.values.origin = c.origin(s.PublicURL)
	c.database(s.DatabaseURL)
	c.folders(s.Data, s.KeyFile)
	if (s.TLSCert == "") != (s.TLSKey == "") {
		c.refuse("tls-cert", fault.New(fault.Invalid, "config.tls_pair"))
	}
	if s.SyslogTLSListen != "" && s.TLSCert == "" {
		c.refuse("tls-cert", fault.New(fault.Invalid, "config.syslog_tls"))
	}
	if s.MLLPTLSListen != "" && s.TLSCert == "" {
		c.refuse("tls-cert", fault.New(fault.Invalid, "config.mllp_tls"))
	}
	s.values.level = c.level(s.LogLevel)
	c.choice("log-format", s.LogFormat, "text", "json")
	if s.SMTPProto != "" {
		c.choice("smtp-protocol", s.SMTPProto, "smtp", "lmtp")
	}
	c.choice("language", s.Language, string(i18n.French), string(i18n.English))
	s.values.zone = c.zone(s.Timezone)
	s.values.proxies = c.proxies(s.TrustedProxies)
	c.domain("reply-domain", s.ReplyDomain)
	if s.SMTPListen != "" && s.ReplyDomain == "" {
		c.refuse("reply-domain", fault.New(fault.Invalid, "config.reply_domain_missing"))
	}
	return errors.Join(c.faults...)
}

// Faults lists the faults inside an error, in order: kong wraps and Validate joins them.
func Faults(err error) []*fault.Error {
	if err == nil {
		return nil
	}
	if f, ok := err.(*fault.Error); ok {
		return []*fault.Error{f}
	}
	var out []*fault.Error
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			out = append(out, Faults(inner)...)
		}
	case interface{ Unwrap() error }:
		out = Faults(e.Unwrap())
	}
	return out
}

// checks gathers the faults.
type checks struct{ faults []error }

func (c *checks) refuse(name string, f *fault.Error) { c.faults = append(c.faults, f.At(name)) }

// web accepts a whole address of the web. The fault does not repeat it: it may be a secret.
func (c *checks) web(name, value string) {
	if value == "" {
		return
	}
	if u, err := url.Parse(value); err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		c.refuse(name, fault.New(fault.Invalid, "config.web", "name", name))
	}
}

// traces checks who holds the base of traces: nodes that share their data, one
// of which has it.
func (c *checks) traces(s *Server) {
	c.address("traces-nodes-listen", s.TracesNodes, false)
	c.address("traces-owner", s.TracesOwner, false)
	if s.TracesURL != "" {
		c.tracesURL(s.TracesURL)
		if s.TracesNodes != "" || s.TracesOwner != "" {
			c.refuse("traces-url", fault.New(fault.Invalid, "config.traces_one"))
		}
	}
	if s.TracesNodes != "" && s.TracesOwner != "" {
		c.refuse("traces-owner", fault.New(fault.Invalid, "config.traces_both"))
	}
	if s.DatabaseURL == "" && s.TracesNodes != "" {
		c.refuse("traces-nodes-listen", fault.New(fault.Invalid, "config.traces_alone", "name", "traces-nodes-listen"))
	}
	if s.DatabaseURL == "" && s.TracesOwner != "" {
		c.refuse("traces-owner", fault.New(fault.Invalid, "config.traces_alone", "name", "traces-owner"))
	}
}

// tracesURL looks at the form only: the base says the rest. The fault does not
// repeat it: it has a password.
func (c *checks) tracesURL(value string) {
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "clickhouse" || strings.Trim(u.Path, "/") == "" {
		c.refuse("traces-url", fault.New(fault.Invalid, "config.traces_url"))
	}
}

// address accepts host:port where the host is empty, a name or an IP address.
func (c *checks) address(name, value string, required bool) {
	if value == "" {
		if required {
			c.refuse(name, fault.New(fault.Invalid, "config.required", "name", name))
		}
		return
	}
	host, port, err := net.SplitHostPort(value)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || host != "" && !isHost(host) {
		c.refuse(name, fault.New(fault.Invalid, "config.address", "name", name, "value", value))
	}
}

func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return isName(host)
}

// isName accepts a host name (RFC 1123, § 2.1).
func isName(name string) bool {
	if len(name) > 253 {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		bad := strings.ContainsFunc(label, func(r rune) bool {
			return r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		})
		if bad || label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

func (c *checks) origin(value string) *url.URL {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err == nil && (u.Scheme == "https" || u.Scheme == "http") && isHost(u.Hostname()) &&
		u.User == nil && u.RawQuery == "" && u.Fragment == "" && strings.Trim(u.Path, "/") == "" {
		return &url.URL{Scheme: u.Scheme, Host: u.Host}
	}
	c.refuse("public-url", fault.New(fault.Invalid, "config.public_url", "value", value))
	return nil
}

// database never quotes the value: it holds a password, and so does the error of url.Parse.
func (c *checks) database(value string) {
	if value == "" {
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		c.refuse("database-url", fault.New(fault.Invalid, "config.database_url"))
	}
}

// folders refuses a keyring inside the data folder: whoever takes the data
// would take the key with it.
func (c *checks) folders(data, keyFile string) {
	if data == "" {
		c.refuse("data", fault.New(fault.Invalid, "config.required", "name", "data"))
	}
	if keyFile == "" {
		c.refuse("key-file", fault.New(fault.Invalid, "config.required", "name", "key-file"))
	}
	if data == "" || keyFile == "" {
		return
	}
	folder, err1 := filepath.Abs(data)
	file, err2 := filepath.Abs(keyFile)
	if err := errors.Join(err1, err2); err != nil {
		c.refuse("data", fault.Wrap(err, fault.Invalid, "config.required", "name", "data"))
		return
	}
	rel, err := filepath.Rel(folder, file)
	if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		c.refuse("key-file", fault.New(fault.Invalid, "config.key_inside_data", "path", keyFile, "data", data))
	}
}

func (c *checks) choice(name, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		c.refuse(name, fault.New(fault.Invalid, "config.choice", "name", name, "value", value, "choices", strings.Join(allowed, ", ")))
	}
}

func (c *checks) level(value string) slog.Level {
	c.choice("log-level", value, "debug", "info", "warn", "error")
	var level slog.Level
	if err := level.UnmarshalText([]byte(value)); err != nil {
		return slog.LevelInfo // refused just above
	}
	return level
}

func (c *checks) zone(value string) *time.Location {
	// Local and the empty name are what the machine happens to be set to.
	if value != "" && value != "Local" {
		if zone, err := time.LoadLocation(value); err == nil {
			return zone
		}
	}
	c.refuse("timezone", fault.New(fault.Invalid, "config.timezone", "value", value))
	return nil
}

func (c *checks) proxies(given []string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range given {
		text = strings.TrimSpace(text)
		if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
			out = append(out, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		network, err := netip.ParsePrefix(text)
		if err != nil {
			c.refuse("trusted-proxies", fault.New(fault.Invalid, "config.proxy", "value", text))
			continue
		}
		out = append(out, network.Masked())
	}
	return out
}

func (c *checks) domain(name, value string) {
	if value != "" && !isName(value) {
		c.refuse(name, fault.New(fault.Invalid, "config.domain", "name", name, "value", value))
	}
}
