package journal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"tocsin/internal/vault"
)

// sealPurpose is what the keys of the heads are derived for.
const sealPurpose = "journal.seal"

// saltSize is that of an entry's salt: what was erased cannot be guessed from its digest.
const saltSize = 16

// sealed is an entry with its place in the chain.
type sealed struct {
	organisation uuid.UUID
	Record
	number              int64
	salt, digest, chain []byte
	erased              bool
}

// netstring appends text as D. J. Bernstein's netstrings do: no separator in a
// text can be taken for the end of it.
func netstring(to []byte, text string) []byte {
	to = strconv.AppendInt(to, int64(len(text)), 10)
	to = append(to, ':')
	to = append(to, text...)
	return append(to, ',')
}

// digestOf is the digest of an entry under its salt.
func digestOf(s sealed) []byte {
	actor := ""
	if s.Actor.ID != uuid.Nil {
		actor = s.Actor.ID.String()
	}
	text := append([]byte(nil), s.salt...)
	for _, field := range []string{
		s.organisation.String(), s.ID.String(), strconv.FormatInt(s.At.UnixMicro(), 10), string(s.Actor.Kind), actor, s.Actor.Name, s.Actor.From,
		s.Action, s.ObjectKind, s.ObjectID, s.ObjectName, s.Before, s.After,
	} {
		text = netstring(text, field)
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// chainOf is the chain after an entry.
func chainOf(before, digest []byte) []byte {
	sum := sha256.Sum256(append(append(make([]byte, 0, 2*sha256.Size), before...), digest...))
	return sum[:]
}

// start is the chain before the first entry.
func start() []byte { return make([]byte, sha256.Size) }

// head is the signed end of a chain, as it was on a day.
type head struct {
	number    int64
	chain     []byte
	atMicros  int64
	key       string
	signature []byte
}

// said is what the signature of a head covers.
func (h head) said(organisation uuid.UUID) []byte {
	return fmt.Appendf(nil, "tocsin journal 1\n%s\n%d\n%s\n%d\n", organisation, h.number, hex.EncodeToString(h.chain), h.atMicros)
}

// signer is the private key of a derived secret.
func signer(d vault.Derived) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(d.Secret[:]) }

// publicKeys are those that heads may be signed with, by key id.
func publicKeys(v *vault.Vault) (map[string]ed25519.PublicKey, error) {
	all, err := v.DeriveKeys(sealPurpose)
	if err != nil {
		return nil, err
	}
	out := make(map[string]ed25519.PublicKey, len(all))
	for _, d := range all {
		public, ok := signer(d).Public().(ed25519.PublicKey)
		if !ok {
			return nil, fmt.Errorf("key %s has no public half", d.Key)
		}
		out[d.Key] = public
	}
	return out, nil
}
