package rtp_test

import (
	"math"
	"net/netip"
	"testing"

	"tocsin/internal/wire/rtp"
)

// level is the mean strength of a sound.
func level(samples []int16) float64 {
	sum := 0.0
	for _, v := range samples {
		sum += math.Abs(float64(v))
	}
	return sum / float64(len(samples))
}

// speaker is a telephone that says one level, packet by packet.
type speaker struct {
	phone
	to    *rtp.Stream
	codec rtp.Codec
	next  rtp.Packet
}

// turn says 20 ms as often as it hears 20 ms, and returns what it heard.
func (s *speaker) turn(said int16) []int16 {
	samples := make([]int16, rtp.Frame)
	for i := range samples {
		samples[i] = said
	}
	s.next.Type, s.next.Payload = byte(s.codec), s.codec.Encode(samples)
	_, err := s.conn.WriteToUDPAddrPort(s.next.Append(nil), netip.AddrPortFrom(here, uint16(s.to.Port())))
	must(s.t, err)
	s.next.Sequence++
	s.next.Timestamp += rtp.Frame
	return s.codec.Decode(s.hear().Payload)
}

func TestAConferenceIsHeardByTheOthersInTheirCodec(t *testing.T) {
	c := rtp.NewClock()
	room := c.NewConference()
	speakers := make([]*speaker, 3)
	for i, codec := range []rtp.Codec{rtp.PCMA, rtp.PCMU, rtp.PCMA} {
		p := newPhone(t, "127.0.0.1")
		s, err := rtp.Listen(c, here, 0, 0)
		must(t, err)
		s.Start(p.address(), codec, 101)
		t.Cleanup(func() { must(t, s.Close()) })
		s.Join(room)
		speakers[i] = &speaker{phone: p, to: s, codec: codec, next: rtp.Packet{SSRC: uint32(i + 1)}}
	}
	levels := []int16{1000, 4000, 0}
	hear := func(turns int) (out [3]float64) {
		for range turns {
			for i, s := range speakers {
				out[i] = level(s.turn(levels[i]))
			}
		}
		return out
	}
	near := func(got, want float64) bool { return math.Abs(got-want) <= want/16+16 }
	if got := hear(25); !near(got[0], 4000) || !near(got[1], 1000) || !near(got[2], 5000) {
		t.Errorf("heard %v", got)
	}
	said := speakers[2].to.Say(rtp.PCMA.Encode(make([]int16, 10*rtp.Frame))) // to one alone
	if got := hear(5); near(got[2], 5000) || !near(got[0], 4000) {
		t.Errorf("while one is told something: %v", got)
	}
	hear(10)
	<-said
	speakers[1].to.Leave()
	if n := room.Inside(); n != 2 {
		t.Errorf("%d are inside", n)
	}
	if got := hear(10); got[0] > 16 || got[1] > 16 || !near(got[2], 1000) {
		t.Errorf("once one has left: %v", got)
	}
}
