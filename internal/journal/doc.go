// Package journal is « Le journal »: every change of state, with who, when,
// from where, before and after.
//
// It promises that an entry is written in the very transaction of the change:
// there is no change without its entry and no entry without its change. It
// appends without a hash, so that a launch never waits for a chain; a sealer
// chains the entries of each establishment seconds later and signs the head of
// the chain with a key that is not in the database. An entry that was changed,
// taken out or slipped in is then named by Verify, and by anybody with an export
// and docs/verifier-journal.mjs. The words of an entry can still be erased for
// the person they are about: the chain holds without them.
//
// It never holds a phone number, a secret or a patient identifier, and it has
// no way to change an entry.
//
// # The chain
//
// An entry is written as netstrings (length in bytes, colon, bytes, comma), in
// this order: establishment, id, instant in microseconds, actor's kind, actor's
// id or nothing, actor's name, where from, action, object's kind, object's id,
// object's name, before, after. Then
//
//	digest = SHA-256(salt, entry)         16 random bytes of salt for each
//	chain  = SHA-256(chain before, digest) 32 zero bytes before the first
//
// The head is signed by Ed25519 (RFC 8032) over the lines "tocsin journal 1",
// establishment, number, chain in hexadecimal, instant in microseconds, each
// followed by a line feed.
package journal
