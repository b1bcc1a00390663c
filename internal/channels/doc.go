// Package channels is « Canaux »: what every medium has in common, so that the
// rest of the house never knows which protocol carries a message.
//
// It promises that "try later" and "never" are different answers, that a
// channel describes itself (its settings, which of them are secret, what it
// can do), and that a receipt or a reply is acknowledged to the peer only once
// the Inbox has made it durable.
//
// It never stores anything, never decides whom to reach, and never retries: a
// channel tries once and tells the truth about it.
package channels
