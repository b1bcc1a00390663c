package spool

import (
	"fmt"
	"os"
)

// Laid is a place after everything that was acknowledged in a folder, told from
// outside of the program that writes there. What is being written may lie before
// it: it is a place to wait for, never one to read up to.
func Laid(dir string) (Position, error) {
	known, err := segments(dir)
	if err != nil || len(known) == 0 {
		return Position{}, err
	}
	last := known[len(known)-1]
	info, err := os.Stat(segmentPath(dir, last))
	if err != nil {
		return Position{}, fmt.Errorf("look at spool: %w", err)
	}
	return Position{Segment: last, Offset: info.Size()}, nil
}
