// Package sdp is « L'accord sur le son »: what two ends of a call tell each
// other of their sound (RFC 8866, RFC 3264), as far as G.711 and keys go.
//
// It promises that what it reads names one machine, one port and a codec we
// speak, or is refused; that a hostile description costs no more than its
// length; and that an address is an address, never a name to look up.
//
// It never offers anything but one audio stream.
package sdp
