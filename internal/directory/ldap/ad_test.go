package ldap_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/directory/feed"
	"tocsin/internal/fault"
)

// schemaAD is what Active Directory adds to people, by its own numbers: its
// objects are named by sixteen bytes, and an account is closed by a bit.
const schemaAD = `attributetype ( 1.2.840.113556.1.4.2 NAME 'objectGUID' EQUALITY octetStringMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 SINGLE-VALUE )
attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9 NAME 'user' SUP top AUXILIARY MAY ( objectGUID $ userAccountControl ) )`

// personAD is a person of Active Directory.
func personAD(n int, guid []byte, flags int, extra ...string) string {
	more := append([]string{"objectGUID:: " + base64.StdEncoding.EncodeToString(guid), fmt.Sprintf("userAccountControl: %d", flags)}, extra...)
	return strings.Replace(person(n, more...), "objectClass: inetOrgPerson\n", "objectClass: inetOrgPerson\nobjectClass: user\n", 1)
}

// The usual states of an account: alone, and with the bit that closes it.
const (
	normalAccount = 0x200
	closedAccount = normalAccount | 0x2
)

// authority is a certificate authority of a hospital's own, and the certificate of one of its servers.
func authority(t *testing.T, folder string) (ca, certificate, key string) {
	t.Helper()
	now := time.Now()
	ownKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "AC du CHU"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	ownDER, err := x509.CreateCertificate(rand.Reader, own, own, ownKey.Public(), ownKey)
	if err != nil {
		t.Fatal(err)
	}
	serverKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "ad.chu.test"}, NotBefore: own.NotBefore, NotAfter: own.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	serverDER, err := x509.CreateCertificate(rand.Reader, server, own, serverKey.Public(), ownKey)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ownDER})), write("server.pem", "CERTIFICATE", serverDER), write("server.key", "PRIVATE KEY", keyDER)
}

// TestActiveDirectory reads a server that has the attributes of Active
// Directory, over TLS, with a certificate of the hospital's own authority.
func TestActiveDirectory(t *testing.T) {
	t.Parallel()
	guids := [][]byte{
		{0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10}, // would pass for text
		{0xff, 0x00, 0x80, 0xc3, 0x28, 0xa0, 0xa1, 0xe2, 0x28, 0xa1, 0xf0, 0x90, 0x28, 0xbc, 0x00, 0x0a},
		[]byte("seize caractere."),
	}
	var ca string
	s := serveAs(t, "ldaps", func(folder string) string {
		var certificate, key string
		ca, certificate, key = authority(t, folder)
		return schemaAD + "\nTLSCertificateFile " + certificate + "\nTLSCertificateKeyFile " + key
	}, personAD(1, guids[0], normalAccount), personAD(2, guids[1], normalAccount), personAD(3, guids[2], normalAccount), personAD(4, []byte("quatre ferme...."), closedAccount))
	over := func(change ...func(feed.Settings)) feed.Settings {
		return settings(s.port, append([]func(feed.Settings){func(f feed.Settings) { f["security"], f["ca"] = "ldaps", ca }}, change...)...)
	}

	rows, err := all(t, over())
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for n, want := range []string{"0102030405060708090a0b0c0d0e0f10", "ff0080c328a0a1e228a1f09028bc000a", "7365697a6520636172616374657265" + "2e"} {
		if rows[n][0] != want {
			t.Errorf("the key of person %d is %q, want %q", n+1, rows[n][0], want)
		}
	}
	rows, err = all(t, over(func(f feed.Settings) { f["disabled"] = "false" }))
	if err != nil || len(rows) != 4 {
		t.Errorf("closed accounts are read when asked: %d, %v", len(rows), err)
	}
	for name, change := range map[string]func(feed.Settings){
		"an authority nobody gave": func(f feed.Settings) { f["ca"] = "" },
		"another name":             func(f feed.Settings) { f["host"] = "localhost" },
	} {
		if _, err := all(t, over(change)); fault.As(err) == nil || fault.As(err).Key != "directory.feed.ldap.certificate" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := all(t, over(func(f feed.Settings) { f["ca"] = strings.Replace(ca, "BEGIN", "DEBUT", 1) })); fault.As(err) == nil || fault.As(err).Field != "ca" {
		t.Errorf("a certificate that is none: %v", err)
	}
}
