package dispatch

import (
	"context"
	"sync"
	"time"

	"tocsin/internal/channels"
)

// share is the part of a gateway's contract that this node may use: messages
// per second, connections, deliveries in flight. Alone on its database a node
// has all of it; among others it has what the shares of the database grant, for
// as long as its own monotonic counter says that nobody else can have it.
type share struct {
	contract grant
	// calls tells that a link lasts as long as it lasts: see channels.Limits.
	calls   bool
	elapsed func() time.Duration

	mu   sync.Mutex
	held grant
	// until is when nothing is held any more; 0 means never.
	until time.Duration
	// open are the connections in use, each with what ends its right.
	open []*link
	// tokens are the messages that may leave at once, as of at.
	tokens float64
	at     time.Duration
	// news is closed and replaced when what is held changes.
	news chan struct{}
}

// link is the right to one connection.
type link struct{ end context.CancelCauseFunc }

// newShare returns the whole contract for a node that is alone, nothing yet for others.
func newShare(contract grant, elapsed func() time.Duration, alone bool) *share {
	s := &share{contract: contract, elapsed: elapsed, until: 1, news: make(chan struct{})}
	if alone {
		s.held, s.until = contract, 0
	}
	return s
}

// now is what is held at this moment; it needs the lock.
func (s *share) now() grant {
	if s.lapsed() {
		return grant{}
	}
	return s.held
}

// lapsed tells that another node may have what was held; it needs the lock.
func (s *share) lapsed() bool { return s.until != 0 && s.elapsed() >= s.until }

// grant sets what is held and until when.
func (s *share) grant(g grant, until time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fill()
	if s.now() != g {
		close(s.news)
		s.news = make(chan struct{})
	}
	s.held, s.until = g, until
	s.tokens = min(s.tokens, s.burst())
	s.trim()
}

// lower gives up at once what is beyond g: others may have it from the next commit on.
func (s *share) lower(g grant) {
	s.mu.Lock()
	until, lower := s.until, s.now().atMost(g)
	s.mu.Unlock()
	s.grant(lower, until)
}

// look ends the connections whose right has lapsed.
func (s *share) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trim()
}

// trim needs the lock.
func (s *share) trim() {
	if s.contract.links == 0 || s.calls && !s.lapsed() {
		return
	}
	for i := int(s.now().links); i < len(s.open); i++ {
		s.open[i].end(channels.ErrLinkLost)
	}
}

// current is what is held at this moment.
func (s *share) current() grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// lots is how many may be in flight.
func (s *share) lots() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.now().lots)
}

// links is how many connections are held, and used: one that was taken back may still be closing.
func (s *share) links() (held, used int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now().links, int64(len(s.open))
}

// canSend tells whether there is a way out and room for messages on it.
func (s *share) canSend() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.now()
	return g.lots > 0 && (s.contract.links == 0 || g.links > 0) && (s.contract.rate == 0 || g.rate > 0)
}

// Take implements channels.Links.
func (s *share) Take(ctx context.Context) (context.Context, func(), error) {
	for {
		s.mu.Lock()
		if s.contract.links == 0 || int64(len(s.open)) < s.now().links {
			mine, end := context.WithCancelCause(ctx)
			l := &link{end}
			s.open = append(s.open, l)
			s.mu.Unlock()
			return mine, func() { s.giveBack(l) }, nil
		}
		news := s.news
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-news:
		}
	}
}

func (s *share) giveBack(l *link) {
	l.end(nil)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.open {
		if s.open[i] == l {
			s.open = append(s.open[:i], s.open[i+1:]...)
			break
		}
	}
	// Whoever waits may have what was given back.
	close(s.news)
	s.news = make(chan struct{})
}

// burstFor lets the timers of the machine be coarse.
const burstFor = 50 * time.Millisecond

// burst is how many messages may leave at once.
func (s *share) burst() float64 { return max(1, float64(s.held.rate)/1000*burstFor.Seconds()) }

// fill adds what time has brought; it needs the lock.
func (s *share) fill() {
	now := s.elapsed()
	if g := s.now(); g.rate > 0 {
		s.tokens = min(s.tokens+(now-s.at).Seconds()*float64(g.rate)/1000, s.burst())
	}
	s.at = now
}

// turn takes the right of a message of that many segments, or says how long to
// wait for it. Without a limit, or without any right to send, there is nothing
// to wait for: a later stage tells them apart.
func (s *share) turn(weight int) (wait time.Duration, news <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.contract.rate == 0 || s.now().rate == 0 {
		return 0, nil
	}
	s.fill()
	// A long message goes when the bucket is full, and leaves a debt.
	need := min(float64(weight), s.burst())
	if s.tokens >= need {
		s.tokens -= float64(weight)
		return 0, nil
	}
	return time.Duration((need - s.tokens) * 1000 / float64(s.held.rate) * float64(time.Second)), s.news
}
