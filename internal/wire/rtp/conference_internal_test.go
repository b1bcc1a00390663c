package rtp

import (
	"net/netip"
	"testing"

	"tocsin/internal/wire/mix"
)

// 20 ms of a conference cost no memory: the collector would be heard.
func TestAConferenceAllocatesNothing(t *testing.T) {
	for what, encrypted := range map[string]bool{"in clear": false, "encrypted": true} {
		t.Run(what, func(t *testing.T) { allocatesNothing(t, encrypted) })
	}
}

func allocatesNothing(t *testing.T, encrypted bool) {
	c := NewClock()
	theirs := NewKey()
	other, err := newShield(theirs)
	if err != nil {
		t.Fatal(err)
	}
	room := c.NewConference()
	here := netip.MustParseAddr("127.0.0.1")
	var streams []*Stream
	for range 20 {
		s, err := Listen(c, here, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.remote, s.codec, s.event, s.buffer = netip.AddrPortFrom(here, uint16(s.Port())), PCMA, 101, make([]byte, 0, headerSize+Frame+tagSize)
		s.place = &place{of: room, seat: room.room.Sit()}
		if encrypted {
			if err := s.Secure(NewKey(), theirs); err != nil {
				t.Fatal(err)
			}
		}
		streams = append(streams, s)
		defer func() {
			if err := s.conn.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	packet := Packet{Type: byte(PCMA), SSRC: 1, Payload: make([]byte, mix.Frame)}
	var b []byte
	n := testing.AllocsPerRun(50, func() {
		for _, s := range streams {
			packet.Timestamp += mix.Frame
			packet.Sequence++
			b = packet.Append(b[:0])
			if encrypted {
				b = other.protect(b)
			}
			s.take(b, s.remote)
		}
		room.room.Turn()
		for _, s := range streams {
			s.send()
		}
	})
	if n != 0 {
		t.Errorf("%v allocations in a turn of 20", n)
	}
}
