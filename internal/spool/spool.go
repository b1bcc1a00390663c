package spool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"tocsin/internal/fault"
)

// Options bound a spool.
type Options struct {
	// MaxBytes is what the spool may hold before it refuses, 1 GiB when zero.
	MaxBytes int64
	// SegmentBytes is when a new file is begun, 64 MiB when zero.
	SegmentBytes int64
	// First is the least number of the next segment: a folder that was lost must
	// not begin again at places that its reader has passed. The time in seconds
	// grows faster than segments do.
	First uint64
}

// Errors of Append and Open.
var (
	// ErrFull is a spool that holds MaxBytes, or a disk without room.
	ErrFull = fault.New(fault.Unavailable, "spool.error.full")
	// ErrClosed is a spool that was closed.
	ErrClosed = errors.New("spool closed")
	// ErrTaken is a folder in which another process writes.
	ErrTaken = errors.New("another process writes this spool")
)

// pendingBytes bounds what waits for the disk: who brings more waits too.
const pendingBytes = 16 << 20

// Spool is the writing end.
type Spool struct {
	dir string
	opt Options
	// lock keeps other writers out.
	lock *os.File

	mu      sync.Mutex
	next    *commit // what the next write carries
	room    chan struct{}
	durable Position
	held    int64 // bytes in segments
	sizes   map[uint64]int64
	moved   chan struct{} // closed and renewed when durable moves
	closed  bool

	wake chan struct{}
	done chan struct{}

	// Of the writing goroutine alone.
	file *os.File
	at   Position
}

// commit is a set of records that reach the disk together.
type commit struct {
	buf  []byte
	done chan struct{}
	end  Position
	err  error
}

// Open opens a spool for writing, making its folder. What a crash left of the
// last record is cut off. Errors: ErrTaken.
func Open(dir string, opt Options) (*Spool, error) {
	if opt.MaxBytes == 0 {
		opt.MaxBytes = 1 << 30
	}
	if opt.SegmentBytes == 0 {
		opt.SegmentBytes = 64 << 20
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make spool: %w", err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	s := &Spool{
		dir: dir, opt: opt, lock: lock, next: newCommit(), sizes: map[uint64]int64{},
		moved: make(chan struct{}), room: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := s.begin(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	go s.run()
	return s, nil
}

func newCommit() *commit { return &commit{done: make(chan struct{})} }

// begin looks at what is there and starts a segment after all of it: a place
// that a crash took back is never given again.
func (s *Spool) begin() error {
	known, err := segments(s.dir)
	if err != nil {
		return err
	}
	last := uint64(0)
	for i, n := range known {
		size, err := s.settle(n, i == len(known)-1)
		if err != nil {
			return err
		}
		s.sizes[n], last = size, n
		s.held += size
	}
	return s.roll(max(last+1, s.opt.First))
}

// settle gives the size of a segment, and cuts the last one after its last
// whole record.
func (s *Spool) settle(n uint64, last bool) (int64, error) {
	path := segmentPath(s.dir, n)
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("look at spool: %w", err)
	}
	if !last {
		return info.Size(), nil
	}
	end, err := wholeUntil(path)
	if err != nil || end == info.Size() {
		return end, err
	}
	if err := os.Truncate(path, end); err != nil {
		return 0, fmt.Errorf("cut spool: %w", err)
	}
	return end, nil
}

// roll begins a segment.
func (s *Spool) roll(n uint64) error {
	f, err := os.OpenFile(segmentPath(s.dir, n), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("begin segment of spool: %w", err)
	}
	if err := syncFolder(s.dir); err != nil {
		return errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if s.file != nil {
		err = s.file.Close()
	}
	s.file, s.at = f, Position{Segment: n}
	s.mu.Lock()
	s.sizes[n], s.durable = 0, s.at
	s.mu.Unlock()
	return err
}

// Append takes records, of 1 to MaxRecord bytes each, and returns the place
// after them once they are on the disk. It waits while too much waits. Errors:
// ErrFull, ErrClosed, the end of ctx; after an error of ctx the records may have
// been taken.
func (s *Spool) Append(ctx context.Context, records ...[]byte) (Position, error) {
	size := 0
	for _, r := range records {
		if len(r) == 0 || len(r) > MaxRecord {
			return Position{}, fmt.Errorf("a record of %d bytes is not for a spool", len(r))
		}
		size += frameHeader + len(r)
	}
	c, err := s.join(ctx, size, records)
	if err != nil {
		return Position{}, err
	}
	select {
	case <-c.done:
		return c.end, c.err
	case <-ctx.Done():
		return Position{}, fmt.Errorf("wait for the spool: %w", context.Cause(ctx))
	}
}

// join puts records in the next write, when there is room.
func (s *Spool) join(ctx context.Context, size int, records [][]byte) (*commit, error) {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return nil, ErrClosed
		}
		if s.held+int64(len(s.next.buf)+size) > s.opt.MaxBytes {
			s.mu.Unlock()
			return nil, ErrFull
		}
		if len(s.next.buf) == 0 || len(s.next.buf)+size <= pendingBytes {
			c := s.next
			for _, r := range records {
				c.buf = appendFrame(c.buf, r)
			}
			s.mu.Unlock()
			select {
			case s.wake <- struct{}{}:
			default:
			}
			return c, nil
		}
		room := s.room
		s.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for room in the spool: %w", context.Cause(ctx))
		}
	}
}

// run writes what waits, as one write and one sync, until the spool is closed.
func (s *Spool) run() {
	defer close(s.done)
	spare := []byte(nil)
	for range s.wake {
		s.mu.Lock()
		c, closed := s.next, s.closed
		s.next = newCommit()
		// What was written before is written in again: two sets are in use, and
		// never one by both.
		s.next.buf = spare[:0]
		close(s.room)
		s.room = make(chan struct{})
		s.mu.Unlock()
		if len(c.buf) > 0 {
			c.err = s.write(c.buf)
			c.end = s.at
		}
		if spare = c.buf; cap(spare) > pendingBytes {
			spare = nil
		}
		close(c.done)
		if closed {
			return
		}
	}
}

// write puts frames on the disk. What fails is taken back, so that nothing that
// was refused is read later.
func (s *Spool) write(frames []byte) error {
	if s.at.Offset > 0 && s.at.Offset+int64(len(frames)) > s.opt.SegmentBytes {
		if err := s.roll(s.at.Segment + 1); err != nil {
			return refused(err)
		}
	}
	_, err := s.file.WriteAt(frames, s.at.Offset)
	if err == nil {
		err = s.file.Sync()
	}
	if err != nil {
		// After a failed sync nobody knows what the disk holds of this file.
		return refused(errors.Join(err, s.file.Truncate(s.at.Offset), s.roll(s.at.Segment+1)))
	}
	s.at.Offset += int64(len(frames))
	s.mu.Lock()
	s.durable = s.at
	s.held += int64(len(frames))
	s.sizes[s.at.Segment] = s.at.Offset
	close(s.moved)
	s.moved = make(chan struct{})
	s.mu.Unlock()
	return nil
}

// refused says in one sentence that the disk does not take records.
func refused(err error) error { return fault.Wrap(err, fault.Unavailable, "spool.error.disk") }

// Durable is the place after the last record on the disk.
func (s *Spool) Durable() Position {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.durable
}

// Held is what is on the disk and was not released, bytes.
func (s *Spool) Held() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// Behind is how much of what is held lies after a place, bytes.
func (s *Spool) Behind(p Position) (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for segment, size := range s.sizes {
		switch {
		case segment > p.Segment:
			n += size
		case segment == p.Segment:
			n += max(size-p.Offset, 0)
		}
	}
	return n
}

// Wait returns once there may be records after a place up to which the spool
// was read, with the place after the last, or at the end of ctx.
func (s *Spool) Wait(ctx context.Context, after Position) (Position, error) {
	for {
		s.mu.Lock()
		durable, moved := s.durable, s.moved
		s.mu.Unlock()
		if after.Before(durable) {
			return durable, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return durable, fmt.Errorf("wait for records: %w", context.Cause(ctx))
		}
	}
}

// Release forgets the segments that lie wholly before a place.
func (s *Spool) Release(upTo Position) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, size := range s.sizes {
		if n >= upTo.Segment || n == s.durable.Segment {
			continue
		}
		if err := os.Remove(segmentPath(s.dir, n)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("forget segment of spool: %w", err)
		}
		delete(s.sizes, n)
		s.held -= size
	}
	return nil
}

// Close writes what waits and lets the folder go.
func (s *Spool) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
	<-s.done
	return errors.Join(s.file.Close(), s.lock.Close())
}
