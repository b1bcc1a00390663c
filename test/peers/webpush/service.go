package webpush

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"tocsin/test/peers"
)

// Service is a running push service.
type Service struct {
	// Host is where it listens, with its port.
	Host string

	t      testing.TB
	client *http.Client
}

// Subscription is what a browser gets when it subscribes.
type Subscription struct {
	Endpoint string `json:"endpoint"`
	Keys     struct {
		P256dh string `json:"p256dh"`
		Auth   string `json:"auth"`
	} `json:"keys"`
	// ID is the name of the browser at the service.
	ID string `json:"clientHash"`
}

// Start starts a service that ends with the test.
func Start(t testing.TB) *Service {
	t.Helper()
	peers.NeedNode(t, "web-push-testing")
	var at struct {
		Port int `json:"port"`
	}
	peers.Launch(t, &at, func([]byte) {}, "node", filepath.Join(peers.Folder(t), "webpush", "service.js"))
	// No kept connection: the leak checks of the tests see none.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: peers.StartTimeout}
	return &Service{Host: fmt.Sprintf("127.0.0.1:%d", at.Port), t: t, client: client}
}

// Subscribe is a browser that subscribes under the public key of a sender.
func (s *Service) Subscribe(key string) Subscription {
	s.t.Helper()
	var answer struct {
		Data Subscription `json:"data"`
	}
	s.order("/subscribe", map[string]string{"userVisibleOnly": "true", "applicationServerKey": key}, &answer)
	return answer.Data
}

// Expire ends a subscription: the browser was uninstalled, or its person said no.
func (s *Service) Expire(id string) {
	s.t.Helper()
	s.order("/expire-subscription/"+id, nil, nil)
}

// Read is what a browser received, decrypted.
func (s *Service) Read(id string) []string {
	s.t.Helper()
	var answer struct {
		Data struct {
			Messages []string `json:"messages"`
		} `json:"data"`
	}
	s.order("/get-notifications", map[string]string{"clientHash": id}, &answer)
	return answer.Data.Messages
}

func (s *Service) order(path string, body, answer any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	if body == nil {
		text = []byte("{}")
	}
	response, err := s.client.Post("http://"+s.Host+path, "application/json", bytes.NewReader(text))
	if err != nil {
		s.t.Fatalf("the push service does not obey: %v", err)
	}
	defer func() {
		if err := response.Body.Close(); err != nil {
			s.t.Error(err)
		}
	}()
	if response.StatusCode != http.StatusOK {
		s.t.Fatalf("the push service answers %s to %s", response.Status, path)
	}
	if answer == nil {
		return
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		s.t.Fatalf("the answer of the push service to %s: %v", path, err)
	}
}
