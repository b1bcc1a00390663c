package nodes

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"

	"tocsin/internal/vault"
)

// purpose names the key of the keyring by which nodes know each other.
const purpose = "traces.nodes"

// Keys is the keyring that the nodes have in common.
type Keys interface {
	DeriveKeys(purpose string) ([]vault.Derived, error)
}

// errStranger is a peer without the keyring.
var errStranger = errors.New("the other side does not hold the keyring of this installation")

// trust is how a node shows and knows the keyring: a key pair is made of each
// key of it, so that a node whose keyring was rotated and one whose was not yet
// still find a pair that both have. A certificate here is only the dress in
// which TLS carries the public key: no authority and no date decides.
type trust struct{ pairs []tls.Certificate }

func newTrust(keys Keys) (*trust, error) {
	derived, err := keys.DeriveKeys(purpose)
	if err != nil {
		return nil, fmt.Errorf("keys of the nodes: %w", err)
	}
	t := &trust{}
	for _, d := range derived {
		pair, err := dress(d)
		if err != nil {
			return nil, err
		}
		t.pairs = append(t.pairs, pair)
	}
	return t, nil
}

// dress makes the certificate of a key: every node makes the same.
func dress(d vault.Derived) (tls.Certificate, error) {
	private := ed25519.NewKeyFromSeed(d.Secret[:])
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: d.Key},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, private.Public(), private)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate of a node: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate of a node: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private, Leaf: leaf}, nil
}

// known checks that the other side proved to hold one of our keys: TLS has
// checked that it has the private half of what it shows.
func (t *trust) known(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errStranger
	}
	shown, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	for _, p := range t.pairs {
		if mine, is := p.Leaf.PublicKey.(ed25519.PublicKey); ok && is && mine.Equal(shown) {
			return nil
		}
	}
	return errStranger
}

// server is the side of the machine that holds the base. The client names its
// newest key; where we do not have it, it may have ours.
func (t *trust) server() *tls.Config {
	names := x509.NewCertPool()
	for _, p := range t.pairs {
		names.AddCert(p.Leaf)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert, ClientCAs: names, SessionTicketsDisabled: true, VerifyConnection: t.known,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			for i, p := range t.pairs {
				if p.Leaf.Subject.CommonName == hello.ServerName {
					return &t.pairs[i], nil
				}
			}
			return &t.pairs[0], nil
		},
	}
}

// client is the side of the others. No authority vouches for the certificate of
// the other side: known looks at its key instead.
func (t *trust) client() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: t.pairs[0].Leaf.Subject.CommonName, InsecureSkipVerify: true, VerifyConnection: t.known,
		GetClientCertificate: func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			for i := range t.pairs {
				if asked.SupportsCertificate(&t.pairs[i]) == nil {
					return &t.pairs[i], nil
				}
			}
			return &t.pairs[0], nil
		},
	}
}

// serverConfig reads the keyring at each connection: it may have been rotated.
func serverConfig(keys Keys) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		t, err := newTrust(keys)
		if err != nil {
			return nil, err
		}
		return t.server(), nil
	}}
}

// dialer makes connections that the keyring vouches for.
func dialer(keys Keys) func(context.Context, string) (*tls.Conn, error) {
	return func(ctx context.Context, address string) (*tls.Conn, error) {
		t, err := newTrust(keys)
		if err != nil {
			return nil, err
		}
		d := tls.Dialer{Config: t.client()}
		c, err := d.DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, fmt.Errorf("reach %s: %w", address, err)
		}
		return c.(*tls.Conn), nil
	}
}
