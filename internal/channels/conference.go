package channels

import (
	"context"
	"errors"

	"github.com/google/uuid"
)

// ErrConferenceOver is the cause of the end of a conference: its alert has ended.
var ErrConferenceOver = errors.New("channels: the conference is over")

// Conferences is the register of the audio conferences of an establishment. The
// sound is the channel's affair, on this node alone: on two nodes they are two rooms.
type Conferences interface {
	// Enter notes that somebody joins the conference of an alert. inside ends with
	// ctx, and when the conference does: by ErrConferenceOver with its alert, by
	// another cause when the alert was stopped, and then nothing more is said. leave
	// is called once the call is out of it.
	// Errors: ErrConferenceOver when there is none (any more).
	Enter(ctx context.Context, id uuid.UUID) (inside context.Context, leave func(), err error)
}
