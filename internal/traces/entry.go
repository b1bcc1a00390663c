package traces

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// The kinds of entries of the log.
const (
	kindBlock = "block" // a block of events, as it was sealed
	kindPurge = "purge" // events of a class before a time may be gone from here on
	kindCut   = "cut"   // what a purge left in a block
	kindHeld  = "held"  // what is left of a block that is too old, since it is held: no purge takes it
	kindFree  = "free"  // a hold was lifted: from here on purges of the class take all again
	kindBack  = "back"  // the base lost blocks that were sealed
)

// Entry is a line of the log.
type Entry struct {
	Number int64
	Kind   string
	Class  Class
	// Month is that of a block, a cut or a loss.
	Month string
	// Block is what was sealed; what is cut or held has First, Removed and Cut.
	Block Block
	// Before bounds a purge, UTC microseconds; At is when it was ordered, or a loss
	// was found.
	Before, At int64
	// Hold is that which was lifted.
	Hold uuid.UUID
}

// text writes an entry as it is hashed: one line of words.
func (e Entry) text(organisation uuid.UUID) string {
	head := e.Kind + " " + organisation.String() + " " + e.Class.String() + " "
	switch e.Kind {
	case kindBlock:
		b := e.Block
		return head + fmt.Sprintf("%s %d %d %d %d %x", e.Month, b.First, b.Events, b.Lo, b.Hi, b.Root)
	case kindPurge:
		return head + fmt.Sprintf("%d %d", e.Before, e.At)
	case kindCut, kindHeld:
		return head + fmt.Sprintf("%s %d %d %x", e.Month, e.Block.First, e.Block.Removed, e.Block.Cut)
	case kindFree:
		return head + fmt.Sprintf("%s %d", e.Hold, e.At)
	}
	return head + fmt.Sprintf("%s %d", e.Month, e.At)
}

var errEntry = errors.New("not an entry of a log of traces")

// parseEntry reads a line of the log.
func parseEntry(organisation uuid.UUID, number int64, line string) (Entry, error) {
	words := strings.Split(line, " ")
	e := Entry{Number: number}
	if len(words) < 5 || words[1] != organisation.String() {
		return e, errEntry
	}
	known := false
	e.Kind = words[0]
	if e.Class, known = ParseClass(words[2]); !known {
		return e, errEntry
	}
	r := words[3:]
	var err error
	switch e.Kind {
	case kindPurge:
	case kindFree:
		e.Hold, err = uuid.Parse(r[0])
		r = r[1:]
	default:
		e.Month, r = r[0], r[1:]
	}
	if err != nil {
		return e, errEntry
	}
	switch e.Kind {
	case kindBlock:
		e.Block.Root, err = numbers(r, &e.Block.First, &e.Block.Events, &e.Block.Lo, &e.Block.Hi)
	case kindPurge:
		_, err = numbers(append(r, ""), &e.Before, &e.At)
	case kindCut, kindHeld:
		e.Block.Cut, err = numbers(r, &e.Block.First, &e.Block.Removed)
	case kindBack, kindFree:
		_, err = numbers(append(r, ""), &e.At)
	default:
		err = errEntry
	}
	if err == nil && e.text(organisation) != line {
		err = errEntry // one entry is written in one way
	}
	return e, err
}

// numbers reads some, then a digest.
func numbers(words []string, into ...*int64) (digest []byte, err error) {
	if len(words) != len(into)+1 {
		return nil, errEntry
	}
	for i, n := range into {
		if *n, err = strconv.ParseInt(words[i], 10, 64); err != nil {
			return nil, errEntry
		}
	}
	if digest, err = hex.DecodeString(words[len(into)]); err != nil {
		return nil, errEntry
	}
	return digest, nil
}

// place names the block of an entry among those of an establishment.
func (e Entry) place() string { return blockName(e.Class, e.Month, e.Block.First) }

func blockName(c Class, month string, first int64) string {
	return FileName(c, month) + "/" + strconv.FormatInt(first, 10)
}
