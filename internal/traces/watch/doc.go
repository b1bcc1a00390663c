// Package watch is « Veille au fil de l’eau »: it looks at what comes in, behind
// the queue on disk, and has kept what stands out.
//
// It promises that what stands out and the place up to which the queue was read
// are stored in one transaction, so that a crash looks again at a few events and
// passes over none; that the queue forgets nothing it has not looked at, up to a
// bound, after which it lets go and says how much; that the behaviour of staff is
// looked at only where the establishment put that into service.
//
// It never slows what comes in: it reads after the acknowledgement, one batch at
// a time, and rests in between. It decides nothing: Detectors do.
package watch
