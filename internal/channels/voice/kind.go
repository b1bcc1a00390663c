package voice

import (
	"crypto/tls"
	"embed"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/wire/rtp"
)

// Locales holds the sentences of this channel, those that are spoken included.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Kind is the way to speak to a telephone trunk. Its clock and its studio serve
// every trunk of the program.
type Kind struct {
	// Clock paces the sound; Studio makes it.
	Clock  *rtp.Clock
	Studio *Studio
	// rooms are the conferences, whatever the trunk that somebody is in them by.
	rooms *rooms
}

// New returns the kind with a clock and a studio of its own.
func New() Kind {
	beat := rtp.NewClock()
	return Kind{Clock: beat, Studio: NewStudio(), rooms: newRooms(beat)}
}

// Choices of the settings.
const (
	transportUDP, transportTCP, transportTLS = "udp", "tcp", "tls"
	identityNone, identityPAI, identityPPI   = "none", "pai", "ppi"
	codecA, codecMu                          = "pcma", "pcmu"
)

// Describe lists the settings of a trunk: how to reach it, who we are there, how
// it dials, how many channels, and how calls are held.
func (Kind) Describe() channels.Description {
	text := func(name string) channels.Field { return channels.Field{Name: name, Type: channels.Text} }
	number := func(name, value string, low, high int) channels.Field {
		return channels.Field{Name: name, Type: channels.Number, Default: value, Min: low, Max: high}
	}
	choice := func(name string, values ...string) channels.Field {
		return channels.Field{Name: name, Type: channels.Choice, Default: values[0], Choices: values}
	}
	return channels.Description{
		Kind:   "sip",
		Medium: channels.Voice,
		Fields: []channels.Field{
			{Name: "host", Type: channels.Text, Required: true},
			number("port", "5060", 1, 65535),
			choice("transport", transportUDP, transportTCP, transportTLS),
			text("user"),
			{Name: "password", Type: channels.Secret},
			{Name: "register", Type: channels.Bool, Default: "false"},
			{Name: "format", Type: channels.Text, Default: blankPlus},
			{Name: "channels", Type: channels.Number, Required: true, Min: 1, Max: 1000},
			number("reserve", "0", 0, 999),
			{Name: "answer", Type: channels.Bool, Default: "false"},
			text("pilot"),
			{Name: "caller", Type: channels.Text, Required: true},
			text("domain"), text("extension_prefix"), text("peers"), text("rtp_ports"), text("local"), text("tls_ca"), text("tls_server_name"),
			choice("identity", identityNone, identityPAI, identityPPI),
			number("register_every", "300", 30, 3600),
			number("rate", "10", 0, 1000),
			number("ring", "30", 5, 120),
			number("repeats", "2", 1, 5),
			number("listen", "5", 1, 20),
			number("longest", "120", 30, 600),
			choice("codec", codecA, codecMu),
			{Name: "srtp", Type: channels.Bool, Default: "false"},
			number("speed", "150", 80, 300),
			number("local_port", "0", 0, 65535),
			number("response_timeout", "5", 1, 32),
		},
		Concurrency: callers,
		Limits: func(s channels.Settings) channels.Limits {
			return channels.Limits{PerSecond: float64(s.Int("rate")), Links: lines(s), Calls: true}
		},
		Replies: true,
	}
}

// lines are the calls that may be under way: the channels of the trunk, less
// those kept for incoming emergencies.
func lines(s channels.Settings) int { return max(s.Int("channels")-s.Int("reserve"), 1) }

// callers are somewhat more than the lines: a call is ready, spoken, when a line is
// given back, instead of being fetched then. Nobody calls without a line.
func callers(s channels.Settings) int { return lines(s) + lines(s)/8 + 1 }

// Open returns a channel to the trunk; nothing is connected yet.
func (k Kind) Open(o channels.Opening) (channels.Channel, error) {
	cfg, err := parseConfig(o.Settings)
	if err != nil {
		return nil, err
	}
	return newTrunk(cfg, k, o)
}

// config is the settings, parsed once.
type config struct {
	host, domain, transport string
	port                    int
	tls                     *tls.Config
	user, password          string
	register                bool
	registerEvery           time.Duration
	caller, identity        string
	format, extension       string
	lines, rate             int
	// incoming is how many calls that come in are answered at once; 0 answers none.
	incoming int
	// pilot is the number from which alerts are piloted; empty is none. answer lets people call back.
	pilot                 string
	answer                bool
	ring, listen, longest time.Duration
	repeats               int
	codec                 rtp.Codec
	encrypt               bool
	speed                 int
	local                 netip.Addr
	localPort             int
	peers                 []netip.Prefix
	rtpLow, rtpHigh       int
	response              time.Duration
}

func parseConfig(s channels.Settings) (config, error) {
	seconds := func(name string) time.Duration { return time.Duration(s.Int(name)) * time.Second }
	c := config{
		answer: s.Bool("answer"), host: s.Get("host"), domain: s.Get("domain"), transport: s.Get("transport"), port: s.Int("port"),
		user: s.Get("user"), password: s.Get("password"), register: s.Bool("register"), registerEvery: seconds("register_every"),
		caller: s.Get("caller"), identity: s.Get("identity"), format: s.Get("format"), extension: s.Get("extension_prefix"),
		lines: lines(s), rate: s.Int("rate"), ring: seconds("ring"), listen: seconds("listen"), longest: seconds("longest"), repeats: s.Int("repeats"),
		codec: rtp.PCMA, speed: s.Int("speed"), encrypt: s.Bool("srtp"), localPort: s.Int("local_port"), response: seconds("response_timeout"),
	}
	if s.Get("codec") == codecMu {
		c.codec = rtp.PCMU
	}
	if c.domain == "" {
		c.domain = c.host
	}
	if c.pilot = s.Get("pilot"); c.pilot != "" && len(c.mayBe(c.pilot)) == 0 {
		return config{}, fault.New(fault.Invalid, "channels.sip.bad_pilot").At("pilot")
	}
	if s.Bool("answer") || c.pilot != "" {
		if c.incoming = s.Int("reserve"); c.incoming == 0 {
			return config{}, fault.New(fault.Invalid, "channels.sip.answer_reserve").At("reserve")
		}
	}
	if s.Int("reserve") >= s.Int("channels") {
		return config{}, fault.New(fault.Invalid, "channels.sip.reserve_all").At("reserve")
	}
	if c.register && c.user == "" {
		return config{}, fault.New(fault.Invalid, "channels.field.required").At("user")
	}
	if c.encrypt && c.transport != transportTLS { // the keys would be read by whoever reads the signalling
		return config{}, fault.New(fault.Invalid, "channels.sip.srtp_clear").At("srtp")
	}
	if !isUser(c.caller) || c.user != "" && !isUser(c.user) {
		return config{}, fault.New(fault.Invalid, "channels.sip.bad_user").At(map[bool]string{true: "caller", false: "user"}[!isUser(c.caller)])
	}
	if !isHost(c.host) || !isHost(c.domain) {
		return config{}, fault.New(fault.Invalid, "channels.sip.bad_host").At(map[bool]string{true: "host", false: "domain"}[!isHost(c.host)])
	}
	if err := checkFormat(c.format, "format"); err != nil {
		return config{}, err
	}
	if strings.Trim(c.extension, "0123456789*#") != "" {
		return config{}, fault.New(fault.Invalid, "channels.sip.bad_format").At("extension_prefix")
	}
	err := c.parseNetwork(s)
	return c, err
}

// parseNetwork reads what concerns our own side of the network.
func (c *config) parseNetwork(s channels.Settings) (err error) {
	if local := s.Get("local"); local != "" {
		if c.local, err = netip.ParseAddr(local); err != nil {
			return fault.Wrap(err, fault.Invalid, "channels.sip.bad_address").At("local")
		}
	}
	for _, p := range strings.FieldsFunc(s.Get("peers"), func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
		prefix, err := netip.ParsePrefix(p)
		if addr, plain := netip.ParseAddr(p); plain == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "channels.sip.bad_address").At("peers")
		}
		c.peers = append(c.peers, prefix)
	}
	if ports := s.Get("rtp_ports"); ports != "" {
		low, high, ok := strings.Cut(ports, "-")
		c.rtpLow, c.rtpHigh = portOf(low), portOf(high)
		if !ok || c.rtpLow == 0 || c.rtpHigh-c.rtpLow < 2*(c.lines+c.incoming) {
			return fault.New(fault.Invalid, "channels.sip.bad_ports", "n", 2*(c.lines+c.incoming)).At("rtp_ports")
		}
	}
	if c.transport == transportTLS {
		c.tls, err = channels.ClientTLS(s)
	}
	return err
}

// portOf reads a port from 1024; 0 when it is none.
func portOf(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 1024 || n > 65535 {
		return 0
	}
	return n
}

// isUser tells what can stand before the @ of an address as it is.
func isUser(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-._*#") == ""
}

// isHost tells a name or an address of a machine.
func isHost(s string) bool {
	return s != "" && len(s) <= 253 && strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-.:") == ""
}

func (c *config) address() string { return net.JoinHostPort(c.host, strconv.Itoa(c.port)) }
