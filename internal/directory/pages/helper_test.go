package pages_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/directory/feed"
	"tocsin/internal/directory/ldap"
	"tocsin/internal/directory/oncall"
	"tocsin/internal/directory/pages"
	"tocsin/internal/directory/phone"
	"tocsin/internal/directory/proof"
	"tocsin/internal/dispatch"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/document/table"
	"tocsin/internal/i18n"
	"tocsin/internal/jobs"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
	"tocsin/internal/vault"
)

// ward is the pages in front of one visitor, on a real directory.
type ward struct {
	t       *testing.T
	db      *storage.DB
	d       *directory.Directory
	org     *organisation.Service
	journal *journal.Reader
	clock   *clock.Fake
	scope   access.Scope
	router  *ui.Router
	proof   *proof.Service
	feeds   *feed.Service
	onCall  *oncall.Service
	catalog *i18n.Catalog
	woken   int
	calls   []string
}

func newWard(t *testing.T, roles ...access.Role) *ward {
	t.Helper()
	t.Parallel()
	db := storagetest.SQLite(t, organisation.Migrations, directory.Migrations, journal.Migrations, jobs.Migrations, dispatch.Migrations)
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	w := &ward{t: t, db: db, clock: clock.NewFake(uitest.Noon()), scope: access.System(uitest.Establishment(), "test"), journal: journal.NewReader(db, guard)}
	w.org = organisation.New(db, guard, w.clock)
	if w.d, err = directory.New(db, guard, w.clock, w.org, vault.Derived{Key: "k1", Secret: [32]byte{1}}); err != nil {
		t.Fatal(err)
	}
	if w.catalog, err = i18n.Load(sentences()...); err != nil {
		t.Fatal(err)
	}
	w.feeds = feed.New(feed.Options{DB: db, Guard: guard, Clock: w.clock, Vault: dispatchtest.OpenVault{}, Directory: w.d, Kinds: []feed.Kind{ldap.Kind{}}})
	w.onCall = oncall.New(oncall.Options{DB: db, Guard: guard, Clock: w.clock, Organisation: w.org, Calls: w})
	w.d.Consult(w.onCall)
	w.proof = proof.New(proof.Options{
		DB: db, Guard: guard, Clock: w.clock, Directory: w.d, Organisation: w.org, Catalog: w.catalog, LinkBase: "https://t.example" + pages.ConfirmPath,
		Dispatch: dispatchtest.Outbox(t, db, w.clock, nil, dispatchtest.NewAir(channels.SMS), dispatchtest.NewAir(channels.Email)),
	})
	if _, err := w.org.Create(t.Context(), access.Instance("test"), organisation.Establishment{ID: uitest.Establishment(), Name: "CH des Trois-Vallées"}); err != nil {
		t.Fatal(err)
	}
	w.router = w.as(roles...)
	return w
}

// sentences are those of a house with these pages; the first three are there anyway.
func sentences() []fs.FS {
	return []fs.FS{i18n.Locales, access.Locales, ui.Locales, pages.Locales, directory.Locales, proof.Locales, feed.Locales, ldap.Locales, oncall.Locales, phone.Locales, table.Locales, organisation.Locales}
}

// Calls implements oncall.Calls.
func (w *ward) Calls(context.Context, access.Scope, uuid.UUID, string) ([]string, error) {
	return w.calls, nil
}

func (w *ward) as(roles ...access.Role) *ui.Router { return w.asVisitor(uitest.As(roles...)) }

func (w *ward) asVisitor(v ui.Visitor) *ui.Router {
	r := uitest.House(w.t, v, func(o *ui.Options) { o.Clock = w.clock }, sentences()[3:]...)
	pages.Routes(r, pages.Options{Directory: w.d, Organisation: w.org, Proof: w.proof, Feeds: w.feeds, OnCall: w.onCall, AgendaBase: "https://t.example" + pages.AgendaPath, Catalog: w.catalog, Clock: w.clock, Wake: func() { w.woken++ }})
	return r
}

func (w *ward) get(path string) *uitest.Page {
	w.t.Helper()
	return uitest.Get(w.t, w.router, path, uitest.With("Accept-Language", "fr"))
}

func (w *ward) post(path string, fields ...string) *uitest.Page {
	w.t.Helper()
	return uitest.Post(w.t, w.router, path, fields, uitest.With("Accept-Language", "fr"))
}

// send uploads a file with a form.
func (w *ward) send(path, name string, content []byte, fields ...string) *uitest.Page {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := m.WriteField(fields[i], fields[i+1]); err != nil {
			w.t.Fatal(err)
		}
	}
	part, err := m.CreateFormFile("fichier", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return w.sendBody(path, m.FormDataContentType(), &b)
}

func (w *ward) sendBody(path, kind string, body io.Reader) *uitest.Page {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, path, body)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept-Language", "fr")
	answer := httptest.NewRecorder()
	w.router.ServeHTTP(answer, r)
	return uitest.Parse(w.t, answer.Code, answer.Header(), answer.Body)
}

// work does what waits, as the program does beside the pages.
func (w *ward) work() {
	w.t.Helper()
	for more := true; more; {
		var err error
		if more, err = w.d.Work(w.t.Context(), access.Instance("test")); err != nil {
			w.t.Fatal(err)
		}
	}
	if err := w.d.RefreshQuality(w.t.Context(), access.Instance("test")); err != nil {
		w.t.Fatal(err)
	}
}

func (w *ward) save(p directory.Person) directory.Person {
	w.t.Helper()
	saved, err := w.d.Save(w.t.Context(), w.scope, p)
	if err != nil {
		w.t.Fatalf("save %s: %v", p.Name(), err)
	}
	return saved
}

// service creates a site with one service.
func (w *ward) service(site, name string) uuid.UUID {
	w.t.Helper()
	at, err := w.org.AddNode(w.t.Context(), w.scope, organisation.Node{Kind: organisation.Site, Name: site}, uuid.Nil)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := w.org.AddNode(w.t.Context(), w.scope, organisation.Node{Kind: organisation.CareService, Name: name}, at.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.ID
}

func (w *ward) record(events ...directory.ContactEvent) {
	w.t.Helper()
	if err := w.db.Write(w.t.Context(), w.scope, func(tx *storage.Tx) error {
		return w.d.Record(context.WithoutCancel(w.t.Context()), tx, w.scope, w.clock.Now(), events)
	}); err != nil {
		w.t.Fatal(err)
	}
}

// actions are the journal's entries that begin so.
func (w *ward) actions(prefix string) (out []string) {
	w.t.Helper()
	records, err := w.journal.Search(w.t.Context(), w.scope, journal.Filter{})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range records {
		if strings.HasPrefix(r.Action, prefix) {
			out = append(out, r.Action)
		}
	}
	return out
}

func contact(kind, address string, private bool) directory.ContactPoint {
	return directory.ContactPoint{Contact: directory.Contact{Kind: kind, Address: address, Private: private}}
}
