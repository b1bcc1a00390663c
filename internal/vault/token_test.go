package vault_test

import (
	"bytes"
	"testing"

	"tocsin/internal/vault"
)

func TestTokensAreNewAndOnlyTheirDigestIsKept(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		token, digest := vault.NewToken()
		if seen[token] || len(token) != vault.TokenLength {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
		if len(digest) != 32 || !bytes.Equal(digest, vault.Digest(token)) || bytes.Contains(digest, []byte(token[:8])) {
			t.Fatalf("digest %x of %q", digest, token)
		}
	}
}
