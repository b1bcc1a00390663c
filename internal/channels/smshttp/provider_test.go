package smshttp_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/smshttp"
)

const (
	badNumber = "+33639989999"
	key       = "clef-du-compte"
	hookKey   = "clef-des-retours"
)

func phoneOf(n int) string { return fmt.Sprintf("+3363998%04d", n) }

// provider is a provider of an ordinary sort: JSON in, JSON out, an id, and
// calls back until they are acknowledged. Kannel, which is not ours, has its own tests.
type provider struct {
	t      *testing.T
	web    channelstest.Web
	called channels.Called
	ended  chan struct{}
	calls  sync.WaitGroup

	mu       sync.Mutex
	mode     channelstest.Behaviour
	received []channelstest.Received
	unacked  int
	refusals int
}

func startProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, mode: channelstest.Accept, ended: make(chan struct{})}
	p.web.Up(p.t, p)
	t.Cleanup(func() {
		close(p.ended)
		p.calls.Wait()
		p.web.Down()
	})
	return p
}

func (p *provider) Settings() channels.Settings {
	base := "http://127.0.0.1:" + strconv.Itoa(p.web.Port)
	return channels.Settings{
		"preset": "custom", "url": base + "/envoi", "check_url": base + "/compte", "clear": "true", "password": key, "source": "CHU",
		"headers": "X-Cle: {mot_de_passe}", "format": "json",
		"body":    `{"message":{"to":"{numero}","text":"{texte}","for":"{validite_minutes}"},"ref":"{id}"}`,
		"answers": "ok 200 state ~ ^queued$\ninvalid 400 code ~ ^unknown_number$\nauth 401", "id": "ids.0",
		"inbound":      "id = id\nstatus = status\ndelivered = ^delivered$\nfailed = ^failed$\nfrom = from\ntext = text",
		"inbound_auth": "hmac", "inbound_secret": hookKey,
		"connect_timeout": "1", "response_timeout": "1",
	}
}

func (p *provider) Behave(b channelstest.Behaviour) {
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

func (p *provider) State() channelstest.State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return channelstest.State{Received: append([]channelstest.Received(nil), p.received...), Unacknowledged: p.unacked, Refusals: p.refusals}
}

// ServeHTTP is the provider's interface.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Header.Get("X-Cle") != key {
		http.Error(w, `{"code":"key"}`, http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/compte" {
		return
	}
	var asked struct {
		Message struct{ To, Text string }
		Ref     string
	}
	if json.Unmarshal(text, &asked) != nil {
		http.Error(w, `{"code":"json"}`, http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case asked.Message.To == badNumber:
		http.Error(w, `{"code":"unknown_number"}`, http.StatusBadRequest)
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
		id := fmt.Sprintf("m-%d", len(p.received)+1)
		p.received = append(p.received, channelstest.Received{To: asked.Message.To, Text: asked.Message.Text, ProviderID: id, Raw: asked.Message.To})
		fmt.Fprintf(w, `{"state":"queued","ids":[%q]}`, id)
	}
}

// Tell calls back until the answer is a success.
func (p *provider) Tell(n channelstest.News) {
	content := map[string]string{"from": n.About.Raw, "text": n.Reply}
	if n.Reply == "" {
		content = map[string]string{"id": n.About.ProviderID, "status": map[bool]string{true: "failed", false: "delivered"}[n.Undelivered]}
	}
	body, err := json.Marshal(content)
	if err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	p.unacked++
	p.mu.Unlock()
	call := sign(hookKey, "evt-"+strconv.FormatInt(time.Now().UnixNano(), 10), time.Now(), body)
	p.calls.Go(func() {
		for {
			select {
			case <-p.ended:
				return
			default:
			}
			status := p.called.Call(p.t.Context(), call).Status
			p.mu.Lock()
			if status == http.StatusOK {
				p.unacked--
				p.mu.Unlock()
				return
			}
			p.refusals++
			p.mu.Unlock()
		}
	})
}

// kind lets the provider know the channel that it calls back.
type kind struct {
	smshttp.Kind
	open func(channels.Called)
}

func (k kind) Open(o channels.Opening) (channels.Channel, error) {
	o.Callback = "https://tocsin.example/passerelles/x/retour/y"
	c, err := k.Kind.Open(o)
	if err == nil {
		k.open(c.(channels.Called))
	}
	return c, err
}

func TestConformance(t *testing.T) {
	var current *provider
	var opened channels.Called
	channelstest.Run(t, channelstest.Suite{
		Kind: kind{smshttp.Kind{Loopback: true}, func(c channels.Called) {
			opened = c
			if current != nil {
				current.called = c
			}
		}},
		Locales: smshttp.Locales,
		Start: func(t *testing.T) channelstest.Peer {
			current = startProvider(t)
			current.called = opened
			return current
		},
		Address:    phoneOf,
		BadAddress: badNumber,
		WrongCredentials: func(s channels.Settings) channels.Settings {
			wrong := maps.Clone(s)
			wrong["password"] = "faux"
			return wrong
		},
		UncertainWhenCut: true,
	})
}

func body(text string) []byte { return bytes.TrimSpace([]byte(text)) }
