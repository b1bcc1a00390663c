// Package kannel is « Kannel »: the HTTP gateway of many operators, run for
// real between a channel of ours and an SMSC of the tests.
//
// It promises that bearerbox and smsbox live in the test's own folder, listen
// on 127.0.0.1 only, on ports of their own, and end with the test; and that a
// missing program fails the test with one sentence saying what to install.
package kannel
