package rest

import (
	"sync"

	"golang.org/x/time/rate"

	"tocsin/internal/clock"
)

// How quickly one program may ask, on one node; and how quickly one address
// may be wrong. A token has 256 bits: the second protects us, not the token.
const (
	askRate, askBurst     = 20, 60
	wrongRate, wrongBurst = 1, 20
	limitsKept            = 10_000
)

// limits are the counters by program and by address.
type limits struct {
	clock clock.Clock
	mu    sync.Mutex
	by    map[string]*rate.Limiter
}

func newLimits(c clock.Clock) *limits { return &limits{clock: c, by: map[string]*rate.Limiter{}} }

func (l *limits) of(key string, perSecond rate.Limit, burst int) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	lim := l.by[key]
	if lim == nil {
		if len(l.by) >= limitsKept {
			clear(l.by)
		}
		lim = rate.NewLimiter(perSecond, burst)
		l.by[key] = lim
	}
	return lim
}

// ask takes one request of a program; false when it must slow down.
func (l *limits) ask(program string) bool {
	return l.of("ask "+program, askRate, askBurst).AllowN(l.clock.Now(), 1)
}

// wrong counts a failure of an address.
func (l *limits) wrong(address string) {
	l.of("wrong "+address, wrongRate, wrongBurst).AllowN(l.clock.Now(), 1)
}

// barred tells that an address was wrong too often of late.
func (l *limits) barred(address string) bool {
	return l.of("wrong "+address, wrongRate, wrongBurst).TokensAt(l.clock.Now()) < 1
}
