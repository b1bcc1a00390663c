// Package smtp is « Pairs de courriel »: the mail servers we did not write,
// for the tests: a real Postfix with its own queue, and smtp-sink.
//
// It promises that each server lives in the test's own folder, listens on
// 127.0.0.1 only, on ports of its own, and is ended with the test; and that a
// missing program fails the test with one sentence saying what to install.
//
// It never touches the Postfix of the machine, and never simulates one.
package smtp
