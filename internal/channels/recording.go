package channels

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// The bounds of a recording: what a person hears to the end, and what says something.
const (
	RecordingShortest = time.Second
	RecordingLongest  = 90 * time.Second
)

// Recording is a text as a person said it.
type Recording struct {
	// ID is Nil for none.
	ID uuid.UUID `json:"id"`
	// Before and After are spoken around it: the mark of an exercise, the word that vouches.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
}

// Recordings keeps the recordings of an establishment.
type Recordings interface {
	// Recording is the sound of one, in G.711 A-law at 8 kHz. What an id is the sound
	// of never changes. Errors: NotFound, once it was erased.
	Recording(ctx context.Context, id uuid.UUID) ([]byte, error)
}
