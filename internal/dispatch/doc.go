// Package dispatch is « Expédition »: the outbox every room sends through.
//
// It promises that an order accepted in a transaction leaves if that
// transaction commits, and only then; that nothing is lost by a crash and what
// may have left twice is bounded and says so (possible double); that a kill
// stops what is queued or waiting in memory at once; that a medium never
// delays another; and that every outcome, receipt and reply reaches the rooms
// through the Sink, at least once.
//
// It never decides whom to reach or what to say, never asks the network
// anything inside a transaction, and never writes a number or a text to a log.
package dispatch
