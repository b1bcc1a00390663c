package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/columns"
)

const (
	// Every is the wait between two looks for files.
	Every = 2 * time.Second
	// batchRows and batchBytes bound what is acknowledged at once.
	batchRows  = 2000
	batchBytes = 4 << 20
	// portionBatches is how many batches of a file are read before another's turn.
	portionBatches = 10
	// heldFor is how long a file stays with the program that reads it, without
	// news of it.
	heldFor = time.Minute
)

// Work reads a portion of a file; more tells that it is to be called again at
// once. It runs on each program: a file is read where its content is, and one
// file of a source at a time.
func (s *Service) Work(ctx context.Context, now time.Time) (more bool, err error) {
	if !s.opt.Traces.Ready() {
		return false, nil
	}
	list, err := s.next(ctx)
	if err != nil {
		return false, err
	}
	for _, f := range list {
		c, err := s.content(f)
		if fault.Is(err, fault.NotFound) {
			continue // it is where another program can see it, or was taken away
		}
		if err != nil {
			return false, err
		}
		mine, err := s.claim(ctx, now, f)
		if err == nil && mine {
			err = s.read(ctx, f, c)
		}
		if err := errors.Join(err, c.Close()); err != nil || mine {
			return err == nil && mine, err
		}
	}
	return false, nil
}

// next lists the oldest file of each source that waits to be read, the one that
// was read the longest ago first.
func (s *Service) next(ctx context.Context) (out []File, err error) {
	err = s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		list, err := readFiles(ctx, tx, `state IN ('waiting', 'reading') ORDER BY held_us, given_us, id LIMIT 1000`)
		seen := map[uuid.UUID]File{}
		for _, f := range list {
			first, ok := seen[f.Source]
			if !ok || f.State == Reading && first.State != Reading || f.State == first.State && f.Given.Before(first.Given) {
				seen[f.Source] = f
			}
		}
		for _, f := range list {
			if seen[f.Source].ID == f.ID {
				out = append(out, f)
			}
		}
		return err
	})
	return out, err
}

// claim makes this program the one that reads a file. Claims of a source follow
// each other: its row is locked first.
func (s *Service) claim(ctx context.Context, now time.Time, f File) (mine bool, err error) {
	err = s.opt.DB.Write(ctx, access.System(f.organisation, "traces"), func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE traces_sources SET id = id WHERE organisation_id = $1 AND id = $2`, f.organisation, f.Source); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, `UPDATE traces_files SET state = 'reading', holder = $3, held_us = $4 WHERE organisation_id = $1 AND id = $2 AND state IN ('waiting', 'reading')
			AND NOT EXISTS (SELECT 1 FROM traces_files o WHERE o.organisation_id = $1 AND o.source_id = $5 AND o.state = 'reading' AND o.holder <> $3 AND o.held_us > $6)`,
			f.organisation, f.ID, s.opt.Node, storage.Micros(now), f.Source, storage.Micros(now.Add(-heldFor)))
		mine = n > 0
		return err
	})
	return mine, err
}

// read reads a portion. What is wrong with the file refuses it; what is wrong
// with us is tried again.
func (s *Service) read(ctx context.Context, f File, c Content) error {
	if same, err := f.begins(c); err != nil || !same {
		// It was rotated since: the next look at the folder finds it again.
		return errors.Join(err, s.end(ctx, f, Growing, nil))
	}
	err := s.portion(ctx, f, c)
	if err == nil {
		return nil
	}
	s.memory = nil // it may know of rows that were not taken
	if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.NotFound {
		return fmt.Errorf("read file %s: %w", f.ID, err)
	}
	s.opt.Log.Info("a file of traces is refused", "file", f.ID, "source", f.Source)
	return errors.Join(s.end(ctx, f, Refused, err), s.shelve(ctx, f, RejectedName))
}

// begins tells whether a content is that of a file that is followed.
func (f File) begins(c Content) (bool, error) {
	if f.head == 0 {
		return true, nil
	}
	if c.Size < f.head || c.Size < f.Read.Offset {
		return false, nil
	}
	head := make([]byte, f.head)
	if _, err := c.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("read the beginning of file %s: %w", f.ID, err)
	}
	sum := sha256.Sum256(head)
	return bytes.Equal(sum[:], f.SHA256), nil
}

func (s *Service) portion(ctx context.Context, f File, c Content) (err error) {
	scope := access.System(f.organisation, "traces")
	from, err := s.opt.Traces.Speaker(ctx, f.organisation, f.Source)
	if err != nil {
		return err
	}
	mapping, err := s.InForce(ctx, scope, f.Source)
	if err != nil {
		return err
	}
	if mapping.Version == 0 {
		return s.end(ctx, f, Unmapped, nil)
	}
	f.Mapping = mapping.Version
	reader, err := columns.Open(c, c.Size, mapping.Mapping.Cut, f.Read)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	plan, err := mapping.Mapping.Plan(reader.Header(), from.Location(), columns.Files)
	if err != nil {
		return err
	}
	if !s.memory.of(f) {
		s.memory = newMemory(f)
	}
	batches := portionBatches
	if mapping.Mapping.Cut.Kind == columns.XLSX {
		batches = 1 << 30 // a workbook costs too much to open
	}
	for range batches {
		rows, last, err := gather(reader, f.head > 0)
		if err != nil {
			return err
		}
		still, err := s.batch(ctx, scope, from, &f, plan, rows)
		if err != nil || !still {
			return err
		}
		if last {
			return s.finish(ctx, f)
		}
	}
	return nil
}

// gather reads the rows of a batch; last tells that none follows. A row that
// grows is left where it is.
func gather(r *columns.Reader, grows bool) (rows []columns.Row, last bool, err error) {
	size := 0
	for len(rows) < batchRows && size < batchBytes {
		row, err := r.Next()
		if errors.Is(err, io.EOF) || err == nil && grows && !row.Whole {
			return rows, true, nil
		}
		if err != nil {
			return rows, false, err
		}
		rows, size = append(rows, row), size+len(row.Raw)
	}
	return rows, false, nil
}

// seenRow is a row as an event, with what tells it from others.
type seenRow struct {
	event   traces.Event
	reason  error
	mark    [32]byte
	counted bool
	span    int64
}

// batch takes the rows that are new, then moves the place in the file. still
// tells that the file is still to be read.
func (s *Service) batch(ctx context.Context, scope access.Scope, from traces.Speaker, f *File, plan *columns.Plan, rows []columns.Row) (still bool, err error) {
	if len(rows) == 0 {
		return true, nil
	}
	received := s.opt.Clock.Now().UnixMicro()
	all := make([]seenRow, len(rows))
	spans := make([]int64, len(rows))
	for i, row := range rows {
		one := &all[i]
		one.event, one.reason = plan.Event(row, received)
		one.mark, one.counted = plan.Identity(row)
		one.span = spanOf(&one.event, binary.LittleEndian.Uint64(one.mark[:]))
		spans[i] = one.span
	}
	if err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error { return s.memory.load(ctx, tx, spans) }); err != nil {
		return false, err
	}
	s.memory.batch = map[int64]*brings{}
	var events []traces.Event
	var reasons []error
	for i := range all {
		one := &all[i]
		times, fresh := s.memory.see(one.span, binary.LittleEndian.Uint64(one.mark[:]), one.counted)
		if !fresh {
			continue
		}
		one.event.Key = columns.Key(one.mark, times)
		events, reasons = append(events, one.event), append(reasons, one.reason)
		if one.reason != nil {
			f.Failures++
		}
	}
	if len(events) > 0 {
		if err := s.opt.Traces.Take(ctx, from, events, reasons); err != nil {
			return false, err
		}
	}
	f.Read, f.Rows, f.Fresh = rows[len(rows)-1].After, f.Rows+int64(len(rows)), f.Fresh+int64(len(events))
	return s.advance(ctx, scope, *f)
}

// advance keeps the place up to which rows were acknowledged.
func (s *Service) advance(ctx context.Context, scope access.Scope, f File) (still bool, err error) {
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE traces_files SET read_bytes = $3, read_line = $4, rows_read = $5, rows_fresh = $6, failures = $7, mapping = $8, held_us = $9
			WHERE organisation_id = $1 AND id = $2 AND state = 'reading' AND holder = $10`,
			f.organisation, f.ID, f.Read.Offset, f.Read.Line, f.Rows, f.Fresh, f.Failures, f.Mapping, storage.Micros(s.opt.Clock.Now()), s.opt.Node)
		if err != nil {
			return err
		}
		still = n > 0
		return s.memory.write(ctx, tx, int64(f.Read.Line))
	})
	return still, err
}

// finish ends a file that was read to its end.
func (s *Service) finish(ctx context.Context, f File) error {
	if f.head > 0 {
		return s.end(ctx, f, Growing, nil)
	}
	if err := s.end(ctx, f, Done, nil); err != nil {
		return err
	}
	s.memory = nil
	if f.Origin == FromFolder {
		return s.shelve(ctx, f, DoneName)
	}
	return s.drop(f)
}

// drop removes the content of a file that was read.
func (s *Service) drop(f File) error {
	if err := os.Remove(s.staged(f.ID)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove file %s: %w", f.ID, err)
	}
	return nil
}

// end writes how a file ended.
func (s *Service) end(ctx context.Context, f File, state string, why error) error {
	scope, reason, ended := access.System(f.organisation, "traces"), "", storage.NullMicros(s.opt.Clock.Now())
	if why != nil {
		reason = WriteReason(why)
	}
	if state != Done && state != Refused {
		ended.Valid = false
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE traces_files SET state = $3, reason = $4, ended_us = $5, held_us = 0 WHERE organisation_id = $1 AND id = $2 AND state = 'reading' AND holder = $6`,
			f.organisation, f.ID, state, reason, ended, s.opt.Node); err != nil {
			return err
		}
		if state != Done {
			return nil
		}
		return settle(ctx, tx, scope, f.ID)
	})
}

// Sweep forgets the rows of files read long ago, and removes the content of files
// that nobody is going to read.
func (s *Service) Sweep(ctx context.Context, now time.Time) (bool, error) {
	err := s.opt.DB.Write(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM traces_lines WHERE file_id IN (SELECT id FROM traces_files WHERE ended_us < $1)`, storage.Micros(now.AddDate(0, 0, -remembered)))
		return err
	})
	return false, errors.Join(err, s.sweepDisk(ctx, now))
}

// abandoned is after how long the content of a file that is not read is removed.
const abandoned = 7 * 24 * time.Hour

func (s *Service) sweepDisk(ctx context.Context, now time.Time) error {
	entries, err := os.ReadDir(s.opt.Dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for files left: %w", err)
	}
	var errs []error
	for _, e := range entries {
		id, err := uuid.Parse(e.Name())
		info, gone := e.Info()
		if err != nil || gone != nil || now.Sub(info.ModTime()) < abandoned {
			continue
		}
		var list []File
		errs = append(errs, s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
			list, err = readFiles(ctx, tx, `id = $1`, id)
			return err
		}))
		if err == nil && (len(list) == 0 || list[0].Over() || list[0].State == Unmapped) {
			errs = append(errs, s.drop(File{ID: id}))
		}
	}
	return errors.Join(errs...)
}
