package api_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"log/slog"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"tocsin/internal/i18n"
	"tocsin/internal/spool"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/api"
	"tocsin/internal/traces/otlp"
)

// plain sends bytes as they are.
type plain struct{}

func (plain) Name() string                  { return "proto" }
func (plain) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (plain) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte{}, data...)
	return nil
}

// part is a field of protocol buffers that holds bytes.
func part(number int, b ...byte) []byte {
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(number)<<3|2), uint64(len(b))), b...)
}

// export is a request with so many records.
func export(n int) []byte {
	var records []byte
	for range n {
		attribute := append(part(1, []byte("user.name")...), part(2, part(1, []byte("adupont")...)...)...)
		records = append(records, part(2, append(part(5, part(1, []byte("bonjour")...)...), part(6, attribute...)...)...)...)
	}
	return part(1, part(2, records...)...)
}

// door is a gRPC listener of a house, and a client of it.
type door struct {
	*counter
	client *grpc.ClientConn
	stop   func()
}

func newDoor(t *testing.T, opt spool.Options, server *tls.Config, client credentials.TransportCredentials, change ...func(*api.Options)) *door {
	t.Helper()
	t.Parallel()
	d := &door{counter: newCounter(t, storagetest.SQLite(t, rooms()...), opt)}
	catalog, err := i18n.Load(i18n.Locales, traces.Locales, api.Locales, spool.Locales, otlp.Locales)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		o := api.Options{Service: d.s, Catalog: catalog, Clock: d.clock, Log: slog.New(slog.DiscardHandler)}
		for _, f := range change {
			f(&o)
		}
		if err := api.GRPC(ctx, o, l, server); err != nil {
			t.Error(err)
		}
	})
	d.client, err = grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(client), grpc.WithDefaultCallOptions(grpc.ForceCodec(plain{})))
	must(t, err)
	d.stop = func() { cancel(); running.Wait() }
	t.Cleanup(func() { must(t, d.client.Close()); d.stop() })
	return d
}

// call exports as the bearer of a token.
func (d *door) call(ctx context.Context, token string, message []byte, opts ...grpc.CallOption) (reply []byte, err error) {
	if token != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	}
	return reply, d.client.Invoke(ctx, "/opentelemetry.proto.collector.logs.v1.LogsService/Export", message, &reply, opts...)
}

func TestOpenTelemetryByGRPC(t *testing.T) {
	d := newDoor(t, spool.Options{}, nil, insecure.NewCredentials())
	reply, err := d.call(t.Context(), d.tokens["nord"], export(3))
	if err != nil || len(reply) > 0 {
		t.Fatalf("%x %v", reply, err)
	}
	_, err = d.call(t.Context(), d.tokens["sud"], export(2000), grpc.UseCompressor(gzip.Name))
	must(t, err)
	got := d.queued()
	if len(got) != 2003 || got[0].Account != "adupont" || got[0].Message != "bonjour" || got[2].Organisation != d.of["nord"] || got[3].Organisation != d.of["sud"] {
		t.Fatalf("%d queued", len(got))
	}
	_, admitted := d.admit("nord", "DPI", "")
	for name, c := range map[string]struct {
		token   string
		message []byte
		want    codes.Code
	}{
		"no token":          {"", export(1), codes.Unauthenticated},
		"a stranger":        {"x", export(1), codes.Unauthenticated},
		"one who reads":     {admitted[len("Authorization: Bearer "):], export(1), codes.Unauthenticated},
		"damaged":           {d.tokens["nord"], []byte{0xff, 0xff}, codes.InvalidArgument},
		"too large":         {d.tokens["nord"], make([]byte, api.BodyLimit+1), codes.ResourceExhausted},
		"a stranger, large": {"", make([]byte, 1<<20), codes.Unauthenticated},
	} {
		if _, err := d.call(t.Context(), c.token, c.message); status.Code(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := d.call(t.Context(), d.tokens["nord"], make([]byte, api.BodyLimit+1), grpc.UseCompressor(gzip.Name)); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a bomb: %v", err)
	}
	if err := d.client.Invoke(t.Context(), "/opentelemetry.proto.collector.trace.v1.TraceService/Export", []byte{}, &reply); status.Code(err) != codes.Unimplemented {
		t.Errorf("spans: %v", err)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if _, err := d.call(late, d.tokens["nord"], export(1)); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("too late: %v", err)
	}
	if n := len(d.queued()); n != 2003 {
		t.Errorf("%d taken of what was refused", n-2003)
	}
	d.stop()
	if _, err := d.call(t.Context(), d.tokens["nord"], export(1)); status.Code(err) != codes.Unavailable {
		t.Errorf("closed: %v", err)
	}
}

// A full disk is told so that the exporter comes back.
func TestAFullDiskByGRPC(t *testing.T) {
	d := newDoor(t, spool.Options{MaxBytes: 100}, nil, insecure.NewCredentials())
	if _, err := d.call(t.Context(), d.tokens["nord"], export(1)); status.Code(err) != codes.Unavailable {
		t.Errorf("%v", err)
	}
}

func TestOpenTelemetryByGRPCOverTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	now := time.Now()
	paper := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"tocsin.test"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, paper, paper, &key.PublicKey, key)
	must(t, err)
	signed, err := x509.ParseCertificate(raw)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(signed)
	server := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{raw}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	d := newDoor(t, spool.Options{}, server, credentials.NewTLS(&tls.Config{RootCAs: pool, ServerName: "tocsin.test"}))
	_, err = d.call(t.Context(), d.tokens["nord"], export(1))
	must(t, err)
	if n := len(d.queued()); n != 1 {
		t.Errorf("%d queued", n)
	}
}
