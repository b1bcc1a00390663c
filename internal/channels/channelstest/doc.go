// Package channelstest is « Banc des canaux »: the one suite every channel
// passes against a peer that we did not write.
//
// It promises to ask of each medium the same things: that "try later" and
// "never" are told apart, that a message which may have left is said
// uncertain, that nothing is acknowledged to the peer before it is durable,
// that nobody receives an expired message, that a stop leaves nothing running,
// and that no address, text or secret reaches the log.
//
// It never knows a protocol: what it wants of the other side goes through Peer.
package channelstest
