package chat_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/chat"
)

const badRoom = "salon-inconnu"

// server is a webhook of an ordinary sort, which holds what comes against the
// documented form.
type server struct {
	t   *testing.T
	web channelstest.Web

	mu       sync.Mutex
	mode     channelstest.Behaviour
	received []channelstest.Received
}

func startServer(t *testing.T) *server {
	t.Helper()
	p := &server{t: t, mode: channelstest.Accept}
	p.web.Up(p.t, p)
	t.Cleanup(p.web.Down)
	return p
}

func (p *server) Settings() channels.Settings {
	return channels.Settings{
		"preset": "custom", "url": fmt.Sprintf("http://127.0.0.1:%d/hooks/secret-du-salon", p.web.Port), "clear": "true", "rate": "0",
		"body": `{"channel":"{destinataire}","text":"{texte}"}`, "headers": "Authorization: Bearer {secret}", "secret": "secret-en-tete",
		"answers": "ok 200\ninvalid 404", "connect_timeout": "1", "response_timeout": "1",
	}
}

func (p *server) Behave(b channelstest.Behaviour) {
	p.mu.Lock()
	was := p.mode
	p.mode = b
	p.mu.Unlock()
	switch {
	case b == channelstest.Down:
		p.web.Down()
	case was == channelstest.Down:
		p.web.Up(p.t, p)
	}
}

// Tell is never asked: a webhook brings nothing back.
func (p *server) Tell(channelstest.News) { p.t.Error("a webhook tells nothing") }

func (p *server) State() channelstest.State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return channelstest.State{Received: append([]channelstest.Received(nil), p.received...)}
}

func (p *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var asked struct{ Channel, Text string }
	if r.Header.Get("Authorization") != "Bearer secret-en-tete" || r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(text, &asked) != nil {
		http.Error(w, "{}", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case asked.Channel == badRoom:
		http.Error(w, "{}", http.StatusNotFound)
	case p.mode == channelstest.Throttle:
		w.Header().Set("Retry-After", "2")
		http.Error(w, "{}", http.StatusTooManyRequests)
	case p.mode == channelstest.Silent:
		p.mu.Unlock()
		<-r.Context().Done()
		p.mu.Lock()
	case p.mode == channelstest.Cut:
		p.mu.Unlock()
		defer p.mu.Lock()
		panic(http.ErrAbortHandler)
	default:
		p.received = append(p.received, channelstest.Received{To: asked.Channel, Text: asked.Text})
	}
}

func TestRoomConformance(t *testing.T) {
	channelstest.Run(t, channelstest.Suite{
		Kind: chat.Room{Loopback: true}, Locales: chat.Locales,
		Start:      func(t *testing.T) channelstest.Peer { return startServer(t) },
		Address:    func(n int) string { return fmt.Sprintf("salon-%04d", n) },
		BadAddress: badRoom, UncertainWhenCut: true,
	})
}
