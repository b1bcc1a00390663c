package hooks

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/alerting"
	"tocsin/internal/fault"
)

// Kind is what happened, as another program reads it.
type Kind string

// The kinds. The values are stored and sent.
const (
	Launched    Kind = "alert.launched"
	WaveOpened  Kind = "alert.wave_opened"
	Counts      Kind = "alert.counts"
	QuotaMet    Kind = "alert.quota_met"
	Ended       Kind = "alert.ended"
	Killed      Kind = "alert.killed"
	GatewayDown Kind = "gateway.down"
	GatewayUp   Kind = "gateway.up"
	Trial       Kind = "test"
)

// Kinds lists what can be subscribed to.
func Kinds() []Kind {
	return []Kind{Launched, WaveOpened, Counts, QuotaMet, Ended, Killed, GatewayDown, GatewayUp}
}

// told is the kind of an event of an alert; empty for what is not told.
func told(k alerting.EventKind) Kind {
	return map[alerting.EventKind]Kind{
		alerting.EventLaunched: Launched, alerting.EventWaveOpened: WaveOpened, alerting.EventQuotaMet: QuotaMet,
		alerting.EventEnded: Ended, alerting.EventKilled: Killed,
	}[k]
}

// Subscription is a program that wants to be told.
type Subscription struct {
	ID     uuid.UUID
	Name   string
	URL    string
	Events []Kind
	// Inside lets it be an address of the inside: private networks, never this machine.
	Inside bool
	Paused bool
	// OldUntil is until when the secret before signs too; zero without one.
	OldUntil  time.Time
	CreatedBy string
	Created   time.Time
	// Waiting and Lost count its messages.
	Waiting, Lost int
}

// SubscriptionInput is what it takes to subscribe.
type SubscriptionInput struct {
	Name, URL string
	Events    []Kind
	Inside    bool
}

const urlLimit = 500

// tidied checks what was given. Errors: Invalid at a field.
func (in SubscriptionInput) tidied() (SubscriptionInput, error) {
	var err error
	if in.Name, err = newName(in.Name); err != nil {
		return in, err
	}
	if in.URL, err = newURL(in.URL, in.Inside); err != nil {
		return in, err
	}
	var kinds []Kind
	for _, k := range Kinds() {
		if slices.Contains(in.Events, k) {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) == 0 || len(kinds) != len(in.Events) {
		return in, fault.New(fault.Invalid, "hooks.events").At("events")
	}
	in.Events = kinds
	return in, nil
}

// newURL checks an address that we will reach. Errors: Invalid at "url".
func newURL(text string, inside bool) (string, error) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || len(text) > urlLimit {
		return text, fault.New(fault.Invalid, "hooks.url").At("url")
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && inside: // a machine of the inside may have no certificate
	default:
		return text, fault.New(fault.Invalid, "hooks.url_scheme").At("url")
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && !inside && !Outside(ip) {
		return text, fault.New(fault.Invalid, "hooks.url_inside").At("url")
	}
	return text, nil
}

// newName checks a name. Errors: Invalid at "name".
func newName(text string) (string, error) {
	text = strings.Join(strings.Fields(text), " ")
	if n := utf8.RuneCountInString(text); n < 2 || n > 80 {
		return "", fault.New(fault.Invalid, "hooks.name").At("name")
	}
	return text, nil
}

// Outside tells an address of the public internet: no loopback, no private or
// shared network, no link, no multicast, none of the ranges kept for
// documentation or translation (RFC 6890).
func Outside(ip net.IP) bool {
	if ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || ip.IsMulticast() || !ip.IsGlobalUnicast() {
		return false
	}
	return !slices.ContainsFunc(keptRanges(), func(n *net.IPNet) bool { return n.Contains(ip) })
}

// Reachable tells an address that a subscription of the inside may have: not
// this machine, not the link where clouds keep their secrets.
func Reachable(ip net.IP) bool {
	return ip.IsGlobalUnicast() && !ip.IsLoopback() && !ip.IsLinkLocalUnicast() && !ip.IsUnspecified() && !ip.Equal(net.ParseIP("fd00:ec2::254"))
}

func keptRanges() (out []*net.IPNet) {
	for _, text := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
	} {
		_, n, err := net.ParseCIDR(text)
		if err == nil {
			out = append(out, n)
		}
	}
	return out
}
