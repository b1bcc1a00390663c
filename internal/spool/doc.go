// Package spool is « File d’attente sur disque »: what stands between what
// arrives and what keeps it. A record is acknowledged once it is on the disk, is
// read in order, and is forgotten once its reader says that it has it.
//
// It promises that an acknowledged record survives kill -9 and a power cut, that
// a full disk refuses and loses nothing, that two places are never the same
// place (a position is used once, also across crashes), and that a damaged
// record is told with its place and never taken for another.
//
// One process writes a spool; any may read it.
package spool
