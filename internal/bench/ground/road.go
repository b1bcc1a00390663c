package ground

import (
	"context"
	"io"
	"net"
	"sync"
)

// Road is a TCP relay to a peer that can be cut as a network is: silently.
type Road struct {
	listener net.Listener
	group    sync.WaitGroup

	mu     sync.Mutex
	target []string
	turn   int
	cut    bool
	// open is closed while the road is; a cut makes another.
	open  chan struct{}
	conns map[net.Conn]struct{}
}

// NewRoad listens on an address and leads to the targets, in turn: a load
// balancer that knows nothing.
func NewRoad(listen string, targets ...string) (*Road, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	r := &Road{listener: l, target: targets, open: make(chan struct{}), conns: map[net.Conn]struct{}{}}
	close(r.open)
	r.group.Go(r.accept)
	return r, nil
}

// Address is where it listens.
func (r *Road) Address() string { return r.listener.Addr().String() }

// Cut makes everything under way stand still and lets nothing new through: no
// side is told.
func (r *Road) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.cut {
		r.cut, r.open = true, make(chan struct{})
	}
}

// Mend lets new connections through; those that were cut are closed.
func (r *Road) Mend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.cut {
		return
	}
	r.cut = false
	for c := range r.conns {
		hangUp(c)
	}
	close(r.open)
}

// Close ends the road and its connections.
func (r *Road) Close() error {
	err := r.listener.Close()
	r.Cut()
	r.Mend()
	r.group.Wait()
	return err
}

func (r *Road) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.group.Go(func() { r.carry(near) })
	}
}

// next is the target whose turn it is, and whether the road is open.
func (r *Road) next() (target string, open chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn++
	return r.target[r.turn%len(r.target)], r.open
}

func (r *Road) keep(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns[c] = struct{}{}
}

func (r *Road) forget(c net.Conn) {
	hangUp(c)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

// carry leads one connection to the first target that answers.
func (r *Road) carry(near net.Conn) {
	r.keep(near)
	defer r.forget(near)
	var far net.Conn
	for range r.target {
		target, open := r.next()
		<-open
		var d net.Dialer
		var err error
		if far, err = d.DialContext(context.Background(), "tcp", target); err == nil {
			break
		}
	}
	if far == nil {
		return
	}
	r.keep(far)
	defer r.forget(far)
	var both sync.WaitGroup
	both.Go(func() { r.copy(far, near) })
	both.Go(func() { r.copy(near, far) })
	both.Wait()
}

// copy carries one direction; what was read when the road is cut is lost with it.
func (r *Road) copy(to, from net.Conn) {
	defer hangUp(to)
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			r.mu.Lock()
			cut, open := r.cut, r.open
			r.mu.Unlock()
			if cut {
				<-open
				hangUp(from)
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				hangUp(from)
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func hangUp(c io.Closer) {
	if err := c.Close(); err != nil {
		return // already closed
	}
}
