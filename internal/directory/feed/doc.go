// Package feed is « Serveurs d’annuaire »: the servers whose people are read
// under a schedule, one node at a time.
//
// It promises that what a server says goes the way of a staff file — compared,
// shown, undone — that no more than a set share of people leaves without a
// person, that a reading cut in the middle changes nothing, and that passwords
// are kept sealed.
//
// It never writes to a server, and never keeps what it read beside the directory.
package feed
