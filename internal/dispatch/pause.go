package dispatch

import (
	"sync"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/clock"
)

// The waits of a gateway that does not work, and of one that asks to slow down.
const (
	pauseFirst    = time.Second
	pauseMost     = 30 * time.Second
	pauseThrottle = 200 * time.Millisecond
)

// pause holds a gateway back. It pauses the gateway and not the messages: they
// go back to the queue, where another gateway may take them.
type pause struct {
	clock clock.Clock

	mu sync.Mutex
	// down is true while a probe must succeed before messages pass again.
	down bool
	// opening is true from the start to the first probe: not yet known to work.
	opening bool
	until   time.Time
	wait    time.Duration
	reason  channels.Reason
	detail  string
	// policy counts the refusals by policy since the last message that passed, and
	// braked is since when the peer brakes everything; zero when it does not.
	policy       int
	policyDetail string
	braked       time.Time
}

// newPause starts closed: the first probe opens it.
func newPause(c clock.Clock) *pause {
	return &pause{clock: c, down: true, opening: true, until: c.Now().Add(pauseFirst)}
}

// on tells whether messages are held back now.
func (p *pause) on() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down || (!p.until.IsZero() && p.clock.Now().Before(p.until))
}

// isDown tells whether the gateway is thought not to work at all.
func (p *pause) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

// isDead tells whether the gateway is known not to work, so that the next one takes over.
func (p *pause) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down && !p.opening
}

// fail notes that the gateway does not work; the wait doubles each time until a success.
func (p *pause) fail(o channels.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return // many messages in flight tell the same thing
	}
	p.down = true
	p.wait = min(max(2*p.wait, pauseFirst), pauseMost)
	p.until = p.clock.Now().Add(max(p.wait, o.RetryAfter))
	p.reason, p.detail = o.Reason, o.Detail
}

func (p *pause) throttle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.braked.IsZero() {
		p.braked = p.clock.Now()
	}
	if until := p.clock.Now().Add(pauseThrottle); until.After(p.until) {
		p.until = until
	}
}

// probeDue tells whether it is time to look whether the gateway works again.
func (p *pause) probeDue() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down && !p.clock.Now().Before(p.until)
}

// soon lets the next look at a gateway that is down come at once.
func (p *pause) soon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		p.until = p.clock.Now()
	}
}

// still notes a probe that failed.
func (p *pause) still() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opening = false
	p.wait = min(max(2*p.wait, pauseFirst), pauseMost)
	p.until = p.clock.Now().Add(p.wait)
}

// lift lets messages pass; the wait is forgotten only when one succeeds.
func (p *pause) lift() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down, p.opening, p.until = false, false, time.Time{}
}

func (p *pause) success() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wait, p.reason, p.detail = 0, channels.ReasonNone, ""
	p.policy, p.braked = 0, time.Time{}
}

// why is what the operator reads while the gateway is down.
func (p *pause) why() (channels.Reason, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason, p.detail
}

// refusal notes a message that the peer refused by policy.
func (p *pause) refusal(detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.policy++
	p.policyDetail = detail
}

// lasting is what the peer does to every message although it seems to work.
func (p *pause) lasting(now time.Time) (channels.Reason, string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case isTrouble(p.reason): // kept until a message passes
		return p.reason, p.detail, true
	case p.policy >= policyMany:
		return channels.ReasonPolicy, p.policyDetail, true
	case !p.braked.IsZero() && now.Sub(p.braked) >= throttledLong:
		return channels.ReasonThrottled, "", true
	}
	return channels.ReasonNone, "", false
}
