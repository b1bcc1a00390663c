package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// newToken returns 256 random bits for a cookie or a link, and the hash that
// is kept: a copy of the database opens no session.
func newToken() (token string, hash []byte) {
	raw := make([]byte, 32)
	// crypto/rand crashes the program rather than fail (Go 1.24).
	_, err := rand.Read(raw)
	if err != nil {
		panic("identity: no randomness: " + err.Error())
	}
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, hashOf(token)
}

// hashOf is enough for random tokens: there is nothing to guess, so nothing to stretch.
func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
