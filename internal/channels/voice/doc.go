// Package voice is « Canal vocal »: telephone calls through the hospital's
// exchange or an operator's trunk, by SIP, spoken by espeak-ng and answered by
// keys.
//
// It promises that a line is taken before a call begins and given back once it
// has ended, so that the channels of a trunk are never exceeded and those kept
// for incoming emergencies stay free; that only a key pressed counts as a person,
// since a voicemail picks up too; that an answer is confirmed by a second key and
// durable before the call ends; that busy, no answer, refused and unknown are
// different outcomes; that a stopped alert hangs up; and that a stranger is heard
// neither on the signalling nor on the sound.
//
// It never calls twice by itself, never speaks a text to a call that was stopped,
// keeps nothing on disk and writes no number and no text to the log.
package voice
