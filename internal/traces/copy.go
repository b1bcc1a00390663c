package traces

import (
	"context"
	"io"

	"tocsin/internal/spool"
)

// Copier is a base whose files can be copied while it works.
type Copier interface {
	// Copy gives every file, each as one commit left it, all of them with at least
	// what was stored when the copy began; nothing is purged meanwhile. Errors:
	// Unavailable when the base does not hold the spool up to CopyQuery.After, and
	// those of the sink.
	Copy(ctx context.Context, q CopyQuery, to CopySink) error
}

// CopyQuery says what a copy must hold and what is known already.
type CopyQuery struct {
	// After is the place of the spool up to which the copy must hold it.
	After spool.Position `json:"after"`
	// Known are files of an earlier copy, by name: what is the same is not given
	// again.
	Known map[string]CopiedFile `json:"known,omitempty"`
}

// CopiedFile is a file of a base.
type CopiedFile struct {
	// Name is its place in the folder of the base, with slashes.
	Name string `json:"name"`
	// Size is in bytes, Modified when the system saw it written last, nanoseconds.
	Size     int64 `json:"size"`
	Modified int64 `json:"modified"`
	// SHA256 is that of its bytes; nil where they were not read yet.
	SHA256 []byte `json:"sha256,omitempty"`
}

// CopySink receives a copy.
type CopySink interface {
	// Begin is told what there is, before the first file and once nothing is purged
	// any more.
	Begin(files []CopiedFile) error
	// Take receives a file; content is nil for one that is, byte for byte, the one
	// known by its name.
	Take(f CopiedFile, content io.Reader) error
}
