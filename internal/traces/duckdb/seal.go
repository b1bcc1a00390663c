//go:build cgo

package duckdb

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"tocsin/internal/traces"
	"tocsin/internal/traces/sealing"
)

const saltBytes = sealing.SaltBytes

// newSalt draws that of a block.
func newSalt() []byte { return sealing.NewSalts(1) }

// salter gives the salts of the events of a block: the one of a block is a key,
// and theirs their places under it, so that sixteen bytes are kept for thousands
// and none of them tells another.
type salter struct {
	key   cipher.Block
	place [saltBytes]byte
	form  []byte
}

func newSalter(salt []byte) (*salter, error) {
	if len(salt) != saltBytes {
		return nil, errFrames
	}
	key, err := aes.NewCipher(salt)
	if err != nil {
		return nil, fmt.Errorf("salt of a block: %w", err)
	}
	return &salter{key: key}, nil
}

// salt appends that of the event at a place.
func (s *salter) salt(dst []byte, i int) []byte {
	binary.BigEndian.PutUint64(s.place[saltBytes-8:], uint64(i))
	n := len(dst)
	dst = append(dst, s.place[:]...)
	s.key.Encrypt(dst[n:], s.place[:])
	return dst
}

// digest appends that of the event at a place.
func (s *salter) digest(dst []byte, i int, ev *traces.Event, extra string) []byte {
	s.form = traces.AppendSealed(s.salt(append(s.form[:0], 0), i), ev, extra)
	sum := sha256.Sum256(s.form)
	return append(dst, sum[:]...)
}
