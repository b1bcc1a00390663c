package channelstest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"tocsin/internal/channels"
)

// errInbox is what a failing inbox returns.
var errInbox = errors.New("channelstest: the inbox was told to fail")

// Inbox is an inbox in memory that can be told to fail or to hold.
type Inbox struct {
	mu       sync.Mutex
	receipts []channels.Receipt
	replies  []channels.Reply
	fail     int
	failed   int
	gate     chan struct{}
}

// NewInbox returns an inbox that takes everything.
func NewInbox() *Inbox { return &Inbox{} }

// FailNext makes the next n calls fail.
func (i *Inbox) FailNext(n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.fail = n
}

// Failed returns how many calls failed.
func (i *Inbox) Failed() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.failed
}

// Hold makes every call wait until the returned function is called (once or more).
func (i *Inbox) Hold() (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	gate := make(chan struct{})
	i.gate = gate
	return sync.OnceFunc(func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.gate = nil
		close(gate)
	})
}

// Receipts keeps the receipts.
func (i *Inbox) Receipts(ctx context.Context, items []channels.Receipt) error {
	return i.take(ctx, func() { i.receipts = append(i.receipts, items...) })
}

// Replies keeps the replies.
func (i *Inbox) Replies(ctx context.Context, items []channels.Reply) error {
	return i.take(ctx, func() { i.replies = append(i.replies, items...) })
}

func (i *Inbox) take(ctx context.Context, keep func()) error {
	i.mu.Lock()
	gate := i.gate
	i.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.fail > 0 {
		i.fail--
		i.failed++
		return errInbox
	}
	keep()
	return nil
}

// Kept returns copies of what the inbox holds.
func (i *Inbox) Kept() ([]channels.Receipt, []channels.Reply) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.receipts), slices.Clone(i.replies)
}

// patience is how long the suite waits for what must happen.
const patience = time.Minute

// Eventually waits until ok holds, and fails the test when it does not in time.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline.C:
			t.Fatalf("waited %s in vain: %s", patience, what)
		case <-tick.C:
		}
	}
}
