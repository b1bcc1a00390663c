package rtp

import (
	"bytes"
	"testing"
)

// What is recorded stands where its hours say: late packets find their place, lost
// ones are silence, a telephone that counts anew goes on, and no hour makes the tape
// longer than it may be.
func TestATapeFollowsTheHours(t *testing.T) {
	t.Parallel()
	say := func(at uint32, what byte) Packet {
		return Packet{Timestamp: at, Payload: bytes.Repeat([]byte{what}, Frame)}
	}
	quiet := string(rune(0))
	for name, one := range map[string]struct {
		packets []Packet
		most    int
		want    string // one letter for each 20 ms
	}{
		"in order":               {[]Packet{say(1000, 'a'), say(1160, 'b')}, 10, "ab"},
		"late and lost":          {[]Packet{say(1000, 'a'), say(1480, 'd'), say(1160, 'b')}, 10, "ab" + quiet + "d"},
		"around the end of time": {[]Packet{say(0xFFFFFF60, 'a'), say(0, 'b')}, 10, "ab"},
		"counted anew, backward": {[]Packet{say(90000, 'a'), say(90160, 'b'), say(5, 'c'), say(165, 'd')}, 10, "abcd"},
		"counted anew, forward":  {[]Packet{say(0, 'a'), say(0x7FFFFFFF, 'b')}, 10, "ab"},
		"more than there is":     {[]Packet{say(0, 'a'), say(160, 'b'), say(320, 'c')}, 2, "ab"},
		"a leap beyond the end":  {[]Packet{say(0, 'a'), say(Rate, 'b')}, 3, "a"},
		"nothing":                {[]Packet{{Timestamp: 7}}, 3, ""},
	} {
		k := &tape{most: one.most * Frame}
		for _, p := range one.packets {
			k.hear(PCMA, p)
		}
		got := ""
		for at := 0; at+Frame <= len(k.sound); at += Frame {
			if letter := k.sound[at]; letter == PCMA.Silence() {
				got += quiet
			} else {
				got += string(rune(letter))
			}
		}
		if got != one.want || len(k.sound) > k.most {
			t.Errorf("%s: %q, %d samples", name, got, len(k.sound))
		}
	}
}
