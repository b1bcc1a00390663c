package alerting

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/storage"
)

// codeAlphabet is Crockford's base 32: no i, l, o or u, which are misread.
const codeAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// codeLength gives 60 random bits: at a thousand guesses a second against
// 100,000 living codes, one would be found in some 180 years.
const codeLength = 12

// newCodes draws n answer codes at once.
func newCodes(n int) []string {
	random := make([]byte, 8*n)
	// crypto/rand never fails on the systems we run on (Go 1.24: it crashes the program instead).
	if _, err := rand.Read(random); err != nil {
		panic("alerting: no randomness: " + err.Error())
	}
	out := make([]string, n)
	var code [codeLength]byte
	for i := range out {
		bits := binary.BigEndian.Uint64(random[8*i:])
		for j := range code {
			code[j] = codeAlphabet[bits&31]
			bits >>= 5
		}
		out[i] = string(code[:])
	}
	return out
}

// readCode gives the code as it was drawn from what a person typed, or "".
func readCode(typed string) string {
	if len(typed) > 40 {
		return ""
	}
	s := strings.NewReplacer(" ", "", "-", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(strings.TrimSpace(typed)))
	if len(s) != codeLength || strings.Trim(s, codeAlphabet) != "" {
		return ""
	}
	return s
}

// ids gives UUIDv7 that follow each other, so that a hundred thousand rows of
// one launch are written at the end of the index and read back as a range.
type ids struct{ next uuid.UUID }

func newIDs(now time.Time) *ids {
	id := storage.NewID(now)
	binary.BigEndian.PutUint32(id[12:], 0) // room to count; the rest stays random
	return &ids{id}
}

func (s *ids) take() uuid.UUID {
	id := s.next
	binary.BigEndian.PutUint32(s.next[12:], binary.BigEndian.Uint32(s.next[12:])+1)
	return id
}
