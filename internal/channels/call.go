package channels

import (
	"context"
	"strings"
)

// Called is a channel whose peer calls us by HTTP with receipts and replies.
type Called interface {
	// Call is one call of the peer, whose secret address was right. It answers once
	// what the call brings is durable.
	Call(ctx context.Context, call Call) CallAnswer
}

// Call is a request of a peer, read whole.
type Call struct {
	Method string
	// Query is what follows the question mark, as it came.
	Query  string
	Header map[string][]string
	Body   []byte
}

// Get is the first value of a header, whatever its case.
func (c Call) Get(header string) string {
	for name, list := range c.Header {
		if strings.EqualFold(name, header) && len(list) > 0 {
			return list[0]
		}
	}
	return ""
}

// CallAnswer is what the peer is told: a status of HTTP, and an empty body.
type CallAnswer struct{ Status int }
