// Package dendrite is « Le serveur Matrix »: Dendrite, a homeserver that we did not
// write, on this machine and with nobody else.
package dendrite

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/clock"
	"tocsin/test/peers"
)

// Version is the one that test/dendrite.sh builds.
const Version = "v0.13.8"

// Name is the name of the server.
const Name = "pair.example"

// Server is a running homeserver.
type Server struct {
	URL string
	t   testing.TB
}

// Account is somebody who has an account there.
type Account struct {
	ID, Token string
	server    *Server
	made      int
}

const configuration = `version: 2
global:
  server_name: ` + Name + `
  private_key: key.pem
  disable_federation: true
  cache: {max_size_estimated: 64mb, max_age: 1h}
  jetstream: {storage_path: ./, topic_prefix: Dendrite, in_memory: true}
client_api: {registration_disabled: false, rate_limiting: {enabled: false}}
federation_api: {database: {connection_string: "file:fed.db"}}
key_server: {database: {connection_string: "file:key.db"}}
media_api: {base_path: ./media, database: {connection_string: "file:media.db"}}
mscs: {database: {connection_string: "file:mscs.db"}}
relay_api: {database: {connection_string: "file:relay.db"}}
room_server: {database: {connection_string: "file:room.db"}}
sync_api: {database: {connection_string: "file:sync.db"}}
user_api: {bcrypt_cost: 4, account_database: {connection_string: "file:acc.db"}, device_database: {connection_string: "file:dev.db"}}
logging: [{type: std, level: error}]
`

// Start starts a server that ends with the test, which is skipped where there is none.
func Start(t testing.TB) *Server {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(cache, "tocsin", "dendrite-"+Version)
	if _, err := os.Stat(program); err != nil {
		t.Skip("Dendrite is not built on this machine: make test-matrix builds it and runs this test")
	}
	folder := t.TempDir()
	seed := make([]byte, 32)
	if _, err := rand.Read(seed); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"dendrite.yaml": configuration,
		"key.pem":       "-----BEGIN MATRIX PRIVATE KEY-----\nKey-ID: ed25519:essai\n\n" + base64.StdEncoding.EncodeToString(seed) + "\n-----END MATRIX PRIVATE KEY-----\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "--config", "dendrite.yaml", "--http-bind-address", address, "--really-enable-open-registration")
	command.Dir = folder
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
		if t.Failed() {
			t.Logf("dendrite: %s", said.String())
		}
	})
	s := &Server{URL: "http://" + address, t: t}
	limit := time.NewTimer(peers.StartTimeout)
	defer limit.Stop()
	for {
		if a, err := http.Get(s.URL + "/_matrix/client/versions"); err == nil {
			_ = a.Body.Close()
			return s
		}
		select {
		case <-limit.C:
			t.Fatalf("dendrite does not listen: %s", said.String())
		case <-clock.Real().After(50 * time.Millisecond):
		}
	}
}

// Account opens an account.
func (s *Server) Account(name string) *Account {
	s.t.Helper()
	var out struct {
		ID    string `json:"user_id"`
		Token string `json:"access_token"`
	}
	(&Account{server: s}).call("POST", "/register", map[string]any{"username": name, "password": "un-mot-de-passe-d-essai", "auth": map[string]string{"type": "m.login.dummy"}}, &out)
	return &Account{ID: out.ID, Token: out.Token, server: s}
}

func (a *Account) call(method, path string, content, into any) {
	a.server.t.Helper()
	body, err := json.Marshal(content)
	if err != nil {
		a.server.t.Fatal(err)
	}
	r, err := http.NewRequest(method, a.server.URL+"/_matrix/client/v3"+path, bytes.NewReader(body))
	if err != nil {
		a.server.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+a.Token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		a.server.t.Fatal(err)
	}
	text, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode >= 300 {
		a.server.t.Fatalf("%s %s: %d %s %v", method, path, answer.StatusCode, text, err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		a.server.t.Fatal(err)
	}
}

// Message is what somebody said.
type Message struct {
	ID, Room, Sender, Text string
}

// Look accepts the invitations and gives what was said in the rooms of the account,
// as its server shows it.
func (a *Account) Look() (out []Message) {
	a.server.t.Helper()
	var n struct {
		Rooms struct {
			Invite map[string]any `json:"invite"`
			Join   map[string]struct {
				Timeline struct {
					Events []struct {
						ID      string `json:"event_id"`
						Type    string `json:"type"`
						Sender  string `json:"sender"`
						Content struct {
							Body string `json:"body"`
						} `json:"content"`
					} `json:"events"`
				} `json:"timeline"`
			} `json:"join"`
		} `json:"rooms"`
	}
	a.call("GET", "/sync?timeout=0&filter="+url.QueryEscape(`{"room":{"timeline":{"limit":200}}}`), nil, &n)
	for room := range n.Rooms.Invite {
		a.call("POST", "/rooms/"+url.PathEscape(room)+"/join", struct{}{}, &struct{}{})
	}
	for room, r := range n.Rooms.Join {
		for _, e := range r.Timeline.Events {
			if e.Type == "m.room.message" {
				out = append(out, Message{e.ID, room, e.Sender, e.Content.Body})
			}
		}
	}
	return out
}

// Say writes in a room.
func (a *Account) Say(room, text string) {
	a.server.t.Helper()
	a.made++
	a.call("PUT", fmt.Sprintf("/rooms/%s/send/m.room.message/%s-%d", url.PathEscape(room), strings.Trim(a.ID, "@"), a.made), map[string]string{"msgtype": "m.text", "body": text}, &struct{}{})
}

// Read displays a message.
func (a *Account) Read(m Message) {
	a.server.t.Helper()
	a.call("POST", "/rooms/"+url.PathEscape(m.Room)+"/receipt/m.read/"+url.PathEscape(m.ID), struct{}{}, &struct{}{})
}

// Leave leaves a room.
func (a *Account) Leave(room string) {
	a.server.t.Helper()
	a.call("POST", "/rooms/"+url.PathEscape(room)+"/leave", struct{}{}, &struct{}{})
}
