package channels

import (
	"context"

	"github.com/google/uuid"
)

// The digits of a personal code, as it is typed on a telephone.
const (
	CodeLeast = 6
	CodeMost  = 8
)

// Reserved is what a medium that speaks tells the addressee only, once he gave his
// personal code. Whatever knows nothing of it says the text of the message, which is
// for anybody.
type Reserved struct {
	// Text is empty where nothing is reserved.
	Text string `json:"text"`
	// Recording is said in place of Text.
	Recording Recording `json:"recording,omitzero"`
}

// Codes judges the personal codes of those that messages are for.
type Codes interface {
	// Has tells whether the addressee of a message chose a code.
	Has(ctx context.Context, message uuid.UUID) (bool, error)
	// Judge returns nil for the code of the addressee. ours tells that we called the
	// address of the message: whoever calls us presents a number that proves nothing,
	// and his mistakes are counted apart. Errors: Invalid when it is wrong, TooMany
	// when one must wait.
	Judge(ctx context.Context, message uuid.UUID, code string, ours bool) error
}
