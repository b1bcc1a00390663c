// Package pages is « Déclencher, suivre, répondre »: what the director on call,
// the crisis cell and the agents see of an alert.
//
// It promises that nobody launches without having read what will leave, to
// whom and in which mode; that the follow-up is one reading of the database
// for all its viewers; that every act works without script; and that the page
// an agent opens weighs less than 20 kB.
//
// It never records an answer because a link was opened, never chooses the mode
// for the launcher, and never shows more of a number than the reader may see.
package pages
