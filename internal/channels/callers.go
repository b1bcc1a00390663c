package channels

import "context"

// Switchboard knows whom we called, for the day they call back.
type Switchboard interface {
	// Missed finds the message that somebody at one of these addresses was called
	// for last, while it still stands; ok is false for anybody else. ctx lasts as
	// long as the call: until it ends, the permit of the message is kept true.
	Missed(ctx context.Context, addresses []string) (m Message, ok bool, err error)
}

// Line is a conversation by telephone: what is said, and the keys that answer.
type Line interface {
	// Ask says a text in a language and waits for up to most keys: fewer, when the
	// person ends by # or says nothing more. A key cuts the text short. With most 0
	// the text is said to its end. What was typed ahead answers the next question.
	// Errors: the other side hung up, or ctx ended.
	Ask(ctx context.Context, text, language string, most int) (keys string, err error)
}

// Visit is a conversation that goes on where the program calls back.
type Visit struct {
	// To is the address to call; empty is nowhere.
	To   string
	Talk func(ctx context.Context, line Line) error
}

// Operator talks with those who call the number from which alerts are piloted.
type Operator interface {
	// Answer holds the conversation with who calls from one of these addresses,
	// which prove nothing, and tells where to go on.
	Answer(ctx context.Context, from []string, line Line) (Visit, error)
}
