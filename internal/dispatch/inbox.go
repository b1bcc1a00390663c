package dispatch

import (
	"context"
	"errors"
	"sync"

	"tocsin/internal/channels"
)

// tray is the Inbox of a gateway: what channels bring waits here for the next
// transaction of the clerk, and the channel waits with it, because it may
// acknowledge only what is durable. Many calls share one commit.
type tray struct {
	bell chan struct{}

	mu      sync.Mutex
	closed  bool
	waiting []*brought
}

// brought is one call of a channel.
type brought struct {
	receipts []channels.Receipt
	replies  []channels.Reply
	durable  chan error
}

var errClosed = errors.New("dispatch: the gateway is closing")

func newTray() *tray { return &tray{} }

// Receipts implements channels.Inbox.
func (t *tray) Receipts(ctx context.Context, items []channels.Receipt) error {
	return t.bring(ctx, &brought{receipts: items, durable: make(chan error, 1)})
}

// Replies implements channels.Inbox.
func (t *tray) Replies(ctx context.Context, items []channels.Reply) error {
	return t.bring(ctx, &brought{replies: items, durable: make(chan error, 1)})
}

func (t *tray) bring(ctx context.Context, b *brought) error {
	if len(b.receipts)+len(b.replies) == 0 {
		return nil
	}
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return errClosed
	}
	t.waiting = append(t.waiting, b)
	t.mu.Unlock()
	ring(t.bell)
	select {
	case err := <-b.durable:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// trayMost bounds what one transaction takes.
const trayMost = 1024

func (t *tray) take() []*brought {
	t.mu.Lock()
	defer t.mu.Unlock()
	n, items := 0, 0
	for n < len(t.waiting) && (n == 0 || items < trayMost) {
		items += len(t.waiting[n].receipts) + len(t.waiting[n].replies)
		n++
	}
	out := t.waiting[:n:n]
	t.waiting = t.waiting[n:]
	if len(t.waiting) > 0 {
		ring(t.bell)
	}
	return out
}

// shut refuses what comes now and what still waits: their peers will send it again.
func (t *tray) shut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	answer(t.waiting, errClosed)
	t.waiting = nil
}

func answer(calls []*brought, err error) {
	for _, b := range calls {
		b.durable <- err
	}
}
