package rtp

import (
	"encoding/binary"
	"errors"
)

// Packet is an RTP packet (RFC 3550 §5.1). Payload is part of what was parsed.
type Packet struct {
	Type      byte
	Marker    bool
	Sequence  uint16
	Timestamp uint32
	SSRC      uint32
	Payload   []byte
}

var errPacket = errors.New("rtp: not a packet of version 2")

const headerSize = 12

// Parse reads a packet: contributors and an extension are passed over, padding
// is taken off.
func Parse(b []byte) (Packet, error) {
	if len(b) < headerSize || b[0]>>6 != 2 {
		return Packet{}, errPacket
	}
	p := Packet{
		Type: b[1] & 0x7F, Marker: b[1]&0x80 != 0, Sequence: binary.BigEndian.Uint16(b[2:]),
		Timestamp: binary.BigEndian.Uint32(b[4:]), SSRC: binary.BigEndian.Uint32(b[8:]),
	}
	header, err := headerOf(b)
	if err != nil {
		return Packet{}, err
	}
	rest := b[header:]
	if b[0]&0x20 != 0 { // padded
		if len(rest) == 0 || int(rest[len(rest)-1]) > len(rest) || rest[len(rest)-1] == 0 {
			return Packet{}, errPacket
		}
		rest = rest[:len(rest)-int(rest[len(rest)-1])]
	}
	p.Payload = rest
	return p, nil
}

// headerOf is the length of what stands before the payload: contributors and an
// extension included.
func headerOf(b []byte) (int, error) {
	if len(b) < headerSize || b[0]>>6 != 2 {
		return 0, errPacket
	}
	size := headerSize + int(b[0]&0x0F)*4
	if b[0]&0x10 != 0 { // an extension
		if len(b) < size+4 {
			return 0, errPacket
		}
		size += 4 + 4*int(binary.BigEndian.Uint16(b[size+2:]))
	}
	if len(b) < size {
		return 0, errPacket
	}
	return size, nil
}

// Append writes the packet after b.
func (p Packet) Append(b []byte) []byte {
	second := p.Type & 0x7F
	if p.Marker {
		second |= 0x80
	}
	b = append(b, 0x80, second)
	b = binary.BigEndian.AppendUint16(b, p.Sequence)
	b = binary.BigEndian.AppendUint32(b, p.Timestamp)
	b = binary.BigEndian.AppendUint32(b, p.SSRC)
	return append(b, p.Payload...)
}
