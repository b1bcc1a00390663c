// Package mix is « Le mélange »: the voices of a conference, each heard by all the
// others.
//
// It promises that nobody hears himself, that voices too loud together are cut at
// what a sample holds instead of turning into noise, that a sound that comes late,
// twice or never harms nobody else's, and that no turn allocates.
//
// It never reads a socket, a clock or a codec: it is given samples at 8 kHz, and
// told when a turn has passed.
package mix
