package dispatchtest

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
)

// Sink remembers what it is told, once per id, and may fail.
type Sink struct {
	mu      sync.Mutex
	facts   map[uuid.UUID]dispatch.Fact
	order   []uuid.UUID
	replies map[uuid.UUID]dispatch.Reply
	heard   []uuid.UUID
	fails   error
	largest int
}

// NewSink returns an empty sink.
func NewSink() *Sink {
	return &Sink{facts: make(map[uuid.UUID]dispatch.Fact), replies: make(map[uuid.UUID]dispatch.Reply)}
}

// Fail makes the sink refuse everything with err until Fail(nil).
func (s *Sink) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = err
}

// Facts implements dispatch.Sink.
func (s *Sink) Facts(_ context.Context, _ access.Scope, _ time.Time, facts []dispatch.Fact) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return s.fails
	}
	s.largest = max(s.largest, len(facts))
	for _, f := range facts {
		if _, known := s.facts[f.ID]; !known {
			s.order = append(s.order, f.ID)
		}
		s.facts[f.ID] = f
	}
	return nil
}

// Replies implements dispatch.Sink.
func (s *Sink) Replies(_ context.Context, _ access.Scope, _ time.Time, replies []dispatch.Reply) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return s.fails
	}
	for _, r := range replies {
		if _, known := s.replies[r.ID]; !known {
			s.heard = append(s.heard, r.ID)
		}
		s.replies[r.ID] = r
	}
	return nil
}

// Of returns the facts of a kind in the order they were first told.
func (s *Sink) Of(kind dispatch.FactKind) []dispatch.Fact {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []dispatch.Fact
	for _, id := range s.order {
		if f := s.facts[id]; f.Kind == kind {
			out = append(out, f)
		}
	}
	return out
}

// Heard returns the replies in the order they were first told.
func (s *Sink) Heard() []dispatch.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]dispatch.Reply, len(s.heard))
	for i, id := range s.heard {
		out[i] = s.replies[id]
	}
	return out
}

// Largest is the size of the largest batch of facts told at once.
func (s *Sink) Largest() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.largest
}
