// Package stories is « Les histoires »: what Tocsin promises to a hospital at
// night, told from one end to the other, one file per promise.
//
// The whole house is built as the program builds it. Only three things are
// replaced: the clock, which the story moves; the telephones and the mailboxes,
// which are in memory and do what the story says; and the price of passwords.
// A story never waits for the time of the machine.
package stories
