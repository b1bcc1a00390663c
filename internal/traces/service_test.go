package traces_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
)

// line is a format of one word a line; "?" cannot be understood.
type line struct{}

func (line) Describe() traces.Description { return traces.Description{Name: "line"} }

func (line) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	e := traces.Event{Collector: "line", At: received - int64(time.Hour/time.Microsecond), Received: received, Severity: -1, Account: string(message), Raw: message}
	if string(message) == "?" {
		e.AtGuessed = true
		return append(dst, e), fault.New(fault.Invalid, "traces.intake.unread")
	}
	return append(dst, e), nil
}

// base answers every question with what it was told to, and remembers them.
type base struct {
	asked  []traces.Question
	of     []uuid.UUID
	answer func(q traces.Question) traces.Answer
	purged []string
	purge  func(p traces.Purging) (traces.Purged, error)
}

func (b *base) Ask(_ context.Context, organisation uuid.UUID, q traces.Question) (traces.Answer, error) {
	b.asked, b.of = append(b.asked, q), append(b.of, organisation)
	if b.answer == nil {
		return traces.Answer{}, nil
	}
	return b.answer(q), nil
}

func (b *base) Get(_ context.Context, _ uuid.UUID, ref string) (traces.Stored, error) {
	if ref != "known" {
		return traces.Stored{}, fault.New(fault.NotFound, "traces.error.base")
	}
	return traces.Stored{Event: traces.Event{IPP: "8001"}, Ref: ref}, nil
}

func (b *base) Purge(_ context.Context, organisation uuid.UUID, p traces.Purging) (traces.Purged, error) {
	if b.purge != nil {
		return b.purge(p)
	}
	if !p.Try {
		b.purged = append(b.purged, organisation.String()+" "+p.Class.String()+" "+storage.Time(p.Before).Format(time.DateOnly))
	}
	return traces.Purged{Events: 7, First: 1, Last: 2}, nil
}

// watchman writes down whom he would wake.
type watchman struct{ said []string }

func (w *watchman) Silent(_ context.Context, _ *storage.Tx, _ access.Scope, _ time.Time, _ uuid.UUID, say func(*i18n.Localizer) (string, string)) error {
	catalog, err := i18n.Load(traces.Locales, i18n.Locales)
	if err != nil {
		return err
	}
	subject, _ := say(catalog.For(i18n.French))
	w.said = append(w.said, strings.ReplaceAll(subject, "\u00a0", " "))
	return nil
}

type house struct {
	*traces.Service
	t          *testing.T
	db         *storage.DB
	clock      *clock.Fake
	queue      *spool.Spool
	dir        string
	base       *base
	watchman   *watchman
	circle     circle
	admin, dpo access.Scope
	elsewhere  access.Scope
}

// each runs a suite on both engines.
func each(t *testing.T, suite func(t *testing.T, h *house)) {
	t.Parallel()
	storagetest.Each(t, rooms(), func(t *testing.T, db *storage.DB) { suite(t, newHouse(t, db)) })
}

func newHouse(t *testing.T, db *storage.DB) *house {
	t.Helper()
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, db: db, clock: clock.NewFake(time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)), base: &base{}, watchman: &watchman{}, dir: filepath.Join(t.TempDir(), "spool")}
	if h.queue, err = spool.Open(h.dir, spool.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.must(h.queue.Close()) })
	h.Service = traces.New(traces.Options{DB: db, Guard: guard, Clock: h.clock, Log: slog.New(slog.DiscardHandler), Formats: func(*time.Location) []traces.Format { return []traces.Format{line{}} }, Circle: &h.circle, Watchman: h.watchman})
	h.Connect(h.queue, h.base)
	houses := organisation.New(db, guard, h.clock)
	for i, to := range []*access.Scope{&h.admin, &h.elsewhere} {
		e, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: []string{"CHU", "EHPAD"}[i]})
		h.must(err)
		*to = as(e.ID, access.Administrator)
	}
	h.dpo = as(h.admin.Organisation(), access.DataProtection)
	return h
}

func as(organisation uuid.UUID, role access.Role) access.Scope {
	return access.For(organisation, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Mme " + string(role), From: "10.0.0.9"}, true, role)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) add(scope access.Scope, w traces.Wanted) (traces.Source, string) {
	h.t.Helper()
	s, token, err := h.Add(h.t.Context(), scope, w)
	h.must(err)
	return s, token
}

func wanted(name string) traces.Wanted {
	return traces.Wanted{Name: name, Format: "line", Zone: "Europe/Paris"}
}

// say brings messages as a source would.
func (h *house) say(token string, messages ...string) {
	h.t.Helper()
	from, err := h.ByToken(h.t.Context(), token)
	h.must(err)
	var events []traces.Event
	var reasons []error
	for _, m := range messages {
		var reason error
		events, reason = h.Parse(events, from, []byte(m), h.clock.Now().UnixMicro())
		reasons = append(reasons, reason)
	}
	h.must(h.Take(h.t.Context(), from, events, reasons))
}

// queued reads what waits for the base.
func (h *house) queued() (out []traces.Event) {
	h.t.Helper()
	r := spool.NewReader(h.dir, spool.Position{})
	for {
		b, err := r.Next(h.queue.Durable())
		if err != nil {
			h.must(r.Close())
			return out
		}
		var e traces.Event
		h.must(traces.ReadRecord(append([]byte(nil), b...), &e))
		out = append(out, e)
	}
}

func TestASourceSpeaks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s, token := h.add(h.admin, wanted("DPI"))
		h.say(token, "anne", "?", "paul")
		got := h.queued()
		if len(got) != 3 || got[0].Account != "anne" || string(got[1].Raw) != "?" || got[2].Source != s.ID || got[2].Organisation != h.admin.Organisation() {
			t.Fatalf("queued %+v", got)
		}
		h.must(h.WriteDown(t.Context(), h.clock.Now()))
		h.say(token, "jeanne")
		h.must(h.WriteDown(t.Context(), h.clock.Now()))
		sheet, err := h.Sheet(t.Context(), h.admin, s.ID)
		h.must(err)
		if sheet.Events != 4 || sheet.Failures != 1 || sheet.Skew != -time.Hour || !sheet.Last.Equal(h.clock.Now()) || !sheet.LastAt.Equal(h.clock.Now().Add(-time.Hour)) {
			t.Errorf("state %+v", sheet.State)
		}
		if len(sheet.Hours) != 1 || sheet.Hours[0].Events != 4 || sheet.Hours[0].Failures != 1 {
			t.Errorf("hours %+v", sheet.Hours)
		}
		if len(sheet.Samples) != 1 || sheet.Samples[0].Text != "?" || sheet.Samples[0].Reason != "traces.intake.unread" {
			t.Errorf("samples %+v", sheet.Samples)
		}
		// What could not be read may name patients: only those who mend sources see it.
		if sheet, err = h.Sheet(t.Context(), h.dpo, s.ID); err != nil || len(sheet.Samples) > 0 {
			t.Errorf("another role sees samples: %+v, %v", sheet.Samples, err)
		}
	})
}

func TestTokens(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s, token := h.add(h.admin, wanted("DPI"))
		refused := func(token string) {
			t.Helper()
			if _, err := h.ByToken(t.Context(), token); !fault.Is(err, fault.Unauthenticated) {
				t.Errorf("%q: %v", token, err)
			}
		}
		refused("")
		refused("src_x")
		refused(strings.Repeat("x", 1000))
		_, renewed, err := h.Renew(t.Context(), h.admin, s.ID)
		h.must(err)
		refused(token)
		h.say(renewed, "anne")
		_, err = h.Retire(t.Context(), h.admin, s.ID)
		h.must(err)
		refused(renewed)
		// Its name is free again, what it said stays.
		h.add(h.admin, wanted("DPI"))
		list, err := h.Sources(t.Context(), h.admin)
		h.must(err)
		if len(list) != 2 || list[0].Retired.IsZero() == list[1].Retired.IsZero() || !list[0].Retired.IsZero() {
			t.Errorf("sources %+v", list)
		}
	})
}

func TestWhatIsWantedIsChecked(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.add(h.admin, wanted("DPI"))
		for field, w := range map[string]traces.Wanted{
			"name":      {Name: " ", Format: "line", Zone: "UTC"},
			"format":    {Name: "x", Format: "telex", Zone: "UTC"},
			"zone":      {Name: "x", Format: "line", Zone: "Paris"},
			"quiet":     {Name: "x", Format: "line", Zone: "UTC", Quiet: -1},
			"addresses": {Name: "x", Format: "line", Zone: "UTC", Addresses: "10.0.0.0/8 nord"},
		} {
			if _, _, err := h.Add(t.Context(), h.admin, w); !fault.Is(err, fault.Invalid) || fault.As(err).Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		if _, _, err := h.Add(t.Context(), h.admin, wanted("dpi")); !fault.Is(err, fault.Conflict) {
			t.Errorf("two of one name: %v", err)
		}
		h.add(h.elsewhere, wanted("DPI"))
	})
}

func TestAddressesAreTheNarrowest(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		wide, near := wanted("Réseau"), wanted("Serveur")
		wide.Addresses, near.Addresses = "10.0.0.0/8", "10.1.2.3, 2001:db8::7"
		h.add(h.admin, wide)
		h.add(h.admin, near)
		for from, name := range map[string]string{"10.1.2.3": "Serveur", "::ffff:10.1.2.3": "Serveur", "10.9.9.9": "Réseau", "2001:db8::7": "Serveur"} {
			s, err := h.ByAddress(t.Context(), netip.MustParseAddr(from), "line")
			if err != nil || s.Name != name {
				t.Errorf("%s is %q, wanted %q: %v", from, s.Name, name, err)
			}
		}
		if _, err := h.ByAddress(t.Context(), netip.MustParseAddr("192.0.2.1"), "line"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a stranger: %v", err)
		}
		if _, err := h.ByAddress(t.Context(), netip.MustParseAddr("10.1.2.3"), "other"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("another format: %v", err)
		}
		// Two establishments that claim one address: neither is believed.
		h.add(h.elsewhere, near)
		if _, err := h.ByAddress(t.Context(), netip.MustParseAddr("10.1.2.3"), "line"); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("claimed twice: %v", err)
		}
	})
}

func TestSilenceIsToldOnceAndItsEnd(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		w := wanted("Radiologie")
		w.Quiet = 180
		_, token := h.add(h.admin, w)
		h.add(h.admin, wanted("Muette"))
		watch := func(want ...string) {
			t.Helper()
			_, err := h.Watch(t.Context(), h.clock.Now())
			h.must(err)
			if got := strings.Join(h.watchman.said, "|"); got != strings.Join(want, "|") {
				t.Fatalf("told %q, wanted %q", got, want)
			}
		}
		h.say(token, "anne")
		h.must(h.WriteDown(t.Context(), h.clock.Now()))
		h.clock.Advance(179 * time.Minute)
		watch()
		h.clock.Advance(time.Minute)
		watch("« Radiologie » ne trace plus")
		h.clock.Advance(time.Hour)
		watch("« Radiologie » ne trace plus")
		h.say(token, "anne")
		h.must(h.WriteDown(t.Context(), h.clock.Now()))
		watch("« Radiologie » ne trace plus", "« Radiologie » trace de nouveau")
	})
}

func TestALookIsATraceOrThereIsNoAnswer(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		when := traces.Period{From: h.clock.Now().Add(-24 * time.Hour), To: h.clock.Now(), Zone: "Europe/Paris"}
		ask := func() error {
			_, err := h.Pose(t.Context(), h.dpo, traces.Look{Phrase: "record", Why: "plainte"}, traces.Filling{"patient": "8001"}, when)
			return err
		}
		h.must(ask())
		got := h.queued()
		if len(got) != 1 || got[0].Application != traces.OwnApplication || got[0].Class != traces.PatientAccess || got[0].IPP != "8001" || got[0].Purpose != "plainte" ||
			got[0].Person != "Mme dpo" || got[0].Address != "10.0.0.9" || got[0].Organisation != h.dpo.Organisation() || !strings.Contains(string(got[0].Raw), "8001") {
			t.Fatalf("the look left %+v", got)
		}
		for _, organisation := range h.base.of {
			if organisation != h.dpo.Organisation() {
				t.Errorf("asked of %s", organisation)
			}
		}
		noted := 0
		h.must(h.db.Read(t.Context(), h.dpo, func(tx *storage.Tx) error {
			var after string
			if _, err := tx.Row(t.Context(), `SELECT after_json FROM journal_entries WHERE organisation_id = $1 AND action = 'traces.ask'`, []any{h.dpo.Organisation()}, &after); err != nil {
				return err
			}
			if strings.Contains(after, "8001") || !strings.Contains(after, "patient") {
				t.Errorf("the journal says %s", after)
			}
			_, err := tx.Row(t.Context(), `SELECT COUNT(*) FROM journal_entries WHERE action = 'traces.ask'`, nil, &noted)
			return err
		}))
		if noted != 1 {
			t.Errorf("%d entries for one look", noted)
		}
		_, err := h.Find(t.Context(), h.dpo, "known")
		h.must(err)
		if got = h.queued(); len(got) != 2 || got[1].IPP != "8001" || got[1].Document != "known" {
			t.Errorf("opening an event left %+v", got[1:])
		}
		asked := len(h.base.asked)
		h.must(h.queue.Close())
		if err := ask(); !errors.Is(err, spool.ErrClosed) || len(h.base.asked) != asked {
			t.Errorf("asked although the look could not be traced: %v", err)
		}
	})
}

func TestOnlyWhoMayAsks(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		s, _ := h.add(h.admin, wanted("DPI"))
		when := traces.Period{From: h.clock.Now().Add(-time.Hour), To: h.clock.Now(), Zone: "UTC"}
		for _, role := range access.Roles() {
			scope := as(h.admin.Organisation(), role)
			_, err := h.Pose(t.Context(), scope, traces.Look{Phrase: "looks", Why: ""}, nil, when)
			if may := role == access.DataProtection; may != (err == nil) || (!may && !fault.Is(err, fault.Denied)) {
				t.Errorf("%s asks: %v", role, err)
			}
			_, err = h.Change(t.Context(), scope, s.ID, wanted("DPI"))
			if may := role == access.Administrator; may != (err == nil) || (!may && !fault.Is(err, fault.Denied)) {
				t.Errorf("%s changes a source: %v", role, err)
			}
		}
		for _, err := range []error{
			second(h.Source(t.Context(), h.elsewhere, s.ID)), second(h.Sheet(t.Context(), h.elsewhere, s.ID)),
			second(h.Change(t.Context(), h.elsewhere, s.ID, wanted("x"))), second(h.Retire(t.Context(), h.elsewhere, s.ID)),
		} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("another establishment: %v", err)
			}
		}
		if list, err := h.Sources(t.Context(), h.elsewhere); err != nil || len(list) > 0 {
			t.Errorf("another establishment sees %v, %v", list, err)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestDurationsHaveAFloorAndAreKept(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for class, months := range map[traces.Class]int{traces.PatientAccess: 5, traces.System: -1, traces.Authentication: 121} {
			if err := h.Decide(t.Context(), h.admin, class, months); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s for %d months: %v", class, months, err)
			}
		}
		h.must(h.Decide(t.Context(), h.admin, traces.PatientAccess, 6))
		h.must(h.Decide(t.Context(), h.elsewhere, traces.System, 1))
		_, err := h.Purge(t.Context(), h.clock.Now())
		h.must(err)
		want := map[string]bool{
			h.admin.Organisation().String() + " patient 2026-05-23": true, h.elsewhere.Organisation().String() + " system 2026-10-23": true,
		}
		if len(h.base.purged) != len(want) {
			t.Fatalf("purged %q", h.base.purged)
		}
		for _, p := range h.base.purged {
			if !want[p] {
				t.Errorf("purged %q", p)
			}
		}
		records, err := h.Purges(t.Context(), h.admin)
		h.must(err)
		if len(records) != 1 || records[0].Class != traces.PatientAccess || records[0].Events != 7 {
			t.Errorf("records %+v", records)
		}
		list, err := h.Durations(t.Context(), h.dpo)
		h.must(err)
		if len(list) != len(traces.Classes()) || list[0].Class != traces.PatientAccess || list[0].Months != 6 || list[0].By != "Mme administrateur" {
			t.Errorf("durations %+v", list)
		}
	})
}

func TestPhrases(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		when := traces.Period{From: h.clock.Now().Add(-30 * 24 * time.Hour), To: h.clock.Now(), Zone: "Europe/Paris"}
		if len(traces.Phrases()) < 12 {
			t.Errorf("%d phrases", len(traces.Phrases()))
		}
		for _, p := range traces.Phrases() {
			full := traces.Filling{}
			for _, b := range p.Blanks {
				if b.Kind != traces.BlankChoice {
					full[b.Name] = "8001"
				}
			}
			if _, err := h.Pose(t.Context(), h.dpo, traces.Look{Phrase: p.Key}, full, when); err != nil {
				t.Errorf("%s: %v", p.Key, err)
			}
			for _, b := range p.Blanks {
				if b.Required {
					if _, err := h.Pose(t.Context(), h.dpo, traces.Look{Phrase: p.Key}, nil, when); !fault.Is(err, fault.Invalid) || fault.As(err).Field != b.Name {
						t.Errorf("%s without %s: %v", p.Key, b.Name, err)
					}
				}
				if b.Kind == traces.BlankChoice {
					bad := traces.Filling{"patient": "1", "name": "1", b.Name: "everything"}
					if _, err := h.Pose(t.Context(), h.dpo, traces.Look{Phrase: p.Key}, bad, when); !fault.Is(err, fault.Invalid) {
						t.Errorf("%s: %s out of its choices: %v", p.Key, b.Name, err)
					}
				}
			}
		}
	})
}

func TestComparedWithPeersAndWithoutSmallLines(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.base.answer = func(q traces.Question) (a traces.Answer) {
			if len(q.Group) == 3 { // volume: account, person, function
				for _, g := range []struct {
					function string
					count    int64
				}{{"IDE", 100}, {"IDE", 30}, {"IDE", 20}, {"IDE", 20}, {"IDE", 10}, {"Médecin", 90}} {
					a.Groups = append(a.Groups, traces.Group{Keys: []string{"x", "", g.function}, Count: g.count})
				}
			}
			if len(q.Group) == 2 { // shared: account, hour
				a.Groups = []traces.Group{{Keys: []string{"poste", "h"}, Count: 3}, {Keys: []string{"anne", "h"}, Count: 1}}
				a.More, a.Total = true, 9000
			}
			return a
		}
		when := traces.Period{From: h.clock.Now().Add(-30 * 24 * time.Hour), To: h.clock.Now(), Zone: "Europe/Paris"}
		r, err := h.Pose(t.Context(), h.dpo, traces.Look{Phrase: "volume", Why: ""}, nil, when)
		h.must(err)
		if len(r.Peers) != 6 || !r.Peers[0].Far || r.Peers[0].Median != 20 || r.Peers[1].Far || r.Peers[5].Far || r.Peers[5].Of != 1 {
			t.Errorf("peers %+v", r.Peers)
		}
		r, err = h.Pose(t.Context(), h.dpo, traces.Look{Phrase: "shared", Why: ""}, nil, when)
		h.must(err)
		if len(r.Table.Groups) != 1 || r.Table.Groups[0].Keys[0] != "poste" || r.Table.More || r.Table.Total != 1 {
			t.Errorf("shared %+v", r.Table)
		}
	})
}

func TestWithoutABaseNothingIsTaken(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		_, token := h.add(h.admin, wanted("DPI"))
		h.Connect(nil, nil)
		from, err := h.ByToken(t.Context(), token)
		h.must(err)
		if err := h.Take(t.Context(), from, []traces.Event{{}}, nil); !fault.Is(err, fault.Unavailable) {
			t.Errorf("taken: %v", err)
		}
		if _, err := h.Find(t.Context(), h.dpo, "known"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("found: %v", err)
		}
	})
}
