package push_test

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/channels"
	"tocsin/internal/channels/channelstest"
	"tocsin/internal/channels/push"
)

// browser is a device: it alone reads what is sent to it (RFC 8291).
type browser struct {
	id     uuid.UUID
	key    *ecdh.PrivateKey
	secret []byte
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{id: uuid.New(), key: key, secret: make([]byte, 16)}
	if _, err := rand.Read(b.secret); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) device(base string) channels.Device {
	return channels.Device{
		ID: b.id, Endpoint: base + "/wpush/" + b.id.String(), Key: base64.RawURLEncoding.EncodeToString(b.key.PublicKey().Bytes()),
		Secret: base64.RawURLEncoding.EncodeToString(b.secret),
	}
}

// read decrypts one record of aes128gcm (RFC 8188 and RFC 8291, § 3.4).
func (b *browser) read(body []byte) ([]byte, error) {
	if len(body) < 21+65 {
		return nil, errors.New("short")
	}
	salt, theirs, sealed := body[:16], body[21:21+65], body[21+65:]
	public, err := ecdh.P256().NewPublicKey(theirs)
	if err != nil {
		return nil, err
	}
	shared, err := b.key.ECDH(public)
	if err != nil {
		return nil, err
	}
	info := "WebPush: info\x00" + string(b.key.PublicKey().Bytes()) + string(theirs)
	ikm, err := hkdf.Key(sha256.New, shared, b.secret, info, 32)
	if err != nil {
		return nil, err
	}
	cek, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, err
	}
	return []byte(strings.TrimRight(strings.TrimRight(string(plain), "\x00"), "\x02")), nil
}

// desk knows the browsers of people: one each, by the name of the person.
type desk struct {
	base func() string
	mu   sync.Mutex
	of   map[string][]*browser
	gone []uuid.UUID
}

func (d *desk) Devices(_ context.Context, address string) (out []channels.Device, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range d.of[address] {
		out = append(out, b.device(d.base()))
	}
	return out, nil
}

func (d *desk) Gone(_ context.Context, id uuid.UUID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gone = append(d.gone, id)
	return nil
}

// service is a push service on this machine.
type service struct {
	t     *testing.T
	desk  *desk
	port  int
	ended chan struct{}

	mu       sync.Mutex
	server   *httptest.Server
	mode     channelstest.Behaviour
	received []channelstest.Received
	notes    []map[string]any
	headers  []http.Header
	refused  map[string]int // statuses by device
}

func startService(t *testing.T, d *desk) *service {
	t.Helper()
	s := &service{t: t, desk: d, ended: make(chan struct{}), mode: channelstest.Accept, refused: map[string]int{}}
	s.listen()
	t.Cleanup(func() {
		close(s.ended)
		s.shut()
	})
	d.base = func() string { return "http://127.0.0.1:" + strconv.Itoa(s.port) }
	return s
}

func (s *service) listen() {
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	s.server = &httptest.Server{Listener: l, Config: &http.Server{Handler: s}}
	s.server.Start()
}

func (s *service) shut() {
	s.mu.Lock()
	server := s.server
	s.server = nil
	s.mu.Unlock()
	if server != nil {
		server.CloseClientConnections()
		server.Close()
	}
}

func (s *service) Settings() channels.Settings {
	settings, err := push.Kind{}.Complete(channels.Settings{"contact": "dsi@valbrume.example", "services": "127.0.0.1:" + strconv.Itoa(s.port), "timeout": "1"})
	if err != nil {
		s.t.Fatal(err)
	}
	return settings
}

func (s *service) Behave(b channelstest.Behaviour) {
	s.mu.Lock()
	was := s.mode
	s.mode = b
	s.mu.Unlock()
	switch {
	case b == channelstest.Down:
		s.shut()
	case was == channelstest.Down:
		s.listen()
	}
}

func (s *service) Tell(channelstest.News) {}

func (s *service) State() channelstest.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return channelstest.State{Received: append([]channelstest.Received(nil), s.received...)}
}

// owner finds the person and the browser of a device.
func (s *service) owner(id string) (string, *browser) {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	for person, list := range s.desk.of {
		for _, b := range list {
			if b.id.String() == id {
				return person, b
			}
		}
	}
	return "", nil
}

// ServeHTTP is the service's interface (RFC 8030, § 5).
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	mode := s.mode
	refused := s.refused[path.Base(r.URL.Path)]
	s.mu.Unlock()
	person, b := s.owner(path.Base(r.URL.Path))
	switch {
	case refused != 0:
		w.WriteHeader(refused)
		return
	case person == badPerson || b == nil:
		w.WriteHeader(http.StatusGone)
		return
	case mode == channelstest.Throttle:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case mode == channelstest.Silent:
		select {
		case <-r.Context().Done():
		case <-s.ended:
		}
		return
	case mode == channelstest.Cut:
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			if err := conn.Close(); err != nil {
				s.t.Log(err)
			}
		}
		return
	}
	plain, err := b.read(body)
	if err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "vapid t=") || r.Header.Get("Content-Encoding") != "aes128gcm" {
		s.t.Errorf("a message nobody can read: %v, %v", err, r.Header)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	note := map[string]any{}
	if err := json.Unmarshal(plain, &note); err != nil {
		s.t.Errorf("the note: %v", err)
	}
	ttl, err := strconv.Atoi(r.Header.Get("TTL"))
	if err != nil {
		s.t.Errorf("TTL %q", r.Header.Get("TTL"))
	}
	text, _ := note["body"].(string)
	at := "http://" + r.Host + "/m/" + uuid.NewString()
	s.mu.Lock()
	s.received = append(s.received, channelstest.Received{To: person, Text: text, ProviderID: at, ExpiresAt: time.Now().Add(time.Duration(ttl) * time.Second)})
	s.notes, s.headers = append(s.notes, note), append(s.headers, r.Header)
	s.mu.Unlock()
	w.Header().Set("Location", at)
	w.WriteHeader(http.StatusCreated)
}

const badPerson = "00000000-0000-4000-8000-999999999999"

func personOf(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func newDesk(t *testing.T) *desk {
	d := &desk{of: map[string][]*browser{badPerson: {newBrowser(t)}}}
	for n := range 400 {
		d.of[personOf(n)] = []*browser{newBrowser(t)}
	}
	return d
}

func TestConformance(t *testing.T) {
	d := newDesk(t)
	channelstest.Run(t, channelstest.Suite{
		Kind: push.Kind{Loopback: true}, Locales: push.Locales, Start: func(t *testing.T) channelstest.Peer { return startService(t, d) },
		Devices: d, Address: personOf, BadAddress: badPerson, CarriesExpiry: true, UncertainWhenCut: true,
	})
}
