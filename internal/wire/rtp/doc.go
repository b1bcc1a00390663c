// Package rtp is « Le son »: sound on the network as telephones exchange it,
// G.711 in packets of 20 ms (RFC 3550, RFC 3551), and the keys they press
// (RFC 4733).
//
// It promises that one clock paces every call, by a schedule that never drifts;
// that a key held down, and sent in ten packets, is one key; that a packet from
// another machine than the one announced, or from a second source, is not heard;
// and that no octet received can make it fail.
//
// It never decodes a sound that no conference hears and nobody records, never resends, and never sends to an
// address that the other side did not announce.
package rtp
