// Package hylafax is « HylaFAX »: hfaxd, the one server of Debian that speaks SNPP, run
// for real with its queue.
//
// It promises that the server lives in the test's own folder, listens on 127.0.0.1
// only, has no modem to send by, and ends with the test; and that a missing program
// fails the test with one sentence saying what to install.
package hylafax
