// Package journal is « Le journal »: every change of state, with who, when,
// from where, before and after.
//
// It promises that an entry is written in the very transaction of the change:
// there is no change without its entry and no entry without its change. It
// appends without a hash, so that a launch never waits for a chain; a sealer
// chains entries afterwards.
//
// It never holds a phone number, a secret or a patient identifier, and it has
// no way to change or delete an entry.
package journal
