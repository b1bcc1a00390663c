package sms_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/sms"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	peer "tocsin/test/peers/smpp"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	key, cert := certificate(t)
	node := peer.StartNode(t, peer.Options{Key: key, Cert: cert})
	r := run(t, settings(node, channels.Settings{"tls": "true", "tls_ca": cert, "tls_server_name": "smsc.example"}))
	r.accepted(1, "Plan blanc")
	for name, c := range map[string]struct {
		more channels.Settings
		key  string
	}{
		"unknown authority": {channels.Settings{"tls": "true", "tls_server_name": "smsc.example"}, "channels.smpp.certificate"},
		"another name":      {channels.Settings{"tls": "true", "tls_ca": cert, "tls_server_name": "other.example"}, "channels.smpp.certificate"},
	} {
		err := open(t, settings(node, c.more), channelstest.NewInbox()).Check(context.Background())
		if f := fault.As(err); f == nil || f.Key != c.key {
			t.Errorf("%s: got %v", name, err)
		}
	}
	inClear := peer.StartNode(t, peer.Options{})
	err := open(t, settings(inClear, channels.Settings{"tls": "true", "tls_ca": cert}), channelstest.NewInbox()).Check(context.Background())
	if fault.As(err) == nil {
		t.Errorf("TLS to a gateway in clear: got %v", err)
	}
}

// certificate makes one for smsc.example, signed by itself.
func certificate(t *testing.T) (keyFile, certFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := clock.Real().Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "smsc.example"}, DNSNames: []string{"smsc.example"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("key.pem", "PRIVATE KEY", private), write("cert.pem", "CERTIFICATE", cert)
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := silent.Close(); err != nil {
			t.Error(err)
		}
	})
	for at, key := range map[string]string{
		address:                "channels.smpp.unreachable",
		silent.Addr().String(): "channels.smpp.silent",
	} {
		host, port, err := net.SplitHostPort(at)
		if err != nil {
			t.Fatal(err)
		}
		in := channels.Settings{"host": host, "port": port, "system_id": "x", "connect_timeout": "1", "response_timeout": "1"}
		got := open(t, in, channelstest.NewInbox()).Check(context.Background())
		if f := fault.As(got); f == nil || f.Key != key || f.Kind != fault.Unavailable {
			t.Errorf("%s: got %v", key, got)
		}
	}
}

func TestSettingsRefused(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for field, more := range map[string]channels.Settings{
		"system_id":    {"system_id": "an identifier too long"},
		"password":     {"password": strings.Repeat("x", 33)},
		"source":       {"source": "Centre hospitalier"},
		"service_type": {"service_type": "TOOLONG"},
		"tls_ca":       {"tls": "true", "tls_ca": empty},
	} {
		in := channels.Settings{"host": "gateway", "system_id": "x"}
		for k, v := range more {
			in[k] = v
		}
		s, err := sms.Kind{}.Describe().Validate(in)
		if err != nil {
			t.Fatal(err)
		}
		_, err = sms.Kind{}.Open(channels.Opening{Settings: s, Inbox: channelstest.NewInbox(), Log: slog.New(slog.DiscardHandler), Now: clock.Real().Now})
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || f.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestAddressesRefusedWithoutAsking(t *testing.T) {
	t.Parallel()
	r := run(t, settings(peer.StartNode(t, peer.Options{}), nil))
	for _, to := range []string{"", "+", "poste 4512", "+33 6 39 98", "a@b.fr", strings.Repeat("1", 30)} {
		out := r.Send(context.Background(), channels.Message{ID: uuid.New(), To: to, Text: "x"})
		if out.State != channels.Refused || out.Reason != channels.ReasonInvalidAddress {
			t.Errorf("%q: got %+v", to, out)
		}
	}
	out := r.Send(context.Background(), channels.Message{ID: uuid.New(), To: number(1), Text: strings.Repeat("a", 40_000)})
	if out.State != channels.Refused || out.Reason != channels.ReasonRejected {
		t.Errorf("a text of 256 parts: got %+v", out)
	}
}

func TestCheckOfARunningChannelMakesNoOtherBind(t *testing.T) {
	t.Parallel()
	node := peer.StartNode(t, peer.Options{})
	r := run(t, settings(node, nil))
	r.up()
	if err := r.Check(context.Background()); err != nil {
		t.Error(err)
	}
	if got := node.State(); got.Binds != 1 || got.Enquiries != 1 {
		t.Errorf("%d binds, %d tests of the link, want 1 and 1", got.Binds, got.Enquiries)
	}
}
