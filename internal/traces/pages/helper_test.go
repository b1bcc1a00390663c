package pages_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/document/table"
	"tocsin/internal/fault"
	"tocsin/internal/inventory"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/audits"
	"tocsin/internal/traces/care"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/files"
	"tocsin/internal/traces/hl7"
	"tocsin/internal/traces/kept"
	"tocsin/internal/traces/pages"
	"tocsin/internal/traces/pull"
	"tocsin/internal/ui"
	"tocsin/internal/ui/uitest"
	"tocsin/internal/vault"
)

// memory is a base of traces small enough to be seen through.
type memory struct {
	mu     sync.Mutex
	events []traces.Stored
	// asked are the questions it answered; before runs first.
	asked  []traces.Question
	before func(ctx context.Context) error
}

func (m *memory) put(organisation uuid.UUID, list ...traces.Event) {
	for _, e := range list {
		e.Organisation = organisation
		if e.Received == 0 {
			e.Received = e.At
		}
		e.Class = traces.Classify(&e, false)
		m.events = append(m.events, traces.Stored{Event: e, Ref: fmt.Sprintf("r%d", len(m.events)+1)})
	}
}

// values are what a field of an event says.
func values(e traces.Event, f traces.Field, zone *time.Location) []string {
	at := storage.Time(e.At).In(zone)
	switch f {
	case traces.FieldSource:
		return []string{e.Source.String()}
	case traces.FieldAccount:
		return []string{e.Account}
	case traces.FieldPerson:
		return []string{e.Person}
	case traces.FieldFunction:
		return []string{e.Function}
	case traces.FieldAction:
		return []string{e.Action.String()}
	case traces.FieldPatient:
		return slices.DeleteFunc([]string{e.IPP, e.INS}, func(s string) bool { return s == "" })
	case traces.FieldObject:
		return []string{e.Object}
	case traces.FieldApplication:
		return []string{e.Application}
	case traces.FieldWorkstation:
		return []string{e.Workstation}
	case traces.FieldAddress:
		return []string{e.Address}
	case traces.FieldDevice:
		return []string{e.Device}
	case traces.FieldService:
		return []string{e.Service}
	case traces.FieldPurpose:
		return []string{e.Purpose}
	case traces.FieldRelation:
		return []string{e.Relation}
	case traces.FieldOutcome:
		return []string{e.Outcome.String()}
	case traces.FieldCollector:
		return []string{e.Collector}
	case traces.FieldClass:
		return []string{e.Class.String()}
	case traces.FieldDay:
		return []string{at.Format(time.DateOnly)}
	case traces.FieldHour:
		return []string{at.Format("2006-01-02T15")}
	case traces.FieldHourOfDay:
		return []string{at.Format("15")}
	case traces.FieldWeekday:
		return []string{fmt.Sprint((int(at.Weekday())+6)%7 + 1)}
	}
	panic("the small base does not know " + f)
}

func one(e traces.Event, f traces.Field, zone *time.Location) string {
	if list := values(e, f, zone); len(list) > 0 {
		return list[0]
	}
	return ""
}

func holds(c traces.Condition, e traces.Event, zone *time.Location) bool {
	list := values(e, c.Field, zone)
	any := func(match func(a, b string) bool) bool {
		return slices.ContainsFunc(list, func(v string) bool {
			return slices.ContainsFunc(c.Values, func(w string) bool { return match(strings.ToLower(v), strings.ToLower(w)) })
		})
	}
	said := slices.ContainsFunc(list, func(s string) bool { return s != "" })
	equal := func(a, b string) bool { return a == b }
	switch c.Op {
	case traces.Is:
		return any(equal)
	case traces.IsNot:
		return !any(equal)
	case traces.Contains:
		return any(strings.Contains)
	case traces.Begins:
		return any(strings.HasPrefix)
	case traces.Empty:
		return !said
	}
	return said
}

// Ask implements traces.Reader.
func (m *memory) Ask(ctx context.Context, organisation uuid.UUID, q traces.Question) (out traces.Answer, err error) {
	if m.before != nil {
		if err := m.before(ctx); err != nil {
			return out, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, q)
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		return out, err
	}
	var fit []traces.Stored
	for _, e := range m.events {
		ok := e.Organisation == organisation && e.At >= q.From && e.At < q.To && !slices.ContainsFunc(q.Where, func(c traces.Condition) bool { return !holds(c, e.Event, zone) })
		for _, w := range q.Words() {
			ok = ok && strings.Contains(strings.ToLower(fmt.Sprint(e.Event)+string(e.Raw)), strings.ToLower(w))
		}
		if ok {
			fit = append(fit, e)
		}
	}
	if len(q.Group) > 0 {
		return grouped(fit, q, zone), nil
	}
	slices.SortStableFunc(fit, func(a, b traces.Stored) int { return cmp.Compare(b.At, a.At) })
	out.Total = int64(len(fit))
	fit = fit[min(q.Skip, len(fit)):]
	out.Events, out.More = fit[:min(q.Limit, len(fit))], len(fit) > q.Limit
	return out, nil
}

func grouped(fit []traces.Stored, q traces.Question, zone *time.Location) (out traces.Answer) {
	type pile struct {
		traces.Group
		distinct map[string]bool
	}
	piles := map[string]*pile{}
	var order []*pile
	for _, e := range fit {
		var keys []string
		for _, f := range q.Group {
			keys = append(keys, one(e.Event, f, zone))
		}
		id := strings.Join(keys, "\x00")
		p := piles[id]
		if p == nil {
			p = &pile{traces.Group{Keys: keys, First: e.At}, map[string]bool{}}
			piles[id] = p
			order = append(order, p)
		}
		p.Count++
		p.First, p.Last = min(p.First, e.At), max(p.Last, e.At)
		if q.Distinct != "" {
			p.distinct[one(e.Event, q.Distinct, zone)] = true
			p.Count = int64(len(p.distinct))
		}
	}
	slices.SortStableFunc(order, func(a, b *pile) int { return cmp.Compare(b.Count, a.Count) })
	out.Total, out.More = int64(len(order)), len(order) > q.Limit
	for _, p := range order[:min(q.Limit, len(order))] {
		out.Groups = append(out.Groups, p.Group)
	}
	return out
}

// Get implements traces.Reader.
func (m *memory) Get(_ context.Context, organisation uuid.UUID, ref string) (traces.Stored, error) {
	for _, e := range m.events {
		if e.Ref == ref && e.Organisation == organisation {
			return e, nil
		}
	}
	return traces.Stored{}, fault.New(fault.NotFound, "ui.fail.no_page")
}

// Purge implements traces.Keeper.
func (m *memory) Purge(context.Context, uuid.UUID, traces.Purging) (traces.Purged, error) {
	return traces.Purged{Events: 12, Held: 3, First: storage.Micros(uitest.Noon().AddDate(-1, 0, 0)), Last: storage.Micros(uitest.Noon().AddDate(0, -7, 0))}, nil
}

// lines is a format whose messages are the words of an account.
type lines struct{}

func (lines) Describe() traces.Description {
	return traces.Description{Name: "syslog", Standard: "RFC 5424"}
}

func (lines) Parse(dst []traces.Event, message []byte, received int64) ([]traces.Event, error) {
	e := traces.Event{Collector: "syslog", At: received, Received: received, Raw: message, Account: string(message)}
	if strings.HasPrefix(string(message), "!") {
		return append(dst, e), fault.New(fault.Invalid, "traces.intake.unread")
	}
	return append(dst, e), nil
}

// office is the pages in front of one visitor, on a real database and a real
// spool.
type office struct {
	t         *testing.T
	s         *traces.Service
	files     *files.Service
	pulls     *pull.Service
	base      *memory
	spool     *spool.Spool
	dir       string
	db        *storage.DB
	clock     *clock.Fake
	inventory *inventory.Service
	care      *care.Service
	scope     access.Scope
	router    *ui.Router
	guard     *access.Guard
	kept      *kept.Service
	audits    *audits.Service
	told      []string
}

func newOffice(t *testing.T, roles ...access.Role) *office {
	t.Helper()
	t.Parallel()
	return furnished(t, true, roles...)
}

func furnished(t *testing.T, ready bool, roles ...access.Role) *office {
	t.Helper()
	o := &office{t: t, base: &memory{}, dir: t.TempDir(), clock: clock.NewFake(uitest.Noon()), scope: access.System(uitest.Establishment(), "test")}
	o.db = storagetest.SQLite(t, organisation.Migrations, journal.Migrations, inventory.Migrations, traces.Migrations)
	guard, err := access.NewGuard()
	if err != nil {
		t.Fatal(err)
	}
	if o.spool, err = spool.Open(o.dir, spool.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.spool.Close() })
	houses := organisation.New(o.db, guard, o.clock)
	if _, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{ID: uitest.Establishment(), Name: "CH des Trois-Vallées"}); err != nil {
		t.Fatal(err)
	}
	o.inventory = inventory.New(inventory.Options{DB: o.db, Guard: guard, Clock: o.clock, Organisation: houses})
	opt := traces.Options{DB: o.db, Guard: guard, Clock: o.clock, Log: slog.New(slog.DiscardHandler), Formats: func(*time.Location) []traces.Format {
		return []traces.Format{lines{}, columns.Format{Name: columns.Files}, columns.Format{Name: columns.Pull}}
	}}
	o.care = care.New(care.Options{DB: o.db, Guard: guard, Clock: o.clock, Log: slog.New(slog.DiscardHandler), Directory: staffOf{}})
	opt.Circle, opt.Feeds = o.care, []traces.Description{hl7.Describe()}
	o.s = traces.New(opt)
	o.files = files.New(files.Options{DB: o.db, Guard: guard, Clock: o.clock, Log: opt.Log, Traces: o.s, Dir: t.TempDir(), Node: "one", Roots: []string{o.dir}})
	if ready {
		o.s.Connect(o.spool, o.base)
	}
	keys, err := vault.Create(filepath.Join(t.TempDir(), "tocsin.key"), uitest.Noon())
	if err != nil {
		t.Fatal(err)
	}
	o.pulls = pull.New(pull.Options{DB: o.db, Guard: guard, Clock: o.clock, Log: opt.Log, Traces: o.s, Files: o.files, Vault: keys})
	t.Cleanup(o.pulls.Close)
	o.guard = guard
	o.kept = kept.New(kept.Options{DB: o.db, Guard: guard, Clock: o.clock, Log: opt.Log, Traces: o.s, Vault: plain{}, People: o, Watchman: o, Printer: o.printer(), Link: func(id uuid.UUID) string { return "https://tocsin.test" + pages.SavedAddress(id) }})
	o.audits = audits.New(audits.Options{DB: o.db, Guard: guard, Clock: o.clock, Traces: o.s, People: o, Link: func(id uuid.UUID) string { return "https://tocsin.test" + pages.RequestAddress(id) }})
	o.router = o.as(roles...)
	return o
}

func (o *office) as(roles ...access.Role) *ui.Router {
	r := uitest.House(o.t, uitest.As(roles...), nil, pages.Locales, kept.Locales, audits.Locales, columns.Locales, files.Locales, pull.Locales, traces.Locales, spool.Locales, inventory.Locales, organisation.Locales, care.Locales, hl7.Locales, table.Locales)
	pages.Routes(r, pages.Options{Service: o.s, Kept: o.kept, Audits: o.audits, Files: o.files, Pulls: o.pulls, Inventory: o.inventory, Care: o.care, ItemPath: func(id uuid.UUID) string { return "/inventaire/elements/" + id.String() }, Origin: "https://tocsin.test", Intake: "https://tocsin.test/intake"})
	return r
}

func (o *office) get(path string) *uitest.Page {
	o.t.Helper()
	return uitest.Get(o.t, o.router, path, uitest.With("Accept-Language", "fr"))
}

func (o *office) post(path string, fields ...string) *uitest.Page {
	o.t.Helper()
	return uitest.Post(o.t, o.router, path, fields, uitest.With("Accept-Language", "fr"))
}

// looks are the traces of our own that the spool holds.
func (o *office) looks() (out []traces.Event) {
	o.t.Helper()
	for _, e := range o.everything() {
		if e.Collector == traces.OwnFormat {
			out = append(out, e)
		}
	}
	return out
}

// refOf names the first event of a patient.
func (o *office) refOf(ipp string) string {
	o.t.Helper()
	for _, e := range o.base.events {
		if e.IPP == ipp {
			return e.Ref
		}
	}
	o.t.Fatalf("no event of %s", ipp)
	return ""
}

// everything is what the spool holds.
func (o *office) everything() (out []traces.Event) {
	o.t.Helper()
	r := spool.NewReader(o.dir, spool.Position{})
	defer r.Close()
	for {
		record, err := r.Next(o.spool.Durable())
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			o.t.Fatal(err)
		}
		var e traces.Event
		if err := traces.ReadRecord(bytes.Clone(record), &e); err != nil {
			o.t.Fatal(err)
		}
		out = append(out, e)
	}
}

// source adds a source that said something a while ago.
func (o *office) source(name string, ago time.Duration) traces.Source {
	o.t.Helper()
	s, token, err := o.s.Add(o.t.Context(), o.scope, traces.Wanted{Name: name, Format: "syslog", Zone: "Europe/Paris", Quiet: 180})
	if err != nil {
		o.t.Fatal(err)
	}
	if ago > 0 {
		o.say(token, ago, "dupont")
	}
	return s
}

func (o *office) say(token string, ago time.Duration, messages ...string) {
	o.t.Helper()
	from, err := o.s.ByToken(o.t.Context(), token)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, m := range messages {
		list, reason := o.s.Parse(nil, from, []byte(m), storage.Micros(uitest.Noon().Add(-ago)))
		if err := o.s.Take(o.t.Context(), from, list, []error{reason}); err != nil {
			o.t.Fatal(err)
		}
	}
	if err := o.s.WriteDown(o.t.Context(), uitest.Noon()); err != nil {
		o.t.Fatal(err)
	}
}

// ago is a time before noon, as events carry it.
func ago(d time.Duration) int64 { return storage.Micros(uitest.Noon().Add(-d)) }
