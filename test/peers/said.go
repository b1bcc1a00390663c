package peers

import (
	"bytes"
	"sync"
)

// Said gathers what a process writes, while others read it.
type Said struct {
	mu  sync.Mutex
	all bytes.Buffer
}

// Write implements io.Writer; it never fails.
func (s *Said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

// String is what was written up to now.
func (s *Said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.String()
}
