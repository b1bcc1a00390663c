//go:build cgo

package duckdb

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"

	"tocsin/internal/traces"
)

// keySet remembers the hashes of ids seen within a day, four bytes each. It may
// say that it saw what it did not, once in a billion: who asks then reads the
// stored id itself, so that no event is ever dropped for looking like another.
type keySet struct {
	bound  int
	tables []*keyTable // the oldest first; the last is filled
}

// keyTable is an open table of the upper halves of hashes, placed by the lower.
type keyTable struct {
	slots  []uint32
	held   int
	newest int64 // received, µs
}

func newKeySet(bound int) *keySet { return &keySet{bound: bound} }

func keyHash(source uuid.UUID, key string) uint64 {
	var d xxhash.Digest
	d.ResetWithSeed(binary.LittleEndian.Uint64(source[:8]) ^ binary.LittleEndian.Uint64(source[8:]))
	_, _ = d.WriteString(key) // it never fails
	return max(d.Sum64(), 1)
}

func (s *keySet) add(hash uint64, received int64) {
	last := len(s.tables) - 1
	if last < 0 || s.tables[last].held*4 > len(s.tables[last].slots)*3 || received > s.tables[last].newest+day/4 && s.tables[last].held > 0 {
		s.grow()
		last = len(s.tables) - 1
	}
	t := s.tables[last]
	mark := fingerprint(hash)
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		if t.slots[i] == mark {
			break
		}
		if t.slots[i] == 0 {
			t.slots[i] = mark
			t.held++
			break
		}
	}
	t.newest = max(t.newest, received)
}

// grow begins a table, twice as large as the last while that was filled, and
// drops the oldest when there is no room.
func (s *keySet) grow() {
	size := 1 << 12
	if n := len(s.tables); n > 0 {
		size = min(len(s.tables[n-1].slots)*2, max(s.bound/4, 1<<12))
	}
	size = 1 << len(strconv.FormatInt(int64(size-1), 2))
	total := size
	for _, t := range s.tables {
		total += len(t.slots)
	}
	for len(s.tables) > 0 && total > s.bound {
		total -= len(s.tables[0].slots)
		s.tables = slices.Delete(s.tables, 0, 1)
	}
	s.tables = append(s.tables, &keyTable{slots: make([]uint32, size)})
}

func (s *keySet) has(hash uint64) bool {
	mark := fingerprint(hash)
	for _, t := range s.tables {
		mask := uint64(len(t.slots) - 1)
		for i := hash & mask; t.slots[i] != 0; i = (i + 1) & mask {
			if t.slots[i] == mark {
				return true
			}
		}
	}
	return false
}

// forget drops what is older than a day before the time an event was received.
func (s *keySet) forget(received int64) {
	s.tables = slices.DeleteFunc(s.tables, func(t *keyTable) bool { return t.newest < received-day })
}

func fingerprint(hash uint64) uint32 { return max(uint32(hash>>32), 1) }

// rememberKeys fills the set from the files that heard something within a day of
// the last that was heard.
func (e *Engine) rememberKeys(ctx context.Context) error {
	last := int64(0)
	for _, f := range e.files {
		last = max(last, f.heard)
	}
	for key, f := range e.files {
		if f.events == 0 || f.heard < last-day {
			continue
		}
		if err := e.rememberFile(ctx, key, last-day); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) rememberFile(ctx context.Context, key fileKey, since int64) error {
	f, err := e.hold(ctx, key)
	if err != nil {
		return err
	}
	defer e.release(ctx, f)
	rows, err := e.db.QueryContext(ctx, "SELECT key_hash, received FROM "+key.alias()+".events WHERE key_hash <> 0 AND received >= $1", since)
	if err != nil {
		return fmt.Errorf("remember ids of events: %w", err)
	}
	for rows.Next() {
		var hash uint64
		var received int64
		if err := rows.Scan(&hash, &received); err != nil {
			return fmt.Errorf("remember ids of events: %w", closing(rows, err))
		}
		e.keys.add(hash, received)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return fmt.Errorf("remember ids of events: %w", err)
	}
	return nil
}

// suspect is an event whose id may have been stored.
type suspect struct {
	index    int // in the batch
	hash     uint64
	event    *traces.Event
	repeated bool
}

// confirm reads the stored ids that suspects look like, and marks those that are
// repetitions: same source, same id, received within a day of each other.
func (e *Engine) confirm(ctx context.Context, suspects []suspect) error {
	byHash := map[uint64][]*suspect{}
	for i := range suspects {
		s := &suspects[i]
		byHash[s.hash] = append(byHash[s.hash], s)
	}
	e.mu.Lock()
	var keys []fileKey
	for key, f := range e.files {
		if f.events > 0 && !f.gone && slices.ContainsFunc(suspects, func(s suspect) bool {
			return s.event.Organisation == key.organisation && f.heard >= s.event.Received-day
		}) {
			keys = append(keys, key)
		}
	}
	e.mu.Unlock()
	for _, key := range keys {
		if err := e.confirmIn(ctx, key, byHash); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) confirmIn(ctx context.Context, key fileKey, byHash map[uint64][]*suspect) error {
	f, err := e.hold(ctx, key)
	if err != nil {
		return err
	}
	defer e.release(ctx, f)
	found, err := e.sameHash(ctx, key, byHash)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b stored) int { return int(a.seq - b.seq) })
	originals := originals{e: e, alias: key.alias()}
	for _, line := range found {
		name, _, err := originals.of(ctx, line.seq)
		if err != nil {
			return err
		}
		for _, s := range byHash[line.hash] {
			apart := s.event.Received - line.received
			if s.event.Organisation == key.organisation && s.event.Source.String() == line.source && s.event.Key == string(name) && max(apart, -apart) <= day {
				s.repeated = true
			}
		}
	}
	return nil
}

// stored is a line that bears the hash of a suspect.
type stored struct {
	seq, received int64
	hash          uint64
	source        string
}

// sameHash finds the lines of a file that bear one of the hashes.
func (e *Engine) sameHash(ctx context.Context, key fileKey, byHash map[uint64][]*suspect) ([]stored, error) {
	var list strings.Builder
	for hash := range byHash {
		if list.Len() > 0 {
			list.WriteByte(',')
		}
		list.WriteString(strconv.FormatUint(hash, 10))
	}
	rows, err := e.conn.QueryContext(ctx, "SELECT seq, received, key_hash, source FROM "+key.alias()+".events WHERE key_hash IN ("+list.String()+")")
	if err != nil {
		return nil, fmt.Errorf("look for repeated events: %w", err)
	}
	var out []stored
	for rows.Next() {
		var s stored
		if err := rows.Scan(&s.seq, &s.received, &s.hash, &s.source); err != nil {
			return nil, fmt.Errorf("look for repeated events: %w", closing(rows, err))
		}
		out = append(out, s)
	}
	if err := closing(rows, rows.Err()); err != nil {
		return nil, fmt.Errorf("look for repeated events: %w", err)
	}
	return out, nil
}

// seeds hash texts into the maps of this process: nobody outside can make two
// texts meet.
type seeds struct{ a, b maphash.Seed }

func newSeeds() seeds { return seeds{maphash.MakeSeed(), maphash.MakeSeed()} }

func (s seeds) of(parts ...string) (h [2]uint64) {
	for i, seed := range [...]maphash.Seed{s.a, s.b} {
		var m maphash.Hash
		m.SetSeed(seed)
		for _, p := range parts {
			var length [8]byte
			binary.LittleEndian.PutUint64(length[:], uint64(len(p)))
			_, _ = m.Write(length[:]) // it never fails
			_, _ = m.WriteString(p)   // nor does it
		}
		h[i] = m.Sum64()
	}
	return h
}
