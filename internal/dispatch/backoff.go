package dispatch

import (
	"math/rand/v2"
	"time"

	"tocsin/internal/channels"
)

// The waits between tries of one message.
const (
	retryFirst = 5 * time.Second
	retryMost  = 5 * time.Minute
	// triesMost ends a message that has no end of validity.
	triesMost = 12
)

// nextTry is how long a message waits after its nth try (from 1): twice as long
// each time, spread by a fifth so that those who failed together do not return
// together, and never less than the peer asked for.
func nextTry(n int, o channels.Outcome) time.Duration {
	wait := retryMost
	if n < 8 {
		wait = min(retryMost, retryFirst<<(max(n, 1)-1))
	}
	wait += time.Duration(rand.Float64() * 0.2 * float64(wait))
	return max(wait, o.RetryAfter)
}
