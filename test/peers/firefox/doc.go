// Package firefox is « Pair des notifications : un navigateur »: Debian's
// firefox-esr, without a window, for the tests.
//
// It promises that the browser is a process of its own with a profile of its own,
// ended with the test; that it subscribes, decrypts and shows notifications by
// itself; and that a missing program fails the test with one sentence.
//
// The push service that the browser is connected to is a small one of this
// package (Service): it carries what it is given and opens none of it.
package firefox
