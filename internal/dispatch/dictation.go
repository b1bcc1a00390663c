package dispatch

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/fault"
)

// PurposeDictation makes an order of the medium voice a call that records: its id is
// that of the dictation, and its content only has a language.
const PurposeDictation = "dictation"

// Dictaphone takes what people record by telephone: a room above has one. Its errors
// are those of channels.Dictations.
type Dictaphone interface {
	DictationStep(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, step channels.DictationStep) error
	KeepDictation(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID, sound []byte) error
}

// Dictate names who takes it; it is called once, before Start. Without one nothing is kept.
func (d *Dispatch) Dictate(to Dictaphone) { d.dictaphone = to }

// dictation tells the channel that a delivery is a call that records.
func (it *item) dictation() channels.Dictation {
	if it.lot.purpose != PurposeDictation {
		return channels.Dictation{}
	}
	return channels.Dictation{ID: it.id, Longest: channels.RecordingLongest}
}

// dictations implements channels.Dictations for one gateway's establishment.
type dictations struct{ k *desk }

// Step implements channels.Dictations.
func (s dictations) Step(ctx context.Context, id uuid.UUID, step channels.DictationStep) error {
	if s.k.d.dictaphone == nil {
		return errNoDictaphone()
	}
	return s.k.d.dictaphone.DictationStep(ctx, s.k.scope, s.k.d.clock.Now(), id, step)
}

// Keep implements channels.Dictations.
func (s dictations) Keep(ctx context.Context, id uuid.UUID, sound []byte) error {
	if s.k.d.dictaphone == nil {
		return errNoDictaphone()
	}
	return s.k.d.dictaphone.KeepDictation(ctx, s.k.scope, s.k.d.clock.Now(), id, sound)
}

// errNoDictaphone ends a recording that nobody takes.
func errNoDictaphone() error { return fault.New(fault.Conflict, "dispatch.dictation.nobody") }
