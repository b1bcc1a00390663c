package pull

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
	"tocsin/internal/traces/files"
)

const (
	// Every is the wait between two looks for tables that are due.
	Every = time.Second
	// pageMost bounds the rows of one question.
	pageMost = 1000
	// recentMost bounds the rows that are remembered of the overlap.
	recentMost = 50_000
	// again is how long after a failure the database is asked again.
	againAfter = time.Minute
)

// Work reads a page of each table that is due. What is wrong with one is written
// on it, and stops no other.
func (s *Service) Work(ctx context.Context, now time.Time) (bool, error) {
	if !s.opt.Traces.Ready() {
		return false, nil
	}
	var list []Pull
	err := s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		var err error
		list, err = readPulls(ctx, tx, `state = 'active' AND due_us <= $1 ORDER BY due_us LIMIT 100`, storage.Micros(now))
		return err
	})
	if err != nil {
		return false, err
	}
	var errs []error
	for _, p := range list {
		if err := s.turn(ctx, now, p); err != nil {
			errs = append(errs, fmt.Errorf("read the table of source %s: %w", p.Source, err))
		}
	}
	return false, errors.Join(errs...)
}

// turn reads a page, or writes down why it could not.
func (s *Service) turn(ctx context.Context, now time.Time, p Pull) error {
	err := s.page(ctx, now, &p)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		s.drop(p.Source)
		f := fault.As(err)
		if f == nil || f.Kind == fault.Unavailable {
			return err // ours: tried again
		}
		s.opt.Log.Warn("a table of audit cannot be read", "source", p.Source, "reason", f.Key)
		p.Reason, p.Due = fault.New(fault.Invalid, f.Key, f.Args...), now.Add(againAfter)
		p.place.Cursor = nil
	}
	return s.opt.DB.Write(ctx, access.System(p.organisation, "traces"), func(tx *storage.Tx) error { return advance(ctx, tx, p) })
}

// page reads the rows that follow, and moves the place once they are acknowledged.
func (s *Service) page(ctx context.Context, now time.Time, p *Pull) error {
	scope := access.System(p.organisation, "traces")
	from, err := s.opt.Traces.Speaker(ctx, p.organisation, p.Source)
	if err != nil {
		return err
	}
	if !p.Settings.open(now.In(from.Location())) {
		p.Due = now.Add(againAfter)
		return nil
	}
	mapping, err := s.opt.Files.InForce(ctx, scope, p.Source)
	if err != nil {
		return err
	}
	if mapping.Version == 0 {
		return fault.New(fault.Invalid, "traces.pull.unmapped")
	}
	plan, err := mapping.Mapping.Plan(p.Settings.names(), from.Location(), columns.Pull)
	if err != nil {
		return err
	}
	db, err := s.connection(*p)
	if err != nil {
		return err
	}
	after, repeat, known := p.from()
	most := min(pageMost, max(p.Settings.Rate*5, 10))
	rows, err := fetch(ctx, db, p.Settings, after, true, most+repeat)
	if err != nil {
		return err
	}
	if err := s.take(ctx, now, from, plan, p, rows, known); err != nil {
		return err
	}
	p.Done, p.Reason = now, nil
	if len(rows) < most+repeat {
		p.place.Cursor, p.Due = nil, now.Add(time.Duration(p.Settings.Every)*time.Second)
	} else {
		p.Due = now.Add(time.Duration(len(rows)) * time.Second / time.Duration(p.Settings.Rate))
	}
	return nil
}

// memo is what is remembered of rows that were read: where their key is, and
// eight bytes of their hash.
type memo struct {
	at   int64
	mark uint64
}

func memos(b []byte) (out []memo) {
	for i := 0; i+16 <= len(b); i += 16 {
		out = append(out, memo{int64(binary.LittleEndian.Uint64(b[i:])), binary.LittleEndian.Uint64(b[i+8:])})
	}
	return out
}

// kind is that of the first column of the key.
func (p *Pull) kind() string { return p.Settings.Columns[p.Settings.column(p.Settings.Key[0])].Kind }

// from gives where the page begins, how many rows of it were read before at
// least, and what is known of those that may come again. A reading begins as far
// back as the overlap says, and never before what is remembered.
func (p *Pull) from() (after []any, repeat int, known map[memo]bool) {
	kind, list := p.kind(), memos(p.recent)
	known = make(map[memo]bool, len(list))
	for _, m := range list {
		known[m] = true
	}
	begin := p.place.Cursor
	if len(begin) == 0 {
		if begin = p.place.Last; len(begin) == 0 {
			return nil, 0, known
		}
		if kind != Text && p.Settings.Overlap > 0 && len(list) > 0 {
			at := max(measure(begin[0], kind)-reach(kind, p.Settings.Overlap), list[0].at)
			for _, m := range list {
				if m.at == at {
					repeat++
				}
			}
			return []any{earlier(at, kind)}, repeat, known
		}
	}
	for i, text := range begin {
		v, _ := bound(text, p.Settings.Columns[p.Settings.column(p.Settings.Key[i])].Kind)
		after = append(after, v)
	}
	at := measure(begin[0], kind)
	for _, m := range list {
		if m.at == at {
			repeat++
		}
	}
	return after, repeat, known
}

// take gives the rows that are new to the intake.
func (s *Service) take(ctx context.Context, now time.Time, from traces.Speaker, plan *columns.Plan, p *Pull, rows []fetched, known map[memo]bool) error {
	var events []traces.Event
	var reasons []error
	fresh := memos(p.recent)
	failures := int64(0)
	for _, r := range rows {
		raw, err := original(p.Settings.Columns, r.cells)
		if err != nil {
			return err
		}
		row := columns.Row{Raw: raw[:min(len(raw), traces.MaxRaw)], Length: len(raw), Cells: r.cells}
		mark, _ := plan.Identity(row)
		if p.kind() == Number { // a key that is a number is one row
			mark = sha256.Sum256([]byte(strings.Join(r.key, "\x00")))
		}
		m := memo{measure(r.key[0], p.kind()), binary.LittleEndian.Uint64(mark[:])}
		if known[m] {
			continue
		}
		known[m] = true
		fresh = append(fresh, m)
		e, unread := plan.Event(row, now.UnixMicro())
		e.Key = columns.Key(mark, 1)
		if unread != nil {
			failures++
		}
		events, reasons = append(events, e), append(reasons, unread)
	}
	if len(events) > 0 {
		if err := s.opt.Traces.Take(ctx, from, events, reasons); err != nil {
			return err
		}
	}
	p.Rows, p.Fresh, p.Failures = p.Rows+int64(len(rows)), p.Fresh+int64(len(events)), p.Failures+failures
	if len(rows) > 0 {
		p.move(rows[len(rows)-1].key, fresh)
	}
	return nil
}

// move notes how far the table was read, and forgets what cannot come again.
func (p *Pull) move(last []string, list []memo) {
	kind := p.kind()
	p.place.Cursor = last
	if len(p.place.Last) == 0 || kind == Text || !less(last, p.place.Last, p.kinds()) {
		p.place.Last = last
	}
	p.Last = p.place.Last
	sortMemos(list)
	oldest := measure(p.place.Last[0], kind) - reach(kind, p.Settings.Overlap)
	if at := measure(last[0], kind); at < oldest {
		oldest = at
	}
	for len(list) > 0 && list[0].at < oldest {
		list = list[1:]
	}
	list = list[max(0, len(list)-recentMost):]
	p.recent = make([]byte, 0, 16*len(list))
	for _, m := range list {
		p.recent = binary.LittleEndian.AppendUint64(p.recent, uint64(m.at))
		p.recent = binary.LittleEndian.AppendUint64(p.recent, m.mark)
	}
}

// original is a row as it is kept: its columns and their values, in the order of
// the table.
func original(names []Column, cells []string) ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, c := range names {
		name, err := json.Marshal(c.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(cells[i])
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

// connection keeps one to each database between two pages.
func (s *Service) connection(p Pull) (*sql.DB, error) {
	settings, err := json.Marshal(p.Settings)
	if err != nil {
		return nil, err
	}
	why := string(settings) + string(p.sealed)
	if h, ok := s.held[p.Source]; ok && h.why == why {
		return h.db, nil
	}
	s.drop(p.Source)
	db, err := s.unlock(p)
	if err != nil {
		return nil, err
	}
	s.held[p.Source] = held{db, why}
	return db, nil
}

func (s *Service) drop(source uuid.UUID) {
	if h, ok := s.held[source]; ok {
		if err := h.db.Close(); err != nil {
			s.opt.Log.Debug("close a database", "source", source)
		}
		delete(s.held, source)
	}
}

// Close closes the connections that are kept.
func (s *Service) Close() {
	for source := range s.held {
		s.drop(source)
	}
}

// Sample reads the first rows of the table that was chosen, in the order of its
// first column, for the assistant. Needs access.TracesSource: they may name
// patients.
func (s *Service) Sample(ctx context.Context, scope access.Scope, source uuid.UUID, most int) (out columns.Sample, err error) {
	out.Cut = columns.Cut{Kind: columns.Table}
	err = s.with(ctx, scope, source, func(p Pull, db *sql.DB) error {
		w := p.Settings
		if len(w.Columns) == 0 {
			return fault.New(fault.Invalid, "traces.pull.table").At("table")
		}
		if len(w.Key) == 0 {
			w.Key = []string{w.Columns[0].Name}
		}
		rows, err := fetch(ctx, db, w, nil, false, most)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		out.Header = w.names()
		for i, r := range rows {
			raw, err := original(w.Columns, r.cells)
			if err != nil {
				return err
			}
			out.Rows = append(out.Rows, columns.Row{Line: i + 1, Raw: raw[:min(len(raw), traces.MaxRaw)], Length: len(raw), Cells: r.cells, Whole: true})
		}
		return nil
	})
	return out, err
}

// Mapped tells whether the columns of a table are told. Needs access.TracesSource.
func (s *Service) Mapped(ctx context.Context, scope access.Scope, source uuid.UUID) (files.Saved, error) {
	return s.opt.Files.Mapping(ctx, scope, source)
}
