package voice

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/google/uuid"

	"tocsin/internal/channels"
)

// How long a person who pilots may stay on the line: while she is a stranger, and
// once she is called back. pilotRest lets her hang up before her telephone rings.
const (
	helloFor  = 90 * time.Second
	pilotFor  = 10 * time.Minute
	pilotRest = 2 * time.Second
)

// forPilots tells a call to the number from which alerts are piloted. Trunks name
// it in the request or in To, under any of its forms.
func (t *trunk) forPilots(req *sip.Request) bool {
	if t.config.pilot == "" || t.opening.Operator == nil {
		return false
	}
	dialled := []string{req.Recipient.User}
	if to := req.To(); to != nil {
		dialled = append(dialled, to.Address.User)
	}
	ours := t.config.mayBe(t.config.pilot)
	return slices.ContainsFunc(dialled, func(number string) bool {
		return slices.ContainsFunc(t.config.mayBe(number), func(one string) bool { return slices.Contains(ours, one) })
	})
}

// welcome talks with who calls to pilot, then calls her back where her account
// says: the number she calls from proves nothing.
func (t *trunk) welcome(ctx context.Context, l *leg, from []string) {
	visit, ok := t.hello(ctx, l, from)
	if !ok || visit.To == "" {
		return
	}
	l.hangUp()
	t.callPilot(ctx, l.agent, visit)
}

// hello is the first conversation: a stranger's, until the operator says otherwise.
func (t *trunk) hello(ctx context.Context, l *leg, from []string) (channels.Visit, bool) {
	if !t.reception.enterPilot() {
		l.refuse(486, "Busy Here")
		return channels.Visit{}, false
	}
	defer t.reception.leavePilot()
	ctx, cancel := context.WithTimeout(ctx, helloFor)
	defer cancel()
	if err := l.pickUp(ctx); err != nil {
		t.unheard(l, err)
		return channels.Visit{}, false
	}
	l.play(ctx, nil, breath)
	visit, err := t.opening.Operator.Answer(ctx, from, &keyLine{trunk: t, end: &l.end, gone: l.dialog.Context().Done()})
	if err != nil {
		t.log.Debug("sip: a call to pilot was cut short", "error", err)
	}
	return visit, err == nil
}

// callPilot goes on at the telephone of the account, on the line that the first
// call gave back.
func (t *trunk) callPilot(ctx context.Context, a *agent, visit channels.Visit) {
	number, ok := t.config.dial(visit.To)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, pilotFor)
	defer cancel()
	select {
	case <-time.After(pilotRest):
	case <-ctx.Done():
		return
	}
	c, err := a.place(ctx, uuid.NewString(), number)
	defer c.hangUp(func() {})
	if err == nil {
		err = visit.Talk(ctx, &keyLine{trunk: t, end: &c.end, gone: c.dialog.Context().Done()})
	}
	if err != nil {
		t.log.Debug("sip: a call back to who pilots was cut short", "error", err)
	}
}

// keyLine implements channels.Line on our end of a call.
type keyLine struct {
	trunk *trunk
	end   *end
	gone  <-chan struct{}
}

// Ask says a text and reads the keys that answer it.
func (k *keyLine) Ask(ctx context.Context, text, language string, most int) (string, error) {
	sound, err := k.trunk.kind.Studio.Say(ctx, spoken(text, ""), language, k.trunk.config.speed, k.trunk.config.codec)
	if err != nil {
		return "", err
	}
	stream := k.end.sound
	said := stream.Say(sound)
	defer stream.Hush()
	quiet := time.NewTimer(time.Hour)
	defer quiet.Stop()
	var keys []byte
	for {
		select {
		case key := <-stream.Keys():
			switch {
			case most == 0 || strings.IndexByte("0123456789*#", key) < 0:
				continue
			case key == '#':
				return string(keys), nil
			case key == '*' && most > 1:
				keys = nil
			default:
				keys = append(keys, key)
			}
			if stream.Hush(); len(keys) == most {
				return string(keys), nil
			}
			said = nil
			quiet.Reset(k.trunk.config.listen)
		case <-said:
			if said = nil; most == 0 {
				return "", nil
			}
			quiet.Reset(k.trunk.config.listen)
		case <-quiet.C:
			return string(keys), nil
		case <-k.gone:
			return "", errGone
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}
