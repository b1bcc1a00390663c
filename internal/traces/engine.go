package traces

import (
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
	// periods at once where the engine keeps them apart, and tells how many.
	Purge(ctx context.Context, organisation uuid.UUID, class Class, before int64) (Purged, error)
}

// Purged tells what a purge removed.
type Purged struct {
	Events      int64
	First, Last int64 // their times, UTC microseconds
}

// Engine is a base of traces.
type Engine interface {
	Writer
	Reader
	Keeper
	Close() error
}
