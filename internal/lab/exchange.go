package lab

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"tocsin/internal/wire/rtp"
	"tocsin/internal/wire/sdp"
)

// exchange is the telephones of the people, behind one SIP address.
type exchange struct {
	options Options
	clock   *rtp.Clock
	book    *callBook
	ua      *sipgo.UserAgent
	server  *sipgo.Server
	dialog  sipgo.DialogUA
	socket  *net.UDPConn
	host    netip.Addr
	closing chan struct{}
	calls   sync.WaitGroup

	mu   sync.Mutex
	legs map[string]*leg
	over bool
}

// leg is one call that came in.
type leg struct {
	dialog *sipgo.DialogServerSession
	row    *callRow
	sound  *rtp.Stream
}

// The patience of a telephone: for the acknowledgement of its answer, and for
// sound before the line is held to be dead, as exchanges do.
const (
	ackFor      = 2 * time.Second
	silenceFor  = 2 * time.Second
	silenceLook = 250 * time.Millisecond
	byeFor      = 4 * time.Second
)

// newExchange opens the telephones. Nothing rings yet.
func newExchange(o Options) (*exchange, error) {
	address, err := netip.ParseAddrPort(o.SIP)
	if err != nil {
		return nil, fmt.Errorf("sip: %w", err)
	}
	x := &exchange{options: o, clock: rtp.NewClock(), book: newCallBook(), host: address.Addr(), closing: make(chan struct{}), legs: make(map[string]*leg)}
	if x.socket, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(address)); err != nil {
		return nil, err
	}
	// The library would write numbers to the log: it has none.
	quiet := slog.New(slog.DiscardHandler)
	if x.ua, err = sipgo.NewUA(sipgo.WithUserAgent("TocsinLab"), sipgo.WithUserAgentTransportLayerOptions(sip.WithTransportLayerLogger(quiet)),
		sipgo.WithUserAgentTransactionLayerOptions(sip.WithTransactionLayerLogger(quiet),
			sip.WithTransactionLayerUnhandledResponseHandler(func(*sip.Response) {}))); err != nil {
		closeQuietly(x.socket)
		return nil, err
	}
	if err := x.answerTo(quiet); err != nil {
		closeQuietly(x.ua)
		closeQuietly(x.socket)
		return nil, err
	}
	return x, nil
}

func (x *exchange) answerTo(quiet *slog.Logger) (err error) {
	if x.server, err = sipgo.NewServer(x.ua, sipgo.WithServerLogger(quiet)); err != nil {
		return err
	}
	at := x.address()
	client, err := sipgo.NewClient(x.ua, sipgo.WithClientLogger(quiet), sipgo.WithClientHostname(x.host.String()), sipgo.WithClientPort(int(at.Port())),
		sipgo.WithClientConnectionAddr(at.String()))
	if err != nil {
		return err
	}
	x.dialog = sipgo.DialogUA{Client: client, ContactHDR: sip.ContactHeader{Address: sip.Uri{Scheme: "sip", Host: x.host.String(), Port: int(at.Port())}}}
	ok := func(req *sip.Request, tx sip.ServerTransaction) { x.respond(req, tx, 200, "OK") }
	x.server.OnOptions(ok)
	x.server.OnRegister(ok)
	x.server.OnInvite(x.onInvite)
	x.server.OnAck(func(req *sip.Request, tx sip.ServerTransaction) {
		if l := x.leg(req); l != nil {
			_ = l.dialog.ReadAck(req, tx) //nolint:errcheck // one of another request is none of this call
		}
	})
	x.server.OnBye(x.onBye)
	return nil
}

func (x *exchange) address() netip.AddrPort {
	if a, ok := x.socket.LocalAddr().(*net.UDPAddr); ok {
		return a.AddrPort()
	}
	return netip.AddrPort{}
}

// serve takes calls until ctx ends, then hangs them all up.
func (x *exchange) serve(ctx context.Context) error {
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = x.server.ServeUDP(x.socket) //nolint:errcheck // it ends when the socket is closed, by that error
	}()
	<-ctx.Done()
	x.mu.Lock()
	x.over = true
	x.mu.Unlock()
	close(x.closing)
	x.calls.Wait()
	closeQuietly(x.ua)
	closeQuietly(x.socket)
	<-served
	return nil
}

// respond answers a request; who does not hear it asks again.
func (x *exchange) respond(req *sip.Request, tx sip.ServerTransaction, status int, words string) {
	_ = tx.Respond(sip.NewResponseFromRequest(req, status, words, nil)) //nolint:errcheck // see above
}

func (x *exchange) leg(req *sip.Request) *leg {
	id, err := sip.DialogIDFromRequestUAS(req)
	if err != nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.legs[id]
}

// onBye ends a call that the caller ends. The line is free before the caller knows.
func (x *exchange) onBye(req *sip.Request, tx sip.ServerTransaction) {
	l := x.leg(req)
	if l == nil {
		x.respond(req, tx, 481, "Call Does Not Exist")
		return
	}
	x.book.end(l.row, x.options.Clock.Now())
	_ = l.dialog.ReadBye(req, tx) //nolint:errcheck // the call ends whether or not the answer leaves
}

// enter counts a call in, unless the lab is closing.
func (x *exchange) enter() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.over {
		x.calls.Add(1)
	}
	return !x.over
}

func (x *exchange) keep(l *leg) (forget func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.legs[l.dialog.ID] = l
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.legs, l.dialog.ID)
	}
}

// onInvite lets a telephone ring, from the first sign of the caller to the last.
func (x *exchange) onInvite(req *sip.Request, tx sip.ServerTransaction) {
	if !x.enter() {
		return
	}
	defer x.calls.Done()
	d, err := x.dialog.ReadInvite(req, tx)
	if err != nil {
		x.respond(req, tx, 400, "Bad Request")
		return
	}
	number, known := parseNumber(abroad(req.Recipient.User))
	row, try := x.book.begin(number, req.Recipient.User, x.options.Clock.Now())
	l := &leg{dialog: d, row: row}
	defer x.keep(l)()
	tx.OnCancel(func(*sip.Request) { x.book.end(row, x.options.Clock.Now()) })
	who := x.options.People.Rings(number, try)
	if !known {
		who.Line = LineUnknown
	}
	if status, words := who.refuses(); status != 0 {
		x.book.end(row, x.options.Clock.Now())
		_ = d.Respond(status, words, nil) //nolint:errcheck // who does not hear it asks again
		return
	}
	_ = d.Respond(180, "Ringing", nil) //nolint:errcheck // a caller who is gone gives up
	if !x.pause(d, who.Ring) {
		return
	}
	x.pickUp(l, tx, who)
	x.book.end(row, x.options.Clock.Now())
}

// pause waits; false when the call ends meanwhile.
func (x *exchange) pause(d *sipgo.DialogServerSession, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return d.Context().Err() == nil
	case <-d.Context().Done():
	case <-x.closing:
	}
	return false
}

// pickUp answers a call and lives it.
func (x *exchange) pickUp(l *leg, tx sip.ServerTransaction, who Callee) {
	media, err := sdp.Parse(l.dialog.InviteRequest.Body())
	if err != nil || media.Key != nil || !media.Remote.Addr().IsLoopback() { // the sound too stays on this machine
		x.book.end(l.row, x.options.Clock.Now())
		_ = l.dialog.Respond(488, "Not Acceptable Here", nil) //nolint:errcheck // who does not hear it asks again
		return
	}
	if l.sound, err = rtp.Listen(x.clock, x.host, 0, 0); err != nil {
		_ = l.dialog.Respond(500, "Server Internal Error", nil) //nolint:errcheck // who does not hear it asks again
		return
	}
	defer closeQuietly(l.sound)
	answered := make(chan error, 1)
	x.calls.Go(func() {
		answered <- l.dialog.RespondSDP(sdp.Reply(sdp.Ours{Local: netip.AddrPortFrom(x.host, uint16(l.sound.Port())), Session: rand.Uint64() >> 1, Version: 1}, media))
	})
	patience := time.NewTimer(ackFor)
	defer patience.Stop()
	select {
	case err = <-answered:
	case <-patience.C:
		tx.Terminate()
		return
	case <-x.closing:
		tx.Terminate()
		return
	}
	if err != nil {
		return
	}
	x.book.answer(l.row, x.options.Clock.Now())
	l.sound.Start(media.Remote, media.Codec, media.Event)
	if x.live(l, who) {
		x.book.end(l.row, x.options.Clock.Now())
		ctx, cancel := context.WithTimeout(context.Background(), byeFor)
		defer cancel()
		_ = l.dialog.Bye(ctx) //nolint:errcheck // a caller who is gone ends nothing
	}
}

// live presses the keys of a person at their hours, and tells whether it is for
// this end to hang up.
func (x *exchange) live(l *leg, who Callee) (hangUp bool) {
	began, pressed := x.options.Clock.Now(), 0
	look := time.NewTicker(silenceLook)
	defer look.Stop()
	heard, since := uint64(0), began
	next := time.NewTimer(who.hour(0))
	defer next.Stop()
	for {
		select {
		case <-next.C:
			if pressed == len(who.Keys) {
				return true
			}
			l.sound.Press(who.Keys[pressed])
			pressed++
			x.book.press(l.row, x.options.Clock.Now(), pressed == len(who.Keys))
			next.Reset(who.hour(pressed) - x.options.Clock.Now().Sub(began))
		case now := <-look.C:
			if n, _ := l.sound.Heard(); n != heard {
				heard, since = n, now
			} else if now.Sub(since) > silenceFor {
				return true
			}
		case <-l.dialog.Context().Done():
			return false
		case <-x.closing:
			return true
		}
	}
}

// abroad writes a number as it is dialled in France with its country.
func abroad(dialled string) string {
	if rest, ok := strings.CutPrefix(dialled, "0"); ok && len(dialled) == 10 {
		return "33" + rest
	}
	return dialled
}
