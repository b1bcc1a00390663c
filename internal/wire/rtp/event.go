package rtp

import "encoding/binary"

// Event is a telephone event (RFC 4733 §2.3): a key, from its first packet to
// the last ones that say it ended.
type Event struct {
	Code     byte
	End      bool
	Volume   byte
	Duration uint16
}

// ParseEvent reads the payload of a telephone event; ok is false when it is too
// short to be one.
func ParseEvent(payload []byte) (e Event, ok bool) {
	if len(payload) < 4 {
		return Event{}, false
	}
	return Event{Code: payload[0], End: payload[1]&0x80 != 0, Volume: payload[1] & 0x3F, Duration: binary.BigEndian.Uint16(payload[2:])}, true
}

// Append writes the payload of the event after b.
func (e Event) Append(b []byte) []byte {
	second := e.Volume & 0x3F
	if e.End {
		second |= 0x80
	}
	return binary.BigEndian.AppendUint16(append(b, e.Code, second), e.Duration)
}

// keyNames are the keys by code (RFC 4733 table 3); beyond are other sounds.
const keyNames = "0123456789*#ABCD"

// Key is the key of the event: a digit, *, # or a letter; 0 when it is no key.
func (e Event) Key() byte {
	if int(e.Code) < len(keyNames) {
		return keyNames[e.Code]
	}
	return 0
}

// Keypad turns the packets of events into keys. All the packets of one key have
// the timestamp of its beginning; they are sent again and again, and the last
// three times over. Some gateways count the time anew at each key: what tells two
// keys apart is that the timestamps differ, not that they grow.
type Keypad struct {
	// known are the timestamps of the last keys, the newest first.
	known [3]stamp
}

type stamp struct {
	at    uint32
	set   bool
	ended bool
}

// Press takes an event packet and returns the key it begins; 0 when it goes on
// with one already told.
func (k *Keypad) Press(p Packet) byte {
	e, ok := ParseEvent(p.Payload)
	if !ok || e.Key() == 0 {
		return 0
	}
	for i := range k.known {
		s := &k.known[i]
		if !s.set || s.at != p.Timestamp {
			continue
		}
		if p.Marker && s.ended && !e.End { // the same hour, and yet a beginning: a clock that stands still
			s.ended = false
			return e.Key()
		}
		s.ended = s.ended || e.End
		return 0
	}
	copy(k.known[1:], k.known[:])
	k.known[0] = stamp{at: p.Timestamp, set: true, ended: e.End}
	return e.Key()
}
