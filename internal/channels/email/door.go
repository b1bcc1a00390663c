package email

import (
	"net"
	"sync"
	"time"
)

// door remembers the connections it let in, because the server library can
// only wait for them: mail servers keep connections open for minutes.
type door struct {
	net.Listener

	mu     sync.Mutex
	open   map[*visitor]bool
	closed bool
}

// Accept lets a connection in.
func (d *door) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	v := &visitor{Conn: c, door: d}
	d.mu.Lock()
	d.open[v] = true
	d.mu.Unlock()
	return v, nil
}

// shut ends every wait for a next command, now and later. Answers can still
// be written.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	for v := range d.open {
		if err := v.Conn.SetReadDeadline(past()); err != nil {
			continue // already closed
		}
	}
}

// cut closes whatever is still open.
func (d *door) cut() {
	d.mu.Lock()
	open := make([]*visitor, 0, len(d.open))
	for v := range d.open {
		open = append(open, v)
	}
	d.mu.Unlock()
	for _, v := range open {
		if err := v.Close(); err != nil {
			continue // already closed
		}
	}
}

func past() time.Time { return time.Unix(1, 0) }

// visitor is one connection.
type visitor struct {
	net.Conn
	door *door
}

// SetReadDeadline gives no more time once the door is shut.
func (v *visitor) SetReadDeadline(t time.Time) error {
	v.door.mu.Lock()
	defer v.door.mu.Unlock()
	if v.door.closed {
		t = past()
	}
	return v.Conn.SetReadDeadline(t)
}

// Close forgets the connection.
func (v *visitor) Close() error {
	v.door.mu.Lock()
	delete(v.door.open, v)
	v.door.mu.Unlock()
	return v.Conn.Close()
}
