package stamp_test

import (
	"bytes"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tocsin/internal/traces/stamp"
)

const settings = `[tsa]
default_tsa = tsa1
[tsa1]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[req]
distinguished_name = dn
x509_extensions = ext
prompt = no
[dn]
CN = Autorité de test
[ext]
extendedKeyUsage = critical,timeStamping
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
`

// authority is OpenSSL behind an address; change alters what it answers.
func authority(t *testing.T, change func([]byte) []byte) (a stamp.Authority, root []byte) {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v: %s", args, err, out)
		}
	}
	write := func(name string, text []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("tsa.cnf", []byte(settings))
	write("serial", []byte("01\n"))
	run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "tsa.cnf", "-keyout", "key.pem", "-out", "cert.pem", "-days", "7300")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/timestamp-query" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		write("q.tsq", body)
		run("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "q.tsq", "-signer", "cert.pem", "-inkey", "key.pem", "-out", "r.tsr")
		answer, err := os.ReadFile(filepath.Join(dir, "r.tsr"))
		if err != nil {
			t.Error(err)
		}
		if _, err := w.Write(change(answer)); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	root, err := os.ReadFile(filepath.Join(dir, "cert.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return stamp.Authority{URL: server.URL, HTTP: server.Client()}, root
}

func same(b []byte) []byte { return b }

func TestOpenSSLStamps(t *testing.T) {
	a, root := authority(t, same)
	message := []byte("un point de contrôle")
	token, at, err := a.Stamp(t.Context(), message)
	if err != nil || at.IsZero() {
		t.Fatal(err)
	}
	if again, err := a.Read(token, message); err != nil || !again.Equal(at) {
		t.Errorf("%v %v", again, err)
	}
	a.Roots = x509.NewCertPool()
	if _, err := a.Read(token, message); err == nil {
		t.Error("a stamp that nobody vouches for is taken")
	}
	if !a.Roots.AppendCertsFromPEM(root) {
		t.Fatal("no root")
	}
	if _, err := a.Read(token, message); err != nil {
		t.Error(err)
	}
	if _, err := a.Read(token, []byte("un autre")); err == nil {
		t.Error("a stamp of another text is taken")
	}
	for i := range len(token) / 8 {
		altered := bytes.Clone(token)
		altered[8*i+7] ^= 1
		if when, err := a.Read(altered, message); err == nil && !when.Equal(at) {
			t.Errorf("octet %d changed, and the stamp says %v", 8*i+7, when)
		}
	}
	dir := t.TempDir()
	for name, text := range map[string][]byte{"m": message, "r.tsr": token, "root.pem": root} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("openssl", "ts", "-verify", "-data", "m", "-in", "r.tsr", "-CAfile", "root.pem")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("openssl: %v %s", err, out)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	var first []byte
	for name, change := range map[string]func([]byte) []byte{
		"cut short": func(b []byte) []byte { return b[:len(b)/2] },
		"empty":     func([]byte) []byte { return nil },
		"too long":  func([]byte) []byte { return make([]byte, 1<<20) },
		"replayed": func(b []byte) []byte {
			if first == nil {
				first = b
			}
			return first
		},
	} {
		a, _ := authority(t, change)
		if name == "replayed" {
			if _, _, err := a.Stamp(t.Context(), []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := a.Stamp(t.Context(), []byte("x")); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	down := httptest.NewServer(http.NotFoundHandler())
	defer down.Close()
	if _, at, err := (stamp.Authority{URL: down.URL, HTTP: &http.Client{Timeout: time.Second}}).Stamp(t.Context(), []byte("x")); err == nil || !at.IsZero() {
		t.Errorf("an authority that is none: %v", err)
	}
}
