package rtp

// tapeGap is the longest silence that a telephone that sends none may leave in its
// hours: beyond, or backwards, it has begun to count anew.
const tapeGap = 10 * Rate

// tape keeps what the other side says, in its codec.
type tape struct {
	sound []byte
	most  int
	// first is the hour of the sample at base, once something was heard.
	first   uint32
	base    int
	started bool
}

// Record begins to keep what the other side says, up to that many samples; what was
// being kept is forgotten.
func (s *Stream) Record(most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tape = &tape{most: most}
}

// Recorded ends what Record began and gives it, as samples; none when nothing came.
func (s *Stream) Recorded() []int16 {
	s.mu.Lock()
	kept := s.tape
	s.tape = nil
	s.mu.Unlock()
	if kept == nil {
		return nil
	}
	return s.codec.Decode(kept.sound)
}

// hear puts a packet where its hour says: what is lost on the way is silence, what
// comes late finds its place, and no hour makes the tape longer than it may be.
func (t *tape) hear(codec Codec, p Packet) {
	at := t.base + int(int32(p.Timestamp-t.first))
	if !t.started || at < 0 || at > len(t.sound)+tapeGap {
		t.started, t.first, t.base = true, p.Timestamp, len(t.sound)
		at = t.base
	}
	end := min(at+len(p.Payload), t.most)
	if at >= end {
		return
	}
	for len(t.sound) < end {
		t.sound = append(t.sound, codec.Silence())
	}
	copy(t.sound[at:end], p.Payload)
}
