//go:build cgo

package duckdb

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/traces"
)

// A reference is the class, the month and the seq of an event, and four bytes of
// the digest of its establishment, so that another's is never one of ours.
const refBytes = 1 + 4 + 8 + 4

func refOf(key fileKey, seq int64) string {
	b := make([]byte, 0, refBytes)
	b = append(b, byte(key.class))
	b = binary.BigEndian.AppendUint32(b, uint32(key.month))
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	return base64.RawURLEncoding.EncodeToString(append(b, ownerMark(key.organisation)...))
}

func ownerMark(organisation uuid.UUID) []byte {
	sum := sha256.Sum256(organisation[:])
	return sum[:4]
}

func parseRef(organisation uuid.UUID, ref string) (fileKey, int64, bool) {
	b, err := base64.RawURLEncoding.DecodeString(ref)
	if err != nil || len(b) != refBytes || !slices.Equal(b[13:], ownerMark(organisation)) {
		return fileKey{}, 0, false
	}
	key := fileKey{organisation, traces.Class(b[0]), int32(binary.BigEndian.Uint32(b[1:]))}
	return key, int64(binary.BigEndian.Uint64(b[5:])), true
}

// Get implements traces.Reader.
func (e *Engine) Get(ctx context.Context, organisation uuid.UUID, ref string) (traces.Stored, error) {
	none := fault.New(fault.NotFound, "traces.base.not_found")
	key, seq, ok := parseRef(organisation, ref)
	if !ok {
		return traces.Stored{}, none
	}
	e.mu.Lock()
	f := e.files[key]
	known := f != nil && !f.gone && seq >= 0 && seq < f.next
	e.mu.Unlock()
	if !known {
		return traces.Stored{}, none
	}
	f, err := e.hold(ctx, key)
	if err != nil {
		return traces.Stored{}, told(ctx, err)
	}
	defer e.release(ctx, f)
	var out *traces.Stored
	if err := e.read(ctx, f, []int64{seq}, func(_ int64, s traces.Stored) { out = &s }); err != nil {
		return traces.Stored{}, told(ctx, err)
	}
	if out == nil {
		return traces.Stored{}, none
	}
	o := originals{e: e, alias: key.alias()}
	name, raw, err := o.of(ctx, seq)
	if err != nil {
		return traces.Stored{}, told(ctx, err)
	}
	out.Key, out.Raw = string(name), slices.Clone(raw)
	return *out, nil
}
