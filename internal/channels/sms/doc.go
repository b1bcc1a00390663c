// Package sms is « Canal SMS »: text messages through an operator's gateway,
// by SMPP 3.4.
//
// It promises that a request is in the table before it is written and that
// only a response can answer it; that a deliver_sm is acknowledged once the
// Inbox made it durable, and refused for now otherwise; that a receipt is passed
// on even when it precedes the response that names it; that every answer of
// the gateway is told as "later" or "never"; that a message whose response never
// came is said uncertain; that the gateway's pace is respected and a lost
// connection comes back by itself.
//
// It never sends a message twice by itself, with one exception told in send.go:
// the part of a long message the gateway throttled after taking its sisters. It
// keeps nothing on disk and writes no number and no text to the log.
package sms
