package rtp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the only authentication RFC 3711 has; HMAC is not harmed by its collisions
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"hash"
)

// Key is the master key of one direction of a call, then its salt, as RFC 4568
// §6.1 puts them in one line.
type Key [30]byte

// NewKey draws a key.
func NewKey() (k Key) {
	_, _ = rand.Read(k[:]) //nolint:errcheck // it never fails
	return k
}

// tagSize is the authentication of AES_CM_128_HMAC_SHA1_80.
const tagSize = 10

// replayWindow is how far behind the newest a packet may come.
const replayWindow = 64

var errShield = errors.New("rtp: not a packet of this call: false, altered or heard already")

// shield protects one direction of a stream (RFC 3711, AES_CM_128_HMAC_SHA1_80).
type shield struct {
	block cipher.Block
	salt  [14]byte
	auth  hash.Hash
	tag   []byte
	// counter and pad are of the packet under way.
	counter, pad [16]byte

	// newest is the last index seen of the source, the turns of the sequence numbers
	// counted, and window the packets heard before it.
	begun  bool
	source uint32
	newest uint64
	window uint64
}

// sessionKey derives a key of n octets from the master key (RFC 3711 §4.3.1).
func sessionKey(k Key, label byte, n int) ([]byte, error) {
	master, err := aes.NewCipher(k[:16])
	if err != nil {
		return nil, err
	}
	var iv [16]byte
	copy(iv[:], k[16:])
	iv[7] ^= label
	out := make([]byte, n)
	cipher.NewCTR(master, iv[:]).XORKeyStream(out, out)
	return out, nil
}

// newShield makes the keys of a session: to encrypt, to authenticate, and the salt.
func newShield(k Key) (*shield, error) {
	var keys [3][]byte
	for label, n := range []int{16, 20, 14} {
		var err error
		if keys[label], err = sessionKey(k, byte(label), n); err != nil {
			return nil, err
		}
	}
	s := &shield{auth: hmac.New(sha1.New, keys[1])}
	copy(s.salt[:], keys[2])
	var err error
	s.block, err = aes.NewCipher(keys[0])
	return s, err
}

// crypt encrypts or decrypts a payload (RFC 3711 §4.1.1).
func (s *shield) crypt(payload []byte, ssrc uint32, index uint64) {
	var iv [16]byte
	copy(iv[:], s.salt[:])
	for i := range 4 {
		iv[4+i] ^= byte(ssrc >> (24 - 8*i))
	}
	for i := range 6 {
		iv[8+i] ^= byte(index >> (40 - 8*i))
	}
	// By hand: the library's counter mode would cost memory for each packet.
	s.counter = iv
	for len(payload) > 0 {
		s.block.Encrypt(s.pad[:], s.counter[:])
		payload = payload[subtle.XORBytes(payload, payload, s.pad[:]):]
		binary.BigEndian.PutUint16(s.counter[14:], binary.BigEndian.Uint16(s.counter[14:])+1)
	}
}

// sign is the tag of a packet in its turn of the sequence numbers.
func (s *shield) sign(packet []byte, index uint64) []byte {
	s.auth.Reset()
	binary.BigEndian.PutUint32(s.pad[:], uint32(index>>16))
	s.auth.Write(packet)
	s.auth.Write(s.pad[:4])
	s.tag = s.auth.Sum(s.tag[:0])
	return s.tag[:tagSize]
}

// index places a sequence number in the turn that is nearest to the newest (RFC
// 3711 §3.3.1).
func (s *shield) index(sequence uint16) uint64 {
	if !s.begun {
		return uint64(sequence)
	}
	turn, last := s.newest>>16, uint16(s.newest)
	switch {
	case last < 1<<15 && sequence > last && sequence-last > 1<<15 && turn > 0:
		turn--
	case last >= 1<<15 && last-1<<15 > sequence:
		turn++
	}
	return turn<<16 | uint64(sequence)
}

// seen notes a packet; false when it was heard already or is too old to tell.
func (s *shield) seen(index uint64, note bool) bool {
	switch {
	case !s.begun || index > s.newest:
		if note {
			s.window = s.window<<min(index-s.newest, replayWindow) | 1
			s.begun, s.newest = true, index
		}
	case s.newest-index >= replayWindow || s.window>>(s.newest-index)&1 == 1:
		return false
	case note:
		s.window |= 1 << (s.newest - index)
	}
	return true
}

// protect encrypts a packet of ours in place, and adds its tag.
func (s *shield) protect(packet []byte) []byte {
	index := s.index(binary.BigEndian.Uint16(packet[2:]))
	s.seen(index, true)
	s.crypt(packet[headerSize:], binary.BigEndian.Uint32(packet[8:]), index)
	return append(packet, s.sign(packet, index)...)
}

// open checks a packet of the other side, decrypts it in place, and takes its tag off.
func (s *shield) open(b []byte) ([]byte, error) {
	if len(b) < headerSize+tagSize {
		return nil, errShield
	}
	packet, tag := b[:len(b)-tagSize], b[len(b)-tagSize:]
	if source := binary.BigEndian.Uint32(packet[8:]); source != s.source {
		// Another source counts anew; what is false does not make us forget the one we know.
		other := *s
		other.begun, other.source, other.newest, other.window = false, source, 0, 0
		out, err := other.openOf(packet, tag)
		if err == nil {
			*s = other
		}
		return out, err
	}
	return s.openOf(packet, tag)
}

// openOf opens a packet of the source that is counted.
func (s *shield) openOf(packet, tag []byte) ([]byte, error) {
	index := s.index(binary.BigEndian.Uint16(packet[2:]))
	if !s.seen(index, false) || subtle.ConstantTimeCompare(s.sign(packet, index), tag) != 1 {
		return nil, errShield
	}
	header, err := headerOf(packet)
	if err != nil {
		return nil, err
	}
	s.seen(index, true)
	s.crypt(packet[header:], binary.BigEndian.Uint32(packet[8:]), index)
	return packet, nil
}

// Secure encrypts what leaves by ours and expects theirs of what comes. It is
// called before Start, or again when the other side changes its key.
func (s *Stream) Secure(ours, theirs Key) error {
	out, err := newShield(ours)
	if err != nil {
		return err
	}
	in, err := newShield(theirs)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shieldOut == nil {
		s.shieldOut = out // ours does not change: its packets go on being counted
	}
	s.shieldIn = in
	return nil
}
