package alerting

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/storage"
)

// ids gives UUIDv7 that follow each other, so that a hundred thousand rows of
// one launch are written at the end of the index and read back as a range.
type ids struct{ next uuid.UUID }

func newIDs(now time.Time) *ids {
	id := storage.NewID(now)
	binary.BigEndian.PutUint32(id[12:], 0) // room to count; the rest stays random
	return &ids{id}
}

func (s *ids) take() uuid.UUID {
	id := s.next
	binary.BigEndian.PutUint32(s.next[12:], binary.BigEndian.Uint32(s.next[12:])+1)
	return id
}
