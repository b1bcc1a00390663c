package voice

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/wire/rtp"
)

// The bounds of a conference: how many are in it on one node, how long somebody
// stays, and after how long without any sound a telephone is taken for gone.
const (
	guestsMost = 100
	stayFor    = 4 * time.Hour
	muteFor    = 5 * time.Minute
)

// errConference ends a conversation that goes on in the conference.
var errConference = errors.New("voice: the person asked for the conference")

// rooms are the conferences of this node, by alert.
type rooms struct {
	clock *rtp.Clock

	mu   sync.Mutex
	open map[uuid.UUID]*room
}

type room struct {
	conference *rtp.Conference
	guests     int
}

func newRooms(c *rtp.Clock) *rooms { return &rooms{clock: c, open: make(map[uuid.UUID]*room)} }

// enter gives a place in a room; nil when it is full.
func (r *rooms) enter(id uuid.UUID) *rtp.Conference {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.open[id]
	if one == nil {
		one = &room{conference: r.clock.NewConference()}
		r.open[id] = one
	}
	if one.guests >= guestsMost {
		return nil
	}
	one.guests++
	return one.conference
}

func (r *rooms) leave(id uuid.UUID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if one := r.open[id]; one != nil {
		if one.guests--; one.guests == 0 {
			delete(r.open, id)
		}
	}
}

// bridgeScript is what a call says around the conference.
type bridgeScript struct {
	key        byte
	over, full []byte
	// call is said to who calls back: the conference is joined from a call of ours.
	call []byte
	// joined welcomes, and tells how many others are there.
	joined func(ctx context.Context, others int) ([]byte, error)
}

func (t *trunk) bridgeOf(w words, m channels.Message, key byte, say func(string) []byte) *bridgeScript {
	return &bridgeScript{
		key: key, over: say(w.join(w.loc.T("channels.sip.say.conference_over"))), full: say(w.join(w.loc.T("channels.sip.say.conference_full"))),
		call: say(w.join(w.loc.T("channels.sip.say.conference_call"))),
		joined: func(ctx context.Context, others int) ([]byte, error) {
			return t.kind.Studio.Say(ctx, w.joined(others), m.Language, t.config.speed, t.config.codec)
		},
	}
}

// bridged parts the answers of a message from the key of its conference; 0 is none.
func (t *trunk) bridged(m channels.Message) (answers []channels.Answer, key byte) {
	answers = slices.DeleteFunc(slices.Clone(m.Answers), func(a channels.Answer) bool { return a.Conference })
	at := slices.IndexFunc(m.Answers, func(a channels.Answer) bool { return a.Conference && len(a.Key) == 1 })
	if at < 0 || m.Conference == uuid.Nil || t.opening.Conferences == nil {
		return answers, 0
	}
	return answers, m.Answers[at].Key[0]
}

// door leads from a conversation to the conference of its alert.
type door struct {
	id       uuid.UUID
	rooms    *rooms
	register channels.Conferences
	// admit asks for a line that lasts.
	admit func() (leave func(), ok bool)
}

// stay is the conference, and what the person may say at the menu between two
// stays, until somebody ends it. ctx is the line, without the bounds of a conversation.
func (t *talk) stay(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stayFor)
	defer cancel()
	leave, ok := t.door.admit()
	if !ok {
		return t.farewell(ctx, t.script.bridge.full)
	}
	defer leave()
	conference := t.door.rooms.enter(t.door.id)
	if conference == nil {
		return t.farewell(ctx, t.script.bridge.full)
	}
	defer t.door.rooms.leave(t.door.id)
	inside, out, err := t.door.register.Enter(ctx, t.door.id)
	if err != nil {
		return errors.Join(err, t.farewell(ctx, t.script.bridge.over))
	}
	defer out()
	for err = errConference; errors.Is(err, errConference); {
		if err = t.confer(inside, conference); err == nil { // back to the menu
			speaking, end := context.WithTimeout(inside, t.longest)
			err = t.hold(speaking)
			end()
		}
	}
	if errors.Is(context.Cause(inside), channels.ErrConferenceOver) {
		return t.farewell(ctx, t.script.bridge.over)
	}
	return err
}

// farewell says a last sentence.
func (t *talk) farewell(ctx context.Context, sound []byte) error {
	_, err := t.say(ctx, sound, 0)
	return err
}

// confer lets the person hear and be heard until * is pressed; any other end is an error.
func (t *talk) confer(ctx context.Context, conference *rtp.Conference) error {
	welcome, err := t.script.bridge.joined(ctx, conference.Inside())
	if err != nil {
		return err
	}
	if key, err := t.say(ctx, welcome, 0); err != nil || key == '*' {
		return err
	}
	t.sound.Join(conference)
	defer t.sound.Leave()
	look := time.NewTicker(muteFor)
	defer look.Stop()
	before, _ := t.sound.Heard()
	for {
		select {
		case key := <-t.sound.Keys():
			if key == '*' {
				return nil
			}
		case <-look.C:
			heard, _ := t.sound.Heard()
			if heard == before {
				return errGone
			}
			before = heard
		case <-t.gone:
			return errGone
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// callGuest calls who called us and wants to join the conference, on the line that
// the first call gave back: the number a call presents proves nothing, and what is
// said there is not for whoever forges one.
func (t *trunk) callGuest(ctx context.Context, a *agent, m channels.Message, s *script) {
	number, ok := t.config.dial(m.To)
	if !ok {
		return
	}
	select {
	case <-time.After(pilotRest):
	case <-ctx.Done():
		return
	}
	ringing, cancel := context.WithTimeout(ctx, t.config.ring+t.lasts(m))
	defer cancel()
	id := uuid.NewString()
	c, err := a.place(ringing, id, number)
	defer c.hangUp(func() {})
	if err == nil {
		k := t.talkOf(&c.end, m, s, c.dialog.Context().Done(), id)
		k.ours, k.door.admit = true, t.reception.enterGuest
		if err = k.hold(ringing); errors.Is(err, errConference) {
			err = k.stay(ctx)
		}
	}
	t.stayed(err)
}

// stayed notes how a stay in a conference ended.
func (t *trunk) stayed(err error) {
	if err != nil {
		t.log.Debug("sip: somebody is out of the conference", "cause", err)
	}
}
