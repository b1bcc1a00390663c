package hooks

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// secretPrefix begins a secret, as Standard Webhooks writes it.
const secretPrefix = "whsec_"

// RotationLife is how long the secret before still counts after a rotation.
const RotationLife = 24 * time.Hour

// signedFor is how old what is signed may be: past it, it is a replay.
const signedFor = 5 * time.Minute

func newSecret() string {
	raw := make([]byte, 32)
	// crypto/rand crashes the program rather than fail (Go 1.24).
	if _, err := rand.Read(raw); err != nil {
		panic("hooks: no randomness: " + err.Error())
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(raw)
}

// Sign is the signature of a message (Standard Webhooks 1.0, v1: HMAC-SHA256 of
// "id.timestamp.body" under the secret, in base64). A program that receives
// two of them accepts either: the secret is being changed.
func Sign(secrets []string, id string, at time.Time, body []byte) string {
	var out []string
	for _, s := range secrets {
		out = append(out, "v1,"+base64.StdEncoding.EncodeToString(mac(s, id, strconv.FormatInt(at.Unix(), 10), body)))
	}
	return strings.Join(out, " ")
}

func mac(secret, id, at string, body []byte) []byte {
	text := strings.TrimPrefix(secret, secretPrefix)
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		key = []byte(text)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + at + "."))
	h.Write(body)
	return h.Sum(nil)
}

// Proof is how a message that comes in proves who sent it.
type Proof struct {
	// Bearer is a secret given as it is; the others sign.
	Bearer                   string
	ID, Timestamp, Signature string
}

// holds checks a proof against the secrets of a door. All are tried, so that
// time tells nothing.
func (p Proof) holds(secrets []string, body []byte, now time.Time) bool {
	good := 0
	for _, s := range secrets {
		if p.Bearer != "" {
			good |= subtle.ConstantTimeCompare([]byte(p.Bearer), []byte(s))
			continue
		}
		want := mac(s, p.ID, p.Timestamp, body)
		for one := range strings.FieldsSeq(p.Signature) {
			version, text, _ := strings.Cut(one, ",")
			got, err := base64.StdEncoding.DecodeString(text)
			if err == nil && version == "v1" && hmac.Equal(got, want) {
				good = 1
			}
		}
	}
	return good == 1 && (p.Bearer != "" || p.fresh(now))
}

// fresh tells that what is signed was signed now.
func (p Proof) fresh(now time.Time) bool {
	at, err := strconv.ParseInt(p.Timestamp, 10, 64)
	if err != nil || p.ID == "" || len(p.ID) > 200 {
		return false
	}
	age := now.Sub(time.Unix(at, 0))
	return age <= signedFor && age >= -signedFor
}
