// Package stamp is « Horodatage »: it asks a time-stamping authority (RFC 3161)
// that a text existed at a time.
//
// It promises that a token is taken only when it is for the text asked about,
// carries our nonce, and is signed by the certificate in it, which authorities of
// ours vouch for when they are given. It never sends the text: its SHA-256 alone.
package stamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

const (
	// patience is how long an authority may take, replyMost how much it may say.
	patience  = 20 * time.Second
	replyMost = 256 << 10
)

// Authority is a time-stamping authority.
type Authority struct {
	URL string
	// Roots vouch for its certificate; nil takes any.
	Roots *x509.CertPool
	HTTP  *http.Client
}

// Stamp implements traces.Stamper. The token is the whole answer, as OpenSSL reads
// it (openssl ts -reply).
func (a Authority) Stamp(ctx context.Context, message []byte) (token []byte, at time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, at, fmt.Errorf("draw a nonce: %w", err)
	}
	sum := sha256.Sum256(message)
	request := timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Certificates: true, Nonce: nonce}
	body, err := request.Marshal()
	if err != nil {
		return nil, at, fmt.Errorf("write a request for a stamp: %w", err)
	}
	if token, err = a.ask(ctx, body); err != nil {
		return nil, at, err
	}
	stamp, err := a.open(token, message)
	if err != nil {
		return nil, at, err
	}
	if stamp.Nonce == nil || stamp.Nonce.Cmp(nonce) != 0 {
		return nil, at, errors.New("the stamp answers another question")
	}
	return token, stamp.Time, nil
}

func (a Authority) ask(ctx context.Context, body []byte) (answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask for a stamp: %w", err)
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	res, err := a.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask for a stamp: %w", err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask for a stamp: the authority answered %s", res.Status)
	}
	answer, err = io.ReadAll(io.LimitReader(res.Body, replyMost+1))
	if err == nil && len(answer) > replyMost {
		err = errors.New("ask for a stamp: the answer is too long")
	}
	return answer, err
}

// Read implements traces.Stamper.
func (a Authority) Read(token, message []byte) (time.Time, error) {
	stamp, err := a.open(token, message)
	if err != nil {
		return time.Time{}, err
	}
	return stamp.Time, nil
}

// open reads a token, and holds it against the message and the authorities.
func (a Authority) open(token, message []byte) (*timestamp.Timestamp, error) {
	stamp, err := timestamp.ParseResponse(token)
	if err != nil {
		return nil, fmt.Errorf("read a stamp: %w", err)
	}
	sum := sha256.Sum256(message)
	if stamp.HashAlgorithm != crypto.SHA256 || !bytes.Equal(stamp.HashedMessage, sum[:]) {
		return nil, errors.New("the stamp is of another text")
	}
	if len(stamp.Certificates) == 0 {
		return nil, errors.New("the stamp bears no certificate")
	}
	if a.Roots == nil {
		return stamp, nil
	}
	signed, err := pkcs7.Parse(stamp.RawToken)
	if err != nil {
		return nil, fmt.Errorf("read a stamp: %w", err)
	}
	between := x509.NewCertPool()
	for _, c := range signed.Certificates {
		between.AddCert(c)
	}
	signer := signed.GetOnlySigner()
	if signer == nil {
		return nil, errors.New("the stamp has no signer, or several")
	}
	_, err = signer.Verify(x509.VerifyOptions{Roots: a.Roots, Intermediates: between, CurrentTime: stamp.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	if err != nil {
		return nil, fmt.Errorf("certificate of the stamp: %w", err)
	}
	return stamp, nil
}
