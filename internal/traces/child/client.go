package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

// Client is the side that asks. It implements traces.Reader,
// traces.Keeper and, when the base does, traces.Sealer.
type Client struct {
	http *http.Client
	at   string
}

// NewClient speaks to the process that listens on a socket.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return Over(&http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 8}}, "http://traces")
}

// Over speaks to a base by a way of the caller's, at an address of the web.
func Over(way *http.Client, at string) *Client { return &Client{way, at} }

// Close lets the connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Take has the base store what the spool holds before upTo, and tells how far
// it came: the caller asks again until it is there.
func (c *Client) Take(ctx context.Context, upTo spool.Position) (Taken, error) {
	var out takeReply
	err := c.post(ctx, takePath, takeRequest{upTo}, &out)
	return Taken(out), err
}

// Taken is how far the base came.
type Taken takeReply

// Ask implements traces.Reader.
func (c *Client) Ask(ctx context.Context, organisation uuid.UUID, q traces.Question) (out traces.Answer, err error) {
	return out, c.post(ctx, askPath, askRequest{organisation, q}, &out)
}

// Get implements traces.Reader.
func (c *Client) Get(ctx context.Context, organisation uuid.UUID, ref string) (out traces.Stored, err error) {
	return out, c.post(ctx, getPath, getRequest{organisation, ref}, &out)
}

// Purge implements traces.Keeper.
func (c *Client) Purge(ctx context.Context, organisation uuid.UUID, p traces.Purging) (out traces.Purged, err error) {
	return out, c.post(ctx, purgePath, purgeRequest{organisation, p}, &out)
}

// Blocks implements traces.Sealer.
func (c *Client) Blocks(ctx context.Context, organisation uuid.UUID, q traces.BlockQuery) (out []traces.BlockFile, err error) {
	return out, c.post(ctx, blocksPath, blocksRequest{organisation, q}, &out)
}

// Block implements traces.Sealer.
func (c *Client) Block(ctx context.Context, organisation uuid.UUID, class traces.Class, month string, first int64) (out []traces.SealedEvent, err error) {
	return out, c.post(ctx, blockPath, blockRequest{organisation, class, month, first}, &out)
}

// Witness implements traces.Sealer.
func (c *Client) Witness(ctx context.Context, organisation uuid.UUID, ref string) (out traces.Witness, err error) {
	return out, c.post(ctx, witnessPath, getRequest{organisation, ref}, &out)
}

// post asks and reads. A process that does not answer is Unavailable, in words
// for whoever asked the question.
func (c *Client) post(ctx context.Context, path string, in, out any) (err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("write question: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.at+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("write question: %w", err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("ask the traces: %w", context.Cause(ctx))
		}
		return fault.Wrap(err, fault.Unavailable, "traces.error.down")
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	return ReadReply(res, out)
}
