package voice

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"tocsin/internal/wire/rtp"
	"tocsin/internal/wire/sdp"
)

// end is our end of the sound of a call, whoever called.
type end struct {
	agent   *agent
	session uint64
	sound   *rtp.Stream
	media   sdp.Media
	// key is that of our sound; nil in clear.
	key *rtp.Key
}

// newEnd opens our end; it is closed by silence.
func (a *agent) newEnd() (end, error) {
	e := end{agent: a, session: rand.Uint64() >> 1}
	sound, err := rtp.Listen(a.clock, a.host, a.config.rtpLow, a.config.rtpHigh)
	if err != nil {
		return e, fmt.Errorf("voice: open the sound: %w", err)
	}
	e.sound = sound
	if a.config.encrypt {
		key := rtp.NewKey()
		e.key = &key
	}
	return e, nil
}

// ours describes our end.
func (e *end) ours(version uint64) sdp.Ours {
	return sdp.Ours{Local: netip.AddrPortFrom(e.agent.announced(), uint16(e.sound.Port())), Session: e.session, Version: version, Key: e.key}
}

// secure agrees on the keys of the sound. A call that was to be encrypted is never
// heard in clear.
func (e *end) secure() error {
	switch {
	case (e.media.Key == nil) != (e.key == nil):
		return fmt.Errorf("%w: it is encrypted on one side only", errSound)
	case e.key == nil:
		return nil
	}
	return e.sound.Secure(*e.key, *e.media.Key)
}

func (e *end) silence() {
	if e.sound != nil {
		_ = e.sound.Close() //nolint:errcheck // a socket that does not close holds nothing that matters
	}
}

// call is one call that we make.
type call struct {
	end
	id     string
	dialog *sipgo.DialogClientSession
	// rang tells that the trunk answered something: it has the call.
	rang atomic.Bool
	// rings tells who placed the call that the telephone rings.
	rings func()
	// answered ends the wait for an answer: a call given up may still be answered, for
	// as long as the trunk has not acknowledged it.
	answered chan error
}

// The reasons for which a call is not answered, beside a statusError.
var (
	errUnsent  = errors.New("voice: the call could not be sent to the trunk")
	errSilent  = errors.New("voice: the trunk does not answer the call")
	errRinging = errors.New("voice: nobody picked up")
	errSound   = errors.New("voice: no sound could be agreed on")
)

// hangUpFor bounds the end of a call.
const hangUpFor = 5 * time.Second

// place calls a number and waits until somebody picks up. The call is ended by
// hangUp in every case, an error included.
func (a *agent) place(ctx context.Context, id, number string) (*call, error) {
	return a.placing(ctx, id, number, func() {})
}

// placing is place that tells once that the telephone rings.
func (a *agent) placing(ctx context.Context, id, number string, rings func()) (*call, error) {
	ours, err := a.newEnd()
	c := &call{end: ours, id: id, rings: sync.OnceFunc(rings)}
	if err != nil {
		return c, err
	}
	req := a.invitation(c, number)
	// A header of its own: the library writes the port of the connection in it.
	req.AppendHeader(a.dialog.ContactHDR.Clone())
	if c.dialog, err = a.dialog.WriteInvite(ctx, req); err != nil {
		c.dialog = nil
		return c, fmt.Errorf("%w: %w", errUnsent, err)
	}
	if err := c.wait(ctx); err != nil {
		return c, err
	}
	if c.media, err = sdp.Parse(c.dialog.InviteResponse.Body()); err != nil {
		return c, fmt.Errorf("%w: %w", errSound, err)
	}
	if err := c.secure(); err != nil {
		return c, err
	}
	a.remember(c)
	c.sound.Start(c.media.Remote, c.media.Codec, c.media.Event)
	return c, nil
}

// invitation is the request that makes the telephone ring.
func (a *agent) invitation(c *call, number string) *sip.Request {
	req := a.request(sip.INVITE, number)
	req.AppendHeader(a.from(a.config.caller))
	req.AppendHeader(&sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: number, Host: a.config.domain}, Params: sip.NewParams()})
	callID := sip.CallIDHeader(c.id)
	req.AppendHeader(&callID)
	me := fmt.Sprintf("<sip:%s@%s>", a.config.caller, a.config.domain)
	switch a.config.identity {
	case identityPAI:
		req.AppendHeader(sip.NewHeader("P-Asserted-Identity", me))
	case identityPPI:
		req.AppendHeader(sip.NewHeader("P-Preferred-Identity", me))
	}
	req.AppendHeader(sip.NewHeader("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS"))
	kind := sip.ContentTypeHeader("application/sdp")
	req.AppendHeader(&kind)
	req.SetBody(sdp.Offer(c.ours(1), a.config.codec))
	return req
}

// cancelFor is how long the trunk has to acknowledge that a call is given up,
// before it is waited for apart.
const cancelFor = 2 * time.Second

// wait lets the telephone ring. A trunk that says nothing at all is given up
// sooner than a person who does not pick up.
func (c *call) wait(ctx context.Context) error {
	ringing, stop := context.WithCancelCause(ctx)
	silence := time.AfterFunc(c.agent.config.response, func() { stop(errSilent) })
	ring := time.AfterFunc(c.agent.config.ring, func() { stop(errRinging) })
	c.answered = make(chan error, 1)
	c.agent.serving.Go(func() {
		defer stop(nil)
		defer silence.Stop()
		defer ring.Stop()
		c.answered <- c.dialog.WaitAnswer(ringing, sipgo.AnswerOptions{
			Username: c.agent.config.login(), Password: c.agent.config.password,
			OnResponse: func(res *sip.Response) error {
				silence.Stop()
				if res.StatusCode > 100 {
					c.rang.Store(true)
				}
				if res.StatusCode == 180 || res.StatusCode == 183 {
					c.rings()
				}
				return nil
			},
		})
	})
	var err error
	select {
	case err = <-c.answered:
		c.answered = nil
	case <-ringing.Done():
		patience := time.NewTimer(cancelFor)
		defer patience.Stop()
		select {
		case err = <-c.answered:
			c.answered = nil
		case <-patience.C:
			return context.Cause(ringing)
		}
	}
	refused, isStatus := errors.AsType[*sipgo.ErrDialogResponse](err)
	switch {
	case err == nil:
		return c.dialog.Ack(ctx)
	case isStatus:
		return &statusError{refused.Res.StatusCode}
	case ringing.Err() != nil:
		return context.Cause(ringing)
	}
	return fmt.Errorf("%w: %w", errSilent, err)
}

// hangUp ends the call, whatever became of it, and calls ended once the trunk no
// longer counts it.
func (c *call) hangUp(ended func()) {
	c.agent.forget(c)
	c.silence()
	switch {
	case c.dialog == nil:
		ended()
	case c.answered == nil:
		c.goodbye()
		ended()
	default:
		c.agent.serving.Go(func() {
			<-c.answered
			c.goodbye()
			ended()
		})
	}
}

// goodbye says BYE to a call that was answered. One that was answered while it
// was being given up is acknowledged first.
func (c *call) goodbye() {
	defer func() { _ = c.dialog.Close() }() //nolint:errcheck // it only forgets
	res := c.dialog.InviteResponse
	if res == nil || !res.IsSuccess() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), hangUpFor)
	defer cancel()
	if state := c.dialog.LoadState(); state != sip.DialogStateConfirmed && state != sip.DialogStateEnded {
		if err := c.dialog.Ack(ctx); err != nil {
			return
		}
	}
	to := c.dialog.InviteRequest.Recipient
	if contact := res.Contact(); contact != nil {
		to = contact.Address
	}
	bye := sip.NewRequest(sip.BYE, *to.Clone())
	bye.Laddr = c.dialog.InviteRequest.Laddr // from where we called: a trunk knows us by it
	_ = c.dialog.WriteBye(ctx, bye)          //nolint:errcheck // a BYE that is not answered was repeated for hangUpFor; nothing more can be said
}
