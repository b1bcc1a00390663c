package voice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
	"golang.org/x/time/rate"

	"tocsin/internal/wire/rtp"
)

// agent is our end of the signalling with one trunk: a socket, the calls under
// way, and what the trunk asks of us.
type agent struct {
	config *config
	clock  *rtp.Clock
	ua     *sipgo.UserAgent
	client *sipgo.Client
	dialog sipgo.DialogUA
	// host is our address towards the trunk, as calls announce it.
	host netip.Addr
	// socket is where UDP is heard; nil with TCP and TLS, whose connection serves both ways.
	socket  net.PacketConn
	serving sync.WaitGroup
	// strangers bounds what is answered to calls that come in, pilots to those to the
	// number from which alerts are piloted: a flood of the first leaves the second.
	strangers, pilots *rate.Limiter

	mu    sync.Mutex
	trunk map[netip.Addr]bool
	calls map[string]*call
	legs  map[string]*leg
	// answer takes a call that comes in; nil takes none. toPilot tells the calls to pilot.
	answer  func(*sip.Request, sip.ServerTransaction)
	toPilot func(*sip.Request) bool
}

// lookupFor bounds the search of the trunk's addresses.
const lookupFor = 5 * time.Second

// newAgent opens our end. Nothing is sent yet.
func newAgent(ctx context.Context, cfg *config, clock *rtp.Clock) (*agent, error) {
	a := &agent{
		config: cfg, clock: clock, calls: make(map[string]*call), legs: make(map[string]*leg), trunk: make(map[netip.Addr]bool),
		strangers: rate.NewLimiter(20, 40), pilots: rate.NewLimiter(5, 10),
	}
	if err := a.locate(ctx); err != nil {
		return nil, err
	}
	// The library would write numbers to the log: it has none.
	quiet := slog.New(slog.DiscardHandler)
	var err error
	a.ua, err = sipgo.NewUA(
		sipgo.WithUserAgent("Tocsin"), sipgo.WithUserAgentHostname(cfg.domain), sipgo.WithUserAgenTLSConfig(cfg.tls),
		sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(quiet), sip.WithTransportLayerReadFilter(a.filter)),
		sipgo.WithUserAgentTransactionLayerOptions(
			sip.WithTransactionLayerLogger(quiet), sip.WithTransactionLayerUnhandledResponseHandler(a.late),
		),
	)
	if err != nil {
		return nil, fmt.Errorf("voice: open the user agent: %w", err)
	}
	if err := a.serve(quiet); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// locate finds the addresses of the trunk, and ours towards it.
func (a *agent) locate(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookupFor)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", a.config.host)
	if err != nil {
		return fmt.Errorf("voice: find the trunk: %w", err)
	}
	for _, addr := range found {
		a.trunk[addr.Unmap()] = true
	}
	// Nothing is sent by this: the machine only tells which of its addresses it would use.
	probe, err := net.Dial("udp", net.JoinHostPort(found[0].Unmap().String(), strconv.Itoa(a.config.port)))
	if err != nil {
		return fmt.Errorf("voice: no way to the trunk: %w", err)
	}
	if u, ok := probe.LocalAddr().(*net.UDPAddr); ok {
		a.host = u.AddrPort().Addr().Unmap()
	}
	return probe.Close()
}

// announced is our address as the other side must use it.
func (a *agent) announced() netip.Addr {
	if a.config.local.IsValid() {
		return a.config.local
	}
	return a.host
}

func (a *agent) serve(quiet *slog.Logger) error {
	server, err := sipgo.NewServer(a.ua, sipgo.WithServerLogger(quiet))
	if err != nil {
		return fmt.Errorf("voice: open the server: %w", err)
	}
	server.OnInvite(a.onInvite)
	server.OnBye(a.onBye)
	server.OnOptions(a.onOptions)
	server.OnAck(a.onAck)
	server.OnCancel(func(*sip.Request, sip.ServerTransaction) {})
	server.OnNoRoute(func(req *sip.Request, tx sip.ServerTransaction) { a.respond(req, tx, 405, "Method Not Allowed", nil) })
	options := []sipgo.ClientOption{sipgo.WithClientLogger(quiet), sipgo.WithClientHostname(a.announced().String())}
	contact := sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: a.config.caller, Host: a.announced().String()}}
	if a.config.transport == transportUDP {
		port, err := a.listen(server)
		if err != nil {
			return err
		}
		options = append(options, sipgo.WithClientPort(port), sipgo.WithClientConnectionAddr(net.JoinHostPort(a.host.String(), strconv.Itoa(port))), sipgo.WithClientNAT())
		contact.Address.Port = port
	} else {
		contact.Address.UriParams = sip.NewParams()
		contact.Address.UriParams.Add("transport", a.config.transport)
	}
	if a.client, err = sipgo.NewClient(a.ua, options...); err != nil {
		return fmt.Errorf("voice: open the client: %w", err)
	}
	a.dialog = sipgo.DialogUA{Client: a.client, ContactHDR: contact}
	return nil
}

// listen opens the socket of UDP and waits until it is served.
func (a *agent) listen(server *sipgo.Server) (port int, err error) {
	socket, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a.host, uint16(a.config.localPort))))
	if err != nil {
		return 0, fmt.Errorf("voice: open the socket: %w", err)
	}
	a.socket = socket
	a.serving.Go(func() { _ = server.ServeUDP(socket) }) //nolint:errcheck // it ends when the socket is closed, by that error
	if u, ok := socket.LocalAddr().(*net.UDPAddr); ok {
		port = u.Port
	}
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		conn, err := a.ua.TransportLayer().GetConnection("udp", socket.LocalAddr().String())
		if err == nil && conn != nil {
			return port, nil
		}
		<-tick.C
	}
	return 0, errors.New("voice: the socket is not served")
}

// close ends the agent. The calls under way have ended before.
func (a *agent) close() error {
	err := a.ua.Close()
	if a.socket != nil {
		err = errors.Join(err, a.socket.Close())
	}
	a.serving.Wait()
	return err
}

// filter lets only the trunk be heard: what a stranger sends is not even read.
func (a *agent) filter(from sip.TransportReadProps, data []byte) ([]byte, error) {
	if addr, err := netip.ParseAddrPort(from.RemoteAddr.String()); err == nil && a.isPeer(addr.Addr().Unmap()) {
		return data, nil
	}
	return nil, nil
}

func (a *agent) isPeer(addr netip.Addr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.trunk[addr] {
		return true
	}
	for _, p := range a.config.peers {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// request makes a request outside any call: to the trunk itself.
func (a *agent) request(method sip.RequestMethod, user string) *sip.Request {
	to := sip.Uri{Scheme: "sip", User: user, Host: a.config.domain}
	if a.config.domain == a.config.host {
		to.Port = a.config.port
	}
	req := sip.NewRequest(method, to)
	req.SetTransport(sip.NetworkToUpper(a.config.transport))
	if a.config.domain != a.config.host { // what takes a call back follows the same way: see RFC 3261 §8.1.1.1 and §9.1
		way := sip.Uri{Scheme: "sip", Host: a.config.host, Port: a.config.port, UriParams: sip.NewParams()}
		way.UriParams.Add("lr", "")
		req.AppendHeader(&sip.RouteHeader{Address: way})
	}
	return req
}

func (a *agent) from(user string) *sip.FromHeader {
	h := &sip.FromHeader{Address: sip.Uri{Scheme: "sip", User: user, Host: a.config.domain}, Params: sip.NewParams()}
	h.Params.Add("tag", sip.GenerateTagN(16))
	return h
}

// ask sends a request that makes no call and returns its final response.
func (a *agent) ask(ctx context.Context, req *sip.Request, options ...sipgo.ClientRequestOption) (*sip.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, a.config.response)
	defer cancel()
	res, err := a.client.Do(ctx, req, options...)
	if err != nil {
		return nil, err
	}
	if challenged := res.StatusCode == 401 || res.StatusCode == 407; !challenged || a.config.password == "" {
		return res, nil
	}
	return a.client.DoDigestAuth(ctx, req, res, sipgo.DigestAuth{Username: a.config.login(), Password: a.config.password})
}

// login is who we say we are when asked.
func (c *config) login() string {
	if c.user != "" {
		return c.user
	}
	return c.caller
}

// ping asks the trunk whether it lives: any answer says so, but that of a trunk
// that is out of service.
func (a *agent) ping(ctx context.Context) error {
	req := a.request(sip.OPTIONS, "")
	req.AppendHeader(a.from(a.config.caller))
	res, err := a.ask(ctx, req)
	if err != nil {
		return err
	}
	if res.StatusCode == 503 || res.StatusCode == 401 || res.StatusCode == 407 && a.config.password != "" {
		return &statusError{res.StatusCode}
	}
	return nil
}

// enrol registers us at the trunk for a while; 0 takes us off. It returns for how
// long the trunk accepts.
func (a *agent) enrol(ctx context.Context, every time.Duration) (time.Duration, error) {
	req := a.request(sip.REGISTER, "")
	me := sip.Uri{Scheme: "sip", User: a.config.login(), Host: a.config.domain}
	req.AppendHeader(a.from(a.config.login()))
	req.AppendHeader(&sip.ToHeader{Address: me, Params: sip.NewParams()})
	contact := a.dialog.ContactHDR.Clone()
	contact.Address.User = a.config.login()
	req.AppendHeader(contact)
	expires := sip.ExpiresHeader(uint32(every / time.Second))
	req.AppendHeader(&expires)
	res, err := a.ask(ctx, req)
	if err != nil {
		return 0, err
	}
	if !res.IsSuccess() {
		return 0, &statusError{res.StatusCode}
	}
	granted := every
	if h := res.GetHeader("Expires"); h != nil {
		if n, err := strconv.Atoi(h.Value()); err == nil && n > 0 {
			granted = min(granted, time.Duration(n)*time.Second)
		}
	}
	return max(granted, 10*time.Second), nil
}
