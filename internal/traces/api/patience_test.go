package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"tocsin/internal/clock"
	"tocsin/internal/spool"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces/api"
)

func hurried(o *api.Options) { o.Patience = 100 * time.Millisecond }

// Whoever stops in the middle of a body is cut: nothing of it is acknowledged, and
// others are served meanwhile and after.
func TestAHangingBodyIsCut(t *testing.T) {
	t.Parallel()
	c := newCounter(t, storagetest.SQLite(t, rooms()...), spool.Options{}, hurried)
	server := httptest.NewServer(c.h)
	defer server.Close()
	line := `{"message":"x"}` + "\n"
	for name, sent := range map[string]struct{ path, headers, body string }{
		"a length":     {"/events", "Content-Length: 1000", line},
		"pieces":       {"/_bulk", "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n", len(line), line)},
		"half a piece": {"/fhir/AuditEvent", "Transfer-Encoding: chunked", "ff\r\n{"},
		"packed":       {"/v1/logs", "Content-Encoding: gzip\r\nContent-Length: 1000", "\x1f\x8b\x08"},
		"a file":       {"/files/x.csv", "Content-Length: 1000", "a;b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			hanging := begun(t, server, sent.path, c.as("nord")+"\r\n"+sent.headers, sent.body)
			c.wants(200, `"taken":1`)(c.send("POST", "/events", line, c.as("sud")))
			answer, err := http.ReadResponse(bufio.NewReader(hanging), nil)
			if err == nil && answer.StatusCode < 400 {
				t.Errorf("answered %s", answer.Status)
			}
			if err == nil {
				must(t, answer.Body.Close())
			}
			// Its connection is not waited for any more.
			if _, err := io.ReadAll(hanging); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("it is open still: %v", err)
			}
		})
	}
	for _, e := range c.queued() {
		if e.Organisation == c.of["nord"] {
			t.Errorf("kept without being whole: %s", e.Raw)
		}
	}
}

// A body that never ends, a byte at a time, is cut all the same.
func TestABodyWithoutEndIsCut(t *testing.T) {
	t.Parallel()
	c := newCounter(t, storagetest.SQLite(t, rooms()...), spool.Options{}, func(o *api.Options) { o.Patience = 40 * time.Millisecond })
	server := httptest.NewServer(c.h)
	defer server.Close()
	endless := begun(t, server, "/events", c.as("nord")+"\r\nContent-Length: 100000", "")
	drop := time.NewTicker(5 * time.Millisecond)
	defer drop.Stop()
	heard := make(chan error, 1)
	go func() { _, err := io.ReadAll(endless); heard <- err }()
	for {
		select {
		case <-heard:
			return
		case <-drop.C:
			if _, err := endless.Write([]byte("x")); err != nil {
				return
			}
		}
	}
}

// begun is a request of which the rest does not come.
func begun(t *testing.T, server *httptest.Server, path, headers, body string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.SetReadDeadline(clock.Real().Now().Add(20*time.Second)))
	_, err = fmt.Fprintf(conn, "POST %s%s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s", api.Root, path, headers, body)
	must(t, err)
	return conn
}

// By gRPC: a call of which the message does not come.
func TestAHangingCallIsCut(t *testing.T) {
	d := newDoor(t, spool.Options{}, nil, insecure.NewCredentials(), hurried)
	hanging := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer "+d.tokens["nord"])
	stream, err := d.client.NewStream(hanging, &grpc.StreamDesc{ClientStreams: true}, "/opentelemetry.proto.collector.logs.v1.LogsService/Export")
	must(t, err)
	if _, err := d.call(t.Context(), d.tokens["sud"], export(1)); err != nil {
		t.Errorf("another is not served: %v", err)
	}
	var reply []byte
	if err := stream.RecvMsg(&reply); status.Code(err) != codes.DeadlineExceeded && status.Code(err) != codes.Canceled {
		t.Errorf("a call without its message: %v", err)
	}
	if _, err := d.call(t.Context(), d.tokens["nord"], export(1)); err != nil {
		t.Errorf("its connection serves no more: %v", err)
	}
}
