package channels

import "context"

// Switchboard knows whom we called, for the day they call back.
type Switchboard interface {
	// Missed finds the message that somebody at one of these addresses was called
	// for last, while it still stands; ok is false for anybody else. ctx lasts as
	// long as the call: until it ends, the permit of the message is kept true.
	Missed(ctx context.Context, addresses []string) (m Message, ok bool, err error)
}
