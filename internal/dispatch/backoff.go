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

// What is known of a person's telephone has its own rules: a busy line is free in a
// minute; a second call within three minutes rings through the "do not disturb" of
// most telephones, and a third one is for another address.
const (
	retryCall     = time.Minute
	triesBusy     = 3
	triesNoAnswer = 2
)

// triesOf is how many tries a message is worth, whatever its validity; 0 leaves it
// to its validity.
func triesOf(r channels.Reason) int {
	switch r {
	case channels.ReasonBusy:
		return triesBusy
	case channels.ReasonNoAnswer:
		return triesNoAnswer
	}
	return 0
}

// nextTry is how long a message waits after its nth try (from 1): twice as long
// each time, spread by a fifth so that those who failed together do not return
// together, and never less than the peer asked for.
func nextTry(n int, o channels.Outcome) time.Duration {
	wait := retryMost
	switch {
	case triesOf(o.Reason) > 0:
		wait = retryCall
	case n < 8:
		wait = min(retryMost, retryFirst<<(max(n, 1)-1))
	}
	wait += time.Duration(rand.Float64() * 0.2 * float64(wait))
	return max(wait, o.RetryAfter)
}
