package rtp

import "math/bits"

// Codec is how a sample is written in one octet. The value is the static
// payload type of RFC 3551 §6.
type Codec byte

// The two codecs that every telephone network has.
const (
	PCMU Codec = 0
	PCMA Codec = 8
)

// The shape of a packet: 20 ms at 8,000 samples a second.
const (
	Rate  = 8000
	Frame = 160
)

// Encode writes 16-bit samples at 8 kHz with the codec, one octet each.
func (c Codec) Encode(samples []int16) []byte {
	out := make([]byte, len(samples))
	c.encode(out, samples)
	return out
}

// encode fills out, which is as long as the samples.
func (c Codec) encode(out []byte, samples []int16) {
	for i, s := range samples[:len(out)] {
		if c == PCMU {
			out[i] = muLaw(s)
		} else {
			out[i] = aLaw(s)
		}
	}
}

// Decode reads octets of the codec as 16-bit samples.
func (c Codec) Decode(octets []byte) []int16 {
	out := make([]int16, len(octets))
	c.decode(out, octets)
	return out
}

// decode fills out from as many octets.
func (c Codec) decode(out []int16, octets []byte) {
	for i, o := range octets[:len(out)] {
		if c == PCMU {
			out[i] = fromMuLaw(o)
		} else {
			out[i] = fromALaw(o)
		}
	}
}

// Silence is the octet of no sound.
func (c Codec) Silence() byte {
	if c == PCMU {
		return 0xFF
	}
	return 0xD5
}

// String is the encoding name of RFC 4855.
func (c Codec) String() string {
	if c == PCMU {
		return "PCMU"
	}
	return "PCMA"
}

// aLaw compresses a sample (ITU-T G.711 §2, table 1a; even bits inverted).
func aLaw(s int16) byte {
	sign := byte(0x80)
	v := int(s)
	if v < 0 {
		sign, v = 0, -v-1
	}
	v >>= 4
	code := byte(v)
	if v > 15 {
		exponent := bits.Len(uint(v)) - 4
		code = byte(exponent)<<4 | byte(v>>(exponent-1))&0x0F
	}
	return (sign | code) ^ 0x55
}

func fromALaw(o byte) int16 {
	o ^= 0x55
	exponent, mantissa := int(o>>4)&7, int(o&0x0F)
	v := mantissa<<4 + 8
	if exponent > 0 {
		v = (v + 0x100) << (exponent - 1)
	}
	if o&0x80 == 0 {
		return int16(-v)
	}
	return int16(v)
}

// muLaw compresses a sample (ITU-T G.711 §2, table 2a; all bits inverted).
func muLaw(s int16) byte {
	const bias, most = 0x84, 32635
	sign := byte(0)
	v := int(s)
	if v < 0 {
		sign, v = 0x80, -v
	}
	v = min(v, most) + bias
	exponent := bits.Len(uint(v)) - 8
	return ^(sign | byte(exponent)<<4 | byte(v>>(exponent+3))&0x0F)
}

func fromMuLaw(o byte) int16 {
	o = ^o
	v := (int(o&0x0F)<<3+0x84)<<(o>>4&7) - 0x84
	if o&0x80 != 0 {
		return int16(-v)
	}
	return int16(v)
}
