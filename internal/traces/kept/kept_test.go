package kept_test

import (
	"context"
	"errors"
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
	"tocsin/internal/traces/kept"
)

func rooms() []fs.FS {
	return []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations}
}

// base answers with one event, or none, or fails.
type base struct {
	asked []traces.Question
	none  bool
	err   error
}

func (b *base) Ask(_ context.Context, _ uuid.UUID, q traces.Question) (traces.Answer, error) {
	b.asked = append(b.asked, q)
	if b.err != nil {
		return traces.Answer{}, b.err
	}
	if b.none {
		return traces.Answer{}, nil
	}
	g := traces.Group{Keys: make([]string, len(q.Group)), Count: 3, First: q.From, Last: q.To - 1}
	for i := range g.Keys {
		g.Keys[i] = "2026-11-22"
	}
	return traces.Answer{Total: 3, Groups: []traces.Group{g}}, nil
}

func (b *base) Get(context.Context, uuid.UUID, string) (traces.Stored, error) {
	return traces.Stored{}, fault.New(fault.NotFound, "traces.error.base")
}

func (b *base) Purge(context.Context, uuid.UUID, traces.Purging) (traces.Purged, error) {
	return traces.Purged{}, nil
}

// sealer turns bytes around and remembers for what.
type sealer struct{}

func (sealer) Stale([]byte) bool { return false }

func (sealer) Seal(plain []byte, context string) ([]byte, error) {
	out := append([]byte(context+"|"), plain...)
	slices.Reverse(out)
	return out, nil
}

func (sealer) Open(sealed []byte, context string) ([]byte, error) {
	out := slices.Clone(sealed)
	slices.Reverse(out)
	plain, ok := strings.CutPrefix(string(out), context+"|")
	if !ok {
		return nil, errors.New("sealed for something else")
	}
	return []byte(plain), nil
}

type study struct {
	*kept.Service
	t        *testing.T
	db       *storage.DB
	clock    *clock.Fake
	base     *base
	queue    *spool.Spool
	dir      string
	people   []kept.Person
	told     []string
	reached  map[uuid.UUID]int
	dieAt    string
	anne     access.Scope
	bruno    access.Scope
	stranger access.Scope
}

// Entitled implements kept.People.
func (s *study) Entitled(_ context.Context, scope access.Scope, action access.Action) ([]kept.Person, error) {
	if action != access.TracesAsk || scope.Organisation() != s.anne.Organisation() {
		return nil, nil
	}
	return s.people, nil
}

// Tell implements kept.Watchman.
func (s *study) Tell(_ context.Context, _ *storage.Tx, _ access.Scope, _ time.Time, id uuid.UUID, accounts []uuid.UUID, say func(*i18n.Localizer) (string, string)) error {
	if s.dieAt == "tell" {
		return errors.New("the power is cut")
	}
	s.reached[id]++
	subject, text := say(i18ntest.Localizer(s.t, i18n.French, kept.Locales))
	for _, a := range accounts {
		s.told = append(s.told, a.String()+" "+subject+" "+strings.ReplaceAll(text, "\u00a0", " "))
	}
	return nil
}

// Print implements kept.Printer.
func (s *study) Print(_ context.Context, _ access.Scope, p kept.Paper) ([]kept.Printed, error) {
	return []kept.Printed{{Format: "pdf", Bytes: []byte("%PDF " + p.Name)}, {Format: "csv", Bytes: []byte("a;b " + p.Number)}}, nil
}

func person(organisation uuid.UUID, name string, role access.Role) access.Scope {
	return access.For(organisation, access.Actor{Kind: access.Person, ID: uuid.NewSHA1(organisation, []byte(name)), Name: name}, true, role)
}

func newStudy(t *testing.T, db *storage.DB) *study {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	s := &study{t: t, db: db, clock: clock.NewFake(time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)), base: &base{}, dir: filepath.Join(t.TempDir(), "spool"), reached: map[uuid.UUID]int{}}
	if s.queue, err = spool.Open(s.dir, spool.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.must(s.queue.Close()) })
	ts := traces.New(traces.Options{DB: db, Guard: guard, Clock: s.clock, Log: slog.New(slog.DiscardHandler), Formats: func(*time.Location) []traces.Format { return nil }})
	ts.Connect(s.queue, s.base)
	houses := organisation.New(db, guard, s.clock)
	var ids []uuid.UUID
	for _, name := range []string{"CHU", "EHPAD"} {
		e, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: name})
		s.must(err)
		ids = append(ids, e.ID)
	}
	s.anne, s.bruno, s.stranger = person(ids[0], "Anne", access.DataProtection), person(ids[0], "Bruno", access.DataProtection), person(ids[1], "Eve", access.DataProtection)
	s.people = []kept.Person{{ID: s.anne.Actor().ID, Name: "Anne"}, {ID: s.bruno.Actor().ID, Name: "Bruno"}}
	s.Service = kept.New(kept.Options{
		DB: db, Guard: guard, Clock: s.clock, Log: slog.New(slog.DiscardHandler), Traces: ts, Vault: sealer{}, People: s, Watchman: s, Printer: s,
		Link: func(id uuid.UUID) string { return "https://tocsin.test/traces/gardees/" + id.String() },
	})
	return s
}

func (s *study) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func each(t *testing.T, suite func(t *testing.T, s *study)) {
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) { suite(t, newStudy(t, db)) })
}

func lite(t *testing.T, suite func(t *testing.T, s *study)) {
	t.Parallel()
	suite(t, newStudy(t, storagetest.SQLite(t, rooms()...)))
}

func wanted(shared bool) kept.Wanted {
	return kept.Wanted{Name: "  Dossier de  Mme MARCHAND ", Shared: shared, Span: kept.LastWeek, Why: "suivi", Inquiry: traces.Inquiry{Phrase: "record", Filling: traces.Filling{"patient": "8001"}}}
}

func (s *study) keep(shared bool) kept.Saved {
	s.t.Helper()
	q, err := s.Keep(s.t.Context(), s.anne, wanted(shared))
	s.must(err)
	return q
}

func (s *study) journal() (out []string) {
	s.t.Helper()
	s.must(s.db.Read(s.t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
		return tx.Query(s.t.Context(), `SELECT action, object_name, after_json FROM journal_entries ORDER BY id`, nil, func(row func(...any) error) error {
			var a, n, after string
			err := row(&a, &n, &after)
			out = append(out, a+" "+n+" "+after)
			return err
		})
	}))
	return out
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", kept.Locales, traces.Locales, spool.Locales)
}

func TestAQuestionIsKeptSharedAskedAndDropped(t *testing.T) {
	each(t, func(t *testing.T, s *study) {
		q := s.keep(false)
		if q.Name != "Dossier de Mme MARCHAND" || q.Role != access.DataProtection {
			t.Errorf("kept %+v", q)
		}
		for _, other := range []access.Scope{s.bruno, s.stranger} {
			if list, err := s.List(t.Context(), other); err != nil || len(list) > 0 {
				t.Errorf("a private question is seen by %s: %v %v", other.Actor().Name, list, err)
			}
			if _, _, err := s.Ask(t.Context(), other, q.ID, time.UTC, ""); !fault.Is(err, fault.NotFound) {
				t.Errorf("asked by %s: %v", other.Actor().Name, err)
			}
			if err := s.Drop(t.Context(), other, q.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("dropped by %s: %v", other.Actor().Name, err)
			}
		}
		w := wanted(true)
		w.Name = "Le dossier"
		s.must(s.Change(t.Context(), s.anne, q.ID, w))
		got, reply, err := s.Ask(t.Context(), s.bruno, q.ID, time.UTC, "")
		s.must(err)
		if got.Name != "Le dossier" || reply.Events.Total != 3 || reply.When.To.Sub(reply.When.From) != 7*24*time.Hour {
			t.Errorf("asked %+v %+v", got, reply.When)
		}
		if _, err := s.Find(t.Context(), s.stranger, q.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("another establishment: %v", err)
		}
		s.must(s.Drop(t.Context(), s.bruno, q.ID))
		if list, err := s.List(t.Context(), s.anne); err != nil || len(list) > 0 {
			t.Errorf("dropped and seen: %v %v", list, err)
		}
		all := strings.Join(s.journal(), "\n")
		for _, action := range []string{"traces.kept.add", "traces.kept.change", "traces.ask", "traces.kept.drop"} {
			if !strings.Contains(all, action) {
				t.Errorf("the journal lacks %s:\n%s", action, all)
			}
		}
		if strings.Contains(all, "8001") || strings.Contains(all, "MARCHAND") {
			t.Errorf("the journal names the patient:\n%s", all)
		}
	})
}

func TestWhatDoesNotFitIsRefusedAtItsField(t *testing.T) {
	lite(t, func(t *testing.T, s *study) {
		for field, change := range map[string]func(*kept.Wanted){
			"nom":     func(w *kept.Wanted) { w.Name = " " },
			"duree":   func(w *kept.Wanted) { w.Span = "siecle" },
			"motif":   func(w *kept.Wanted) { w.Why = "" },
			"patient": func(w *kept.Wanted) { w.Inquiry.Filling = nil },
			"q":       func(w *kept.Wanted) { w.Inquiry = traces.Inquiry{Search: &traces.Hunt{}} },
			"where": func(w *kept.Wanted) {
				w.Inquiry = traces.Inquiry{Search: &traces.Hunt{Where: []traces.Condition{{Field: "drop table", Op: traces.Is, Values: []string{"x"}}}}}
			},
		} {
			w := wanted(false)
			change(&w)
			if _, err := s.Keep(t.Context(), s.anne, w); fault.As(err) == nil || fault.As(err).Kind != fault.Invalid || fault.As(err).Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		for _, role := range access.Roles() {
			if role == access.DataProtection {
				continue
			}
			scope := person(s.anne.Organisation(), "Zoé", role)
			if _, err := s.Keep(t.Context(), scope, wanted(true)); !fault.Is(err, fault.Denied) {
				t.Errorf("%s keeps a question: %v", role, err)
			}
			if _, _, err := s.Show(t.Context(), scope, uuid.New(), time.UTC, ""); !fault.Is(err, fault.Denied) {
				t.Errorf("%s looks at a dashboard: %v", role, err)
			}
		}
		weak := access.For(s.anne.Organisation(), s.anne.Actor(), false, access.DataProtection)
		if _, _, err := s.Open(t.Context(), weak, uuid.New(), "pdf"); !fault.Is(err, fault.Denied) {
			t.Errorf("opened without second factor: %v", err)
		}
	})
}

func (s *study) send(q kept.Saved, change func(*kept.Schedule)) {
	s.t.Helper()
	c := kept.Schedule{Rhythm: kept.Daily, Hour: 7, Zone: "Europe/Paris", KeepDays: 10, Recipients: []uuid.UUID{s.anne.Actor().ID, s.bruno.Actor().ID}}
	if change != nil {
		change(&c)
	}
	s.must(s.Send(s.t.Context(), s.anne, q.ID, c))
}

func (s *study) tick(to time.Time) error {
	s.t.Helper()
	s.clock.Advance(to.Sub(s.clock.Now()))
	_, err := s.Tick(s.t.Context(), to)
	return err
}

func (s *study) runs(q kept.Saved) []kept.Run {
	s.t.Helper()
	list, err := s.Runs(s.t.Context(), s.anne, q.ID)
	s.must(err)
	return list
}

func TestAnAnswerThatIsDueIsMadeOnceAndToldWithoutThePatient(t *testing.T) {
	each(t, func(t *testing.T, s *study) {
		q := s.keep(false)
		s.send(q, nil)
		due := time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC) // 7 h in Paris
		s.must(s.tick(due.Add(-time.Second)))
		if len(s.told) > 0 || len(s.runs(q)) > 0 {
			t.Fatalf("told before its hour: %v", s.told)
		}
		// The power is cut as it is kept: nothing of it stands, and it is made again.
		s.dieAt = "tell"
		if err := s.tick(due); err == nil {
			t.Fatal("the cut was not felt")
		}
		if r := s.runs(q); len(r) != 1 || r[0].State != kept.Due || len(r[0].Documents) > 0 {
			t.Fatalf("after the cut %+v", r)
		}
		s.dieAt = ""
		for n := range 20 {
			s.must(s.tick(due.Add(time.Duration(n+1) * time.Minute)))
		}
		r := s.runs(q)
		if len(r) != 1 || r[0].State != kept.Done || len(r[0].Documents) != 2 || r[0].Events != 3 || len(s.told) != 2 {
			t.Fatalf("runs %+v told %q", r, s.told)
		}
		for _, text := range s.told {
			if strings.Contains(text, "8001") || strings.Contains(text, "MARCHAND") || !strings.Contains(text, "/traces/gardees/"+q.ID.String()) {
				t.Errorf("message %q", text)
			}
		}
		// The recipient opens it, though the question is not hers; a stranger does not.
		d, plain, err := s.Open(t.Context(), s.bruno, r[0].ID, "pdf")
		s.must(err)
		if !strings.HasPrefix(string(plain), "%PDF ") || !strings.Contains(strings.Join(s.journal(), "\n"), d.SHA256) {
			t.Errorf("document %q %+v", plain, d)
		}
		if _, _, err := s.Open(t.Context(), s.stranger, r[0].ID, "pdf"); !fault.Is(err, fault.NotFound) {
			t.Errorf("a stranger opens it: %v", err)
		}
		if err := s.Change(t.Context(), s.bruno, q.ID, wanted(true)); !fault.Is(err, fault.Denied) {
			t.Errorf("a recipient changes it: %v", err)
		}
		if n := strings.Count(strings.Join(s.journal(), "\n"), "traces.document.open"); n != 1 {
			t.Errorf("%d openings in the journal", n)
		}
		// Sealed at rest, and gone after its days.
		s.must(s.db.Read(t.Context(), access.Instance("test"), func(tx *storage.Tx) error {
			return tx.Query(t.Context(), `SELECT sealed FROM traces_documents`, nil, func(row func(...any) error) error {
				var b []byte
				err := row(&b)
				if strings.HasPrefix(string(b), "%PDF") {
					t.Error("a document is kept in clear")
				}
				return err
			})
		}))
		s.clock.Advance(11 * 24 * time.Hour)
		if _, _, err := s.Open(t.Context(), s.bruno, r[0].ID, "pdf"); !fault.Is(err, fault.NotFound) {
			t.Errorf("opened after its days: %v", err)
		}
		_, err = s.Sweep(t.Context(), s.clock.Now())
		s.must(err)
		if r := s.runs(q); len(r) != 1 || len(r[0].Documents) > 0 || r[0].State != kept.Done {
			t.Errorf("after the sweep %+v", r)
		}
	})
}

func TestMissedTimesAreToldAndEmptyOnesAreNot(t *testing.T) {
	lite(t, func(t *testing.T, s *study) {
		q := s.keep(true)
		s.send(q, func(c *kept.Schedule) { c.OnlyFound = true })
		s.must(s.tick(time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC)))
		r := s.runs(q)
		if len(r) != 1 || r[0].Missed != 3 || !r[0].At.Equal(time.Date(2026, 11, 27, 6, 0, 0, 0, time.UTC)) || !strings.Contains(s.told[0], "3 échéances précédentes ont été manquées") {
			t.Fatalf("runs %+v told %q", r, s.told)
		}
		// The period is that of the hour at which it was due, not of the hour at which it was made.
		if got := storage.Time(s.base.asked[0].To); !got.Equal(time.Date(2026, 11, 27, 6, 1, 0, 0, time.UTC)) {
			t.Errorf("asked up to %v", got)
		}
		s.base.none, s.told = true, nil
		s.must(s.tick(time.Date(2026, 11, 28, 6, 0, 1, 0, time.UTC)))
		if r := s.runs(q); len(s.told) > 0 || r[0].State != kept.Empty || len(r[0].Documents) > 0 {
			t.Errorf("nothing was found: %+v told %q", r[0], s.told)
		}
		// A base that does not answer is asked five times, and then it is told.
		s.base.err = errors.New("down")
		at := time.Date(2026, 11, 29, 6, 0, 1, 0, time.UTC)
		for range 40 {
			if err := s.tick(at); err != nil && !errors.Is(err, s.base.err) {
				t.Fatal(err)
			}
			at = at.Add(time.Minute)
		}
		if r := s.runs(q); r[0].State != kept.Failed || r[0].Tries != 5 || len(s.told) != 2 || !strings.Contains(s.told[0], "n’a pas pu être") {
			t.Errorf("failed: %+v told %q", r[0], s.told)
		}
	})
}

func TestWhoIsNoLongerEntitledIsToldNothing(t *testing.T) {
	lite(t, func(t *testing.T, s *study) {
		q := s.keep(true)
		s.send(q, nil)
		s.people = s.people[1:] // Anne has left; the question is shared with the role
		s.must(s.tick(time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC)))
		if len(s.told) != 1 || !strings.HasPrefix(s.told[0], s.bruno.Actor().ID.String()) {
			t.Errorf("told %q", s.told)
		}
		s.people = nil
		s.must(s.tick(time.Date(2026, 11, 25, 6, 0, 0, 0, time.UTC)))
		if r := s.runs(q); r[0].State != kept.Nobody || len(s.told) != 1 {
			t.Errorf("nobody is entitled: %+v told %q", r[0], s.told)
		}
		err := s.Send(t.Context(), s.anne, q.ID, kept.Schedule{Rhythm: kept.Daily, Zone: "Europe/Paris", KeepDays: 3, Recipients: []uuid.UUID{s.bruno.Actor().ID}})
		if fault.As(err) == nil || fault.As(err).Field != "destinataires" {
			t.Errorf("a recipient who is not entitled: %v", err)
		}
	})
}

func TestDashboards(t *testing.T) {
	each(t, func(t *testing.T, s *study) {
		q, p := s.keep(true), s.keep(false)
		b, err := s.AddBoard(t.Context(), s.anne, kept.WantedBoard{Name: "Semaine", Why: "revue", Shared: true})
		s.must(err)
		s.must(s.AddTile(t.Context(), s.anne, b.ID, q.ID, kept.Number))
		s.must(s.AddTile(t.Context(), s.anne, b.ID, p.ID, kept.Curve))
		s.must(s.AddTile(t.Context(), s.anne, b.ID, q.ID, kept.Table))
		b, err = s.Board(t.Context(), s.anne, b.ID)
		s.must(err)
		s.must(s.MoveTile(t.Context(), s.anne, b.ID, b.Tiles[2].ID, kept.Up))
		s.must(s.MoveTile(t.Context(), s.anne, b.ID, b.Tiles[0].ID, kept.Up))
		looks := len(s.journal())
		_, shown, err := s.Show(t.Context(), s.bruno, b.ID, time.UTC, "")
		s.must(err)
		// The private question fails alone, for whoever it is not shared with.
		if len(shown) != 3 || shown[0].Form != kept.Number || shown[1].Form != kept.Table || shown[2].Form != kept.Curve || shown[0].Err != nil || shown[1].Err != nil || !fault.Is(shown[2].Err, fault.NotFound) {
			t.Errorf("shown %+v", shown)
		}
		if n := len(s.journal()) - looks; n != 2 {
			t.Errorf("%d looks for two questions", n)
		}
		for range kept.TilesMost - 3 {
			s.must(s.AddTile(t.Context(), s.anne, b.ID, q.ID, kept.Number))
		}
		if err := s.AddTile(t.Context(), s.anne, b.ID, q.ID, kept.Number); !fault.Is(err, fault.TooMany) {
			t.Errorf("one tile more: %v", err)
		}
		if err := s.AddTile(t.Context(), s.bruno, b.ID, p.ID, kept.Number); !fault.Is(err, fault.Invalid) {
			t.Errorf("a tile of a question one may not see: %v", err)
		}
		for _, err := range []error{s.DropBoard(t.Context(), s.stranger, b.ID), s.MoveTile(t.Context(), s.stranger, b.ID, b.Tiles[0].ID, kept.Remove)} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("a stranger: %v", err)
			}
		}
		s.must(s.MoveTile(t.Context(), s.anne, b.ID, b.Tiles[0].ID, kept.Remove))
		s.must(s.DropBoard(t.Context(), s.anne, b.ID))
		if list, err := s.Boards(t.Context(), s.anne); err != nil || len(list) > 0 {
			t.Errorf("dropped %v %v", list, err)
		}
	})
}

func TestHours(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", text, paris)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		s          kept.Schedule
		from, want string
	}{
		{kept.Schedule{Rhythm: kept.Daily, Hour: 7}, "2026-11-23 06:59", "2026-11-23 07:00"},
		{kept.Schedule{Rhythm: kept.Daily, Hour: 7}, "2026-11-23 07:00", "2026-11-24 07:00"},
		{kept.Schedule{Rhythm: kept.Weekly, Day: 1, Hour: 7}, "2026-11-23 08:00", "2026-11-30 07:00"},
		{kept.Schedule{Rhythm: kept.Weekly, Day: 7, Hour: 23}, "2026-11-23 08:00", "2026-11-29 23:00"},
		{kept.Schedule{Rhythm: kept.Monthly, Day: 28, Hour: 0}, "2027-01-28 00:00", "2027-02-28 00:00"},
		// 2 h does not exist on the night of summer time, and comes twice on that of winter.
		{kept.Schedule{Rhythm: kept.Daily, Hour: 2}, "2027-03-27 12:00", "2027-03-28 03:00"},
		{kept.Schedule{Rhythm: kept.Daily, Hour: 7}, "2026-10-24 08:00", "2026-10-25 07:00"},
	} {
		c.s.Zone = "Europe/Paris"
		if got := c.s.After(at(c.from)); !got.Equal(at(c.want)) {
			t.Errorf("%+v after %s: %v, want %s", c.s, c.from, got, c.want)
		}
	}
	now := at("2026-11-25 10:00")
	for span, want := range map[kept.Span][2]string{
		kept.Yesterday: {"2026-11-24 00:00", "2026-11-25 00:00"}, kept.WeekPast: {"2026-11-16 00:00", "2026-11-23 00:00"},
		kept.MonthPast: {"2026-10-01 00:00", "2026-11-01 00:00"}, kept.ThisMonth: {"2026-11-01 00:00", "2026-11-25 10:01"},
		kept.LastDay: {"2026-11-24 10:01", "2026-11-25 10:01"}, kept.HalfYear: {"2026-05-25 10:01", "2026-11-25 10:01"},
	} {
		if p := span.Period(now, paris); !p.From.Equal(at(want[0])) || !p.To.Equal(at(want[1])) {
			t.Errorf("%s: %v to %v", span, p.From, p.To)
		}
	}
}
