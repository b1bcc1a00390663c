package traces

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/google/uuid"
)

// Sealer is a base that can be sealed: it keeps its events in blocks, each with
// the root of a Merkle tree over the digests of its events, made when they were
// taken and committed with them.
type Sealer interface {
	// Blocks lists the blocks of an establishment, file by file.
	Blocks(ctx context.Context, organisation uuid.UUID, q BlockQuery) ([]BlockFile, error)
	// Block gives the events of one block with what their digests are made of.
	// Errors: NotFound.
	Block(ctx context.Context, organisation uuid.UUID, class Class, month string, first int64) ([]SealedEvent, error)
	// Witness gives one event with its place in its block. Errors: NotFound.
	Witness(ctx context.Context, organisation uuid.UUID, ref string) (Witness, error)
}

// BlockQuery says which blocks are wanted.
type BlockQuery struct {
	// Only names one file, such as "patient-2026-11"; all when empty.
	Only string `json:"only,omitempty"`
	// From is the first event of the first block wanted, by file; zero when a file
	// is not in it.
	From map[string]int64 `json:"from,omitempty"`
	// Close makes a block of what does not fill one yet.
	Close bool `json:"close,omitempty"`
	// Read has the roots made again from the rows and the originals on the disk.
	Read bool `json:"read,omitempty"`
}

// BlockFile is the events of one class and month.
type BlockFile struct {
	Class  Class   `json:"class"`
	Month  string  `json:"month"` // "2026-11"
	Blocks []Block `json:"blocks"`
	// Oldest is the time of the oldest event, UTC microseconds, when Held of them
	// are there.
	Oldest int64 `json:"oldest"`
	Held   int64 `json:"held"`
	// Open is how many events no block holds yet.
	Open int64 `json:"open"`
	// Strays is how many rows belong neither to a block nor to the open end, when all
	// blocks are wanted.
	Strays int64 `json:"strays,omitempty"`
	// Bytes is how much was read again.
	Bytes int64 `json:"bytes,omitempty"`
}

// Name is that of the file: class and month.
func (f BlockFile) Name() string { return FileName(f.Class, f.Month) }

// FileName names the events of a class and a month.
func FileName(c Class, month string) string { return c.String() + "-" + month }

// Block is a run of events.
type Block struct {
	First  int64 `json:"first"`
	Events int64 `json:"events"`
	// Lo and Hi bound the times of its events, UTC microseconds.
	Lo int64 `json:"lo"`
	Hi int64 `json:"hi"`
	// Root is what the base says; Read, what was read again gives, nil when rows
	// are missing or too many, or an original does not open.
	Root []byte `json:"root"`
	Read []byte `json:"read,omitempty"`
	// Removed is how many of its events a purge took out, Cut the digest of what
	// was left in their places; nil when all are there.
	Removed int64  `json:"removed,omitempty"`
	Cut     []byte `json:"cut,omitempty"`
}

// SealedEvent is an event as it was sealed. One that a purge removed has its
// digest only.
type SealedEvent struct {
	Seq    int64  `json:"seq"`
	Salt   []byte `json:"salt,omitempty"`
	Record []byte `json:"record,omitempty"`
	Digest []byte `json:"digest"`
}

// Witness is an event with the way from it to the root of its block.
type Witness struct {
	Class Class  `json:"class"`
	Month string `json:"month"`
	Block Block  `json:"block"`
	Event SealedEvent
	// Path is the digests beside the way, from the event up.
	Path [][]byte `json:"path"`
}

const digestBytes = sha256.Size

// AppendSealed appends the form of an event that is sealed: the record of the
// first version, in which what the model has no place for is one text as the base
// keeps it. It never changes: what was sealed must be read as long as it is kept.
func AppendSealed(dst []byte, e *Event, extra string) []byte {
	dst = append(append(dst, e.Organisation[:]...), e.Source[:]...)
	dst = binary.AppendVarint(binary.AppendVarint(dst, e.At), e.Received)
	guessed := byte(0)
	if e.AtGuessed {
		guessed = 1
	}
	dst = append(dst, guessed, byte(e.Class), byte(e.Action), byte(e.Outcome), byte(e.Severity))
	for _, t := range e.texts() {
		dst = appendText(dst, *t)
	}
	dst = appendText(dst, extra)
	dst = binary.AppendUvarint(dst, uint64(len(e.Raw)))
	return append(dst, e.Raw...)
}

// ReadSealed reads what AppendSealed wrote. Errors: ErrRecord.
func ReadSealed(b []byte) (e Event, extra string, err error) {
	r := recordReader{rest: b}
	e.Organisation, e.Source = r.id(), r.id()
	e.At, e.Received = r.number(), r.number()
	e.AtGuessed = r.octet() == 1
	e.Class, e.Action, e.Outcome, e.Severity = Class(r.octet()), Action(r.octet()), Outcome(r.octet()), int8(r.octet())
	text := func() string {
		n := r.length()
		if r.bad {
			return ""
		}
		s := string(r.rest[:n])
		r.rest = r.rest[n:]
		return s
	}
	for _, t := range e.texts() {
		*t = text()
	}
	extra = text()
	e.Raw = []byte(text())
	if r.bad || len(r.rest) > 0 {
		return e, extra, errors.Join(ErrRecord, errors.New("not the sealed form of an event"))
	}
	return e, extra, nil
}

// SealedForm begins the buffer whose SHA-256 is the digest of an event: the mark
// of a leaf (RFC 6962, 2.1) and the salt; the record follows.
func SealedForm(dst, salt []byte) []byte { return append(append(dst, 0), salt...) }

// EventDigest is the digest of an event under its salt.
func EventDigest(salt, record []byte) [sha256.Size]byte {
	return sha256.Sum256(append(SealedForm(make([]byte, 0, 1+len(salt)+len(record)), salt), record...))
}

// node is the digest of two (RFC 6962, 2.1).
func node(left, right []byte) [sha256.Size]byte {
	var b [1 + 2*sha256.Size]byte
	b[0] = 1
	copy(b[1:], left)
	copy(b[1+sha256.Size:], right)
	return sha256.Sum256(b[:])
}

// BlockRoot is the root of the Merkle tree over digests that follow each other;
// it writes over them. Pairing neighbours and letting a last one pass gives the
// tree of RFC 6962.
func BlockRoot(digests []byte) []byte {
	for len(digests) > digestBytes {
		digests = raise(digests)
	}
	return digests
}

// raise makes one level of a tree of the one below, in its place.
func raise(level []byte) []byte {
	n := len(level) / digestBytes
	for i := range n / 2 {
		sum := node(level[2*i*digestBytes:(2*i+1)*digestBytes], level[(2*i+1)*digestBytes:(2*i+2)*digestBytes])
		copy(level[i*digestBytes:], sum[:])
	}
	if n%2 == 1 {
		copy(level[n/2*digestBytes:], level[(n-1)*digestBytes:])
	}
	return level[:(n+1)/2*digestBytes]
}

// BlockPath is the digests beside the way from one of several to their root; it
// writes over them.
func BlockPath(digests []byte, i int) (path [][]byte) {
	for ; len(digests) > digestBytes; i /= 2 {
		if beside := i ^ 1; beside < len(digests)/digestBytes {
			path = append(path, append([]byte(nil), digests[beside*digestBytes:(beside+1)*digestBytes]...))
		}
		digests = raise(digests)
	}
	return path
}

// Climb goes from the digest of the i-th of n events along a path, and gives the
// root; nil when the path has another length than it must.
func Climb(digest []byte, i, n int64, path [][]byte) []byte {
	for ; n > 1; i, n = i/2, (n+1)/2 {
		if i == n-1 && i%2 == 0 {
			continue
		}
		if len(path) == 0 {
			return nil
		}
		left, right := digest, path[0]
		if i%2 == 1 {
			left, right = right, left
		}
		sum := node(left, right)
		digest, path = sum[:], path[1:]
	}
	if len(path) > 0 {
		return nil
	}
	return digest
}
