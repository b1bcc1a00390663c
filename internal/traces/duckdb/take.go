//go:build cgo

package duckdb

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/terms"
)

// share is what a batch brings to one file.
type share struct {
	file    *file
	events  []*traces.Event
	patient []int32
	hash    []uint64
	extra   []string // what the model has no place for, as one text
	sources map[uuid.UUID]string

	fresh  []identity // who is new in the file
	stored bool
}

// shareOf is one of which nothing is known yet.
func shareOf(f *file) *share { return &share{file: f, sources: map[uuid.UUID]string{}} }

// batch is a Take under way.
type batch struct {
	shares []*share
	byKey  map[fileKey]*share
}

// Take implements traces.Writer.
func (e *Engine) Take(ctx context.Context, placed []traces.Placed, upTo spool.Position) error {
	e.writing.Lock()
	defer e.writing.Unlock()
	b := &batch{byKey: map[fileKey]*share{}}
	defer func() {
		for _, s := range b.shares {
			e.release(ctx, s.file)
		}
	}()
	fresh, err := e.sort(ctx, b, placed)
	if err != nil {
		return told(ctx, err)
	}
	if err := e.dispatch(ctx, b, fresh); err != nil {
		return told(ctx, err)
	}
	if err := e.storeAll(ctx, b.shares, upTo); err != nil {
		return told(ctx, err)
	}
	if e.applied.Before(upTo) {
		e.applied = upTo
		e.writeApplied()
	}
	return nil
}

// arrival is an event of a batch that its file does not hold yet.
type arrival struct {
	event *traces.Event
	share *share
	hash  uint64
}

// sort finds the file of each event and passes over those that it holds.
func (e *Engine) sort(ctx context.Context, b *batch, placed []traces.Placed) ([]arrival, error) {
	fresh := make([]arrival, 0, len(placed))
	for i := range placed {
		ev := &placed[i].Event
		terms.Tidy(ev)
		key := keyOf(ev)
		s := b.byKey[key]
		if s == nil {
			f, err := e.hold(ctx, key)
			if err != nil {
				return nil, err
			}
			s = shareOf(f)
			b.byKey[key], b.shares = s, append(b.shares, s)
		}
		if s.file.applied.Before(placed[i].At) {
			fresh = append(fresh, arrival{event: ev, share: s})
		}
	}
	return e.once(ctx, fresh)
}

// once drops the repetitions among arrivals: of each other, and of what is
// stored.
func (e *Engine) once(ctx context.Context, fresh []arrival) ([]arrival, error) {
	seen := map[uint64]int{}
	drop := map[int]bool{}
	var suspects []suspect
	for i := range fresh {
		ev := fresh[i].event
		if ev.Key == "" {
			continue
		}
		hash := keyHash(ev.Source, ev.Key)
		fresh[i].hash = hash
		if j, ok := seen[hash]; ok {
			first := fresh[j].event
			if apart := ev.Received - first.Received; first.Organisation == ev.Organisation && first.Source == ev.Source && first.Key == ev.Key && max(apart, -apart) <= day {
				drop[i] = true
				continue
			}
		}
		seen[hash] = i
		if e.keys.has(hash) {
			suspects = append(suspects, suspect{index: i, hash: hash, event: ev})
		}
	}
	if len(suspects) > 0 {
		if err := e.confirm(ctx, suspects); err != nil {
			return nil, err
		}
		for _, s := range suspects {
			if s.repeated {
				drop[s.index] = true
			}
		}
	}
	if len(drop) == 0 {
		return fresh, nil
	}
	kept := fresh[:0]
	for i, a := range fresh {
		if !drop[i] {
			kept = append(kept, a)
		}
	}
	return kept, nil
}

// dispatch gives each event its patient and lays it in the share of its file.
func (e *Engine) dispatch(ctx context.Context, b *batch, fresh []arrival) error {
	people := map[uuid.UUID]*patients{}
	for i := range fresh {
		a := &fresh[i]
		number := int32(0)
		if a.event.IPP != "" || a.event.INS != "" {
			p := people[a.event.Organisation]
			if p == nil {
				var err error
				if p, err = e.writable(ctx, a.event.Organisation); err != nil {
					return err
				}
				people[a.event.Organisation] = p
			}
			number = p.identify(a.event.IPP, a.event.INS)
		}
		a.share.events = append(a.share.events, a.event)
		a.share.patient = append(a.share.patient, number)
		a.share.hash = append(a.share.hash, a.hash)
		a.share.extra = append(a.share.extra, terms.JoinPairs(a.event.Extra))
	}
	for _, p := range people {
		if err := e.storePatients(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// writable gives the dictionary of an establishment with its maps.
func (e *Engine) writable(ctx context.Context, organisation uuid.UUID) (*patients, error) {
	p, err := e.patientsOf(ctx, organisation, true)
	if err != nil || p.known {
		return p, err
	}
	return p, e.loadPatients(ctx, p)
}

// storeAll commits the shares of a batch, some at once: each file has a
// transaction of its own, and most of a commit is to wait for the disk. What was
// committed stays when another share fails: the batch is then told again, and each
// file passes over what it has.
func (e *Engine) storeAll(ctx context.Context, shares []*share, upTo spool.Position) error {
	for _, s := range shares {
		if err := e.ready(ctx, s); err != nil {
			return err
		}
	}
	slices.SortFunc(shares, func(a, b *share) int { return cmp.Compare(len(b.events), len(a.events)) })
	pens := make(chan *pen, 1+len(shares))
	pens <- &e.pen
	for i := range min(len(shares), max(2, runtime.GOMAXPROCS(0))) - 1 {
		p, err := e.other(ctx, i)
		if err != nil {
			return err
		}
		pens <- p
	}
	var storing errgroup.Group
	for _, s := range shares {
		p := <-pens
		storing.Go(func() error {
			defer func() { pens <- p }()
			return e.store(ctx, p, s, upTo)
		})
	}
	err := storing.Wait()
	for _, s := range shares {
		if s.stored {
			e.remember(s)
		}
	}
	return err
}

// other gives one more pen.
func (e *Engine) other(ctx context.Context, i int) (*pen, error) {
	for len(e.others) <= i {
		conn, err := e.db.Conn(ctx)
		if err != nil {
			return nil, fmt.Errorf("traces base: %w", err)
		}
		e.others = append(e.others, &pen{conn: conn})
	}
	return e.others[i], nil
}

// ready reads what must be known of a file before it is written.
func (e *Engine) ready(ctx context.Context, s *share) (err error) {
	if len(s.events) == 0 {
		return nil
	}
	if !s.file.tail.known {
		if err := e.readTail(ctx, s.file); err != nil {
			return err
		}
	}
	s.fresh, err = e.unnamed(ctx, s)
	return err
}

// remember keeps the ids of the events of a share, to know a repetition.
func (e *Engine) remember(s *share) {
	for i, hash := range s.hash {
		if hash != 0 {
			e.keys.add(hash, s.events[i].Received)
		}
	}
	e.keys.forget(s.file.heard)
}

// store commits what a batch brings to a file, its originals, and the place up to
// which the file now holds the spool.
func (e *Engine) store(ctx context.Context, p *pen, s *share, upTo spool.Position) error {
	if len(s.events) == 0 {
		return nil
	}
	f := s.file
	now := s.after(upTo)
	// What follows uses the tail up: should it fail, the file has it on the disk.
	t := f.tail
	f.tail = tail{}
	var l laid
	var laying errgroup.Group
	laying.Go(func() (err error) {
		l, err = e.lay(t, f.next, s.events, s.extra)
		return err
	})
	err := p.transaction(ctx, func() error {
		err := p.storeRows(s)
		if err = errors.Join(err, laying.Wait()); err != nil {
			return err
		}
		if err := p.storeLaid(ctx, f, &l); err != nil {
			return err
		}
		return p.exec(ctx, "UPDATE "+f.key.alias()+".mark SET segment = $1, place = $2, next = $3, events = $4, lo = $5, hi = $6, heard = $7",
			now.applied.Segment, now.applied.Offset, now.next, now.events, now.lo, now.hi, now.heard)
	})
	if err != nil {
		return errors.Join(err, laying.Wait())
	}
	e.mu.Lock()
	f.applied, f.next, f.events, f.lo, f.hi, f.heard, f.tail = now.applied, now.next, now.events, now.lo, now.hi, now.heard, l.tail
	e.mu.Unlock()
	for _, who := range s.fresh {
		f.named[who.id] = true
	}
	s.stored = true
	return nil
}

// after is the file as it is once it holds the share.
func (s *share) after(upTo spool.Position) file {
	now := *s.file
	now.applied, now.next, now.events = upTo, now.next+int64(len(s.events)), now.events+int64(len(s.events))
	if s.file.events == 0 {
		now.lo, now.hi = s.events[0].At, s.events[0].At
	}
	for _, ev := range s.events {
		now.lo, now.hi, now.heard = min(now.lo, ev.At), max(now.hi, ev.At), max(now.heard, ev.Received)
	}
	return now
}

// storeRows writes the events of a share, and who is new among their patients.
func (p *pen) storeRows(s *share) error {
	alias := s.file.key.alias()
	if err := p.append(alias, "identities", len(s.fresh), func(i int) []driver.Value {
		return []driver.Value{s.fresh[i].id, s.fresh[i].ipp, s.fresh[i].ins}
	}); err != nil {
		return err
	}
	return p.append(alias, "events", len(s.events), func(i int) []driver.Value { return p.rowOf(s, i) })
}

// Applied implements traces.Writer.
//
// Each file holds, committed with its events, the place up to which it holds the
// spool, so that any event told again is passed over by its own file: reading the
// spool from too early a place is never wrong, only slow. The common place is
// therefore no truth but a memory. It moves after the last file of a batch has
// committed, so that it is never ahead of a file; it is written without a sync,
// and one that a power cut took back or tore is read as an older one or as the
// beginning. What the spool forgot meanwhile was stored, by the same rule.
func (e *Engine) Applied(context.Context) (spool.Position, error) {
	e.writing.Lock()
	defer e.writing.Unlock()
	return e.applied, nil
}

func (e *Engine) appliedPath() string { return filepath.Join(e.dir, "applied") }

func (e *Engine) writeApplied() {
	text := fmt.Sprintf("%d %d", e.applied.Segment, e.applied.Offset)
	line := fmt.Sprintf("%s %08x\n", text, crc32.ChecksumIEEE([]byte(text)))
	if err := os.WriteFile(e.appliedPath(), []byte(line), 0o600); err != nil {
		e.opt.Log.Warn("the place of the spool was not written; it will be read from an older one", "error", err)
	}
}

func (e *Engine) readApplied() spool.Position {
	line, err := os.ReadFile(e.appliedPath())
	if err != nil {
		return spool.Position{}
	}
	var p spool.Position
	var sum uint32
	if n, err := fmt.Sscanf(string(line), "%d %d %08x", &p.Segment, &p.Offset, &sum); err != nil || n != 3 {
		return spool.Position{}
	}
	if sum != crc32.ChecksumIEEE(fmt.Appendf(nil, "%d %d", p.Segment, p.Offset)) {
		return spool.Position{}
	}
	return p
}
