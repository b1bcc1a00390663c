// Package smpp is « Pairs SMPP »: the SMS gateways we did not write, for the
// tests: the server of the npm library "smpp", and that of the Perl module
// Net::SMPP.
//
// It promises that each gateway is a process of its own on 127.0.0.1, on ports
// of its own, ended with the test by its own pid, and that a missing library
// fails the test with one sentence saying what to install.
//
// It never speaks SMPP itself: only orders to the gateway's control.
package smpp
