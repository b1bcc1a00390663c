package vault

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"sync/atomic"

	"golang.org/x/crypto/chacha20poly1305"

	"tocsin/internal/fault"
)

// Locales holds the sentences of the vault's faults.
//
//go:embed locales/*.yaml
var Locales embed.FS

// The layout of a sealed value: version, key id, nonce, ciphertext with tag.
// XChaCha20-Poly1305 takes random nonces of 24 bytes without fear of a repeat
// (draft-irtf-cfrg-xchacha-03).
const (
	version   = 1
	idSize    = 4
	keySize   = chacha20poly1305.KeySize
	headSize  = 1 + idSize + chacha20poly1305.NonceSizeX
	sealedMin = headSize + chacha20poly1305.Overhead
)

// keyID names a key in the keyring and in every value it sealed.
type keyID [idSize]byte

func (id keyID) String() string { return hex.EncodeToString(id[:]) }

// Vault seals and opens with the keys of one keyring. It is safe for concurrent
// use. A keyring that was rotated by another process, or copied from another
// node, is taken up by Refresh, and by Open when it meets a key it does not know.
type Vault struct {
	path string
	ring atomic.Pointer[ring]
}

// ring is the keys of a file; it does not change.
type ring struct {
	keys map[keyID]key
	// order is the order of the file: the current key, then from new to old.
	order []keyID
}

func newVault(path string, r *ring) *Vault {
	v := &Vault{path: path}
	v.ring.Store(r)
	return v
}

// Refresh reads the keyring again. On an error the keys of before stay.
func (v *Vault) Refresh() error {
	next, err := Load(v.path)
	if err != nil {
		return err
	}
	v.ring.Store(next.ring.Load())
	return nil
}

type key struct {
	secret [keySize]byte
	aead   cipher.AEAD
	// created is the RFC 3339 date written in the keyring, for the operator.
	created string
}

// Seal encrypts plain under the current key. context says what the value is
// ("identity.totp:<account id>"); Open needs the same.
func (v *Vault) Seal(plain []byte, context string) ([]byte, error) {
	r := v.ring.Load()
	out := make([]byte, headSize, sealedMin+len(plain))
	out[0] = version
	copy(out[1:], r.order[0][:])
	nonce := out[1+idSize : headSize]
	if _, err := rand.Read(nonce); err != nil {
		return nil, fmt.Errorf("seal: %w", err)
	}
	return r.keys[r.order[0]].aead.Seal(out, nonce, plain, associated(out, context)), nil
}

// Open decrypts a sealed value. The fault says whether its key is not in the
// keyring (Unavailable, vault.key_missing: the wrong keyring is installed) or the
// value was changed or belongs to another context (Internal, vault.damaged).
func (v *Vault) Open(sealed []byte, context string) ([]byte, error) {
	if len(sealed) < sealedMin || sealed[0] != version {
		return nil, fault.New(fault.Internal, "vault.damaged")
	}
	id := keyID(sealed[1 : 1+idSize])
	k, ok := v.ring.Load().keys[id]
	if !ok && v.Refresh() == nil {
		k, ok = v.ring.Load().keys[id]
	}
	if !ok {
		return nil, fault.New(fault.Unavailable, "vault.key_missing", "key", id.String(), "path", v.path)
	}
	plain, err := k.aead.Open(nil, sealed[1+idSize:headSize], sealed[headSize:], associated(sealed, context))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "vault.damaged")
	}
	return plain, nil
}

// Stale tells whether a sealed value should be sealed again under the current key.
func (v *Vault) Stale(sealed []byte) bool {
	return len(sealed) < sealedMin || keyID(sealed[1:1+idSize]) != v.ring.Load().order[0]
}

// associated binds version, key id and context to the ciphertext.
func associated(sealed []byte, context string) []byte {
	out := make([]byte, 0, 1+idSize+len(context))
	out = append(out, sealed[:1+idSize]...)
	return append(out, context...)
}

// Derived is a key for one purpose, made from one key of the keyring.
type Derived struct {
	// Key names the keyring's key, to be written beside what it signs when the
	// signature must outlive a rotation.
	Key    string
	Secret [keySize]byte
}

// DeriveKey returns the current 32-byte key of a purpose ("alerting.link"): the
// same for the same keyring, on every node and after every restart, and
// independent from the keys of other purposes (HKDF-SHA256, RFC 5869).
func (v *Vault) DeriveKey(purpose string) (Derived, error) {
	r := v.ring.Load()
	return r.derive(r.order[0], purpose)
}

// DeriveKeys returns the keys of a purpose, the current one first and then
// those of before the rotations: what was signed yesterday is checked with all of them.
func (v *Vault) DeriveKeys(purpose string) ([]Derived, error) {
	r := v.ring.Load()
	out := make([]Derived, 0, len(r.keys))
	for _, id := range r.order {
		d, err := r.derive(id, purpose)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func (r *ring) derive(id keyID, purpose string) (Derived, error) {
	secret := r.keys[id].secret
	out, err := hkdf.Key(sha256.New, secret[:], nil, "tocsin/"+purpose, keySize)
	if err != nil {
		return Derived{}, fmt.Errorf("derive a key for %s: %w", purpose, err)
	}
	return Derived{Key: id.String(), Secret: [keySize]byte(out)}, nil
}
