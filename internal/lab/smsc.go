package lab

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"tocsin/internal/wire/smpp"
)

// smsc is the gateway: sessions come and go, an account stays, with what it
// has not received yet.
type smsc struct {
	options Options
	ledger  *ledger
	agenda  *agenda
	// town is nil on the fast path: nobody reads the messages.
	town *town
	next atomic.Uint64

	mu       sync.Mutex
	accounts map[string]*account
	sessions map[*session]bool
	counters counters
}

// counters are what the control port tells beside the ledger.
type counters struct {
	binds, refused, throttled, receipts, replies, acknowledged, again atomic.Uint64
}

func newSMSC(o Options, a *agenda) *smsc {
	s := &smsc{options: o, ledger: newLedger(), agenda: a, accounts: map[string]*account{}, sessions: map[*session]bool{}}
	// Ids go on growing from one run to the next, as a gateway's do.
	s.next.Store(uint64(o.Clock.Now().UnixMicro()))
	return s
}

// serve accepts sessions until ctx ends, then closes them all.
func (s *smsc) serve(ctx context.Context, listener net.Listener) error {
	var group sync.WaitGroup
	stop := context.AfterFunc(ctx, func() {
		closeQuietly(listener)
		s.cut()
	})
	defer stop()
	for {
		conn, err := listener.Accept()
		if err != nil {
			group.Wait()
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		c := newSession(s, smpp.NewConn(conn, smpp.Limits{Read: 10 * time.Minute, Write: 30 * time.Second}))
		if !s.enter(ctx, c) {
			abort(c.conn)
			continue
		}
		group.Go(func() {
			c.serve()
			s.leave(c)
		})
	}
}

// enter remembers a session, unless the lab is closing.
func (s *smsc) enter(ctx context.Context, c *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return false
	}
	s.sessions[c] = true
	return true
}

func (s *smsc) leave(c *session) {
	s.mu.Lock()
	delete(s.sessions, c)
	s.mu.Unlock()
	if c.account != nil {
		c.account.leave(c)
	}
}

// cut ends every session at once, as a network does.
func (s *smsc) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sessions {
		abort(c.conn)
	}
}

// account returns the account of that name.
func (s *smsc) account(name string) *account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.accounts[name]
	if a == nil {
		a = &account{smsc: s}
		if r := s.options.Gateway.Rate; r > 0 {
			a.pace = rate.NewLimiter(rate.Limit(r), max(1, r/10))
		}
		s.accounts[name] = a
	}
	return a
}

// waiting counts what the accounts have not acknowledged.
func (s *smsc) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.accounts {
		n += a.waiting()
	}
	return n
}

// abort closes a connection; one already gone has nothing to say.
func abort(c *smpp.Conn) {
	if err := c.Abort(); err != nil {
		return
	}
}

func closeQuietly(c interface{ Close() error }) {
	if err := c.Close(); err != nil {
		return // already closed
	}
}
