package rtp

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Stream is the sound of one call: what we say and the keys that come back.
type Stream struct {
	clock *Clock
	conn  *net.UDPConn
	keys  chan byte
	ended sync.WaitGroup

	mu      sync.Mutex
	remote  netip.AddrPort
	codec   Codec
	event   byte // payload type of keys; 0 is none
	next    Packet
	sound   []byte
	said    chan struct{}
	heard   uint64
	strange uint64
	// presses are the keys to send, and pressed the payload of the packet under way.
	presses []press
	pressed [4]byte
	// place is in a conference; nil is in none.
	place *place
	// tape keeps what the other side says; nil keeps nothing.
	tape *tape

	// shieldOut and shieldIn are nil on a call in clear.
	shieldOut, shieldIn *shield

	locked bool
	source uint32
	// lastHeard is when the locked source was last heard, by the clock's stopwatch.
	lastHeard time.Duration
	keypad    Keypad
	buffer    []byte

	// Of the clock alone: the part it is paced in, and the packet that leaves.
	phase int
	post  postman
}

// keysMost bounds the keys that wait to be read: beyond, they are lost.
const keysMost = 32

// Listen opens a socket for one call on the given machine address. The port is
// one of low to high, even as telephones expect; any when low is 0.
func Listen(c *Clock, host netip.Addr, low, high int) (*Stream, error) {
	conn, err := bind(host, low, high)
	if err != nil {
		return nil, err
	}
	s := &Stream{clock: c, conn: conn, keys: make(chan byte, keysMost)}
	if err := s.post.open(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s.next = Packet{Marker: true, Sequence: uint16(rand.Uint32()), Timestamp: rand.Uint32(), SSRC: rand.Uint32()}
	return s, nil
}

func bind(host netip.Addr, low, high int) (*net.UDPConn, error) {
	if low == 0 {
		return net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	}
	ports := (high - low + 2) / 2
	first := rand.IntN(ports)
	var last error
	for i := range ports {
		port := (low+1)&^1 + 2*((first+i)%ports)
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, uint16(port))))
		if err == nil {
			return conn, nil
		}
		last = err
	}
	return nil, fmt.Errorf("rtp: no free port from %d to %d: %w", low, high, last)
}

// Port is where the other side sends.
func (s *Stream) Port() int {
	if a, ok := s.conn.LocalAddr().(*net.UDPAddr); ok {
		return a.Port
	}
	return 0
}

// Start begins to send silence to the announced address, and to hear keys of
// that payload type from that machine.
func (s *Stream) Start(remote netip.AddrPort, codec Codec, event byte) {
	s.mu.Lock()
	s.remote, s.codec, s.event = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), codec, event
	s.next.Type = byte(codec)
	s.buffer = make([]byte, 0, headerSize+Frame+tagSize)
	s.mu.Unlock()
	s.ended.Go(s.hear)
	s.clock.add(s)
}

// Move follows the other side to another address of its, announced meanwhile.
func (s *Stream) Move(remote netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remote, s.locked = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port()), false
}

// Close ends the stream and waits for its end.
func (s *Stream) Close() error {
	s.clock.remove(s)
	s.Leave()
	err := s.conn.Close()
	s.ended.Wait()
	s.Hush()
	return err
}

// Say plays encoded sound in place of what was being said. The channel is
// closed when it ends or is replaced.
func (s *Stream) Say(sound []byte) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hush()
	s.sound, s.said = sound, make(chan struct{})
	return s.said
}

// Hush stops what is being said.
func (s *Stream) Hush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hush()
}

func (s *Stream) hush() {
	if s.said != nil {
		close(s.said)
	}
	s.sound, s.said = nil, nil
}

// Keys are the keys pressed, in order.
func (s *Stream) Keys() <-chan byte { return s.keys }

// Heard is how many packets came from the other side, and how many from strangers.
func (s *Stream) Heard() (own, strange uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard, s.strange
}

// send writes the packet of one tick.
func (s *Stream) send() {
	s.mu.Lock()
	p := s.next
	s.next.Sequence++
	s.next.Timestamp += Frame
	s.next.Marker = false
	keyed := s.pressing(&p)
	b := p.Append(s.buffer[:0])
	if !keyed {
		b = b[:headerSize+Frame]
		s.speak(b[headerSize:])
	}
	if s.shieldOut != nil {
		b = s.shieldOut.protect(b)
	}
	remote := s.remote
	s.mu.Unlock()
	s.post.send(b, remote) // a lost packet of sound is 20 ms of silence
}

// speak fills a packet: with what is said to this call alone, else with what its
// conference says, else with silence. The stream is locked.
func (s *Stream) speak(out []byte) {
	if len(s.sound) == 0 && s.place != nil {
		s.place.fill(s.codec, out)
	} else {
		n := copy(out, s.sound)
		s.sound = s.sound[n:]
		for i := n; i < len(out); i++ {
			out[i] = s.codec.Silence()
		}
	}
	if len(s.sound) == 0 && s.said != nil {
		s.hush()
	}
}

// lockFor is how long a source that fell silent keeps its place: a gateway that
// changes its source in the middle of a call stops the first one.
const lockFor = time.Second

// packetMost is longer than any packet of a telephone.
const packetMost = 2048

func (s *Stream) hear() {
	b := make([]byte, packetMost)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			if isClosed(err) {
				return
			}
			continue // a "port unreachable" of the other side: it may open it later
		}
		s.take(b[:n], from)
	}
}

// take hears one packet, if it is the other side's.
func (s *Stream) take(b []byte, from netip.AddrPort) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, err := Parse(b)
	now := s.clock.elapsed()
	if err == nil && s.shieldIn != nil && from.Addr().Unmap() == s.remote.Addr() {
		if b, err = s.shieldIn.open(b); err == nil {
			p, err = Parse(b)
		}
	}
	if err != nil || from.Addr().Unmap() != s.remote.Addr() || s.locked && p.SSRC != s.source && now-s.lastHeard < lockFor {
		s.strange++
		return
	}
	if p.Type != byte(s.codec) && (s.event == 0 || p.Type != s.event) {
		return // comfort noise and the like
	}
	s.locked, s.source, s.lastHeard = true, p.SSRC, now
	s.heard++
	if p.Type != s.event || s.event == 0 {
		if s.place != nil {
			s.place.hear(s.codec, p)
		}
		if s.tape != nil {
			s.tape.hear(s.codec, p)
		}
		return
	}
	if key := s.keypad.Press(p); key != 0 {
		select {
		case s.keys <- key:
		default:
		}
	}
}

func isClosed(err error) bool { return errors.Is(err, net.ErrClosed) }
