package rtp

import (
	"sync"

	"tocsin/internal/wire/mix"
)

// Conference is the streams of one clock that hear each other. It costs nothing
// while nobody is in it.
type Conference struct {
	clock *Clock
	room  mix.Room

	mu     sync.Mutex
	inside int
}

// NewConference returns a conference of streams paced by this clock, with nobody in it.
func (c *Clock) NewConference() *Conference { return &Conference{clock: c} }

// Inside is how many streams are in it.
func (r *Conference) Inside() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inside
}

// count keeps the conference turning while somebody is in it.
func (r *Conference) count(change int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside += change
	r.clock.turning(r, r.inside > 0)
}

// heardMost is the longest sound of one packet that a conference hears: 120 ms.
const heardMost = 6 * Frame

// place is a stream's place in a conference.
type place struct {
	of   *Conference
	seat *mix.Seat
	// said is the sound of a packet that came, heard what the next one to leave carries.
	said  [heardMost]int16
	heard [Frame]int16
}

// Join puts a started stream in a conference, out of any other: what it sends,
// when nothing is said to it alone, is what the others say.
func (s *Stream) Join(r *Conference) {
	s.Leave()
	p := &place{of: r, seat: r.room.Sit()}
	r.count(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.place = p
}

// Leave takes the stream out of its conference, if it is in one.
func (s *Stream) Leave() {
	s.mu.Lock()
	p := s.place
	s.place = nil
	s.mu.Unlock()
	if p != nil {
		p.of.room.Leave(p.seat)
		p.of.count(-1)
	}
}

// hear takes the sound of a packet.
func (p *place) hear(codec Codec, packet Packet) {
	said := p.said[:min(len(packet.Payload), len(p.said))]
	codec.decode(said, packet.Payload)
	p.seat.Hear(packet.Timestamp, said)
}

// fill writes what the others say.
func (p *place) fill(codec Codec, out []byte) {
	p.of.room.Mix(p.seat, &p.heard)
	codec.encode(out, p.heard[:])
}
