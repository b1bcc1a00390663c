package proof_test

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/directory/phone"
	"tocsin/internal/directory/proof"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

// monday is ten o'clock in Paris, on a Monday of November.
var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// ward is an establishment with its campaigns; its outbox is not started: the
// test says what became of each message.
type ward struct {
	*proof.Service
	t       testing.TB
	db      *storage.DB
	org     *organisation.Service
	dir     *directory.Directory
	out     *dispatch.Dispatch
	clock   *clock.Fake
	scope   access.Scope
	alerted bool
	told    map[uuid.UUID]bool
}

// Alerted implements proof.Alarms.
func (w *ward) Alerted(context.Context, access.Scope) (bool, error) { return w.alerted, nil }

func each(t *testing.T, suite func(t *testing.T, w *ward)) {
	t.Parallel()
	storagetest.Each(t, []fs.FS{organisation.Migrations, directory.Migrations, journal.Migrations, jobs.Migrations, dispatch.Migrations},
		func(t *testing.T, db *storage.DB) { suite(t, newWard(t, db)) })
}

func newWard(t testing.TB, db *storage.DB) *ward {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	w := &ward{t: t, db: db, clock: clock.NewFake(monday), told: map[uuid.UUID]bool{}}
	w.org = organisation.New(db, guard, w.clock)
	if w.dir, err = directory.New(db, guard, w.clock, w.org, vault.Derived{Key: "k1", Secret: [32]byte{1}}); err != nil {
		t.Fatal(err)
	}
	catalog, err := i18n.Load(i18n.Locales, proof.Locales, phone.Locales, directory.Locales)
	if err != nil {
		t.Fatal(err)
	}
	w.out = dispatchtest.Outbox(t, db, w.clock, nil, dispatchtest.NewAir(channels.SMS), dispatchtest.NewAir(channels.Email))
	w.Service = proof.New(proof.Options{
		DB: db, Guard: guard, Clock: w.clock, Directory: w.dir, Dispatch: w.out, Organisation: w.org, Catalog: catalog,
		LinkBase: "https://t.example/c/", Alarms: w,
	})
	w.scope = w.establishment("CHU de Valbrume")
	return w
}

func (w *ward) establishment(name string) access.Scope {
	w.t.Helper()
	e, err := w.org.Create(w.t.Context(), access.Instance("test"), organisation.Establishment{Name: name, Zone: "Europe/Paris"})
	if err != nil {
		w.t.Fatal(err)
	}
	return access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "M. Annuaire"}, true, access.DirectoryManager)
}

func (w *ward) now() time.Time { return w.clock.Now() }

func contact(kind, address string) directory.ContactPoint {
	return directory.ContactPoint{Contact: directory.Contact{Kind: kind, Address: address}}
}

// agent adds somebody with a mobile and a mailbox.
func (w *ward) agent(n int, change ...func(*directory.Person)) directory.Person {
	w.t.Helper()
	p := directory.Person{LastName: fmt.Sprintf("AGENT%d", n), FirstName: "Camille", Contacts: []directory.ContactPoint{
		contact(directory.Mobile, fmt.Sprintf("+3363998%04d", n)), contact(directory.Email, fmt.Sprintf("agent%d@valbrume.example", n)),
	}}
	for _, c := range change {
		c(&p)
	}
	saved, err := w.dir.Save(w.t.Context(), w.scope, p)
	if err != nil {
		w.t.Fatal(err)
	}
	return saved
}

func (w *ward) person(id uuid.UUID) directory.Person {
	w.t.Helper()
	p, err := w.dir.Person(w.t.Context(), w.scope, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *ward) create(kind proof.Kind, change ...func(*proof.Draft)) proof.Campaign {
	w.t.Helper()
	d := proof.Defaults(kind, w.now())
	d.Title = "Coordonnées d’automne"
	for _, c := range change {
		c(&d)
	}
	c, err := w.Create(w.t.Context(), w.scope, d)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// tick does what is due.
func (w *ward) tick() {
	w.t.Helper()
	for range 1_000 {
		more, err := w.Tick(w.t.Context(), w.now())
		if err != nil {
			w.t.Fatalf("tick: %v", err)
		}
		if !more {
			return
		}
	}
	w.t.Fatal("the work never rests")
}

// pass moves the time by steps of a quarter of an hour.
func (w *ward) pass(d time.Duration) {
	w.t.Helper()
	for ; d > 0; d -= 15 * time.Minute {
		w.clock.Advance(15 * time.Minute)
		w.tick()
	}
}

// message is a delivery as dispatch holds it.
type message struct {
	ID, Subject                        uuid.UUID
	Medium                             channels.Medium
	Address, Purpose, Text, Link, Mode string
	Wave                               int
	Expires                            time.Time
}

// queue lists the messages of a campaign that wait, and whose fate was not told.
func (w *ward) queue(campaign uuid.UUID) (out []message) {
	w.t.Helper()
	if err := w.db.Read(w.t.Context(), w.scope, func(tx *storage.Tx) error {
		return tx.Query(w.t.Context(), `SELECT d.id, d.subject_id, d.medium, d.address, l.purpose, l.wave, c.body, d.link, l.expires_us, k.mode FROM dispatch_deliveries d
			JOIN dispatch_lots l ON l.organisation_id = d.organisation_id AND l.id = d.lot_id
			JOIN dispatch_campaigns k ON k.organisation_id = d.organisation_id AND k.id = d.campaign_id
			JOIN dispatch_contents c ON c.organisation_id = l.organisation_id AND c.id = l.content_id
			WHERE d.organisation_id = $1 AND d.campaign_id = $2 AND d.state = 'queued' AND NOT l.withdrawn ORDER BY l.queued_us, d.address`,
			[]any{w.scope.Organisation(), campaign}, func(row func(...any) error) error {
				var m message
				var expires int64
				err := row(&m.ID, &m.Subject, &m.Medium, &m.Address, &m.Purpose, &m.Wave, &m.Text, &m.Link, &expires, &m.Mode)
				m.Expires = storage.Time(expires)
				out = append(out, m)
				return err
			})
	}); err != nil {
		w.t.Fatal(err)
	}
	return slices.DeleteFunc(out, func(m message) bool { return w.told[m.ID] })
}

func (w *ward) system() access.Scope { return access.System(w.scope.Organisation(), "dispatch") }

func (w *ward) tell(campaign uuid.UUID, kind dispatch.FactKind, reason channels.Reason, list ...message) {
	w.t.Helper()
	var facts []dispatch.Fact
	for _, m := range list {
		w.told[m.ID] = true
		facts = append(facts, dispatch.Fact{
			ID: uuid.NewSHA1(m.ID, []byte(kind)), Campaign: campaign, Subject: m.Subject, Delivery: m.ID, Medium: m.Medium, Address: m.Address, Wave: m.Wave,
			Kind: kind, Reason: reason, Purpose: m.Purpose, At: w.now(),
		})
	}
	for range 2 { // told twice, it counts once
		if err := w.Facts(w.t.Context(), w.system(), w.now(), facts); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *ward) reply(m message, text string) {
	w.t.Helper()
	r := dispatch.Reply{ID: storage.NewID(w.now()), Medium: m.Medium, From: m.Address, Text: text, At: w.now(), Subject: m.Subject}
	for range 2 {
		if err := w.Replies(w.t.Context(), w.system(), w.now(), []dispatch.Reply{r}); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *ward) view(id uuid.UUID) proof.View {
	w.t.Helper()
	v, err := w.Campaign(w.t.Context(), w.scope, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (m message) code() string { return strings.TrimPrefix(m.Link, "https://t.example/c/") }

func wantFault(t testing.TB, err error, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Key != key {
		t.Errorf("error = %v, want %s", err, key)
	}
}

func (w *ward) instance() access.Scope { return access.Instance("test") }

func (w *ward) record(events ...directory.ContactEvent) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), w.system(), func(tx *storage.Tx) error {
		return w.dir.Record(w.t.Context(), tx, w.system(), w.now(), events)
	}); err != nil {
		w.t.Fatal(err)
	}
}
