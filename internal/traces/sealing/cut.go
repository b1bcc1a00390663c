package sealing

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"tocsin/internal/traces"
)

// SaltBytes is the length of a salt: what was purged cannot be guessed from the
// digest that stays in its place, nor what stands beside an event from the proof
// of that event.
const SaltBytes = 16

// NewSalts draws n salts, one after the other.
func NewSalts(n int) []byte {
	b := make([]byte, n*SaltBytes)
	_, _ = rand.Read(b) // it never fails: the program stops first
	return b
}

// ErrDamaged is what is kept of a block and is not in its form.
var ErrDamaged = errors.New("what is kept of a block of traces is damaged")

// The marks of places in a block that was cut: what follows is the salt of an
// event that stays, or the digest of one that is gone.
const (
	markKept = 1
	markGone = 0
)

// Spot is what a cut block says of one of its events: the salt of one that stays,
// the digest of one that is gone.
type Spot struct{ Salt, Digest []byte }

// spots reads what a cut left; nil for a whole block.
func spots(cut []byte, events int64) ([]Spot, error) {
	var out []Spot
	for rest := cut; len(rest) > 0; {
		n := 1 + SaltBytes
		if rest[0] == markGone {
			n = 1 + sha256.Size
		}
		if len(rest) < n {
			return nil, ErrDamaged
		}
		p := Spot{Salt: rest[1:n]}
		if rest[0] == markGone {
			p = Spot{Digest: rest[1:n]}
		}
		out, rest = append(out, p), rest[n:]
	}
	if cut != nil && int64(len(out)) != events {
		return nil, ErrDamaged
	}
	return out, nil
}

// Mark writes in a block what its cut says: how many are gone, and the digest of
// what was left. A cut that does not fit takes fewer than none, which nothing in a
// log ever said.
func Mark(b *traces.Block, cut []byte) {
	b.Removed, b.Cut = 0, nil
	if cut == nil {
		return
	}
	sum := sha256.Sum256(cut)
	b.Cut = sum[:]
	list, err := spots(cut, b.Events)
	for _, p := range list {
		if p.Digest != nil {
			b.Removed++
		}
	}
	if err != nil {
		b.Removed = -1
	}
}
