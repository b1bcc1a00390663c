// Package lab is « Le laboratoire »: a telephone network and its people,
// simulated on this machine for the demonstration, the rehearsals and the
// benchmarks. An SMSC speaks SMPP, a mail server speaks SMTP, and thousands of
// people read, answer, refuse, stay silent or have changed their number.
//
// It promises that a person behaves the same in each run with the same seed,
// that a receipt refused by the client comes again, that nobody answers an
// acknowledgement, and that what was received is counted before it is answered
// for: what a killed client lost or sent twice is seen here.
//
// It never listens or connects anywhere but on the loopback of the machine, and
// never writes a number or a text to the log. It does not replace a gateway we
// did not write in a test of a protocol.
package lab
