// Package sealing is « Les blocs scellés »: what every base of traces does with a
// block, whatever engine keeps it: the salts of its events, what a purge leaves in
// the places of those it took, and the root made again from what is on the disk.
//
// It promises that a block reads the same on every engine, so that one log, one
// verification and one verifier outside serve all. It reads no base itself.
package sealing
