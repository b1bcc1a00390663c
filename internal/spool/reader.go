package spool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Damage is a record that does not bear its sum, in the middle of a segment.
type Damage struct {
	At Position
	// Bytes is what could not be read: to the end of the segment.
	Bytes int64
}

// Error implements error.
func (d *Damage) Error() string {
	return fmt.Sprintf("spool damaged at %s: %d bytes not read", d.At, d.Bytes)
}

// Reader is the reading end; several may read one spool.
type Reader struct {
	dir  string
	file *os.File
	buf  *bufio.Reader
	at   Position
	rec  []byte
}

// NewReader reads from a place. Nothing is opened until Next.
func NewReader(dir string, from Position) *Reader { return &Reader{dir: dir, at: from} }

// At is the place after the last record given.
func (r *Reader) At() Position { return r.at }

// Next gives the next record before upTo, which must be on the disk; its bytes
// hold until the next call. Errors: io.EOF when none is left, *Damage, after
// which the reader goes on with the next segment.
func (r *Reader) Next(upTo Position) ([]byte, error) {
	for r.at.Before(upTo) {
		if r.file == nil {
			ok, err := r.open(upTo)
			if err != nil || !ok {
				return nil, err
			}
		}
		b, err := r.frame()
		if errors.Is(err, io.EOF) {
			if r.at.Segment >= upTo.Segment {
				return nil, io.EOF
			}
			if err := r.leave(); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		return b, nil
	}
	return nil, io.EOF
}

// open finds the segment of the place, or the first after it.
func (r *Reader) open(upTo Position) (bool, error) {
	known, err := segments(r.dir)
	if err != nil {
		return false, err
	}
	i, found := slices.BinarySearch(known, r.at.Segment)
	if i == len(known) || known[i] > upTo.Segment {
		return false, io.EOF
	}
	if !found {
		r.at = Position{Segment: known[i]}
	}
	f, err := os.Open(segmentPath(r.dir, r.at.Segment))
	if err != nil {
		return false, fmt.Errorf("read spool: %w", err)
	}
	if _, err := f.Seek(r.at.Offset, io.SeekStart); err != nil {
		return false, errors.Join(fmt.Errorf("read spool: %w", err), f.Close())
	}
	r.file, r.buf = f, bufio.NewReaderSize(f, 256<<10)
	return true, nil
}

// frame reads one frame, or io.EOF at a clean end.
func (r *Reader) frame() ([]byte, error) {
	n, sound, err := r.probe()
	switch {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil || !sound:
		return nil, r.damage(err)
	}
	r.at.Offset += int64(n)
	return r.rec, nil
}

// damage tells a record that cannot be read and goes to the next segment. An
// error of the disk is told as it is: the record may be sound.
func (r *Reader) damage(err error) error {
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		at := r.at
		return errors.Join(fmt.Errorf("read spool at %s: %w", at, err), r.Close())
	}
	d := &Damage{At: r.at}
	if info, err := r.file.Stat(); err == nil {
		d.Bytes = info.Size() - r.at.Offset
	}
	if err := r.leave(); err != nil {
		return err
	}
	return d
}

// leave goes to the next segment.
func (r *Reader) leave() error {
	err := r.Close()
	r.at = Position{Segment: r.at.Segment + 1}
	return err
}

// Close lets the file go; Next opens it again.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file, r.buf = nil, nil
	if err := f.Close(); err != nil {
		return fmt.Errorf("close spool: %w", err)
	}
	return nil
}

// wholeUntil is the size of a segment without what a crash left of its last
// write: the end of its last sound record, unless a sound one follows the bad,
// which is damage and is kept to be told.
func wholeUntil(path string) (end int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("read spool: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("read spool: %w", err)
	}
	r := Reader{file: f, buf: bufio.NewReaderSize(f, 256<<10)}
	for {
		n, sound, err := r.probe()
		switch {
		case err != nil:
			return end, unlessEnd(err)
		case sound:
			end += int64(n)
		default:
			if _, next, err := r.probe(); err == nil && next {
				return info.Size(), nil
			}
			return end, nil
		}
	}
}

// probe reads one frame and tells its length on the disk and whether it bears
// its sum.
func (r *Reader) probe() (int, bool, error) {
	var header [frameHeader]byte
	if _, err := io.ReadFull(r.buf, header[:]); err != nil {
		return 0, false, err
	}
	n, ok := frameLength(header[:])
	if !ok {
		return 0, false, nil
	}
	r.rec = slices.Grow(r.rec[:0], n)[:n]
	if _, err := io.ReadFull(r.buf, r.rec); err != nil {
		return 0, false, err
	}
	return frameHeader + n, frameSound(header[:], r.rec), nil
}

func unlessEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return fmt.Errorf("read spool: %w", err)
}
