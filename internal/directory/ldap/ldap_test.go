package ldap_test

import (
	"context"
	"encoding/base64"
	"io/fs"
	"strings"
	"testing"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/directory/feed"
	"tocsin/internal/directory/ldap"
	"tocsin/internal/dispatch/dispatchtest"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/vault"
)

func wantFault(t testing.TB, err error, key string) {
	t.Helper()
	if f := fault.As(err); f == nil || f.Key != key {
		t.Errorf("error = %v, want %s", err, key)
	}
}

// people are entries from first to last.
func people(first, last int) (out []string) {
	for n := first; n <= last; n++ {
		out = append(out, person(n))
	}
	return out
}

func TestWhatAServerRefusesIsOneSentence(t *testing.T) {
	t.Parallel()
	s := serve(t, people(1, 3)...)
	check := func(change func(feed.Settings)) error {
		return ldap.Kind{}.Check(t.Context(), settings(s.port, change))
	}
	if err := check(func(feed.Settings) {}); err != nil {
		t.Fatal(err)
	}
	for key, change := range map[string]func(feed.Settings){
		"directory.feed.ldap.credentials": func(s feed.Settings) { s["password"] = "faux" },
		"directory.feed.ldap.no_password": func(s feed.Settings) { s["password"] = "" },
		"directory.feed.ldap.bad_base":    func(s feed.Settings) { s["base"] = "ou=ailleurs," + suffix },
		"directory.feed.ldap.bad_filter":  func(s feed.Settings) { s["filter"] = "(((" },
		"directory.feed.ldap.nobody":      func(s feed.Settings) { s["filter"] = "(uid=personne)" },
		"directory.feed.ldap.unreachable": func(s feed.Settings) { s["port"] = "1" },
		"directory.feed.ldap.bad_ca":      func(s feed.Settings) { s["ca"] = "pas un certificat" },
	} {
		wantFault(t, check(change), key)
	}
	if err := check(func(s feed.Settings) { s["security"] = "starttls" }); err == nil {
		t.Error("a server without a certificate is read although StartTLS is asked")
	}
}

func TestHostileValuesStayText(t *testing.T) {
	t.Parallel()
	nul := base64.StdEncoding.EncodeToString([]byte("A\x00B\x01C\nD"))
	huge := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("é", 300_000)))
	s := serve(t, person(1, "description: =cmd|' /C calc'!A1"), person(2, "description:: "+nul), person(3, "description:: "+huge),
		person(4, "description: un", "description: deux"),
		"dn: ou=renvoi,ou=personnel,"+suffix+"\nobjectClass: referral\nobjectClass: extensibleObject\nou: renvoi\nref: ldap://198.51.100.1/ou=piege\n")
	rows, err := all(t, settings(s.port, func(s feed.Settings) { s["attributes"] = "sn description" }))
	if err != nil || len(rows) != 4 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for n, want := range []string{"=cmd|' /C calc'!A1", "ABC D", "", "un / deux"} {
		got := rows[n][2]
		if n == 2 {
			if len(got) > 500 || !strings.HasPrefix(got, "éé") {
				t.Errorf("%d bytes of a huge attribute", len(got))
			}
			continue
		}
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// ward is a directory that reads a server.
type ward struct {
	*feed.Service
	dir   *directory.Directory
	clock *clock.Fake
	scope access.Scope
}

func each(t *testing.T, suite func(t *testing.T, w *ward)) {
	t.Parallel()
	storagetest.Each(t, []fs.FS{organisation.Migrations, directory.Migrations, journal.Migrations}, func(t *testing.T, db *storage.DB) {
		guard, err := access.NewGuard()
		if err != nil {
			t.Fatal(err)
		}
		w := &ward{clock: clock.NewFake(time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC))}
		org := organisation.New(db, guard, w.clock)
		if w.dir, err = directory.New(db, guard, w.clock, org, vault.Derived{Key: "k1", Secret: [32]byte{1}}); err != nil {
			t.Fatal(err)
		}
		e, err := org.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: "CHU de Valbrume"})
		if err != nil {
			t.Fatal(err)
		}
		w.scope = access.System(e.ID, "test")
		w.Service = feed.New(feed.Options{DB: db, Guard: guard, Clock: w.clock, Vault: dispatchtest.OpenVault{}, Directory: w.dir, Kinds: []feed.Kind{ldap.Kind{}}})
		suite(t, w)
	})
}

// reads has the server read by its schedule, and the work it made done.
func (w *ward) reads(t *testing.T, id feed.Feed) feed.Feed {
	t.Helper()
	w.clock.Advance(25 * time.Hour)
	if _, err := w.Tick(t.Context(), w.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		var err error
		if more, err = w.dir.Work(context.WithoutCancel(t.Context()), access.Instance("test")); err != nil {
			t.Fatal(err)
		}
	}
	f, err := w.Feed(t.Context(), w.scope, id.ID)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (w *ward) here(t *testing.T) int {
	t.Helper()
	n, err := w.dir.Count(t.Context(), w.scope, directory.Rule{Absent: true}, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *ward) server(t *testing.T, port int) feed.Feed {
	t.Helper()
	f, err := w.Save(t.Context(), w.scope, feed.Feed{Kind: "ldap", Name: "AD", Settings: settings(port), EveryHours: 24, GoneMost: 5, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	if f.Settings["password"] != "" {
		t.Error("the password is read back")
	}
	return f
}

func TestTwoThousandPeopleAreReadByPagesAndFewMayLeave(t *testing.T) {
	each(t, func(t *testing.T, w *ward) {
		const count = 2_000
		full := serve(t, people(1, count)...)
		f := w.reads(t, w.server(t, full.port))
		if f.Trouble != "" || w.here(t) != count {
			t.Fatalf("%d people, %q", w.here(t), f.Trouble)
		}
		page, err := w.dir.People(t.Context(), w.scope, directory.Filter{Text: "agent1234"})
		if err != nil || len(page.People) != 1 || page.People[0].Matricule != "11234" || page.People[0].Source != "AD" || len(page.People[0].Contacts) != 2 {
			t.Fatalf("%+v %v", page.People, err)
		}

		// A server cut in the middle of its pages changes nothing.
		f.Settings["port"] = settings(cutting(t, full.address(), 200_000))["port"]
		if f, err = w.Save(t.Context(), w.scope, f); err != nil {
			t.Fatal(err)
		}
		if f = w.reads(t, f); f.Trouble != "directory.feed.ldap.unreachable" || w.here(t) != count {
			t.Fatalf("after the cut: %d people, %q", w.here(t), f.Trouble)
		}

		// A few who disappear leave; a tenth waits for a person.
		few := serve(t, people(51, count)...)
		f.Settings["port"] = settings(few.port)["port"]
		if f, err = w.Save(t.Context(), w.scope, f); err != nil {
			t.Fatal(err)
		}
		if f = w.reads(t, f); f.Trouble != "" || w.here(t) != count-50 {
			t.Fatalf("fifty left: %d people, %q", w.here(t), f.Trouble)
		}
		many := serve(t, people(251, count)...)
		f.Settings["port"] = settings(many.port)["port"]
		if f, err = w.Save(t.Context(), w.scope, f); err != nil {
			t.Fatal(err)
		}
		f = w.reads(t, f)
		i, err := w.dir.Import(t.Context(), w.scope, f.LastImport)
		if err != nil || i.State != directory.Ready || i.Summary.Gone != 200 || w.here(t) != count-50 {
			t.Fatalf("two hundred may not leave by themselves: %s, %d gone, %d here, %v", i.State, i.Summary.Gone, w.here(t), err)
		}
		if f = w.reads(t, f); f.Trouble != "directory.sync.waiting" {
			t.Errorf("nothing is read over a comparison that waits: %q", f.Trouble)
		}
		if _, err := w.dir.Confirm(t.Context(), w.scope, i.ID); err != nil || w.here(t) != count-250 {
			t.Errorf("a person confirms: %d, %v", w.here(t), err)
		}
	})
}
