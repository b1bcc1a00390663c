package channels

import (
	"sync"
	"time"
)

// Pulse is the health of a channel, as its tries and its looks show it. Channels hold
// one; it is safe for all their goroutines.
type Pulse struct {
	now func() time.Time

	mu      sync.Mutex
	running bool
	health  Health
}

// NewPulse is that of a channel not started yet.
func NewPulse(now func() time.Time) *Pulse {
	return &Pulse{now: now, health: Health{Since: now(), Reason: ReasonUnreachable}}
}

// Begin notes that the channel runs. The function it returns notes that it stopped:
// nothing seen after that makes it look alive.
func (p *Pulse) Begin() (end func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = true
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.judge(ReasonUnreachable, "stopped")
		p.running = false
	}
}

// Seen notes what a try or a look showed: ReasonNone when the peer is there.
func (p *Pulse) Seen(reason Reason, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running {
		p.judge(reason, detail)
	}
}

func (p *Pulse) judge(reason Reason, detail string) {
	up := reason == ReasonNone
	if up != p.health.Up {
		p.health.Since = p.now()
	}
	p.health.Up, p.health.Reason, p.health.Detail = up, reason, detail
}

// Health is the last that was seen.
func (p *Pulse) Health() Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.health
}

// Running tells whether the channel was started and not stopped since.
func (p *Pulse) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running
}

// Hold tells that a message must not be handed over, and the outcome then: its time is
// past, the channel does not run, or its permit is refused. It is asked before the
// waits of a channel, and again after them.
func (p *Pulse) Hold(m Message) (Outcome, bool) {
	switch {
	case !m.ExpiresAt.IsZero() && !p.now().Before(m.ExpiresAt):
		return Outcome{State: Refused, Reason: ReasonExpired}, true
	case !p.Running():
		return Outcome{State: Retry, Reason: ReasonUnreachable, Detail: "not started", GatewayDown: true}, true
	case !m.MayLeave():
		return Withheld(), true
	}
	return Outcome{}, false
}
