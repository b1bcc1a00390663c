package vault

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
)

// codeAlphabet is Crockford's base 32: no i, l, o or u, which are misread.
const codeAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// LinkCodeLength is how many characters a code has: it gives 60 random bits: at a thousand guesses a second against
// 100,000 living codes, one would be found in some 180 years.
const LinkCodeLength = 12

// NewLinkCodes draws n codes of personal links at once.
func NewLinkCodes(n int) []string {
	random := make([]byte, 8*n)
	// crypto/rand never fails on the systems we run on (Go 1.24: it crashes the program instead).
	if _, err := rand.Read(random); err != nil {
		panic("vault: no randomness: " + err.Error())
	}
	out := make([]string, n)
	var code [LinkCodeLength]byte
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

// ReadLinkCode gives the code as it was drawn from what a person typed, or "".
func ReadLinkCode(typed string) string {
	if len(typed) > 40 {
		return ""
	}
	s := strings.NewReplacer(" ", "", "-", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(strings.TrimSpace(typed)))
	if len(s) != LinkCodeLength || strings.Trim(s, codeAlphabet) != "" {
		return ""
	}
	return s
}
