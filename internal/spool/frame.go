package spool

import (
	"encoding/binary"
	"hash/crc32"
)

// A frame is a record on the disk: its length and the CRC-32C of its bytes, both
// little-endian on four bytes, then the bytes: at least one, since zeros are what
// a power cut leaves.
const frameHeader = 8

// MaxRecord bounds a record, bytes.
const MaxRecord = 4 << 20

func sum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func appendFrame(dst, record []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(record)))
	dst = binary.LittleEndian.AppendUint32(dst, sum(record))
	return append(dst, record...)
}

// frameLength reads a header; false when no frame begins so.
func frameLength(header []byte) (int, bool) {
	n := binary.LittleEndian.Uint32(header)
	return int(n), n > 0 && n <= MaxRecord
}

func frameSound(header, record []byte) bool {
	return binary.LittleEndian.Uint32(header[4:]) == sum(record)
}
