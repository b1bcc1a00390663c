package rtp

// The packets of a key: how many while it is held (100 ms), and how often its end
// is said, as RFC 4733 §2.5.1.4 wants.
const (
	heldPackets = 5
	endPackets  = 3
)

// press is a key being sent.
type press struct {
	code  byte
	began uint32
	sent  int
}

// Press sends a key as a telephone does, after those that wait: a digit, *, # or
// a letter of A to D. Nothing is sent to an end that takes no keys.
func (s *Stream) Press(key byte) {
	for code := range len(keyNames) {
		if keyNames[code] == key {
			s.mu.Lock()
			s.presses = append(s.presses, press{code: byte(code)})
			s.mu.Unlock()
			return
		}
	}
}

// pressing turns the next packet into one of the key that is held; false when
// there is none. A pause of as many packets follows each key. The stream is locked.
func (s *Stream) pressing(p *Packet) bool {
	if len(s.presses) == 0 || s.event == 0 {
		return false
	}
	k := &s.presses[0]
	if k.sent == 0 {
		k.began = p.Timestamp
	}
	k.sent++
	if k.sent > heldPackets+endPackets {
		if k.sent == 2*(heldPackets+endPackets) {
			s.presses = s.presses[1:]
		}
		return false
	}
	p.Type, p.Marker, p.Timestamp = s.event, k.sent == 1, k.began
	e := Event{Code: k.code, End: k.sent > heldPackets, Volume: 10, Duration: uint16(min(k.sent, heldPackets) * Frame)}
	p.Payload = e.Append(s.pressed[:0])
	return true
}
