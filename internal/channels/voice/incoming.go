package voice

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"

	"tocsin/internal/wire/sdp"
)

// respond answers a request of the trunk. A failure is the trunk's to notice: it asks again.
func (a *agent) respond(req *sip.Request, tx sip.ServerTransaction, status int, words string, body []byte) {
	res := sip.NewResponseFromRequest(req, status, words, body)
	if body != nil {
		kind := sip.ContentTypeHeader("application/sdp")
		res.AppendHeader(&kind)
		res.AppendHeader(a.dialog.ContactHDR.Clone())
	}
	_ = tx.Respond(res) //nolint:errcheck // see above
}

// onInvite meets a call that comes in, or a change in one under way. Where nobody
// is here to answer, the caller hears that the number takes no call; the rest of a
// flood hears nothing.
func (a *agent) onInvite(req *sip.Request, tx sip.ServerTransaction) {
	if c := a.callOf(req); c != nil {
		a.onChange(&c.end, req, tx)
		return
	}
	if l := a.legOf(req); l != nil {
		a.onChange(&l.end, req, tx)
		return
	}
	a.mu.Lock()
	answer, toPilot := a.answer, a.toPilot
	a.mu.Unlock()
	allowance := a.strangers
	if toPilot != nil && toPilot(req) {
		allowance = a.pilots
	}
	if !allowance.Allow() {
		return
	}
	if answer == nil {
		a.respond(req, tx, 480, "Temporarily Unavailable", nil)
		return
	}
	answer(req, tx)
}

// onChange follows the other side of a call to another address of its own.
func (a *agent) onChange(e *end, req *sip.Request, tx sip.ServerTransaction) {
	media := e.media
	if body := req.Body(); len(body) > 0 {
		moved, err := sdp.Parse(body)
		if err != nil || moved.Codec != media.Codec || moved.Event != media.Event || (moved.Key == nil) != (e.key == nil) {
			a.respond(req, tx, 488, "Not Acceptable Here", nil)
			return
		}
		if moved.Key != nil && e.sound.Secure(*e.key, *moved.Key) != nil {
			a.respond(req, tx, 488, "Not Acceptable Here", nil)
			return
		}
		media.Remote = moved.Remote
		e.sound.Move(moved.Remote)
	}
	a.respond(req, tx, 200, "OK", sdp.Reply(e.ours(uint64(req.CSeq().SeqNo)), media))
}

func (a *agent) onAck(req *sip.Request, tx sip.ServerTransaction) {
	if l := a.legOf(req); l != nil {
		_ = l.dialog.ReadAck(req, tx) //nolint:errcheck // one of another request is none of this call
	}
}

// onBye ends a call that the other side ends.
func (a *agent) onBye(req *sip.Request, tx sip.ServerTransaction) {
	var ending interface {
		ReadBye(*sip.Request, sip.ServerTransaction) error
	}
	if c := a.callOf(req); c != nil {
		ending = c.dialog
	} else if l := a.legOf(req); l != nil {
		ending = l.dialog
	} else {
		a.respond(req, tx, 481, "Call Does Not Exist", nil)
		return
	}
	_ = ending.ReadBye(req, tx) //nolint:errcheck // the call ends whether or not the answer leaves
}

func (a *agent) onOptions(req *sip.Request, tx sip.ServerTransaction) {
	if a.strangers.Allow() {
		a.respond(req, tx, 200, "OK", nil)
	}
}

// callOf is the call a request belongs to: by its identifier and both tags.
func (a *agent) callOf(req *sip.Request) *call {
	id, err := sip.DialogIDFromRequestUAC(req)
	if err != nil || req.CallID() == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.calls[req.CallID().Value()]
	if c == nil || c.dialog.ID != id {
		return nil
	}
	return c
}

func (a *agent) remember(c *call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls[c.id] = c
}

func (a *agent) forget(c *call) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.calls, c.id)
}

// lateFor bounds the end of a call nobody waits for any more.
const lateFor = 5 * time.Second

// late ends a call that was answered after we gave it up: somebody would listen
// to nothing.
func (a *agent) late(res *sip.Response) {
	cseq := res.CSeq()
	if !res.IsSuccess() || cseq == nil || cseq.MethodName != sip.INVITE || res.Contact() == nil || res.CallID() == nil || res.From() == nil || res.To() == nil {
		return
	}
	a.mu.Lock()
	known := a.calls[res.CallID().Value()] != nil
	a.mu.Unlock()
	if known {
		return // a repetition: the dialogue acknowledges it
	}
	end := func(method sip.RequestMethod, number uint32) *sip.Request {
		req := sip.NewRequest(method, *res.Contact().Address.Clone())
		req.AppendHeader(sip.HeaderClone(res.From()))
		req.AppendHeader(sip.HeaderClone(res.To()))
		req.AppendHeader(sip.HeaderClone(res.CallID()))
		req.AppendHeader(&sip.CSeqHeader{SeqNo: number, MethodName: method})
		req.SetTransport(sip.NetworkToUpper(a.config.transport))
		return req
	}
	if err := a.client.WriteRequest(end(sip.ACK, cseq.SeqNo)); err != nil {
		return // it repeats its answer, and we will try again
	}
	a.serving.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), lateFor)
		defer cancel()
		_, _ = a.client.Do(ctx, end(sip.BYE, cseq.SeqNo+1)) //nolint:errcheck // the other side ends it too when nothing comes
	})
}
