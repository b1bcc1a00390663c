package files

import (
	"log/slog"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// Options are what the files rest on.
type Options struct {
	DB     *storage.DB
	Guard  *access.Guard
	Clock  clock.Clock
	Log    *slog.Logger
	Traces *traces.Service
	// Dir is where files that are given wait to be read.
	Dir string
	// Node names this program among those that share the base of data.
	Node string
	// Roots are the folders under which a folder may be watched; none: none may.
	Roots []string
}

// Service is what can be done with files of traces.
type Service struct {
	opt Options
	// memories are what is known of the rows of the source being read.
	memory *memory
	// steady is what was seen of files that may still be in the making.
	steady map[string]seen
}

// New returns the operations on files.
func New(o Options) *Service { return &Service{opt: o, steady: map[string]seen{}} }
