package audits_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/audits"
)

func rooms() []fs.FS {
	return []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations}
}

// base answers each question with a line; within tells whether the event that
// Get gives is among those of a question.
type base struct {
	asked  []traces.Question
	at     int64
	within func(q traces.Question) bool
}

func (b *base) Ask(_ context.Context, _ uuid.UUID, q traces.Question) (traces.Answer, error) {
	b.asked = append(b.asked, q)
	g := traces.Group{Count: 2, First: q.From, Last: q.From}
	for range q.Group {
		g.Keys = append(g.Keys, "2026-11-22")
	}
	a := traces.Answer{Total: 2, Groups: []traces.Group{g}}
	if b.within != nil && b.within(q) {
		a.Events = []traces.Stored{{Ref: "other"}, {Ref: "e1"}}
	}
	return a, nil
}

func (b *base) Get(_ context.Context, _ uuid.UUID, ref string) (traces.Stored, error) {
	if ref != "e1" {
		return traces.Stored{}, fault.New(fault.NotFound, "traces.error.unknown")
	}
	return traces.Stored{Ref: ref, Event: traces.Event{At: b.at, Account: "adupont", IPP: "8001", Raw: []byte("<original/>")}}, nil
}

func (b *base) Purge(context.Context, uuid.UUID, traces.Purging) (traces.Purged, error) {
	return traces.Purged{}, nil
}

type court struct {
	*audits.Service
	t     *testing.T
	db    *storage.DB
	clock *clock.Fake
	base  *base
	told  []string

	head, dpo, dim, boss, delegate, other, stranger access.Scope
}

// Delegates implements audits.People.
func (c *court) Delegates(context.Context, access.Scope) ([]audits.Person, error) {
	return []audits.Person{{ID: c.delegate.Actor().ID, Name: "Denis"}, {ID: c.other.Actor().ID, Name: "Odile"}, {ID: c.boss.Actor().ID, Name: "Rose"}}, nil
}

// Step implements audits.Watchman.
func (c *court) Step(_ context.Context, _ *storage.Tx, _ access.Scope, _ time.Time, _ uuid.UUID, to audits.To, say func(*i18n.Localizer) (string, string)) error {
	subject, text := say(i18ntest.Localizer(c.t, i18n.French, audits.Locales))
	c.told = append(c.told, fmt.Sprint(to.Roles, len(to.Accounts), subject, text))
	return nil
}

func person(organisation uuid.UUID, name string, role access.Role) access.Scope {
	return access.For(organisation, access.Actor{Kind: access.Person, ID: uuid.NewSHA1(organisation, []byte(name)), Name: name}, true, role)
}

func newCourt(t *testing.T, db *storage.DB) *court {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	c := &court{t: t, db: db, clock: clock.NewFake(time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)), base: &base{}}
	queue, err := spool.Open(filepath.Join(t.TempDir(), "spool"), spool.Options{})
	c.must(err)
	t.Cleanup(func() { c.must(queue.Close()) })
	ts := traces.New(traces.Options{DB: db, Guard: guard, Clock: c.clock, Log: slog.New(slog.DiscardHandler), Formats: func(*time.Location) []traces.Format { return nil }})
	ts.Connect(queue, c.base)
	houses := organisation.New(db, guard, c.clock)
	var ids []uuid.UUID
	for _, name := range []string{"CHU", "EHPAD"} {
		e, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: name})
		c.must(err)
		ids = append(ids, e.ID)
	}
	c.head, c.dpo, c.dim, c.boss = person(ids[0], "Hélène", access.Reader), person(ids[0], "Solène", access.DataProtection), person(ids[0], "Marc", access.MedicalInformation), person(ids[0], "Rose", access.Controller)
	c.delegate, c.other, c.stranger = person(ids[0], "Denis", access.Reader), person(ids[0], "Odile", access.Reader), person(ids[1], "Eve", access.Controller)
	c.Service = audits.New(audits.Options{DB: db, Guard: guard, Clock: c.clock, Traces: ts, People: c, Watchman: c, Link: func(id uuid.UUID) string { return "https://tocsin.test/traces/demandes/" + id.String() }})
	return c
}

func (c *court) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func each(t *testing.T, suite func(t *testing.T, c *court)) {
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) { suite(t, newCourt(t, db)) })
}

func day(n int) int64 { return storage.Micros(time.Date(2026, 11, n, 0, 0, 0, 0, time.UTC)) }

func draft() audits.Draft {
	return audits.Draft{
		Kind: audits.OfPatient, Behalf: "Odile MARCHAND", Checked: "carte d’identité vue au guichet", Subject: "Qui a ouvert mon dossier", Reason: "voisinage",
		Extent: audits.Extent{Patients: []string{" 8001 ", "8001"}, From: day(1), To: day(20)},
	}
}

func verdict(c *court) audits.Verdict {
	return audits.Verdict{
		Accepted: true, Words: "oui", Delegate: c.delegate.Actor().ID, Ends: c.clock.Now().Add(10 * 24 * time.Hour),
		Extent: audits.Extent{Patients: []string{"8001"}, Services: []string{"Cardiologie"}, From: day(5), To: day(15)},
	}
}

// open makes a request that is accepted.
func (c *court) open() audits.Request {
	c.t.Helper()
	r, err := c.Ask(c.t.Context(), c.head, draft())
	c.must(err)
	c.must(c.Advise(c.t.Context(), c.dpo, r.ID, access.DataProtection, true, "proportionné"))
	c.must(c.Advise(c.t.Context(), c.dim, r.ID, access.MedicalInformation, false, "trop large"))
	c.must(c.Decide(c.t.Context(), c.boss, r.ID, verdict(c)))
	r, err = c.Find(c.t.Context(), c.boss, r.ID)
	c.must(err)
	return r
}

func (c *court) journal() string {
	c.t.Helper()
	var out strings.Builder
	c.must(c.db.Read(c.t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		return tx.Query(c.t.Context(), `SELECT action, object_name, after_json FROM journal_entries ORDER BY id`, nil, func(row func(...any) error) error {
			var a, n, after string
			err := row(&a, &n, &after)
			fmt.Fprintln(&out, a, n, after)
			return err
		})
	}))
	return out.String()
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", audits.Locales, traces.Locales, spool.Locales, access.Locales)
}

func TestARequestGoesFromTheQuestionToTheConclusion(t *testing.T) {
	each(t, func(t *testing.T, c *court) {
		ctx := t.Context()
		r, err := c.Ask(ctx, c.head, draft())
		c.must(err)
		if r.Number != "AUD-2026-0001" || !slices.Equal(r.Wanted.Patients, []string{"8001"}) {
			t.Errorf("asked %+v", r)
		}
		// Nobody decides before both have spoken, on his own, or without the role.
		if err := c.Decide(ctx, c.boss, r.ID, verdict(c)); !fault.Is(err, fault.Conflict) {
			t.Errorf("decided without advice: %v", err)
		}
		c.must(c.Advise(ctx, c.dpo, r.ID, access.DataProtection, true, "proportionné"))
		if err := c.Decide(ctx, c.boss, r.ID, verdict(c)); !fault.Is(err, fault.Conflict) {
			t.Errorf("decided on one piece of advice: %v", err)
		}
		if err := c.Advise(ctx, c.dpo, r.ID, access.MedicalInformation, true, "x"); !fault.Is(err, fault.Denied) {
			t.Errorf("the DPO speaks for the DIM: %v", err)
		}
		c.must(c.Advise(ctx, c.dim, r.ID, access.MedicalInformation, false, "trop large"))
		for _, who := range []access.Scope{c.head, c.dpo, c.dim, c.delegate} {
			if err := c.Decide(ctx, who, r.ID, verdict(c)); !fault.Is(err, fault.Denied) {
				t.Errorf("%s decides: %v", who.Actor().Name, err)
			}
		}
		both := access.For(c.boss.Organisation(), c.dpo.Actor(), true, access.DataProtection, access.Controller)
		if err := c.Decide(ctx, both, r.ID, verdict(c)); fault.As(err) == nil || fault.As(err).Key != "traces.audits.own" {
			t.Errorf("whoever advised decides: %v", err)
		}
		for _, who := range []access.Scope{c.other, c.delegate, c.stranger} {
			if _, err := c.Find(ctx, who, r.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s sees it: %v", who.Actor().Name, err)
			}
			if all, err := c.List(ctx, who); err != nil || len(all) > 0 {
				t.Errorf("%s lists %v, %v", who.Actor().Name, all, err)
			}
		}
		c.must(c.Decide(ctx, c.boss, r.ID, verdict(c)))
		for _, err := range []error{c.Decide(ctx, c.boss, r.ID, verdict(c)), c.Advise(ctx, c.dim, r.ID, access.MedicalInformation, true, "non"), c.Withdraw(ctx, c.head, r.ID)} {
			if !fault.Is(err, fault.Conflict) {
				t.Errorf("once decided: %v", err)
			}
		}
		if err := c.Conclude(ctx, c.other, r.ID, "rien"); !fault.Is(err, fault.NotFound) {
			t.Errorf("another concludes: %v", err)
		}
		c.must(c.Unmask(ctx, c.boss, r.ID, "plainte pénale"))
		c.must(c.Conclude(ctx, c.delegate, r.ID, "un accès sans motif"))
		r, err = c.Find(ctx, c.head, r.ID)
		c.must(err)
		if r.State != audits.Closed || r.Conclusion != "un accès sans motif" || len(r.Advice) != 2 || r.DelegateName != "Denis" || r.Unmasked != "plainte pénale" {
			t.Errorf("closed %+v", r)
		}
		// Asked, advised, delegated, decided, closed: each told, none with the patient.
		if len(c.told) != 5 {
			t.Errorf("told %q", c.told)
		}
		noted := c.journal()
		for _, action := range []string{"ask", "advise", "decide", "unmask", "conclude"} {
			if !strings.Contains(noted, "traces.audit."+action+" AUD-2026-0001") {
				t.Errorf("the journal lacks %s:\n%s", action, noted)
			}
		}
		if all := noted + strings.Join(c.told, ""); strings.Contains(all, "8001") || strings.Contains(all, "MARCHAND") {
			t.Errorf("the patient is named:\n%s", all)
		}
	})
}

func TestTheDelegateCannotSeeMore(t *testing.T) {
	each(t, func(t *testing.T, c *court) {
		r := c.open()
		ctx, wide := t.Context(), traces.Period{From: storage.Time(day(1)).AddDate(-5, 0, 0), To: storage.Time(day(28)), Zone: "Europe/Paris"}
		tries := []traces.Inquiry{{Search: &traces.Hunt{Text: "a"}}, {Search: &traces.Hunt{Where: []traces.Condition{
			{Field: traces.FieldPatient, Op: traces.Is, Values: []string{"9999"}}, {Field: traces.FieldPatient, Op: traces.NotEmpty}, {Field: traces.FieldService, Op: traces.IsNot, Values: []string{"Cardiologie"}},
		}, By: traces.FieldPatient}}}
		for _, p := range traces.Phrases() {
			if p.Circle != "" {
				continue // about a list of people that this house does not have: nothing is asked
			}
			f := traces.Filling{}
			for _, b := range p.Blanks {
				f[b.Name] = "9999"
				if b.Kind == traces.BlankChoice {
					f[b.Name] = b.Choices[0]
				}
			}
			tries = append(tries, traces.Inquiry{Phrase: p.Key, Filling: f})
		}
		for _, in := range tries {
			c.base.asked = nil
			_, _, err := c.Look(ctx, c.delegate, r.ID, traces.Look{Why: "examen", Request: "AUD-1999-0001"}, in, wide)
			c.must(err)
			if len(c.base.asked) < 5 {
				t.Fatalf("%s asked %d questions", in.Key(), len(c.base.asked))
			}
			for _, q := range c.base.asked {
				has := func(f traces.Field, v string) bool {
					return slices.ContainsFunc(q.Where, func(w traces.Condition) bool {
						return w.Field == f && w.Op == traces.Is && slices.Equal(w.Values, []string{v})
					})
				}
				if q.From < day(5) || q.To > day(15) || !has(traces.FieldPatient, "8001") || !has(traces.FieldService, "Cardiologie") {
					t.Errorf("%s asks for more than was decided: %+v", in.Key(), q)
				}
				if !slices.ContainsFunc(q.Where, func(w traces.Condition) bool { return w.Field == traces.FieldCollector && w.Op == traces.IsNot }) {
					t.Errorf("%s sees what others looked at", in.Key())
				}
			}
		}
		if noted := c.journal(); strings.Contains(noted, "AUD-1999") || strings.Count(noted, `"request":"AUD-2026-0001"`) != len(tries) {
			t.Errorf("the looks do not carry the number of the request:\n%s", noted)
		}
		c.base.asked = nil
		look := func(who access.Scope) error {
			_, _, err := c.Look(ctx, who, r.ID, traces.Look{Why: "x"}, tries[0], wide)
			return err
		}
		for _, who := range []access.Scope{c.head, c.dpo, c.dim, c.boss} {
			if err := look(who); !fault.Is(err, fault.Denied) {
				t.Errorf("%s looks under it: %v", who.Actor().Name, err)
			}
		}
		for _, who := range []access.Scope{c.other, c.stranger} {
			if err := look(who); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s looks under it: %v", who.Actor().Name, err)
			}
		}
		weak := access.For(c.delegate.Organisation(), c.delegate.Actor(), false, access.Reader)
		if err := look(weak); !fault.Is(err, fault.Denied) {
			t.Errorf("without second factor: %v", err)
		}
		if _, _, err := c.Look(ctx, c.delegate, r.ID, traces.Look{}, tries[0], traces.Period{From: storage.Time(day(20)), To: storage.Time(day(21)), Zone: "UTC"}); fault.As(err) == nil || fault.As(err).Field != "periode" {
			t.Errorf("outside of the period: %v", err)
		}
		c.clock.Advance(10 * 24 * time.Hour)
		if err := look(c.delegate); !fault.Is(err, fault.Denied) {
			t.Errorf("after the end: %v", err)
		}
		if len(c.base.asked) > 0 {
			t.Errorf("refused looks asked %d questions", len(c.base.asked))
		}
	})
}

// TestTheDelegateOpensAnOriginalWhenTheDecisionSaysSo: within what was decided, and
// nothing beside; each look is in the journal under the number of the request.
func TestTheDelegateOpensAnOriginalWhenTheDecisionSaysSo(t *testing.T) {
	each(t, func(t *testing.T, c *court) {
		ctx, closed := t.Context(), c.open()
		c.base.at, c.base.within = day(7), func(traces.Question) bool { return true }
		refused := func(what string, r audits.Request, who access.Scope, ref, key string) {
			t.Helper()
			if _, e, err := c.Original(ctx, who, r.ID, ref); fault.As(err) == nil || fault.As(err).Key != key || e.Raw != nil {
				t.Errorf("%s: %q, %v", what, e.Raw, err)
			}
		}
		refused("without originals in the decision", closed, c.delegate, "e1", "traces.warrant.originals")
		r, err := c.Ask(ctx, c.head, draft())
		c.must(err)
		c.must(c.Advise(ctx, c.dpo, r.ID, access.DataProtection, true, "oui"))
		c.must(c.Advise(ctx, c.dim, r.ID, access.MedicalInformation, true, "oui"))
		v := verdict(c)
		v.Extent.Originals = true
		c.must(c.Decide(ctx, c.boss, r.ID, v))
		c.base.asked = nil
		before := c.journal()
		if _, e, err := c.Original(ctx, c.delegate, r.ID, "e1"); err != nil || string(e.Raw) != "<original/>" {
			t.Fatalf("%q, %v", e.Raw, err)
		}
		if noted := strings.TrimPrefix(c.journal(), before); !strings.Contains(noted, "traces.find e1") || !strings.Contains(noted, r.Number) {
			t.Errorf("the look is not in the journal: %s", noted)
		}
		// The base is asked by the conditions of the decision, at that moment only.
		for _, q := range c.base.asked {
			conditions := fmt.Sprint(q.Where)
			if q.From != day(7) || q.To != day(7)+1 || !strings.Contains(conditions, "Cardiologie") || !strings.Contains(conditions, "8001") || q.Check() != nil {
				t.Errorf("asked %+v, %v", q, q.Check())
			}
		}
		before = c.journal()
		refused("what is not there", r, c.delegate, "e2", "traces.error.unknown")
		c.base.within = func(traces.Question) bool { return false }
		refused("of another service", r, c.delegate, "e1", "traces.warrant.outside")
		c.base.within = func(traces.Question) bool { return true }
		for _, at := range []int64{day(5) - 1, day(15)} {
			c.base.at = at
			refused("outside of the period", r, c.delegate, "e1", "traces.warrant.outside")
		}
		c.base.at = day(7)
		for _, who := range []access.Scope{c.head, c.dpo, c.dim, c.boss} {
			refused(who.Actor().Name, r, who, "e1", "traces.warrant.other")
		}
		refused("without second factor", r, access.For(c.delegate.Organisation(), c.delegate.Actor(), false, access.Reader), "e1", "access.second_factor")
		refused("another establishment", r, c.stranger, "e1", "traces.audits.unknown")
		if noted := strings.TrimPrefix(c.journal(), before); noted != "" {
			t.Errorf("refused looks are noted as looks: %s", noted)
		}
		c.clock.Advance(10 * 24 * time.Hour)
		refused("after the end", r, c.delegate, "e1", "traces.warrant.over")
	})
}

func TestWhatDoesNotFitIsRefusedAtItsField(t *testing.T) {
	t.Parallel()
	c := newCourt(t, storagetest.SQLite(t, rooms()...))
	for field, change := range map[string]func(*audits.Draft){
		"sorte":     func(d *audits.Draft) { d.Kind = "" },
		"objet":     func(d *audits.Draft) { d.Subject = strings.Repeat("x", 201) },
		"motif":     func(d *audits.Draft) { d.Reason = " " },
		"demandeur": func(d *audits.Draft) { d.Behalf = "" },
		"identite":  func(d *audits.Draft) { d.Checked = "" },
		"patients":  func(d *audits.Draft) { d.Extent.Patients = nil },
		"a":         func(d *audits.Draft) { d.Extent.To = d.Extent.From },
		"services":  func(d *audits.Draft) { d.Extent.Services = []string{strings.Repeat("x", 300)} },
	} {
		d := draft()
		change(&d)
		if _, err := c.Ask(t.Context(), c.head, d); fault.As(err) == nil || fault.As(err).Kind != fault.Invalid || fault.As(err).Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	r, err := c.Ask(t.Context(), c.head, draft())
	c.must(err)
	for field, change := range map[string]func(*audits.Verdict){
		"decision": func(v *audits.Verdict) { v.Words = "" },
		"fin":      func(v *audits.Verdict) { v.Ends = c.clock.Now() },
		"delegue":  func(v *audits.Verdict) { v.Delegate = c.head.Actor().ID },
		" delegue": func(v *audits.Verdict) { v.Delegate = c.boss.Actor().ID }, // nobody entrusts himself
		"patients": func(v *audits.Verdict) { v.Extent.Patients, v.Extent.Services = nil, nil },
	} {
		v := verdict(c)
		change(&v)
		if err := c.Decide(t.Context(), c.boss, r.ID, v); fault.As(err) == nil || fault.As(err).Field != strings.TrimSpace(field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if err := c.Withdraw(t.Context(), c.dpo, r.ID); !fault.Is(err, fault.Conflict) {
		t.Errorf("another withdraws it: %v", err)
	}
	c.must(c.Withdraw(t.Context(), c.head, r.ID))
	if err := c.Withdraw(t.Context(), access.Scope{}, r.ID); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("nobody withdraws it: %v", err)
	}
}
