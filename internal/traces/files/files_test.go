package files_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n/i18ntest"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/storage/storagetest"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/files"
)

// nobody is a base that is never asked.
type nobody struct{ traces.Base }

type house struct {
	*files.Service
	opt              files.Options
	t                *testing.T
	db               *storage.DB
	clock            *clock.Fake
	queue            *spool.Spool
	dir, root        string
	traces           *traces.Service
	admin, elsewhere access.Scope
	source           traces.Source
	token            string
}

func each(t *testing.T, suite func(t *testing.T, h *house)) {
	t.Parallel()
	storagetest.Each(t, []fs.FS{organisation.Migrations, journal.Migrations, traces.Migrations}, func(t *testing.T, db *storage.DB) { suite(t, newHouse(t, db)) })
}

func newHouse(t *testing.T, db *storage.DB) *house {
	t.Helper()
	guard, err := access.NewGuard()
	h := &house{t: t, db: db, clock: clock.NewFake(time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)), dir: t.TempDir(), root: t.TempDir()}
	h.must(err)
	h.queue, err = spool.Open(filepath.Join(h.dir, "spool"), spool.Options{})
	h.must(err)
	t.Cleanup(func() { h.must(h.queue.Close()) })
	h.traces = traces.New(traces.Options{DB: db, Guard: guard, Clock: h.clock, Log: slog.New(slog.DiscardHandler), Formats: func(*time.Location) []traces.Format {
		return []traces.Format{columns.Format{Name: columns.Files}, columns.Format{Name: columns.Pull}}
	}})
	h.traces.Connect(h.queue, nobody{})
	h.opt = files.Options{DB: db, Guard: guard, Clock: h.clock, Log: slog.New(slog.DiscardHandler), Traces: h.traces, Dir: filepath.Join(h.dir, "files"), Node: "one", Roots: []string{h.root}}
	h.Service = files.New(h.opt)
	houses := organisation.New(db, guard, h.clock)
	for i, to := range []*access.Scope{&h.admin, &h.elsewhere} {
		e, err := houses.Create(t.Context(), access.Instance("test"), organisation.Establishment{Name: []string{"CHU", "EHPAD"}[i]})
		h.must(err)
		*to = access.For(e.ID, access.Actor{Kind: access.Person, ID: uuid.New(), Name: "Mme Admin"}, true, access.Administrator)
	}
	h.source, h.token, err = h.traces.Add(t.Context(), h.admin, traces.Wanted{Name: "DPI", Format: columns.Files, Zone: "Europe/Paris"})
	h.must(err)
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func mapping() columns.Mapping {
	return columns.Mapping{
		Cut:   columns.Cut{Kind: columns.CSV, Delimiter: ";", Encoding: "utf-8", Header: true},
		Rules: []columns.Rule{{Place: "at", Columns: []string{"date"}}, {Place: "account", Columns: []string{"qui"}}, {Place: "ipp", Columns: []string{"ipp"}}},
	}
}

func (h *house) save() {
	h.t.Helper()
	_, err := h.Save(h.t.Context(), h.admin, h.source.ID, mapping())
	h.must(err)
}

func (h *house) give(text string) files.File {
	h.t.Helper()
	f, err := h.Give(h.t.Context(), h.admin, h.source.ID, "export.csv", strings.NewReader(text))
	h.must(err)
	return f
}

// work reads until nothing waits.
func (h *house) work() {
	h.t.Helper()
	for {
		h.clock.Advance(time.Second)
		more, err := h.Work(h.t.Context(), h.clock.Now())
		h.must(err)
		if !more {
			return
		}
	}
}

func (h *house) file(id uuid.UUID) files.File {
	h.t.Helper()
	f, err := h.File(h.t.Context(), h.admin, id)
	h.must(err)
	return f
}

func (h *house) queued() (out []traces.Event) {
	h.t.Helper()
	r := spool.NewReader(filepath.Join(h.dir, "spool"), spool.Position{})
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

// export is a file of rows n to m.
func export(from, to int) string {
	var b strings.Builder
	b.WriteString("date;qui;ipp\n")
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "2026-11-%02d %02d:%02d:00;agent%d;80%05d\n", 1+i/1440, i/60%24, i%60, i%7, i)
	}
	return b.String()
}

func TestSentences(t *testing.T) {
	t.Parallel()
	i18ntest.Room(t, ".", files.Locales, traces.Locales)
}

func TestAFileIsReadOnce(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.save()
		f := h.give(export(0, 3) + "hier;anne;8009\n\"jamais fermé;x;1\n")
		h.work()
		f = h.file(f.ID)
		got := h.queued()
		if f.State != files.Done || f.Rows != 5 || f.Fresh != 5 || f.Failures != 2 || f.Mapping != 1 || len(got) != 5 {
			t.Fatalf("%+v, %d events", f, len(got))
		}
		if e := got[1]; e.Account != "agent1" || e.Source != h.source.ID || e.Class != traces.PatientAccess || e.At != time.Date(2026, 11, 1, 0, 1, 0, 0, h.zone()).UnixMicro() || string(e.Raw) != "2026-11-01 00:01:00;agent1;8000001" {
			t.Errorf("%+v", e)
		}
		if e := got[4]; !e.AtGuessed || string(e.Raw) != "\"jamais fermé;x;1" {
			t.Errorf("a row that cannot be read: %+v", e)
		}
		// The same file again is the one that was given.
		if again := h.give(export(0, 3) + "hier;anne;8009\n\"jamais fermé;x;1\n"); !again.Again || again.ID != f.ID {
			t.Errorf("%+v", again)
		}
		left, err := os.ReadDir(h.opt.Dir)
		if err != nil || len(left) > 0 {
			t.Errorf("%v left on the disk, %v", left, err)
		}
	})
}

func (h *house) zone() *time.Location {
	h.t.Helper()
	l, err := time.LoadLocation("Europe/Paris")
	h.must(err)
	return l
}

// TestAnExportThatRepeatsTheLastAddsWhatIsNew gives rolling exports weeks apart:
// the base forgets ids after a day, this room does not.
func TestAnExportThatRepeatsTheLastAddsWhatIsNew(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.save()
		twice := "2026-11-20 10:00:00;anne;1\n"
		h.give(export(0, 3000) + twice + twice)
		h.work()
		h.clock.Advance(20 * 24 * time.Hour)
		second := h.give(export(1000, 5000) + twice + twice + twice)
		h.work()
		third := h.give(twice + export(4000, 5001)) // another order, and the header in the middle is a row
		h.work()
		if f := h.file(second.ID); f.Rows != 4003 || f.Fresh != 2001 {
			t.Errorf("second: %+v", f)
		}
		if f := h.file(third.ID); f.State != files.Refused || f.Reason == nil || f.Reason.Key != "traces.columns.missing" || f.Fresh != 0 {
			t.Errorf("third: %+v", f)
		}
		seen := map[string]int{}
		for _, e := range h.queued() {
			seen[e.Key]++
		}
		if len(seen) != 5003 {
			t.Errorf("%d different events, want 5003", len(seen))
		}
		for key, n := range seen {
			if n > 1 {
				t.Fatalf("%s was taken %d times", key, n)
			}
		}
	})
}

// TestAKillInTheMiddle puts the place in the file back to before a batch that the
// queue acknowledged, as a kill does, and has another program go on: what is told
// again has the same keys, by which the base stores it once.
func TestAKillInTheMiddle(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.save()
		f := h.give(export(0, 5000))
		h.work()
		first := h.queued()
		h.must(h.db.Write(t.Context(), h.admin, func(tx *storage.Tx) error {
			if _, err := tx.Exec(t.Context(), `UPDATE traces_files SET state = 'reading', read_bytes = 0, read_line = 0, rows_read = 0, rows_fresh = 0, holder = 'dead', held_us = $2 WHERE id = $1`, f.ID, storage.Micros(h.clock.Now())); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), `DELETE FROM traces_lines WHERE file_id = $1`, f.ID)
			return err
		}))
		h.must(os.WriteFile(filepath.Join(h.opt.Dir, f.ID.String()), []byte(export(0, 5000)), 0o600))
		if h.work(); h.file(f.ID).State != files.Reading {
			t.Fatal("a file that another program holds was read")
		}
		h.clock.Advance(2 * time.Minute)
		h.opt.Node = "two"
		h.Service = files.New(h.opt)
		h.work()
		if f = h.file(f.ID); f.State != files.Done || f.Rows != 5000 {
			t.Fatalf("%+v", f)
		}
		all := h.queued()
		if len(all) != 10000 || !slices.EqualFunc(all[:5000], all[5000:], func(a, b traces.Event) bool { return a.Key == b.Key && a.Key != "" }) {
			t.Errorf("%d events, %d before", len(all), len(first))
		}
	})
}

// TestAFullQueueIsWaitedFor has the intake refuse, then take.
func TestAFullQueueIsWaitedFor(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.save()
		f := h.give(export(0, 100))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.Work(ctx, h.clock.Now()); err == nil {
			t.Fatal("work went on after its end")
		}
		if f := h.file(f.ID); f.Over() || f.Rows != 0 {
			t.Fatalf("%+v", f)
		}
		h.work()
		if f := h.file(f.ID); f.State != files.Done || f.Fresh != 100 || len(h.queued()) != 100 {
			t.Errorf("%+v", f)
		}
	})
}

func TestWithoutAMappingAFileWaits(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		f := h.give(export(0, 10))
		if h.work(); f.State != files.Unmapped || len(h.queued()) > 0 {
			t.Fatalf("%+v", f)
		}
		c, _, err := h.Open(t.Context(), h.admin, f.ID)
		h.must(err)
		cut, err := columns.Recognise(c, c.Size)
		if h.must(c.Close()); err != nil || cut.Delimiter != ";" {
			t.Errorf("%+v %v", cut, err)
		}
		h.save()
		if h.work(); h.file(f.ID).State != files.Done || len(h.queued()) != 10 {
			t.Errorf("%+v", h.file(f.ID))
		}
		// The same mapping is no new version; another is, and the first stays.
		h.save()
		m := mapping()
		m.Key = []string{"ipp"}
		saved, err := h.Save(t.Context(), h.admin, h.source.ID, m)
		h.must(err)
		list, err := h.Versions(t.Context(), h.admin, h.source.ID)
		if h.must(err); saved.Version != 2 || len(list) != 2 {
			t.Errorf("%+v %+v", saved, list)
		}
	})
}

func TestCancelAndResume(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.save()
		f := h.give(export(0, 25000))
		if more, err := h.Work(t.Context(), h.clock.Now()); err != nil || !more {
			t.Fatal(more, err)
		}
		_, err := h.Cancel(t.Context(), h.admin, f.ID)
		h.must(err)
		h.work()
		half := h.file(f.ID)
		if half.State != files.Cancelled || half.Rows == 0 || half.Rows == 25000 || int(half.Rows) != len(h.queued()) {
			t.Fatalf("%+v", half)
		}
		if _, err := h.Cancel(t.Context(), h.admin, f.ID); !fault.Is(err, fault.Conflict) {
			t.Error(err)
		}
		_, err = h.Resume(t.Context(), h.admin, f.ID)
		h.must(err)
		h.work()
		if f := h.file(f.ID); f.State != files.Done || f.Fresh != 25000 || len(h.queued()) != 25000 {
			t.Errorf("%+v", f)
		}
	})
}

// TestAnotherEstablishmentSeesNothing also has its token bring a file.
func TestAnotherEstablishmentSeesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.save()
		f := h.give(export(0, 3))
		ctx := t.Context()
		for name, try := range map[string]func() error{
			"file":    func() error { _, err := h.File(ctx, h.elsewhere, f.ID); return err },
			"open":    func() error { _, _, err := h.Open(ctx, h.elsewhere, f.ID); return err },
			"cancel":  func() error { _, err := h.Cancel(ctx, h.elsewhere, f.ID); return err },
			"resume":  func() error { _, err := h.Resume(ctx, h.elsewhere, f.ID); return err },
			"mapping": func() error { _, err := h.Mapping(ctx, h.elsewhere, h.source.ID); return err },
			"save":    func() error { _, err := h.Save(ctx, h.elsewhere, h.source.ID, mapping()); return err },
			"give":    func() error { _, err := h.Give(ctx, h.elsewhere, h.source.ID, "x", strings.NewReader("x")); return err },
		} {
			if err := try(); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if list, err := h.Files(ctx, h.elsewhere, h.source.ID); err != nil || len(list) > 0 {
			t.Errorf("%v %v", list, err)
		}
		dpo := access.For(h.admin.Organisation(), access.Actor{Kind: access.Person, ID: uuid.New()}, true, access.DataProtection)
		if _, _, err := h.Open(ctx, dpo, f.ID); !fault.Is(err, fault.Denied) {
			t.Error(err)
		}
		// The same content by a source of the other establishment is its own.
		_, token, err := h.traces.Add(ctx, h.elsewhere, traces.Wanted{Name: "DPI", Format: columns.Files, Zone: "UTC"})
		h.must(err)
		from, err := h.traces.ByToken(ctx, token)
		h.must(err)
		other, err := h.GiveAs(ctx, from, "../../etc/passwd", strings.NewReader(export(0, 3)))
		if h.must(err); other.Again || other.Name != "passwd" {
			t.Errorf("%+v", other)
		}
		h.work()
		for _, e := range h.queued() {
			if e.Organisation != h.admin.Organisation() {
				t.Errorf("%+v", e)
			}
		}
	})
}

// broken is a transfer that is cut.
type broken struct{ io.Reader }

func (b broken) Read(p []byte) (int, error) {
	if n, err := b.Reader.Read(p); err == nil {
		return n, nil
	}
	return 0, io.ErrUnexpectedEOF
}

func TestATransferThatIsCutLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.save()
		for key, content := range map[string]io.Reader{"traces.files.cut": broken{bytes.NewReader([]byte("a;b\n"))}, "traces.files.empty": strings.NewReader("")} {
			_, err := h.Give(t.Context(), h.admin, h.source.ID, "x.csv", content)
			if f := fault.As(err); f == nil || f.Key != key {
				t.Errorf("%s: %v", key, err)
			}
		}
		left, err := os.ReadDir(h.opt.Dir)
		if list, no := h.Files(t.Context(), h.admin, h.source.ID); err != nil || no != nil || len(left)+len(list) > 0 {
			t.Errorf("%v %v %v", left, list, err)
		}
	})
}
