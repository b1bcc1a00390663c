package channels

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Dictation is a text to be recorded by telephone.
type Dictation struct {
	// ID is Nil for none.
	ID uuid.UUID
	// Longest is how long the person may speak.
	Longest time.Duration
}

// DictationStep is where a call that records a text stands. The value is stored.
type DictationStep string

// The steps of a dictation, as the telephone takes them.
const (
	DictationRinging   DictationStep = "ringing"   // the telephone rings
	DictationGuiding   DictationStep = "guiding"   // somebody picked up and hears what to do
	DictationRecording DictationStep = "recording" // the person speaks
	DictationPlaying   DictationStep = "playing"   // the person hears it again and decides
	DictationGivenUp   DictationStep = "given_up"  // the person wants none of it
)

// Dictations takes what people record by telephone.
type Dictations interface {
	// Step tells where a dictation stands. Errors: Conflict when nobody waits for it any
	// more: the call then ends.
	Step(ctx context.Context, id uuid.UUID, step DictationStep) error
	// Keep keeps the sound, in G.711 A-law at 8 kHz. Errors: what refused it.
	Keep(ctx context.Context, id uuid.UUID, sound []byte) error
}
