package rtp_test

import (
	"bytes"
	"math"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tocsin/internal/wire/rtp"
)

func TestG711KeepsTheSound(t *testing.T) {
	for _, codec := range []rtp.Codec{rtp.PCMA, rtp.PCMU} {
		for v := -32768; v <= 32767; v += 7 {
			got := codec.Decode(codec.Encode([]int16{int16(v)}))[0]
			if diff := math.Abs(float64(int(got) - v)); diff > math.Max(16, math.Abs(float64(v))/16) {
				t.Fatalf("%s: %d became %d", codec, v, got)
			}
		}
		if quiet := codec.Decode([]byte{codec.Silence()})[0]; quiet < -16 || quiet > 16 {
			t.Errorf("%s: silence is %d", codec, quiet)
		}
		// Every octet is what its own sound is written as: nothing is lost twice.
		for o := range 256 {
			v := codec.Decode([]byte{byte(o)})
			if again := codec.Decode(codec.Encode(v)); again[0] != v[0] {
				t.Errorf("%s: octet %#x is %d, then %d", codec, o, v[0], again[0])
			}
		}
	}
}

// The values of ITU-T G.711, tables 1a and 2a, at the ends and in the middle.
func TestG711IsTheStandards(t *testing.T) {
	for v, want := range map[int16]byte{0: 0xD5, 32767: 0xAA, -32768: 0x2A, 1000: 0xFA, -1000: 0x7A} {
		if got := rtp.PCMA.Encode([]int16{v})[0]; got != want {
			t.Errorf("A-law of %d is %#x, want %#x", v, got, want)
		}
	}
	for v, want := range map[int16]byte{0: 0xFF, 32767: 0x80, -32768: 0x00, 1000: 0xCE, -1000: 0x4E} {
		if got := rtp.PCMU.Encode([]int16{v})[0]; got != want {
			t.Errorf("µ-law of %d is %#x, want %#x", v, got, want)
		}
	}
}

func TestPacketRoundTrip(t *testing.T) {
	want := rtp.Packet{Type: 101, Marker: true, Sequence: 65535, Timestamp: 1 << 31, SSRC: 7, Payload: []byte{1, 2, 3}}
	got, err := rtp.Parse(want.Append(nil))
	if err != nil || got.Type != want.Type || !got.Marker || got.Sequence != want.Sequence || got.Timestamp != want.Timestamp || got.SSRC != 7 || !bytes.Equal(got.Payload, want.Payload) {
		t.Errorf("%+v, %v", got, err)
	}
	// Two contributors, an extension of one word, and padding of two octets.
	odd := []byte{0xB2, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1, 1, 2, 2, 2, 2, 0xBE, 0xDE, 0, 1, 9, 9, 9, 9, 0x55, 0, 2}
	if got, err = rtp.Parse(odd); err != nil || !bytes.Equal(got.Payload, []byte{0x55}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range [][]byte{nil, {0x80}, odd[:20], odd[:25], append([]byte{0x40}, odd[1:]...), {0xA0, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 200}} {
		if _, err := rtp.Parse(bad); err == nil {
			t.Errorf("%x is taken for a packet", bad)
		}
	}
}

// key are the packets of one key as telephones send them: again and again, and
// the last one three times.
func key(code byte, at uint32) []rtp.Packet {
	var out []rtp.Packet
	for n := range 8 {
		e := rtp.Event{Code: code, End: n > 4, Volume: 10, Duration: uint16(160 * min(n+1, 6))}
		out = append(out, rtp.Packet{Type: 101, Marker: n == 0, Sequence: uint16(n), Timestamp: at, SSRC: 1, Payload: e.Append(nil)})
	}
	return out
}

func TestAKeyHeldIsOneKey(t *testing.T) {
	press := func(packets ...[]rtp.Packet) string {
		var pad rtp.Keypad
		var got []byte
		for _, list := range packets {
			for _, p := range list {
				if k := pad.Press(p); k != 0 {
					got = append(got, k)
				}
			}
		}
		return string(got)
	}
	late := key(2, 100)[6:] // the end of a key that travelled longer than the next one
	for want, got := range map[string]string{
		"1":    press(key(1, 100)),
		"12":   press(key(1, 100), key(2, 2000)),
		"11":   press(key(1, 100), key(1, 100)), // a peer whose clock stands still
		"21":   press(key(2, 5000), key(1, 100)),
		"213":  press(key(2, 100), key(1, 900), late, key(3, 1700)),
		"9*#D": press(key(9, 1), key(10, 2), key(11, 3), key(15, 4)),
		"":     press(key(16, 1), []rtp.Packet{{Type: 101, Payload: []byte{1}}}),
		"5":    press(key(5, 100)[3:]), // the beginning was lost
	} {
		if got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
}

var here = netip.MustParseAddr("127.0.0.1")

// phone is the other side, on an address of its own.
type phone struct {
	conn *net.UDPConn
	t    *testing.T
}

func newPhone(t *testing.T, host string) phone {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(host)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, conn.Close()) })
	return phone{conn, t}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p phone) address() netip.AddrPort { return p.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (p phone) press(s *rtp.Stream, ssrc uint32, code byte, at uint32) {
	p.t.Helper()
	for _, packet := range key(code, at) {
		packet.SSRC = ssrc
		if _, err := p.conn.WriteToUDPAddrPort(packet.Append(nil), netip.AddrPortFrom(here, uint16(s.Port()))); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p phone) hear() rtp.Packet {
	p.t.Helper()
	b := make([]byte, 2048)
	must(p.t, p.conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	n, _, err := p.conn.ReadFromUDPAddrPort(b)
	must(p.t, err)
	packet, err := rtp.Parse(b[:n])
	must(p.t, err)
	return packet
}

func listen(t *testing.T, c *rtp.Clock, p phone) *rtp.Stream {
	t.Helper()
	s, err := rtp.Listen(c, here, 0, 0)
	must(t, err)
	s.Start(p.address(), rtp.PCMA, 101)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func TestWhatIsSaidIsHeardInOrder(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	p := newPhone(t, "127.0.0.1")
	s := listen(t, rtp.NewClock(), p)
	first := p.hear()
	if !first.Marker || first.Type != 8 || len(first.Payload) != rtp.Frame {
		t.Errorf("the first packet is %+v", first)
	}
	sound := bytes.Repeat([]byte{1}, rtp.Frame*2+10)
	said := s.Say(sound)
	heard := 0
	for n := 1; heard < 3; n++ {
		got := p.hear()
		if got.Sequence != first.Sequence+uint16(n) || got.Timestamp != first.Timestamp+uint32(n*rtp.Frame) || got.SSRC != first.SSRC {
			t.Fatalf("packet %d is %+v after %+v", n, got, first)
		}
		if got.Payload[0] == 1 {
			heard++
		}
		if heard == 3 && (got.Payload[9] != 1 || got.Payload[10] != rtp.PCMA.Silence()) {
			t.Errorf("the end of the sound is %x", got.Payload)
		}
	}
	<-said
	replaced := s.Say(sound)
	s.Hush()
	<-replaced
}

func TestAStrangerIsNotHeard(t *testing.T) {
	p, stranger := newPhone(t, "127.0.0.1"), newPhone(t, "127.0.0.9")
	s := listen(t, rtp.NewClock(), p)
	stranger.press(s, 1, 1, 100) // another machine
	p.press(s, 7, 2, 100)
	if got := <-s.Keys(); got != '2' {
		t.Errorf("heard %q first", got)
	}
	p.press(s, 8, 3, 900) // the right machine, a second source
	p.press(s, 7, 4, 1700)
	if got := <-s.Keys(); got != '4' {
		t.Errorf("heard %q after the second source spoke", got)
	}
	if _, strange := s.Heard(); strange != 16 {
		t.Errorf("%d packets of strangers, want 16", strange)
	}
}

func TestPortsStayInTheirRange(t *testing.T) {
	c := rtp.NewClock()
	for range 3 {
		s, err := rtp.Listen(c, here, 28101, 28106)
		must(t, err)
		defer func() { must(t, s.Close()) }()
		if s.Port() < 28102 || s.Port() > 28106 || s.Port()%2 != 0 {
			t.Errorf("port %d", s.Port())
		}
	}
	if _, err := rtp.Listen(c, here, 28101, 28106); err == nil {
		t.Error("a fourth call found a port in a range of three")
	}
}

func TestLatenessIsCounted(t *testing.T) {
	p := newPhone(t, "127.0.0.1")
	c := rtp.NewClock()
	listen(t, c, p)
	for range 5 {
		p.hear()
	}
	l := c.Lateness()
	if l.Beats < 4 || l.Quantile(0.5) <= 0 {
		t.Errorf("%d beats, half of them later than %s", l.Beats, l.Quantile(0.5))
	}
}

func FuzzPacket(f *testing.F) {
	f.Add([]byte{0x80, 101, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 0x8a, 8, 0xc0})
	f.Add([]byte{0xB2, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 1, 1, 1, 2, 2, 2, 2, 0xBE, 0xDE, 0, 1, 9, 9, 9, 9, 0x55, 0, 2})
	f.Add([]byte{0x90, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := rtp.Parse(b)
		if err != nil {
			return
		}
		if len(p.Payload) > len(b) {
			t.Errorf("a payload of %d octets in a packet of %d", len(p.Payload), len(b))
		}
		again, err := rtp.Parse(p.Append(nil))
		if err != nil || again.Timestamp != p.Timestamp || !bytes.Equal(again.Payload, p.Payload) {
			t.Errorf("%+v became %+v, %v", p, again, err)
		}
		var pad rtp.Keypad
		if k := pad.Press(p); k != 0 && pad.Press(p) != 0 {
			t.Errorf("%+v is two keys", p)
		}
	})
}
