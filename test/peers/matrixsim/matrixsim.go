// Package matrixsim is « Le serveur Matrix simulé »: our own double of a homeserver,
// written from the client–server API of the Matrix specification (v1.11). It is a
// simulator, and is called so: the homeservers that exist are too heavy for every
// test, or not in Debian.
//
// It promises what the specification promises of the calls it knows: a transaction
// is one event, an alias is one room, a look waits for something new, a timeline
// that does not fit is said limited, and errors have their codes.
//
// It never proves that a homeserver reads the specification the same way.
package matrixsim

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The account of the program, and the name of the server.
const (
	Name  = "sim.example"
	Self  = "@tocsin:" + Name
	Token = "jeton-du-compte"
	// Stranger begins the names of those who have no account.
	Stranger = "@inconnu"
)

// Manner is how the server treats the messages that come.
type Manner int

// The manners. A server starts with Accept.
const (
	Accept Manner = iota
	Throttle
	Silent // takes the message and says nothing
	Cut    // takes the message and hangs up
	Down   // takes no connection
)

// Message is what the program said in a room; To is whose room it is.
type Message struct{ To, Room, Text, EventID string }

type event struct {
	pos        int
	room       string
	ID         string         `json:"event_id"`
	Type       string         `json:"type"`
	Sender     string         `json:"sender"`
	StateKey   *string        `json:"state_key,omitempty"`
	At         int64          `json:"origin_server_ts"`
	Content    map[string]any `json:"content"`
	ephemeral  bool
	servedOnce bool
}

type space struct {
	id, alias, person string
	members           map[string]string
}

// Server is a homeserver on this machine.
type Server struct {
	t    testing.TB
	port int
	// Now dates what is said.
	Now func() time.Time

	mu       sync.Mutex
	server   *httptest.Server
	manner   Manner
	rooms    map[string]*space
	aliases  map[string]string
	data     map[string]json.RawMessage
	events   []*event
	sent     map[string]string
	told     []Message
	read     int // the place the program has read to
	refusals int
	looks    int
	bell     chan struct{}
	bloat    bool
	deaf     chan struct{}
}

// Start starts a server that ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{
		t: t, Now: time.Now, rooms: map[string]*space{}, aliases: map[string]string{}, data: map[string]json.RawMessage{}, sent: map[string]string{}, bell: make(chan struct{}),
	}
	s.listen()
	t.Cleanup(s.shut)
	return s
}

// URL is its address.
func (s *Server) URL() string { return "http://127.0.0.1:" + strconv.Itoa(s.port) }

func (s *Server) listen() {
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	s.server = &httptest.Server{Listener: l, Config: &http.Server{Handler: s.routes()}}
	s.server.Start()
}

func (s *Server) shut() {
	s.mu.Lock()
	server := s.server
	s.server = nil
	s.mu.Unlock()
	if server != nil {
		server.CloseClientConnections()
		server.Close()
	}
}

// Behave says how the messages that come from now on are treated.
func (s *Server) Behave(m Manner) {
	s.mu.Lock()
	was := s.manner
	s.manner = m
	s.mu.Unlock()
	switch {
	case m == Down:
		s.shut()
	case was == Down:
		s.listen()
	}
}

// Bloat makes the answers to looks too long to be read, but for those that ask for
// one event of each room.
func (s *Server) Bloat() { s.mu.Lock(); s.bloat = true; s.mu.Unlock() }

// Deafen lets looks wait until what it returns is called.
func (s *Server) Deafen() (hear func()) {
	deaf := make(chan struct{})
	s.mu.Lock()
	s.deaf = deaf
	s.mu.Unlock()
	return sync.OnceFunc(func() { close(deaf) })
}

// Messages are what the program said, in order.
func (s *Server) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.told)
}

// Rooms counts the rooms made.
func (s *Server) Rooms() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rooms)
}

// Unread counts what people said that the program has not passed over yet;
// refusals the times it asked again from a place before.
func (s *Server) Unread() (unread, refusals int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		if e.pos > s.read && (e.Type == "m.room.message" || e.ephemeral) && e.Sender != Self {
			unread++
		}
	}
	return unread, s.refusals
}

// Say writes in the room of a person, as an account that is in it or comes in; it
// returns the id of the event.
func (s *Server) Say(whose, as string, content map[string]any) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.roomOf(whose)
	if r == nil {
		s.t.Errorf("no room was made for %s", whose)
		return ""
	}
	r.members[as] = "join"
	kind := "m.room.message"
	if _, ok := content["ciphertext"]; ok {
		kind = "m.room.encrypted"
	}
	return s.append(&event{room: r.id, Type: kind, Sender: as, Content: content}).ID
}

// Text is the content of a plain message.
func Text(body string) map[string]any { return map[string]any{"msgtype": "m.text", "body": body} }

// Read has a person display a message.
func (s *Server) Read(whose, eventID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.append(&event{room: s.roomOf(whose).id, Type: "m.receipt", ephemeral: true, Content: map[string]any{
		eventID: map[string]any{"m.read": map[string]any{whose: map[string]any{"ts": s.Now().UnixMilli()}}},
	}})
}

// Leave has a person leave the room.
func (s *Server) Leave(whose, membership string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.roomOf(whose)
	r.members[whose] = membership
	s.append(&event{room: r.id, Type: "m.room.member", Sender: whose, StateKey: &whose, Content: map[string]any{"membership": membership}})
}

func (s *Server) roomOf(person string) *space {
	for _, r := range s.rooms {
		if r.person == person {
			return r
		}
	}
	return nil
}

func (s *Server) append(e *event) *event {
	e.pos = len(s.events) + 1
	e.ID, e.At = "$e"+strconv.Itoa(e.pos), s.Now().UnixMilli()
	s.events = append(s.events, e)
	close(s.bell)
	s.bell = make(chan struct{})
	return e
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func trouble(w http.ResponseWriter, status int, code string) {
	reply(w, status, map[string]any{"errcode": code, "error": "…"})
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	on := func(pattern string, f func(http.ResponseWriter, *http.Request)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /_matrix/client/v3"+path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+Token {
				trouble(w, http.StatusUnauthorized, "M_UNKNOWN_TOKEN")
				return
			}
			f(w, r)
		})
	}
	on("GET /account/whoami", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, map[string]any{"user_id": Self, "device_id": "TOCSIN"})
	})
	on("GET /directory/room/{alias}", s.directory)
	on("GET /profile/{user}", s.profile)
	on("POST /createRoom", s.create)
	on("GET /rooms/{room}/state/m.room.member/{user}", s.member)
	on("POST /rooms/{room}/invite", s.invite)
	on("PUT /rooms/{room}/send/m.room.message/{txn}", s.send)
	on("GET /rooms/{room}/messages", s.messages)
	on("GET /user/{user}/account_data/{type}", s.getData)
	on("PUT /user/{user}/account_data/{type}", s.putData)
	on("GET /sync", s.sync)
	return mux
}

func (s *Server) directory(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.aliases[r.PathValue("alias")]; id != "" {
		reply(w, 200, map[string]any{"room_id": id, "servers": []string{Name}})
		return
	}
	trouble(w, http.StatusNotFound, "M_NOT_FOUND")
}

func (s *Server) profile(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.PathValue("user"), Stranger) {
		trouble(w, http.StatusNotFound, "M_NOT_FOUND")
		return
	}
	reply(w, 200, map[string]any{})
}

func (s *Server) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Alias  string   `json:"room_alias_name"`
		Invite []string `json:"invite"`
		Direct bool     `json:"is_direct"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || len(in.Invite) != 1 || !in.Direct {
		trouble(w, http.StatusBadRequest, "M_BAD_JSON")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	alias := "#" + in.Alias + ":" + Name
	if s.aliases[alias] != "" {
		trouble(w, http.StatusBadRequest, "M_ROOM_IN_USE")
		return
	}
	id := "!r" + strconv.Itoa(len(s.rooms)+1) + ":" + Name
	s.aliases[alias] = id
	s.rooms[id] = &space{id: id, alias: alias, person: in.Invite[0], members: map[string]string{Self: "join", in.Invite[0]: "invite"}}
	reply(w, 200, map[string]any{"room_id": id})
}

func (s *Server) member(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	room := s.rooms[r.PathValue("room")]
	switch {
	case room == nil || room.members[Self] != "join":
		trouble(w, http.StatusForbidden, "M_FORBIDDEN")
	case room.members[r.PathValue("user")] == "":
		trouble(w, http.StatusNotFound, "M_NOT_FOUND")
	default:
		reply(w, 200, map[string]any{"membership": room.members[r.PathValue("user")]})
	}
}

func (s *Server) invite(w http.ResponseWriter, r *http.Request) {
	var in struct {
		UserID string `json:"user_id"`
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	room := s.rooms[r.PathValue("room")]
	if json.NewDecoder(r.Body).Decode(&in) != nil || room == nil || room.members[in.UserID] == "ban" {
		trouble(w, http.StatusForbidden, "M_FORBIDDEN")
		return
	}
	room.members[in.UserID] = "invite"
	reply(w, 200, map[string]any{})
}

func (s *Server) send(w http.ResponseWriter, r *http.Request) {
	var content map[string]any
	if json.NewDecoder(r.Body).Decode(&content) != nil {
		trouble(w, http.StatusBadRequest, "M_NOT_JSON")
		return
	}
	s.mu.Lock()
	manner := s.manner
	s.mu.Unlock()
	switch manner {
	case Throttle:
		reply(w, http.StatusTooManyRequests, map[string]any{"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 2000})
		return
	case Silent:
		<-r.Context().Done()
		return
	case Cut:
		panic(http.ErrAbortHandler)
	case Accept, Down:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	room := s.rooms[r.PathValue("room")]
	if room == nil || room.members[Self] != "join" {
		trouble(w, http.StatusForbidden, "M_FORBIDDEN")
		return
	}
	key := room.id + "|" + r.PathValue("txn")
	if s.sent[key] == "" {
		e := s.append(&event{room: room.id, Type: "m.room.message", Sender: Self, Content: content})
		s.sent[key] = e.ID
		s.told = append(s.told, Message{room.person, room.id, fmt.Sprint(content["body"]), e.ID})
	}
	reply(w, 200, map[string]any{"event_id": s.sent[key]})
}

func (s *Server) getData(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.data[r.PathValue("type")]; v != nil && r.PathValue("user") == Self {
		reply(w, 200, v)
		return
	}
	trouble(w, http.StatusNotFound, "M_NOT_FOUND")
}

func (s *Server) putData(w http.ResponseWriter, r *http.Request) {
	var v json.RawMessage
	if json.NewDecoder(r.Body).Decode(&v) != nil || r.PathValue("user") != Self {
		trouble(w, http.StatusForbidden, "M_FORBIDDEN")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data[r.PathValue("type")] = v
	reply(w, 200, map[string]any{})
}

// Rewind makes the server forget the last places that the program noted, as if it
// had died before it did.
func (s *Server) Rewind() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for kind := range s.data {
		s.data[kind] = json.RawMessage(`{"since":"s1"}`)
	}
}
