package identitytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"
)

// Key is a passkey: an authenticator with one credential, written after
// WebAuthn § 6 and § 8.7 (ES256, no attestation).
type Key struct {
	// Origin is the site the browser says it is on.
	Origin string
	// Verifies tells that it asks for a finger or a PIN.
	Verifies bool
	// Counter goes up at each use; a copied key would send an old one.
	Counter uint32

	id, handle []byte
	private    *ecdsa.PrivateKey
}

// NewKey is a key that verifies its owner, in a browser on Origin().
func NewKey(t testing.TB) *Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("key: %v", err)
	}
	id := make([]byte, 32)
	if _, err := rand.Read(id); err != nil {
		t.Fatalf("key: %v", err)
	}
	return &Key{Origin: Origin().String(), Verifies: true, id: id, private: private}
}

// The flags of authenticator data (WebAuthn § 6.1).
const (
	userPresent  = 0x01
	userVerified = 0x04
	hasKey       = 0x40
)

// asked is what a browser reads of the options of either ceremony.
type asked struct {
	PublicKey struct {
		Challenge string
		RPID      string
		RP        struct{ ID string }
		User      struct{ ID string }
	}
}

func read(t testing.TB, options any) asked {
	t.Helper()
	text, err := json.Marshal(options)
	if err != nil {
		t.Fatalf("options: %v", err)
	}
	var a asked
	if err := json.Unmarshal(text, &a); err != nil {
		t.Fatalf("options: %v", err)
	}
	return a
}

// Register answers the options of a registration.
func (k *Key) Register(t testing.TB, options any) []byte {
	t.Helper()
	a := read(t, options)
	handle, err := base64.RawURLEncoding.DecodeString(a.PublicKey.User.ID)
	if err != nil {
		t.Fatalf("user handle: %v", err)
	}
	k.handle = handle
	data := k.data(a.PublicKey.RP.ID, hasKey)
	data = append(data, make([]byte, 16)...) // AAGUID: of no known maker
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.id)))
	data = append(append(data, k.id...), k.cose(t)...)
	object := []byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59")
	object = append(binary.BigEndian.AppendUint16(object, uint16(len(data))), data...)
	return k.answer(t, map[string]string{
		"clientDataJSON":    b64(k.client(t, "webauthn.create", a.PublicKey.Challenge)),
		"attestationObject": b64(object),
	})
}

// SignIn answers the options of a sign-in.
func (k *Key) SignIn(t testing.TB, options any) []byte {
	t.Helper()
	a := read(t, options)
	k.Counter++
	data, client := k.data(a.PublicKey.RPID, 0), k.client(t, "webauthn.get", a.PublicKey.Challenge)
	clientHash := sha256.Sum256(client)
	digest := sha256.Sum256(append(data, clientHash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, digest[:])
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return k.answer(t, map[string]string{
		"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(k.handle),
	})
}

func (k *Key) data(rpID string, flags byte) []byte {
	hash := sha256.Sum256([]byte(rpID))
	flags |= userPresent
	if k.Verifies {
		flags |= userVerified
	}
	return binary.BigEndian.AppendUint32(append(hash[:], flags), k.Counter)
}

// cose is the public key in the form of RFC 9053 § 7.1: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
func (k *Key) cose(t testing.TB) []byte {
	t.Helper()
	point, err := k.private.PublicKey.Bytes() // 0x04, x, y
	if err != nil {
		t.Fatalf("public key: %v", err)
	}
	out := append([]byte("\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"), point[1:33]...)
	return append(append(out, 0x22, 0x58, 0x20), point[33:]...)
}

func (k *Key) client(t testing.TB, ceremony, challenge string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"type": ceremony, "challenge": challenge, "origin": k.Origin, "crossOrigin": false})
	if err != nil {
		t.Fatalf("client data: %v", err)
	}
	return text
}

func (k *Key) answer(t testing.TB, response map[string]string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"id": b64(k.id), "rawId": b64(k.id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response,
	})
	if err != nil {
		t.Fatalf("answer: %v", err)
	}
	return text
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
