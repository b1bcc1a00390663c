package voice

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/i18n"
)

// reception counts the calls that come in. Those of strangers take half of the
// lines at most: whoever calls us for nothing must not be in the way of those we
// called.
type reception struct {
	mu              sync.Mutex
	most            int
	busy, strangers int
	// pilots are those who call to pilot: a flood of strangers leaves them theirs.
	pilots int
	// guests are those in a conference.
	guests int
}

// enter takes a line; leave gives it back.
func (r *reception) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy >= r.most {
		return false
	}
	r.busy++
	return true
}

func (r *reception) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy--
}

// enterStranger counts a line as that of somebody we did not call.
func (r *reception) enterStranger() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.strangers >= (r.most+1)/2 {
		return false
	}
	r.strangers++
	return true
}

func (r *reception) leaveStranger() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strangers--
}

// enterPilot counts a line as that of somebody who calls to pilot, known or not.
func (r *reception) enterPilot() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pilots >= (r.most+1)/2 {
		return false
	}
	r.pilots++
	return true
}

func (r *reception) leavePilot() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pilots--
}

// enterGuest counts a line as one of a conference, which lasts: a line is always
// left to those who call back.
func (r *reception) enterGuest() (leave func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.guests >= r.most-1 {
		return nil, false
	}
	r.guests++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.guests--
	}, true
}

// strangerFor bounds a call of somebody we know nothing about.
const strangerFor = 30 * time.Second

// receive answers a call that comes in: with the message its caller was called
// for, else with a sentence that says nothing.
func (t *trunk) receive(ctx context.Context, a *agent, req *sip.Request, tx sip.ServerTransaction) {
	if t.enter() == nil {
		a.respond(req, tx, 480, "Temporarily Unavailable", nil)
		return
	}
	defer t.using.Done()
	if !t.reception.enter() {
		a.respond(req, tx, 486, "Busy Here", nil)
		return
	}
	defer t.reception.leave()
	l, err := a.ring(req, tx)
	if err != nil {
		return
	}
	defer l.hangUp()
	if t.forPilots(req) {
		t.welcome(ctx, l, t.config.mayBe(callerOf(req)))
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m, known := t.missed(ctx, t.config.mayBe(callerOf(req)))
	if known {
		t.callBack(ctx, l, m)
		return
	}
	if !t.reception.enterStranger() {
		l.refuse(486, "Busy Here")
		return
	}
	defer t.reception.leaveStranger()
	t.dismiss(ctx, l)
}

// missed asks what the caller was called for. A question that cannot be answered
// makes him a stranger: nothing is told by mistake.
func (t *trunk) missed(ctx context.Context, addresses []string) (channels.Message, bool) {
	if t.opening.Switchboard == nil || !t.config.answer || len(addresses) == 0 {
		return channels.Message{}, false
	}
	m, ok, err := t.opening.Switchboard.Missed(ctx, addresses)
	if err != nil {
		t.log.Error("sip: it is not known why somebody calls back", "error", err)
	}
	return m, ok && err == nil
}

// callBack says the message to who missed it and takes the answer, as if we had
// called.
func (t *trunk) callBack(ctx context.Context, l *leg, m channels.Message) {
	speaking, end := context.WithTimeout(ctx, t.lasts(m))
	defer end()
	s, err := t.write(speaking, m)
	if err == nil {
		err = l.pickUp(speaking)
	}
	if err != nil {
		t.unheard(l, err)
		return
	}
	k := t.talkOf(&l.end, m, s, l.dialog.Context().Done(), uuid.NewString())
	err = k.hold(speaking)
	if k.human && !k.shut() {
		t.provePerson(ctx, m)
	}
	if errors.Is(err, errConference) {
		err = k.farewell(speaking, s.bridge.call)
		l.hangUp()
		t.callGuest(ctx, l.agent, m, s)
	}
	if err != nil {
		t.log.Debug("sip: a call that came in was cut short", "error", err)
	}
}

// provePerson keeps that a key was pressed by who called back.
func (t *trunk) provePerson(ctx context.Context, m channels.Message) {
	// A key is a person: what the call we made could not prove is proven now.
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepFor)
	defer cancel()
	if err := t.opening.Inbox.Receipts(within, []channels.Receipt{{MessageID: m.ID, Delivered: true, Final: true, At: t.now()}}); err != nil {
		t.log.Warn("sip: it could not be kept that a person called back", "error", err)
	}
}

// dismiss tells a stranger that nobody is here, without a word of why we call.
func (t *trunk) dismiss(ctx context.Context, l *leg) {
	ctx, cancel := context.WithTimeout(ctx, strangerFor)
	defer cancel()
	var sound []byte
	for _, language := range []i18n.Language{i18n.French, i18n.English} {
		w := words{t.catalog.For(language)}
		said, err := t.kind.Studio.Say(ctx, w.join(w.loc.T("channels.sip.say.nobody")), string(language), t.config.speed, t.config.codec)
		if err != nil {
			t.unheard(l, err)
			return
		}
		sound = append(sound, said...)
	}
	if err := l.pickUp(ctx); err != nil {
		t.unheard(l, err)
		return
	}
	l.play(ctx, nil, breath)
	l.play(ctx, sound, 0)
}

// play lets a sound be heard to its end, and waits after it, whatever keys are pressed.
func (l *leg) play(ctx context.Context, sound []byte, after time.Duration) {
	select {
	case <-l.sound.Say(sound):
	case <-l.dialog.Context().Done():
	case <-ctx.Done():
	}
	quiet := time.NewTimer(after)
	defer quiet.Stop()
	select {
	case <-quiet.C:
	case <-l.dialog.Context().Done():
	case <-ctx.Done():
	}
}

// unheard ends a leg that could not be answered.
func (t *trunk) unheard(l *leg, err error) {
	t.log.Warn("sip: a call that came in could not be answered", "error", err)
	if !l.picked {
		l.refuse(488, "Not Acceptable Here")
	}
}

// callerOf is the number a call presents: the one the trunk vouches for, where it
// names one, else what the telephone says of itself.
func callerOf(req *sip.Request) string {
	if h := req.GetHeader("P-Asserted-Identity"); h != nil {
		var uri sip.Uri
		address := h.Value()
		if at := strings.IndexByte(address, '<'); at >= 0 {
			address, _, _ = strings.Cut(address[at+1:], ">")
		}
		if sip.ParseUri(strings.TrimSpace(address), &uri) == nil {
			return uri.User
		}
	}
	if h := req.From(); h != nil {
		return h.Address.User
	}
	return ""
}
