package voice_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/fault"
	peer "tocsin/test/peers/sip"
)

// authority makes an authority of its own, and the certificate of this machine by it.
func authority(t *testing.T) (ca, certificate string) {
	t.Helper()
	make := func(of *x509.Certificate, by *x509.Certificate, with *ecdsa.PrivateKey) (der []byte, key *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if with == nil {
			with = key
		}
		if der, err = x509.CreateCertificate(rand.Reader, of, by, &key.PublicKey, with); err != nil {
			t.Fatal(err)
		}
		return der, key
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Autorité d'essai"}, NotBefore: now().Add(-time.Hour), NotAfter: now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, rootKey := make(root, root, nil)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "poste"}, NotBefore: now().Add(-time.Hour), NotAfter: now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	leafDER, leafKey := make(leaf, root, rootKey)
	private, err := x509.MarshalPKCS8PrivateKey(leafKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ca, certificate = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "poste.pem")
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	for path, text := range map[string][]byte{
		ca: block("CERTIFICATE", rootDER), certificate: append(block("CERTIFICATE", leafDER), block("PRIVATE KEY", private)...),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return ca, certificate
}

// A telephone that we did not write, over TLS by an authority of the hospital's own,
// with the sound encrypted: the keys pressed there are those heard here.
func TestBaresipOverTLSWithEncryptedSound(t *testing.T) {
	t.Parallel()
	ca, certificate := authority(t)
	for what, o := range map[string]struct{ encryption, srtp string }{"in clear": {"", "false"}, "encrypted": {"srtp-mand", "true"}} {
		t.Run(what, func(t *testing.T) {
			phone := peer.StartBaresip(t, peer.BaresipOptions{Number: "0639981001", Certificate: certificate, Encryption: o.encryption})
			b := open(t, settings(phone.Port, channels.Settings{"transport": "tls", "tls_ca": ca, "format": "{national}", "srtp": o.srtp}), nil)
			outcome := make(chan channels.Outcome, 1)
			go func() { outcome <- b.send(message(1)) }()
			phone.Wait(t, "CALL_ESTABLISHED")
			pause := time.NewTimer(600 * time.Millisecond)
			<-pause.C
			phone.Press(t, "2")
			pause.Reset(900 * time.Millisecond)
			<-pause.C
			phone.Press(t, "1")
			if out := <-outcome; out.State != channels.Accepted || !out.Delivered {
				t.Errorf("outcome %+v", out)
			}
			if got := b.replies(); len(got) != 1 || got[0].Text != "2" {
				t.Errorf("replies %+v", got)
			}
			phone.Wait(t, "CALL_CLOSED")
		})
	}
}

// A call that was to be encrypted is not made in clear, and the other way round.
func TestEncryptionIsNotGivenUp(t *testing.T) {
	t.Parallel()
	ca, certificate := authority(t)
	for what, o := range map[string]struct{ encryption, srtp string }{"they want it": {"srtp-mand", "false"}, "we want it": {"", "true"}} {
		t.Run(what, func(t *testing.T) {
			phone := peer.StartBaresip(t, peer.BaresipOptions{Number: "0639981001", Certificate: certificate, Encryption: o.encryption})
			b := open(t, settings(phone.Port, channels.Settings{"transport": "tls", "tls_ca": ca, "format": "{national}", "srtp": o.srtp}), nil)
			if out := b.send(message(1)); out.State != channels.Retry || out.Delivered || len(b.replies()) != 0 {
				t.Errorf("outcome %+v", out)
			}
		})
	}
}

func TestAnotherAuthorityIsRefused(t *testing.T) {
	t.Parallel()
	_, certificate := authority(t)
	other, _ := authority(t)
	phone := peer.StartBaresip(t, peer.BaresipOptions{Number: "0639981001", Certificate: certificate})
	kind := newKind()
	valid, err := kind.Describe().Validate(settings(phone.Port, channels.Settings{"transport": "tls", "tls_ca": other}))
	if err != nil {
		t.Fatal(err)
	}
	c, err := kind.Open(channels.Opening{Settings: valid, Inbox: channelstest.NewInbox(), Log: discard(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if f := fault.As(c.Check(t.Context())); f == nil || f.Key != "channels.sip.certificate" {
		t.Errorf("%v", f)
	}
}

func TestEncryptionWantsTLS(t *testing.T) {
	t.Parallel()
	kind := newKind()
	valid, err := kind.Describe().Validate(settings(5060, channels.Settings{"srtp": "true"}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = kind.Open(channels.Opening{Settings: valid, Inbox: channelstest.NewInbox(), Log: discard(), Now: now})
	if f := fault.As(err); f == nil || f.Key != "channels.sip.srtp_clear" || f.Field != "srtp" {
		t.Errorf("%v", err)
	}
}
