package firefox

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/websocket"
)

// bodyMost is what a push service takes (RFC 8030 § 7.2).
const bodyMost = 4096

// Delivered is the code by which the browser says that it decrypted a message
// and that the service worker of the page took it.
const Delivered = 100

// Service stands for the push service that a Firefox keeps a socket open to. It
// speaks the protocol of autopush, as far as subscribing and being notified need.
type Service struct {
	// Host is where it listens, with its port.
	Host string
	// Acks are the codes by which the browser answers each notification.
	Acks chan int

	server *httptest.Server
	mu     sync.Mutex
	socket *websocket.Conn
	ends   map[string]bool
}

// message is one of either side (autopush, « WebSocket protocol »).
type message struct {
	Type      string            `json:"messageType"`
	Status    int               `json:"status,omitempty"`
	Agent     string            `json:"uaid,omitempty"`
	WebPush   bool              `json:"use_webpush,omitempty"`
	Channel   string            `json:"channelID,omitempty"`
	Endpoint  string            `json:"pushEndpoint,omitempty"`
	Version   string            `json:"version,omitempty"`
	Data      string            `json:"data,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	Updates   []update          `json:"updates,omitempty"`
	Broadcast map[string]string `json:"broadcasts,omitempty"`
}

type update struct {
	Channel string `json:"channelID"`
	Code    int    `json:"code"`
}

// Serve starts a service that ends with the test.
func Serve(t testing.TB) *Service {
	t.Helper()
	s := &Service{Acks: make(chan int, 16), ends: map[string]bool{}}
	mux := http.NewServeMux()
	mux.Handle("/", websocket.Server{Handler: s.hear, Handshake: func(c *websocket.Config, _ *http.Request) error {
		c.Protocol = c.Protocol[:min(1, len(c.Protocol))]
		return nil
	}})
	mux.HandleFunc("POST /wpush/{channel}", s.take)
	s.server = httptest.NewServer(mux)
	s.Host = strings.TrimPrefix(s.server.URL, "http://")
	t.Cleanup(func() {
		s.mu.Lock()
		if s.socket != nil {
			if err := s.socket.Close(); err != nil {
				t.Logf("the socket of the browser: %v", err)
			}
		}
		s.mu.Unlock()
		s.server.CloseClientConnections()
		s.server.Close()
	})
	return s
}

// hear is the socket of one browser.
func (s *Service) hear(c *websocket.Conn) {
	s.mu.Lock()
	s.socket = c
	s.mu.Unlock()
	for {
		var m message
		if err := websocket.JSON.Receive(c, &m); err != nil {
			return
		}
		var err error
		switch m.Type {
		case "hello":
			err = websocket.JSON.Send(c, message{Type: "hello", Status: http.StatusOK, Agent: strings.ReplaceAll(uuid.NewString(), "-", ""), WebPush: true})
		case "register":
			s.mu.Lock()
			s.ends[m.Channel] = true
			s.mu.Unlock()
			err = websocket.JSON.Send(c, message{Type: m.Type, Status: http.StatusOK, Channel: m.Channel, Endpoint: fmt.Sprintf("http://%s/wpush/%s", s.Host, m.Channel)})
		case "unregister":
			s.mu.Lock()
			delete(s.ends, m.Channel)
			s.mu.Unlock()
			err = websocket.JSON.Send(c, message{Type: m.Type, Status: http.StatusOK, Channel: m.Channel})
		case "ack":
			for _, u := range m.Updates {
				s.Acks <- u.Code
			}
		}
		if err != nil {
			return
		}
	}
}

// take carries what a sender posts, as it is.
func (s *Service) take(w http.ResponseWriter, r *http.Request) {
	channel := r.PathValue("channel")
	s.mu.Lock()
	known, socket := s.ends[channel], s.socket
	s.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyMost+1))
	switch {
	case !known:
		w.WriteHeader(http.StatusGone)
		return
	case err != nil || len(body) > bodyMost || !strings.HasPrefix(r.Header.Get("Authorization"), "vapid t=") || r.Header.Get("Ttl") == "":
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	m := message{Type: "notification", Channel: channel, Version: uuid.NewString(), Data: base64.RawURLEncoding.EncodeToString(body), Headers: map[string]string{"encoding": r.Header.Get("Content-Encoding")}}
	if err := websocket.JSON.Send(socket, m); err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Location", "/m/"+m.Version)
	w.WriteHeader(http.StatusCreated)
}

// Ack waits for the browser's answer to one notification.
func (s *Service) Ack(t testing.TB) int {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case code := <-s.Acks:
		return code
	case <-late.C:
		t.Fatalf("the browser says nothing of a notification after %s", patience)
		return 0
	}
}
