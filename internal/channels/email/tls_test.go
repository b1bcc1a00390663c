package email_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/test/peers/smtp"
)

// certificate writes a certificate that no authority signed and returns its fingerprint.
func certificate(t *testing.T) (certFile, keyFile, pin string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	model := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "relais.test"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), DNSNames: []string{"relais.test"},
	}
	der, err := x509.CreateCertificate(rand.Reader, model, model, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.Sum256(der)
	return certFile, keyFile, hex.EncodeToString(sum[:])
}

func TestPostfixStartTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile, pin := certificate(t)
	p := smtp.StartPostfix(t, smtp.Config{Mailboxes: []string{"agent"}, CertFile: certFile, KeyFile: keyFile})
	m := newMessage(t, "agent@"+smtp.Domain)
	if out := newClient(t, settings(t, p.Host, p.Port, "tls", "starttls", "tls_pin", pin)).Send(within(t), m); out.State != channels.Accepted {
		t.Fatalf("outcome %+v", out)
	}
	poll(t, "the message in its mailbox", p.Log, func() bool { return strings.Contains(p.Mailbox(t, "agent"), "</html>") })
	for name, c := range map[string]struct{ pin, key string }{
		"nobody signed it":    {"", "channels.smtp.check.tls"},
		"another certificate": {strings.Repeat("ab", 32), "channels.smtp.check.pin"},
	} {
		client := newClient(t, settings(t, p.Host, p.Port, "tls", "starttls", "tls_pin", c.pin))
		if f := fault.As(client.Check(within(t))); f == nil || f.Key != c.key {
			t.Errorf("%s: %v, want %s", name, f, c.key)
		}
		if out := client.Send(within(t), m); out.State != channels.Retry || !out.GatewayDown || out.Uncertain {
			t.Errorf("%s: outcome %+v", name, out)
		}
	}
}

func TestPostfixWithoutTLSIsRefused(t *testing.T) {
	t.Parallel()
	p := smtp.StartPostfix(t, smtp.Config{})
	client := newClient(t, settings(t, p.Host, p.Port, "tls", "starttls"))
	if f := fault.As(client.Check(within(t))); f == nil || f.Key != "channels.smtp.check.tls" {
		t.Errorf("check: %v", f)
	}
}
