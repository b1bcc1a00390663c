// Package peers is « Les témoins »: what the programs that we did not write, and
// that tests start, have in common.
package peers
