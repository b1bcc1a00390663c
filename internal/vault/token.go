package vault

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// tokenBytes is what nobody guesses: 256 bits.
const tokenBytes = 32

// TokenLength is how many characters a token has.
const TokenLength = 43

// NewToken returns 256 random bits for a cookie or a link, as characters that
// both may carry, and the digest to keep in their place.
func NewToken() (token string, digest []byte) {
	raw := make([]byte, tokenBytes)
	// crypto/rand crashes the program rather than fail (Go 1.24).
	if _, err := rand.Read(raw); err != nil {
		panic("vault: no randomness: " + err.Error())
	}
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, Digest(token)
}

// Digest is what the database keeps of a random token or code, so that a copy of
// it opens nothing. SHA-256 is enough: there is nothing to guess, so nothing to
// stretch. It is not for what a person chooses.
func Digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
