package traces

import (
	"cmp"
	"context"

	"github.com/google/uuid"

	"tocsin/internal/spool"
)

// Writer keeps events in a base of traces.
type Writer interface {
	// Take stores events, in the order of the spool, and remembers with them,
	// in the same commit, that the spool was read up to a position: when it
	// returns nil they are durable and will be found by the next question; when
	// it fails nothing of the batch that was committed is stored again by the
	// retry. Events of one source with the Key of one already stored within the
	// last day are stored once.
	Take(ctx context.Context, batch []Placed, upTo spool.Position) error
	// Applied is the position from which the spool is to be read: all before it
	// is stored. A batch may be told again from there; Placed tells what is new.
	Applied(ctx context.Context) (spool.Position, error)
}

// Placed is an event with the place after it in the spool.
type Placed struct {
	Event
	At spool.Position
}

// Reader answers questions. Every call names one establishment and sees its
// events only.
type Reader interface {
	// Ask answers. It stops within 100 ms of the end of ctx. Errors: Invalid
	// from Question.Check.
	Ask(ctx context.Context, organisation uuid.UUID, q Question) (Answer, error)
	// Get gives one event with its original. Errors: NotFound.
	Get(ctx context.Context, organisation uuid.UUID, ref string) (Stored, error)
}

// Keeper holds the durations.
type Keeper interface {
	// Purge removes the events of a class that happened before a time, whole
	// periods at once where the engine keeps them apart, and tells how many. What
	// is held stays, and can be asked and verified as before. After an error
	// nothing was removed.
	Purge(ctx context.Context, organisation uuid.UUID, p Purging) (Purged, error)
}

// Purging says what is to be removed.
type Purging struct {
	Class Class `json:"class"`
	// Before is the time up to which events are too old, UTC microseconds.
	Before int64 `json:"before"`
	// Held are questions whose events stay, whatever their age: of these their
	// period, their conditions and their words count.
	Held []Question `json:"held,omitempty"`
	// Try counts, and removes nothing.
	Try bool `json:"try,omitempty"`
}

// Purged tells what a purge removed.
type Purged struct {
	Events      int64
	First, Last int64 // their times, UTC microseconds
	// Held is how many are too old and stay because they are held.
	Held int64
	// Problem is the fault that ended the purge after what it tells was removed;
	// empty when it came to its end.
	Problem string
}

// Add is what two purges removed together.
func (p Purged) Add(o Purged) Purged {
	held := p.Held + o.Held
	switch {
	case p.Events == 0:
		p.First, p.Last = o.First, o.Last
	case o.Events > 0:
		p.First, p.Last = min(p.First, o.First), max(p.Last, o.Last)
	}
	return Purged{Events: p.Events + o.Events, First: p.First, Last: p.Last, Held: held, Problem: cmp.Or(p.Problem, o.Problem)}
}

// Engine is a base of traces.
type Engine interface {
	Writer
	Reader
	Keeper
	Close() error
}
