package stories_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/channels/chat"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/storage/storagetest"
	"tocsin/test/peers/matrixsim"
)

// teamRoom is a webhook of Mattermost.
type teamRoom struct {
	*httptest.Server
	mu    sync.Mutex
	texts []string
}

func newTeamRoom(t *testing.T) *teamRoom {
	t.Helper()
	r := &teamRoom{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var in struct{ Username, Text string }
		if err := json.NewDecoder(q.Body).Decode(&in); err != nil || in.Text == "" {
			http.Error(w, `{"id":"web.incoming_webhook.parse.app_error"}`, http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		r.texts = append(r.texts, in.Text)
		r.mu.Unlock()
		_, _ = w.Write([]byte("ok"))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *teamRoom) said() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.texts...)
}

// gateway adds a way out of an establishment.
func (h *hospital) gateway(scope access.Scope, kind, name string, s channels.Settings) uuid.UUID {
	h.t.Helper()
	g, err := h.Dispatch.CreateGateway(h.t.Context(), access.System(scope.Organisation(), "story"), h.now(), dispatch.GatewayInput{Kind: kind, Name: name, Priority: 1, Enabled: true, Settings: s})
	if err != nil {
		h.t.Fatal(err)
	}
	return g.ID
}

func account(name string) string { return "@" + name + ":" + matrixsim.Name }

func chats(name string) func(*directory.Person) {
	return func(p *directory.Person) { p.Contacts = append(p.Contacts, at(directory.Chat, account(name))) }
}

// A team's room is told of the alert, of its news and of its end; people answer on
// Matrix, even while the program is dead. An answer counts for the account that
// wrote it, and once; another establishment tells nothing in a room that is not its own.
func TestAnAlertIsToldInARoomAndAnsweredByChat(t *testing.T) {
	t.Parallel()
	for engine, database := range map[string]func(testing.TB) string{
		"sqlite": func(testing.TB) string { return "" }, "postgresql": func(t testing.TB) string { return storagetest.PostgresURL(t) },
	} {
		t.Run(engine, func(t *testing.T) {
			server, team, canteen := matrixsim.Start(t), newTeamRoom(t), newTeamRoom(t)
			h := build(t, night(), database(t), chat.Room{Loopback: true}, chat.Matrix{Loopback: true})
			server.Now = h.clock.Now
			room := h.gateway(h.scope, "chathook", "Urgences", channels.Settings{"preset": "mattermost", "url": team.URL + "/hooks/secret", "clear": "true", "rate": "0"})
			h.gateway(h.scope, "chathook", "Cuisine", channels.Settings{"preset": "mattermost", "url": canteen.URL + "/hooks/secret", "clear": "true", "rate": "0"})
			h.gateway(h.scope, "matrix", "Matrix", channels.Settings{"server": server.URL(), "token": matrixsim.Token, "clear": "true", "rate": "0"})
			nurse, doctor, idle := h.agent("Infirmière", "ide", chats("infirmiere")), h.agent("Médecin", "ide", chats("medecin")), h.agent("Muette", "ide", chats("muette"))
			stranger := h.agent("Inconnue", "ide", func(p *directory.Person) {
				p.Contacts = append([]directory.ContactPoint{at(directory.Chat, matrixsim.Stranger+":"+matrixsim.Name)}, p.Contacts...)
			})
			byChat := func(d *alerting.Definition) {
				d.Waves[0].Media = []channels.Medium{channels.Chat, channels.SMS}
				d.Rooms = []uuid.UUID{room}
			}
			l := h.launch(recall(byChat))

			told := map[string]string{}
			for _, m := range server.Messages() {
				told[m.To] = m.Text
			}
			if len(told) != 3 || !strings.Contains(told[account("infirmiere")], "VENEZ aux urgences") || !strings.Contains(told[account("infirmiere")], "/r/") {
				t.Fatalf("people read %v", told)
			}
			if said := team.said(); len(said) != 1 || !strings.Contains(said[0], "Afflux de victimes") || !strings.Contains(said[0], "VENEZ aux urgences") ||
				strings.Contains(said[0], "/r/") || !strings.Contains(said[0], "/espace") {
				t.Fatalf("the room reads %q", said)
			}
			if got := h.sms.received(mobile(stranger)); len(got) != 1 {
				t.Errorf("who has no such account received %d SMS at once", len(got))
			}

			server.Say(account("infirmiere"), account("intrus"), matrixsim.Text("2"))
			first := server.Say(account("infirmiere"), account("infirmiere"), matrixsim.Text("1 15"))
			h.heard(server)
			if got := h.person(l, nurse); got.Meaning != alerting.Coming || got.Minutes != 15 || len(got.Answers) > 1 {
				t.Errorf("the nurse: %s in %d minutes, %+v", got.Meaning, got.Minutes, got.Answers)
			}
			if got := h.person(l, idle); got.Meaning != "" {
				t.Errorf("somebody else's answer was counted: %s", got.Meaning)
			}

			// The program dies before it noted what it had read, and while it is dead
			// somebody answers.
			h.shut()
			server.Rewind()
			server.Say(account("medecin"), account("medecin"), matrixsim.Text("je ne peux pas"))
			h.open()
			h.start()
			h.clock.Advance(time.Minute) // what the dead program held is free after a while
			h.heard(server)
			if got := h.person(l, doctor); got.Meaning != alerting.Unavailable {
				t.Errorf("the doctor: %q", got.Meaning)
			}
			if n := h.number(`SELECT COUNT(*) FROM alerting_answers WHERE source = 'chat'`); n != 2 {
				t.Errorf("%d answers, of which one was read twice (%s)", n, first)
			}

			if err := h.Alerting.Progress(t.Context(), h.scope, h.now(), l.ID, alerting.ToAll, alerting.Localized{"fr": "Entrée par la porte B.", "en": "Use door B."}); err != nil {
				t.Fatal(err)
			}
			h.settle()
			h.end(l)
			h.settle()
			if said := team.said(); len(said) != 3 || !strings.Contains(said[1], "porte B") || !strings.HasPrefix(said[2], "Fin d’alerte") {
				t.Errorf("the room reads %q", said)
			}

			if said := canteen.said(); len(said) != 0 {
				t.Errorf("a room that nobody chose reads %q", said)
			}
			other := h.establishment("Clinique des Aulnes", "other")
			h.scope = other
			h.agentOf(other, "Voisine", "ide")
			h.launch(recallWithRoom(room))
			if said := team.said(); len(said) != 3 {
				t.Errorf("another establishment told our room: %q", said[3:])
			}
		})
	}
}

func recallWithRoom(room uuid.UUID) alerting.Definition {
	return recall(func(d *alerting.Definition) { d.Rooms = []uuid.UUID{room}; d.Limits.Validity = minutes(30) })
}

// heard waits until the program has read what people said, and lets it act.
func (h *hospital) heard(server *matrixsim.Server) {
	h.t.Helper()
	storagetest.Eventually(h.t, patience, "what people said is read", func() bool {
		unread, _ := server.Unread()
		return unread == 0
	})
	h.pass(2 * time.Second)
}
