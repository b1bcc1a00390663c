// Package webpush is « Pair des notifications »: a push service that we did not
// write, the npm package "web-push-testing", for the tests.
//
// It promises that the service is a process of its own on 127.0.0.1, on a port of
// its own, ended with the test, and that a missing package fails the test with
// one sentence saying what to install.
//
// It never encrypts or decrypts anything itself: the package does.
package webpush
