package sms

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tocsin/internal/clock"
)

// errPaced means that the gateway's pace leaves no room for now; nothing was written.
var errPaced = errors.New("sms: the gateway asked to slow down")

// The adaptive pace.
const (
	firstPause = 250 * time.Millisecond
	maxPause   = 15 * time.Second
	// patientPause is how long a Send waits for a pause to end rather than tell
	// its caller to come back.
	patientPause = time.Second
	slower       = 0.7
	faster       = 1.1
	// recover is the interval between two steps up.
	recoverEvery = time.Second
)

// pace is a token bucket for the segments, that slows down when the gateway
// says so and comes back by small steps.
type pace struct {
	limiter *rate.Limiter
	clock   clock.Clock
	// wanted is the rate of the settings, rate.Inf without one.
	wanted rate.Limit

	mu       sync.Mutex
	current  rate.Limit
	pausedTo time.Time
	streak   int
	stepAt   time.Time
	// taken counts the segments accepted since countFrom: what an unlimited
	// gateway was really taking when it complained.
	taken     int
	countFrom time.Time
}

func newPace(perSecond int, c clock.Clock) *pace {
	wanted := rate.Inf
	if perSecond > 0 {
		wanted = rate.Limit(perSecond)
	}
	// A burst of 50 ms lets the timers of the machine be coarse.
	burst := max(perSecond/20, 1)
	return &pace{limiter: rate.NewLimiter(wanted, burst), clock: c, wanted: wanted, current: wanted, countFrom: c.Now()}
}

// wait lets one segment through. The error is errPaced when the pause is long,
// with the time left, or when ctx ends before the segment's turn.
func (p *pace) wait(ctx context.Context) (time.Duration, error) {
	if left := p.pause(); left > patientPause {
		return left, errPaced
	} else if left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return left, errPaced
		}
	}
	if err := p.limiter.Wait(ctx); err != nil {
		return firstPause, errPaced
	}
	return 0, nil
}

func (p *pace) pause() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pausedTo.IsZero() {
		return 0
	}
	return p.pausedTo.Sub(p.clock.Now())
}

// throttled slows everything down and returns how long to wait. The requests
// in flight complain together: one step down for all of them.
func (p *pace) throttled() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	if left := p.pausedTo.Sub(now); left > 0 {
		return left
	}
	if p.current == rate.Inf {
		seconds := max(now.Sub(p.countFrom).Seconds(), 0.1)
		p.current = max(rate.Limit(float64(p.taken)/seconds), 10)
	}
	p.current = max(p.current*slower, 1)
	p.limiter.SetLimit(p.current)
	pause := min(firstPause<<min(p.streak, 10), maxPause)
	p.streak++
	p.pausedTo, p.stepAt = now.Add(pause), now.Add(pause+recoverEvery)
	return pause
}

// accepted counts a segment taken, and steps up after a quiet while.
func (p *pace) accepted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken++
	if p.taken < 64 && p.pausedTo.IsZero() {
		return
	}
	now := p.clock.Now()
	if now.Sub(p.countFrom) > 2*time.Second {
		p.taken, p.countFrom = 1, now.Add(-time.Millisecond)
	}
	if p.pausedTo.IsZero() || now.Before(p.stepAt) {
		return
	}
	p.streak = 0
	p.stepAt = now.Add(recoverEvery)
	p.current *= faster
	// Without a rate of its own, the gateway is unlimited again once it takes
	// far more than when it complained.
	if p.current >= p.wanted || p.current > 10_000 {
		p.current, p.pausedTo = p.wanted, time.Time{}
	}
	p.limiter.SetLimit(p.current)
}
