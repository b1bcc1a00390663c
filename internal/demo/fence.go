package demo

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// Fence is a kind of channel that can only be opened to this machine: the
// demonstration never reaches a real gateway, whatever somebody types in its settings.
func Fence(kind channels.Kind) channels.Kind { return fenced{kind} }

type fenced struct{ channels.Kind }

// Open refuses settings that lead elsewhere. "localhost" becomes 127.0.0.1, so
// that no hosts file can lead it away.
func (f fenced) Open(o channels.Opening) (channels.Channel, error) {
	if err := OnlyLoopback(o.Settings); err != nil {
		return nil, err
	}
	settings := make(channels.Settings, len(o.Settings))
	for name, value := range o.Settings {
		settings[name] = value
		if leadsSomewhere(name) && value == "localhost" {
			settings[name] = "127.0.0.1"
		}
	}
	o.Settings = settings
	return f.Kind.Open(o)
}

// OnlyLoopback refuses settings that name any other machine than this one. The
// fault is Denied and names the setting. Settings without a "host" are refused too: what
// they connect to is unknown.
func OnlyLoopback(settings channels.Settings) error {
	if settings.Get("host") == "" {
		return fault.New(fault.Denied, "demo.fence.no_host").At("host")
	}
	for name, value := range settings {
		if value != "" && leadsSomewhere(name) && !isLoopback(value) {
			return fault.New(fault.Denied, "demo.fence.elsewhere", "host", value).At(name)
		}
	}
	return nil
}

// leadsSomewhere tells the settings that say where to connect, those of channels
// to come included. The name on a certificate is not one.
func leadsSomewhere(name string) bool {
	if name == "tls_server_name" {
		return false
	}
	for _, word := range strings.Split(name, "_") {
		switch word {
		case "host", "hosts", "url", "uri", "address", "addresses", "server", "proxy", "relay", "endpoint", "gateway":
			return true
		}
	}
	return false
}

// isLoopback reads a host, host:port or URL. A name other than localhost is
// never this machine: it can change its mind between the check and the call.
func isLoopback(value string) bool {
	host := value
	if u, err := url.Parse(value); err == nil && u.Host != "" {
		host = u.Hostname()
	} else if h, _, err := net.SplitHostPort(value); err == nil {
		host = h
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}
