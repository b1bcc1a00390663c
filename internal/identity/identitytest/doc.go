// Package identitytest is « Les figurants »: people with an account, a password,
// a second factor and an open session, for the tests of every room.
//
// It promises that they came in by the door: each was invited, chose a password
// and set up an authenticator application through the service under test.
package identitytest
