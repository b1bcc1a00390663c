// Package listen is « L’écoute »: sources that speak by UDP, TCP and TLS, and
// never wait for an answer.
//
// It promises that what was read is on the disk before more is read, so that a
// full disk slows the senders down and loses nothing that was taken; that a
// stranger is not believed, and is told in the log once an hour; and that no
// sender, however fast or slow, makes memory grow or keeps another out.
//
// It never understands what is said: the formats do.
package listen
