package lab

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"tocsin/internal/clock"
)

// Options are what a lab is made of. The tags are for a command line; Defaults
// gives the same values to a program.
type Options struct {
	SMPP    string `help:"Where the SMSC listens; empty for none." default:"127.0.0.1:2775" placeholder:"HOST:PORT"`
	SMTP    string `help:"Where the mail server listens; empty for none." default:"127.0.0.1:2525" placeholder:"HOST:PORT"`
	SIP     string `name:"sip" help:"Where the telephones ring, over UDP; empty for none." default:"127.0.0.1:5062" placeholder:"HOST:PORT"`
	Control string `help:"Where the counters are read over HTTP; empty for none." default:"127.0.0.1:2780" placeholder:"HOST:PORT"`
	// Intake is Tocsin's own mail listener, for answers and bounces.
	Intake string `help:"Where answers and bounces are sent by SMTP; empty for none." placeholder:"HOST:PORT"`

	Gateway  Gateway    `embed:"" prefix:"gateway-"`
	People   Population `embed:"" prefix:"people-"`
	PeopleIn string     `name:"people" help:"YAML file of the behaviour of people; it prevails over the --people- options." type:"existingfile" placeholder:"FILE"`
	Fast     bool       `help:"No people: accept, count and give receipts only, as fast as the machine can."`

	// Log receives what happens, without numbers or texts; nil discards.
	Log *slog.Logger `kong:"-"`
	// Clock is the machine's when nil.
	Clock clock.Clock `kong:"-"`
	// Ready, when not nil, is called once everything listens.
	Ready func(Addresses) `kong:"-"`
}

// Addresses are where the lab listens, ports chosen; empty for what is off.
type Addresses struct{ SMPP, SMTP, SIP, Control string }

// Gateway is how the SMSC treats its clients. Zero means no limit.
type Gateway struct {
	SystemID string `help:"Only this account may bind; empty lets all in." placeholder:"NAME"`
	Password string `help:"Password of the account." placeholder:"WORD"`
	MaxBinds int    `help:"Sessions one account may hold." default:"0"`
	// Rate and Window are answered ESME_RTHROTTLED beyond.
	Rate          int           `help:"Messages per second and account, throttled beyond." default:"0"`
	Window        int           `help:"Requests an account may have waiting for their response on one session, throttled beyond." default:"0"`
	ResponseDelay time.Duration `help:"How long a response takes." default:"0s"`
	NoReceipts    bool          `help:"Give no receipt."`
	ReceiptDelay  time.Duration `help:"Shortest wait before a receipt." default:"0s"`
	// Deliveries bounds what waits for the client's acknowledgement on one session.
	Deliveries int `help:"Receipts and answers waiting for their acknowledgement on one session." default:"500"`
	// HexIDs writes ids in hexadecimal in responses and in decimal in receipts, as some gateways do.
	HexIDs bool `help:"Ids in hexadecimal in responses, in decimal in receipts."`
}

// Defaults are the options without a command line.
func Defaults() Options {
	return Options{
		SMPP: "127.0.0.1:2775", SMTP: "127.0.0.1:2525", SIP: "127.0.0.1:5062", Control: "127.0.0.1:2780",
		Gateway: Gateway{Deliveries: 500}, People: DefaultPopulation(),
	}
}

// check refuses every address that is not this machine, and fills what is empty.
func (o *Options) check() error {
	for _, a := range []struct {
		name    string
		address *string
	}{{"smpp", &o.SMPP}, {"smtp", &o.SMTP}, {"sip", &o.SIP}, {"control", &o.Control}, {"intake", &o.Intake}} {
		if *a.address == "" {
			continue
		}
		safe, err := Loopback(*a.address)
		if err != nil {
			return fmt.Errorf("lab: %s: %w", a.name, err)
		}
		*a.address = safe
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.Gateway.Deliveries <= 0 {
		o.Gateway.Deliveries = 500
	}
	if o.People == (Population{}) {
		o.People = DefaultPopulation()
	}
	if o.PeopleIn != "" {
		people, err := ReadPopulation(o.PeopleIn)
		if err != nil {
			return fmt.Errorf("lab: people: %w", err)
		}
		o.People = people
	}
	return o.People.Check()
}

// Loopback checks that host:port is this machine: a loopback literal, or
// "localhost", which is then written 127.0.0.1 so that no hosts file can send it elsewhere.
func Loopback(address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if host == "localhost" {
		return net.JoinHostPort("127.0.0.1", port), nil
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || !ip.Unmap().IsLoopback() {
		return "", fmt.Errorf("%q is not this machine: the simulated network never leaves it", host)
	}
	return net.JoinHostPort(ip.String(), port), nil
}
