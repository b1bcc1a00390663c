package rtp

import (
	"bytes"
	"crypto/aes"
	"encoding/hex"
	"testing"
)

func octets(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// master is the master key and salt of RFC 3711 appendix B.3.
func master(t *testing.T) Key {
	return Key(octets(t, "e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6"))
}

// RFC 3711 appendix B.3.
func TestKeysAreDerivedAsTheStandardSays(t *testing.T) {
	for label, want := range []string{"c61e7a93744f39ee10734afe3ff7a087", "cebe321f6ff7716b6fd4ab49af256a156d38baa4", "30cbbc08863d8c85d49db34a9ae1"} {
		got, err := sessionKey(master(t), byte(label), len(want)/2)
		if err != nil || hex.EncodeToString(got) != want {
			t.Errorf("key %d: %x, want %s (%v)", label, got, want, err)
		}
	}
}

// RFC 3711 appendix B.2.
func TestTheKeystreamIsTheStandards(t *testing.T) {
	s, err := newShield(Key{})
	if err != nil {
		t.Fatal(err)
	}
	if s.block, err = aes.NewCipher(octets(t, "2b7e151628aed2a6abf7158809cf4f3c")); err != nil {
		t.Fatal(err)
	}
	s.salt = [14]byte(octets(t, "f0f1f2f3f4f5f6f7f8f9fafbfcfd"))
	got := make([]byte, 48)
	s.crypt(got, 0, 0)
	if want := "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab41e95b3bb0a2e8dd477901e4fca894c0"; hex.EncodeToString(got) != want {
		t.Errorf("%x", got)
	}
}

// The packet by which libsrtp checks itself.
func TestAPacketIsProtectedAsLibsrtpDoes(t *testing.T) {
	out, err := newShield(master(t))
	if err != nil {
		t.Fatal(err)
	}
	plain := octets(t, "800f1234decafbadcafebabeabababababababababababababababab")
	sealed := out.protect(bytes.Clone(plain))
	if want := "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"; hex.EncodeToString(sealed) != want {
		t.Fatalf("%x, want %s", sealed, want)
	}
	in, err := newShield(master(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := in.open(altered); err == nil {
			t.Errorf("octet %d altered: heard", i)
		}
	}
	if got, err := in.open(bytes.Clone(sealed)); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("%x, %v", got, err)
	}
	if _, err := in.open(bytes.Clone(sealed)); err == nil {
		t.Error("a packet replayed is heard")
	}
}

// Sequence numbers turn after 65,535: packets lost, late and in disorder around the
// turn are all read, and one of before the window is not.
func TestTheTurnOfTheSequenceNumbers(t *testing.T) {
	out, err := newShield(master(t))
	if err != nil {
		t.Fatal(err)
	}
	in, err := newShield(master(t))
	if err != nil {
		t.Fatal(err)
	}
	var sealed [][]byte
	for n := range 400 {
		p := Packet{Type: 8, Sequence: uint16(65_300 + n), SSRC: 7, Payload: []byte{byte(n), byte(n >> 8)}}
		sealed = append(sealed, out.protect(p.Append(make([]byte, 0, 64))))
	}
	open := func(n int) bool {
		b, err := in.open(bytes.Clone(sealed[n]))
		return err == nil && b[headerSize] == byte(n) && b[headerSize+1] == byte(n>>8)
	}
	for _, n := range []int{0, 1, 3, 2, 200, 234, 236, 235, 238, 233, 300, 399} {
		if !open(n) {
			t.Errorf("packet %d is not heard", n)
		}
	}
	for _, n := range []int{399, 235} {
		if open(n) {
			t.Errorf("packet %d is heard again", n)
		}
	}
	other := Packet{Type: 8, Sequence: 5, SSRC: 9, Payload: []byte{1}}
	source, err := newShield(master(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.open(source.protect(other.Append(nil))); err != nil {
		t.Errorf("a gateway that changes its source is not heard: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("\x80\x08\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07abcdefghijklmnop"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := newShield(Key{1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.open(b); err == nil {
			t.Error("noise is authentic")
		}
	})
}
