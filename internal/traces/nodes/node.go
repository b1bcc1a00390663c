package nodes

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/child"
)

const (
	// reachMost is how long the machine of the base may take to open a connection,
	// layMost to have a portion on its disk.
	reachMost = 5 * time.Second
	layMost   = 30 * time.Second
	// atBase is a name for the request alone: the connection is made to the
	// address of the settings, and known by its key.
	atBase = "https://traces"
)

// Node is the side of a machine without a base: it implements traces.Queue and
// traces.Base by the machine that has it.
type Node struct {
	way   *http.Client
	asked *child.Client
	held  atomic.Int64
}

// NewNode reaches the machine of the base at an address.
func NewNode(address string, keys Keys) *Node {
	dial := dialer(keys)
	way := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 16, MaxConnsPerHost: 64, IdleConnTimeout: readMost,
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, reachMost)
			defer cancel()
			return dial(ctx, address)
		},
	}}
	return &Node{way: way, asked: child.Over(way, atBase)}
}

// Close lets the connections go.
func (n *Node) Close() { n.way.CloseIdleConnections() }

// Held implements traces.Queue: what waited when the machine of the base last
// answered.
func (n *Node) Held() int64 { return n.held.Load() }

// Ask implements traces.Reader.
func (n *Node) Ask(ctx context.Context, organisation uuid.UUID, q traces.Question) (traces.Answer, error) {
	a, err := n.asked.Ask(ctx, organisation, q)
	return a, away(err)
}

// Get implements traces.Reader.
func (n *Node) Get(ctx context.Context, organisation uuid.UUID, ref string) (traces.Stored, error) {
	s, err := n.asked.Get(ctx, organisation, ref)
	return s, away(err)
}

// Purge implements traces.Keeper.
func (n *Node) Purge(ctx context.Context, organisation uuid.UUID, p traces.Purging) (traces.Purged, error) {
	out, err := n.asked.Purge(ctx, organisation, p)
	return out, away(err)
}

// away says of a base that does not answer that it is on another machine, where
// nothing of this one waits: what is not acknowledged is with its source.
func away(err error) error {
	if f := fault.As(err); f != nil && f.Key == "traces.error.down" {
		return fault.Wrap(err, fault.Unavailable, "traces.error.away")
	}
	return err
}

// Append implements traces.Queue: it returns once the machine of the base has
// the records on its disk. The place there is none of ours. After an error some
// may have been laid: the source says them again, and those without an id of
// their own may then be twice.
func (n *Node) Append(ctx context.Context, records ...[]byte) (spool.Position, error) {
	var body []byte
	for i, r := range records {
		body = append(binary.AppendUvarint(body, uint64(len(r))), r...)
		if i == len(records)-1 || len(body) >= portionMost {
			if err := n.lay(ctx, body); err != nil {
				return spool.Position{}, err
			}
			body = body[:0]
		}
	}
	return spool.Position{}, nil
}

func (n *Node) lay(ctx context.Context, body []byte) (err error) {
	ctx, cancel := context.WithTimeout(ctx, layMost)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, atBase+appendPath, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("write traces: %w", err)
	}
	res, err := n.way.Do(req)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "traces.error.away")
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	var out appended
	if err := child.ReadReply(res, &out); err != nil {
		return err
	}
	n.held.Store(out.Held)
	return nil
}
