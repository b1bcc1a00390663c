package live

import (
	"context"
	"sync"
)

// Hub passes news about topics to whoever listens, within this process.
type Hub struct {
	mu     sync.Mutex
	topics map[string]map[chan struct{}]struct{}
}

// NewHub returns a hub without listeners.
func NewHub() *Hub {
	return &Hub{topics: make(map[string]map[chan struct{}]struct{})}
}

// Notify says that the topic has moved. It never waits: news that a listener
// has not taken yet are merged into one.
func (h *Hub) Notify(topic string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.topics[topic] {
		select {
		case ch <- struct{}{}:
		default: // it has news waiting: one more changes nothing
		}
	}
}

// Subscribe returns a channel that receives after each move of the topic, and
// is closed when ctx ends.
func (h *Hub) Subscribe(ctx context.Context, topic string) <-chan struct{} {
	ch := make(chan struct{}, 1)
	h.mu.Lock()
	if h.topics[topic] == nil {
		h.topics[topic] = make(map[chan struct{}]struct{})
	}
	h.topics[topic][ch] = struct{}{}
	h.mu.Unlock()
	context.AfterFunc(ctx, func() { h.leave(topic, ch) })
	return ch
}

func (h *Hub) leave(topic string, ch chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.topics[topic], ch)
	if len(h.topics[topic]) == 0 {
		delete(h.topics, topic)
	}
	close(ch)
}

// Listeners counts the listeners of a topic, for the metrics.
func (h *Hub) Listeners(topic string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.topics[topic])
}
