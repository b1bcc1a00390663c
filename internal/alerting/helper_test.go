package alerting_test

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/fault"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

// night is 3 a.m. in Paris on a November night.
var night = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

func rooms() []fs.FS {
	return []fs.FS{organisation.Migrations, directory.Migrations, journal.Migrations, jobs.Migrations, dispatch.Migrations, alerting.Migrations}
}

// hospital is an establishment with its directory, its outbox and this room. Its
// outbox is not started: the test says what became of each message.
type hospital struct {
	*alerting.Service
	t     testing.TB
	db    *storage.DB
	org   *organisation.Service
	dir   *directory.Directory
	out   *dispatch.Dispatch
	clock *clock.Fake
	keys  *vault.Vault
	scope access.Scope
	// told are the deliveries whose fate the test already told.
	told map[uuid.UUID]bool
}

func each(t *testing.T, suite func(t *testing.T, h *hospital)) {
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) { suite(t, newHospital(t, db, night)) })
}

func newHospital(t testing.TB, db *storage.DB, at time.Time) *hospital {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	h := &hospital{t: t, db: db, clock: clock.NewFake(at), told: map[uuid.UUID]bool{}, keys: keyring(t)}
	h.org = organisation.New(db, guard, h.clock)
	if h.dir, err = directory.New(db, guard, h.clock, h.org, vault.Derived{Key: "k1", Secret: [32]byte{1}}); err != nil {
		t.Fatal(err)
	}
	h.out = dispatchtest.Outbox(t, db, h.clock, nil, dispatchtest.NewAir(channels.SMS), dispatchtest.NewAir(channels.Email))
	h.Service = alerting.New(alerting.Options{DB: db, Guard: guard, Directory: h.dir, Dispatch: h.out, Organisation: h.org, LinkBase: "https://t.example/r/", Keys: h.keys})
	h.scope = h.establishment("CHU de Valbrume")
	return h
}

// keyring is a new keyring of one key.
func keyring(t testing.TB) *vault.Vault {
	t.Helper()
	v, err := vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), night)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (h *hospital) establishment(name string) access.Scope {
	h.t.Helper()
	e, err := h.org.Create(h.t.Context(), access.Instance("test"), organisation.Establishment{Name: name, Word: "CIGOGNE"})
	if err != nil {
		h.t.Fatal(err)
	}
	return person(e.ID, access.Launcher, access.DirectoryManager)
}

func person(org uuid.UUID, roles ...access.Role) access.Scope {
	return access.For(org, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Mme Garde"}, true, roles...)
}

func (h *hospital) now() time.Time { return h.clock.Now() }

// agent adds a person with a mobile and an e-mail address made from the name.
func (h *hospital) agent(name, metier string, change ...func(*directory.Person)) directory.Person {
	h.t.Helper()
	return h.numbered(len(h.everyone()), name, metier, change...)
}

// numbered is agent for a person whose place in the directory is known.
func (h *hospital) numbered(n int, name, metier string, change ...func(*directory.Person)) directory.Person {
	h.t.Helper()
	p := directory.Person{LastName: name, FirstName: "Camille", Metier: metier, Status: directory.Titulaire, Contacts: []directory.ContactPoint{
		contact(directory.Mobile, fmt.Sprintf("+3363998%04d", n)), contact(directory.Email, fmt.Sprintf("agent%d@valbrume.example", n)),
	}}
	for _, c := range change {
		c(&p)
	}
	saved, err := h.dir.Save(h.t.Context(), access.System(h.scope.Organisation(), "test"), p)
	if err != nil {
		h.t.Fatalf("save %s: %v", name, err)
	}
	return saved
}

func contact(kind, address string) directory.ContactPoint {
	return directory.ContactPoint{Contact: directory.Contact{Kind: kind, Address: address}}
}

func (h *hospital) everyone() []directory.Target {
	h.t.Helper()
	var out []directory.Target
	scope := access.System(h.scope.Organisation(), "test")
	if err := h.db.Read(h.t.Context(), scope, func(tx *storage.Tx) error {
		return h.dir.Resolve(h.t.Context(), tx, scope, directory.Rule{Absent: true}, directory.Rule{}, h.now(), func(t directory.Target) error {
			out = append(out, t)
			return nil
		})
	}); err != nil {
		h.t.Fatal(err)
	}
	return out
}

// messages writes every text a scenario can need, in both languages.
func messages() []alerting.Text {
	var out []alerting.Text
	for _, use := range []alerting.Use{
		alerting.UseAlert, alerting.UseReminder, alerting.UseProgress, alerting.UseStandDown, alerting.UseStayAway,
		alerting.UseEnd, alerting.UseLate, alerting.UseAck,
	} {
		for _, m := range []channels.Medium{channels.SMS, channels.Email} {
			for _, lang := range []string{"fr", "en"} {
				t := alerting.Text{Use: use, Medium: m, Language: lang, Body: string(use) + " {etablissement} {heure} : {lieu}. {lien}"}
				if m == channels.Email {
					t.Subject = string(use) + " {lieu}"
				}
				out = append(out, t)
			}
		}
	}
	return out
}

// recall is a scenario of the profile rappel: SMS, then e-mail after five minutes.
func recall(change ...func(*alerting.Definition)) alerting.Definition {
	d := alerting.Definition{
		Title: alerting.Localized{"fr": "Plan blanc", "en": "Mass casualty plan"}, Family: "plan_blanc", Profile: alerting.Rappel,
		Variables: []alerting.Variable{{Name: "lieu", Label: alerting.Localized{"fr": "Où ?", "en": "Where?"}, Kind: "text", Required: true}},
		Messages:  messages(),
		Answers: []alerting.Option{
			{Key: "1", Meaning: alerting.Coming, Label: alerting.Localized{"fr": "Je viens", "en": "Coming"}, Delays: []int{15, 30, 60, 90}},
			{Key: "2", Meaning: alerting.Unavailable, Label: alerting.Localized{"fr": "Indisponible", "en": "Unavailable"}},
			{Key: "3", Meaning: alerting.OnSite, Label: alerting.Localized{"fr": "Sur place", "en": "On site"}},
		},
		Waves:  []alerting.Wave{{Name: alerting.Localized{"fr": "Tous"}, Media: []channels.Medium{channels.SMS, channels.Email}, Escalate: minutes(5)}},
		Limits: alerting.Limits{Validity: minutes(120), PerPerson: 20, ArrivalGrace: minutes(15), StandDown: true},
	}
	for _, c := range change {
		c(&d)
	}
	return d
}

func minutes(n int) alerting.Duration { return alerting.Duration(time.Duration(n) * time.Minute) }

// byMetier makes one wave for each métier, ten minutes apart, the later ones only while people are missing.
func byMetier(metiers ...string) func(*alerting.Definition) {
	return func(d *alerting.Definition) {
		d.Waves = nil
		for i, m := range metiers {
			d.Waves = append(d.Waves, alerting.Wave{
				Name: alerting.Localized{"fr": m}, Who: directory.Rule{Metiers: []string{m}}, After: minutes(10 * i),
				Media: []channels.Medium{channels.SMS, channels.Email}, Escalate: minutes(5),
			})
		}
		if len(d.Waves) > 0 {
			d.Waves[0].When = alerting.Always
		}
	}
}

func needs(n int, skill string) func(*alerting.Definition) {
	return func(d *alerting.Definition) {
		d.Quotas = append(d.Quotas, alerting.Quota{Skill: skill, Needed: n})
	}
}

func (h *hospital) scenario(d alerting.Definition) alerting.Scenario {
	h.t.Helper()
	sc, err := h.CreateScenario(h.t.Context(), h.scope, h.now(), d)
	if err != nil {
		h.t.Fatal(err)
	}
	return sc
}

func (h *hospital) draft(sc alerting.Scenario) alerting.Draft {
	return alerting.Draft{Scenario: sc.ID, Mode: alerting.Exercise, Values: map[string]string{"lieu": "hall A"}, OrderedBy: "Dr Ordre", IdempotencyKey: uuid.NewString()}
}

// launch starts an alert from a definition.
func (h *hospital) launch(d alerting.Definition) alerting.Launch {
	h.t.Helper()
	l, already, err := h.Launch(h.t.Context(), h.scope, h.now(), h.draft(h.scenario(d)))
	if err != nil || already {
		h.t.Fatalf("launch: already %v, %v", already, err)
	}
	return l
}

// tick runs the worker until nothing is due.
func (h *hospital) tick() {
	h.t.Helper()
	for range 1000 {
		more, err := h.Tick(h.t.Context(), h.now())
		if err != nil {
			h.t.Fatalf("tick: %v", err)
		}
		if !more {
			return
		}
	}
	h.t.Fatal("the worker never rests")
}

// pass moves the clock as the worker sees it: second by second in the last
// minute, by ten seconds before.
func (h *hospital) pass(d time.Duration) {
	h.t.Helper()
	for d > 0 {
		step := time.Second
		if d > 70*time.Second {
			step = 10 * time.Second
		}
		h.clock.Advance(step)
		h.tick()
		d -= step
	}
}

// message is a delivery as dispatch holds it.
type message struct {
	ID, Subject    uuid.UUID
	Medium         channels.Medium
	Address, State string
	Purpose        alerting.Use
	Text           string
}

// queue lists the messages of an alert, the oldest first.
func (h *hospital) queue(launch uuid.UUID) []message {
	h.t.Helper()
	var out []message
	if err := h.db.Read(h.t.Context(), h.scope, func(tx *storage.Tx) error {
		return tx.Query(h.t.Context(), `SELECT d.id, d.subject_id, d.medium, d.address, CASE WHEN l.withdrawn THEN 'withdrawn' ELSE d.state END, l.purpose, c.body FROM dispatch_deliveries d
			JOIN dispatch_lots l ON l.organisation_id = d.organisation_id AND l.id = d.lot_id
			JOIN dispatch_contents c ON c.organisation_id = l.organisation_id AND c.id = l.content_id
			WHERE d.organisation_id = $1 AND d.campaign_id = $2 ORDER BY l.queued_us, d.id`, []any{h.scope.Organisation(), launch}, func(row func(...any) error) error {
			var m message
			err := row(&m.ID, &m.Subject, &m.Medium, &m.Address, &m.State, &m.Purpose, &m.Text)
			out = append(out, m)
			return err
		})
	}); err != nil {
		h.t.Fatal(err)
	}
	return out
}

// fresh are the queued messages whose fate was not told yet.
func (h *hospital) fresh(launch uuid.UUID) []message {
	return slices.DeleteFunc(h.queue(launch), func(m message) bool { return h.told[m.ID] || m.State != "queued" })
}

// tell says what became of messages.
func (h *hospital) tell(launch uuid.UUID, list []message, reason channels.Reason, kinds ...dispatch.FactKind) {
	h.t.Helper()
	var facts []dispatch.Fact
	for _, m := range list {
		h.told[m.ID] = true
		for _, k := range kinds {
			facts = append(facts, dispatch.Fact{
				ID: uuid.NewSHA1(m.ID, []byte(k)), Campaign: launch, Subject: m.Subject, Delivery: m.ID, Medium: m.Medium,
				Address: m.Address, Kind: k, Reason: reason, Purpose: string(m.Purpose), At: h.now(),
			})
		}
	}
	for part := range slices.Chunk(facts, 500) {
		if err := h.Facts(h.t.Context(), h.system(), h.now(), part); err != nil {
			h.t.Fatalf("facts: %v", err)
		}
	}
}

func (h *hospital) system() access.Scope { return access.System(h.scope.Organisation(), "dispatch") }

// deliver tells that everything queued has arrived, and returns it.
func (h *hospital) deliver(launch uuid.UUID) []message {
	h.t.Helper()
	list := h.fresh(launch)
	h.tell(launch, list, "", dispatch.FactAccepted, dispatch.FactDelivered)
	return list
}

// reply brings an SMS from the address of a message.
func (h *hospital) reply(launch uuid.UUID, m message, text string) {
	h.t.Helper()
	r := dispatch.Reply{ID: storage.NewID(h.now()), Medium: m.Medium, From: m.Address, Text: text, At: h.now(), Campaign: launch, Subject: m.Subject}
	if err := h.Replies(h.t.Context(), h.system(), h.now(), []dispatch.Reply{r}); err != nil {
		h.t.Fatalf("reply: %v", err)
	}
}

func count(list []message, keep func(message) bool) (n int) {
	for _, m := range list {
		if keep(m) {
			n++
		}
	}
	return n
}

func of(use alerting.Use, m channels.Medium) func(message) bool {
	return func(x message) bool { return x.Purpose == use && x.Medium == m && x.State == "queued" }
}

func wantFault(t testing.TB, err error, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Key != key {
		t.Errorf("error = %v, want %s", err, key)
	}
}

func twoMobiles(p *directory.Person) {
	p.Contacts = append([]directory.ContactPoint{contact(directory.Mobile, "+33639990001"), contact(directory.Mobile, "+33639990002")}, p.Contacts[1:]...)
}

func contains(text, part string) bool { return strings.Contains(text, part) }

// signed is how a message ends whose author did not place the word.
func signed(m channels.Medium) string {
	if m == channels.SMS {
		return " (CIGOGNE)"
	}
	return "\n\nCIGOGNE"
}

// sameText compares a preview with what left: the link is the only difference.
func sameText(preview, sent string) bool {
	return strings.ReplaceAll(preview, "https://t.example/r/xxxxxxxxxxxx", "{lien}") == sent
}

// foreignReply brings a reply through another establishment's gateway.
func (h *hospital) foreignReply(scope access.Scope, launch uuid.UUID, m message) {
	h.t.Helper()
	r := dispatch.Reply{ID: storage.NewID(h.now()), Medium: m.Medium, From: m.Address, Text: "1", At: h.now(), Campaign: launch, Subject: m.Subject}
	if err := h.Replies(h.t.Context(), access.System(scope.Organisation(), "dispatch"), h.now(), []dispatch.Reply{r}); err != nil {
		h.t.Fatalf("reply: %v", err)
	}
}

func storagetestEachAt(t *testing.T, at time.Time, suite func(t *testing.T, h *hospital)) {
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) { suite(t, newHospital(t, db, at)) })
}

func countRows(t *testing.T, n *int, query string, args ...any) func(*storage.Tx) error {
	return func(tx *storage.Tx) error {
		_, err := tx.Row(t.Context(), query, args, n)
		return err
	}
}

func execRow(t *testing.T, query string, args ...any) func(*storage.Tx) error {
	return func(tx *storage.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	}
}

// newHospitalOver is a second node on the same data.
func newHospitalOver(h *hospital) *alerting.Service {
	guard, err := access.NewGuard()
	if err != nil {
		h.t.Fatal(err)
	}
	return alerting.New(alerting.Options{DB: h.db, Guard: guard, Directory: h.dir, Dispatch: h.out, Organisation: h.org, LinkBase: "https://t.example/r/", Keys: h.keys})
}
