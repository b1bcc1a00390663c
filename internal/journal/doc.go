// Package journal is « Le journal »: every change of state, with who, when,
// from where, before and after.
//
// It promises that an entry is written in the very transaction of the change:
// there is no change without its entry and no entry without its change. It
// appends without a hash, so that a launch never waits for a chain. Sealing is
// not built yet: nothing chains the entries, and whoever can write to the
// database could change one without a trace.
//
// It never holds a phone number, a secret or a patient identifier, and it has
// no way to change or delete an entry.
package journal
