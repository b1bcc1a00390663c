package voice

import (
	"context"
	"fmt"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"tocsin/internal/wire/sdp"
)

// leg is one call that comes in.
type leg struct {
	end
	dialog *sipgo.DialogServerSession
	tx     sip.ServerTransaction
	// picked tells that our answer left, pending that it is not acknowledged yet.
	picked, ended bool
	pending       chan error
}

// ackFor is how long a caller has to acknowledge our answer.
const ackFor = 4 * time.Second

// ring lets the caller hear that his call is here. The leg is ended by hangUp in
// every case but an error.
func (a *agent) ring(req *sip.Request, tx sip.ServerTransaction) (*leg, error) {
	d, err := a.dialog.ReadInvite(req, tx)
	if err != nil {
		a.respond(req, tx, 400, "Bad Request", nil)
		return nil, err
	}
	l := &leg{dialog: d, tx: tx}
	a.mu.Lock()
	a.legs[d.ID] = l
	a.mu.Unlock()
	l.agent = a
	_ = d.Respond(180, "Ringing", nil) //nolint:errcheck // a caller who is gone gives up
	return l, nil
}

// pickUp answers a leg and begins its sound.
func (l *leg) pickUp(ctx context.Context) (err error) {
	a := l.agent
	if l.end, err = a.newEnd(); err != nil {
		return err
	}
	if l.media, err = sdp.Parse(l.dialog.InviteRequest.Body()); err != nil {
		return fmt.Errorf("%w: %w", errSound, err)
	}
	if err := l.secure(); err != nil {
		return err
	}
	l.picked = true
	answered := make(chan error, 1)
	l.pending = answered
	a.serving.Go(func() { answered <- l.dialog.RespondSDP(sdp.Reply(l.ours(1), l.media)) })
	patience := time.NewTimer(ackFor)
	defer patience.Stop()
	select {
	case err = <-answered:
		l.pending = nil
	case <-patience.C:
		err = errGone
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		l.tx.Terminate()
		return err
	}
	l.sound.Start(l.media.Remote, l.media.Codec, l.media.Event)
	return nil
}

// hangUp ends a leg, whatever became of it; a second time does nothing.
func (l *leg) hangUp() {
	if l.ended {
		return
	}
	l.ended = true
	l.silence()
	switch {
	case !l.picked:
		l.forget()
	case l.pending == nil:
		l.goodbye()
	default:
		l.agent.serving.Go(func() {
			<-l.pending
			l.goodbye()
		})
	}
}

// goodbye says BYE, unless the caller did. Over TCP it goes the way the call came.
func (l *leg) goodbye() {
	defer l.forget()
	ctx, cancel := context.WithTimeout(context.Background(), hangUpFor)
	defer cancel()
	invite := l.dialog.InviteRequest
	bye := sip.NewRequest(sip.BYE, *invite.Contact().Address.Clone())
	bye.SetTransport(invite.Transport())
	if l.agent.config.transport != transportUDP {
		bye.SetDestination(invite.Source())
	}
	_ = l.dialog.WriteBye(ctx, bye) //nolint:errcheck // a caller who is gone ends nothing
}

func (l *leg) forget() {
	l.agent.mu.Lock()
	delete(l.agent.legs, l.dialog.ID)
	l.agent.mu.Unlock()
	_ = l.dialog.Close() //nolint:errcheck // it only forgets
}

// refuse tells the caller that his call is not taken. Nobody waits for him to
// acknowledge it: who never does would hold a line for half a minute.
func (l *leg) refuse(status int, words string) {
	l.ended = true
	l.silence()
	l.agent.respond(l.dialog.InviteRequest, l.tx, status, words, nil)
	l.forget()
}

// legOf is the leg a request belongs to: by its identifier and both tags.
func (a *agent) legOf(req *sip.Request) *leg {
	id, err := sip.DialogIDFromRequestUAS(req)
	if err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.legs[id]
}
