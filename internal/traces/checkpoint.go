package traces

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"tocsin/internal/vault"
)

// sealPurpose is what the keys of checkpoints are derived for.
const sealPurpose = "traces.seal"

// algEd25519 marks a key of Ed25519 in a signed note.
const algEd25519 = 1

// Checkpoint is a signed head of the log of an establishment: the form is that of
// C2SP tlog-checkpoint, with the time as an extension line.
type Checkpoint struct {
	ID   uuid.UUID
	Size int64
	Root tlog.Hash
	At   time.Time
	// Key is the short id of the public key, in hexadecimal.
	Key string
	// Note is the text with its signature.
	Note string
	// Stamp is the token of an authority (RFC 3161), Stamped the time it says; zero
	// when there is none.
	Stamp   []byte
	Stamped time.Time
	// Copied is when it was written outside; zero when it was not.
	Copied time.Time
	// Problem is a fault that kept it from being copied or stamped; empty when none did.
	Problem string
}

// Origin names the log of an establishment.
func Origin(organisation uuid.UUID) string { return "tocsin-traces/" + organisation.String() }

func (c Checkpoint) text(organisation uuid.UUID) string {
	return fmt.Sprintf("%s\n%d\n%s\n%s\n", Origin(organisation), c.Size, base64.StdEncoding.EncodeToString(c.Root[:]), c.At.UTC().Format(time.RFC3339Nano))
}

var errCheckpoint = errors.New("not a checkpoint of a log of traces")

// parseCheckpoint reads the text of one, without its signature.
func parseCheckpoint(organisation uuid.UUID, text string) (c Checkpoint, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 5 || lines[0] != Origin(organisation) {
		return c, errCheckpoint
	}
	size, err1 := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := base64.StdEncoding.DecodeString(lines[2])
	at, err3 := time.Parse(time.RFC3339Nano, lines[3])
	if err := errors.Join(err1, err2, err3); err != nil || len(root) != tlog.HashSize || size < 0 {
		return c, errors.Join(errCheckpoint, err)
	}
	c.Size, c.At = size, at
	copy(c.Root[:], root)
	return c, nil
}

// PublicKey is what verifies checkpoints.
type PublicKey struct {
	// Name is the origin it signs for, ID its short id in hexadecimal.
	Name, ID string
	Key      ed25519.PublicKey
	hash     uint32
}

// keyOfOrigin gives a public key the id that signed notes know it by.
func keyOfOrigin(name string, key ed25519.PublicKey) PublicKey {
	sum := sha256.Sum256(append([]byte(name+"\n"), append([]byte{algEd25519}, key...)...))
	hash := binary.BigEndian.Uint32(sum[:])
	return PublicKey{Name: name, ID: fmt.Sprintf("%08x", hash), Key: key, hash: hash}
}

// PEM is the key as OpenSSL reads it.
func (k PublicKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.Key)
	if err != nil {
		return nil, fmt.Errorf("write public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// ReadPublicKeys reads the keys of a PEM file, for an establishment.
func ReadPublicKeys(organisation uuid.UUID, text []byte) (out []PublicKey, err error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		public, ok := key.(ed25519.PublicKey)
		if err != nil || !ok {
			return nil, errors.Join(errors.New("not a public key of Ed25519"), err)
		}
		out = append(out, keyOfOrigin(Origin(organisation), public))
	}
	if len(out) == 0 {
		return nil, errors.New("no public key")
	}
	return out, nil
}

// signer signs with the current key of a vault. It implements note.Signer.
type signer struct {
	PublicKey
	private ed25519.PrivateKey
}

// Name implements note.Signer.
func (s signer) Name() string { return s.PublicKey.Name }

// KeyHash implements note.Signer.
func (s signer) KeyHash() uint32 { return s.hash }

// Sign implements note.Signer.
func (s signer) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.private, msg), nil }

// verifier implements note.Verifier.
type verifier struct{ PublicKey }

// Name implements note.Verifier.
func (v verifier) Name() string { return v.PublicKey.Name }

// KeyHash implements note.Verifier.
func (v verifier) KeyHash() uint32 { return v.hash }

// Verify implements note.Verifier.
func (v verifier) Verify(msg, sig []byte) bool { return ed25519.Verify(v.Key, msg, sig) }

// signers gives the keys of an establishment, the current one first.
func signers(v *vault.Vault, organisation uuid.UUID) (out []signer, err error) {
	all, err := v.DeriveKeys(sealPurpose)
	if err != nil {
		return nil, fmt.Errorf("keys of the seal: %w", err)
	}
	for _, d := range all {
		private := ed25519.NewKeyFromSeed(d.Secret[:])
		public, ok := private.Public().(ed25519.PublicKey)
		if !ok {
			return nil, fmt.Errorf("key %s has no public half", d.Key)
		}
		out = append(out, signer{keyOfOrigin(Origin(organisation), public), private})
	}
	return out, nil
}

// sign makes the note of a checkpoint.
func (c *Checkpoint) sign(organisation uuid.UUID, s signer) error {
	signed, err := note.Sign(&note.Note{Text: c.text(organisation)}, s)
	if err != nil {
		return fmt.Errorf("sign a checkpoint: %w", err)
	}
	c.Key, c.Note = s.ID, string(signed)
	return nil
}

// readNote opens a signed checkpoint with keys that are trusted.
func readNote(organisation uuid.UUID, text string, keys []PublicKey) (c Checkpoint, err error) {
	var list []note.Verifier
	for _, k := range keys {
		list = append(list, verifier{k})
	}
	n, err := note.Open([]byte(text), note.VerifierList(list...))
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w", err)
	}
	if c, err = parseCheckpoint(organisation, n.Text); err != nil {
		return c, err
	}
	c.Key, c.Note = fmt.Sprintf("%08x", n.Sigs[0].Hash), text
	return c, nil
}

// ofOrigin tells whether a note is of the log of an establishment, whoever signed it.
func ofOrigin(organisation uuid.UUID, text []byte) bool {
	return bytes.HasPrefix(text, []byte(Origin(organisation)+"\n"))
}
