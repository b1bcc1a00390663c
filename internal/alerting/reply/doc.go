// Package reply is « Lire une réponse »: what a person meant by an SMS or an
// e-mail sent back to an alert.
//
// It promises to be pure, bounded in time, and to say Unknown rather than to
// guess.
//
// It never knows the scenario: what a digit means there is for the caller.
package reply
