package channelstest

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
)

// Web is where a peer that is spoken to by HTTP listens: up, down, and up again on
// the port of before.
type Web struct {
	Port int

	mu     sync.Mutex
	server *httptest.Server
}

// Up listens, unless it does already.
func (w *Web) Up(t testing.TB, handler http.Handler) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.server != nil {
		return
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(w.Port)))
	if err != nil {
		t.Fatal(err)
	}
	address, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("not a TCP address")
	}
	w.Port = address.Port
	w.server = &httptest.Server{Listener: l, Config: &http.Server{Handler: handler}}
	w.server.Start()
}

// Down drops the connections and listens no more.
func (w *Web) Down() {
	w.mu.Lock()
	server := w.server
	w.server = nil
	w.mu.Unlock()
	if server != nil {
		server.CloseClientConnections()
		server.Close()
	}
}
