package cases_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/cases"
	"tocsin/internal/traces/watch"
)

func nord() uuid.UUID { return uuid.MustParse("01900000-0000-7000-8000-000000000001") }
func sud() uuid.UUID  { return uuid.MustParse("01900000-0000-7000-8000-000000000002") }

func start() time.Time { return time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC) }

func rooms() []fs.FS {
	return []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations}
}

// desk is the cases of two establishments on a database of a test.
type desk struct {
	t     *testing.T
	db    *storage.DB
	s     *cases.Service
	clock *clock.Fake
	guard *access.Guard
	// looks are those that were noted; refuse has the next one refused.
	looks  []traces.CaseLook
	refuse error
	// told are the messages, launched the alerts; broken has a launch fail.
	told     []string
	launched []cases.Call
	broken   error
}

func newDesk(t *testing.T, db *storage.DB) *desk {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, db: db, clock: clock.NewFake(start()), guard: guard}
	houses := organisation.New(db, guard, d.clock)
	for _, id := range []uuid.UUID{nord(), sud()} {
		if _, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{ID: id, Name: "CH " + id.String()}); err != nil {
			t.Fatal(err)
		}
	}
	d.s = cases.New(cases.Options{
		DB: db, Guard: guard, Clock: d.clock, Log: slog.New(slog.DiscardHandler), Looks: d, People: d, Watchman: d, Alarm: d,
		CaseLink: func(id uuid.UUID) string { return "https://tocsin.test/traces/alertes/" + id.String() },
	})
	return d
}

// NoteCase implements cases.Looks.
func (d *desk) NoteCase(_ context.Context, _ access.Scope, l traces.CaseLook) error {
	if d.refuse != nil {
		return d.refuse
	}
	d.looks = append(d.looks, l)
	return nil
}

func solene() cases.Person {
	return cases.Person{ID: uuid.MustParse("01900000-0000-7000-8000-0000000000d1"), Name: "Solène Riou"}
}

// Holders implements cases.People.
func (d *desk) Holders(_ context.Context, _ access.Scope, role access.Role) ([]cases.Person, error) {
	if role == access.DataProtection {
		return []cases.Person{solene()}, nil
	}
	return []cases.Person{{ID: uuid.MustParse("01900000-0000-7000-8000-0000000000e1"), Name: "Youssef Lamine"}}, nil
}

// Found implements cases.Watchman.
func (d *desk) Found(_ context.Context, _ *storage.Tx, scope access.Scope, _ time.Time, _ uuid.UUID, role access.Role, say func(*i18n.Localizer) (string, string)) error {
	catalog, err := i18n.Load(i18n.Locales, cases.Locales)
	if err != nil {
		return err
	}
	subject, text := say(catalog.For(i18n.French))
	d.told = append(d.told, string(role)+" "+subject+" "+text)
	return nil
}

// Launch implements cases.Alarm.
func (d *desk) Launch(_ context.Context, _ access.Scope, _ time.Time, c cases.Call) (uuid.UUID, error) {
	if d.broken != nil {
		return uuid.Nil, d.broken
	}
	d.launched = append(d.launched, c)
	return uuid.NewSHA1(c.Scenario, []byte(c.Key)), nil
}

func as(organisation uuid.UUID, roles ...access.Role) access.Scope {
	return access.For(organisation, access.Actor{Kind: access.Person, ID: solene().ID, Name: "Solène Riou"}, true, roles...)
}

func dpo() access.Scope  { return as(nord(), access.DataProtection) }
func rssi() access.Scope { return as(nord(), access.SecurityOfficer) }

// serve puts detection into service in an establishment.
func (d *desk) serve(organisation uuid.UUID) {
	d.t.Helper()
	scope := as(organisation, access.DataProtection)
	if err := errors.Join(
		d.s.Assess(d.t.Context(), scope, cases.Assessment{Day: "2026-09-01", Author: "RSSI", Advice: "favorable", Document: "AIPD-7"}),
		d.s.Consult(d.t.Context(), scope, cases.Consultation{Body: "CSE", Day: "2026-10-01", Opinion: "favorable"}),
		d.s.Inform(d.t.Context(), scope, cases.Notice{Day: "2026-11-01", How: "note de service"}),
		d.s.Switch(d.t.Context(), scope, true, "décision du directeur"),
	); err != nil {
		d.t.Fatal(err)
	}
}

// keep has hits kept as the watch does.
func (d *desk) keep(hits ...traces.Hit) {
	d.t.Helper()
	err := d.db.Write(d.t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		return d.s.Keep(d.t.Context(), tx, d.clock.Now(), watch.Catch{Hits: hits, Examined: map[watch.Counted]int64{
			{Organisation: nord(), Patient: true, Day: storage.Micros(start().Truncate(24 * time.Hour))}:  500,
			{Organisation: nord(), Patient: false, Day: storage.Micros(start().Truncate(24 * time.Hour))}: 500,
		}})
	})
	if err != nil {
		d.t.Fatal(err)
	}
}

// opened is a hit of behaviour: somebody opened a record that nothing explains.
func opened(organisation uuid.UUID, rule, account, ipp string, score int, at time.Time) traces.Hit {
	return traces.Hit{
		Organisation: organisation, Rule: rule, Score: score, Account: account, Person: "Yann BONNET", Function: "Secrétaire médicale", Service: "Gériatrie 1", IPP: ipp, PatientName: "Odile MARCHAND",
		First: storage.Micros(at), Last: storage.Micros(at), Events: 1, Evidence: []traces.Evidence{{Key: "traces.cases.title.unusual"}},
	}
}

// logged is a hit of a rule of system logs.
func logged(organisation uuid.UUID, id string, score int, at time.Time) traces.Hit {
	return traces.Hit{
		Organisation: organisation, Rule: "sigma:" + id, Title: "Sauvegardes <b>supprimées</b>", Score: score, Workstation: "srv-01", Application: "vssadmin",
		First: storage.Micros(at), Last: storage.Micros(at), Events: 1, Evidence: []traces.Evidence{{Key: "traces.cases.alert.text", Args: map[string]string{"title": "x", "weight": "1"}}},
	}
}

func (d *desk) find(scope access.Scope, f cases.Filter) []cases.Case {
	d.t.Helper()
	list, err := d.s.Find(d.t.Context(), scope, f)
	if err != nil {
		d.t.Fatal(err)
	}
	return list.Cases
}

// one is the only case that somebody sees.
func (d *desk) one(scope access.Scope) cases.Case {
	d.t.Helper()
	list := d.find(scope, cases.Filter{})
	if len(list) != 1 {
		d.t.Fatalf("%d cases, want one: %+v", len(list), list)
	}
	return list[0]
}

// plain is a text with ordinary spaces.
func plain(text string) string {
	return strings.NewReplacer("\u00a0", " ", "\u202f", " ").Replace(text)
}

// lite runs on one engine what asks nothing of the other.
func lite(t *testing.T, suite func(t *testing.T, d *desk)) {
	t.Helper()
	t.Parallel()
	suite(t, newDesk(t, storagetest.SQLite(t, rooms()...)))
}

func each(t *testing.T, suite func(t *testing.T, d *desk)) {
	t.Helper()
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) { suite(t, newDesk(t, db)) })
}
