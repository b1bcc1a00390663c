package care

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/storage"
)

// Options are what the service rests on.
type Options struct {
	DB    *storage.DB
	Guard *access.Guard
	Clock clock.Clock
	Log   *slog.Logger
	// Directory tells who works here, Roster who is on call; nil: nobody tells.
	Directory Directory
	Roster    Roster
}

// Service is who cares for whom.
type Service struct {
	opt Options

	mu sync.Mutex
	// calls are the people on call, by establishment and quarter of an hour.
	calls map[quarter][]Call
}

// New returns the service.
func New(o Options) *Service { return &Service{opt: o, calls: map[quarter][]Call{}} }

// fold is the form in which numbers, accounts, services and names are kept and
// compared.
func fold(s string) string { return storage.Fold(strings.TrimSpace(s)) }

// lines keeps a short list of folded words in one text.
func lines(list []string) string { return strings.Join(list, "\n") }

func unlines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// folded gives the different folded words of a list, the empty ones left out.
func folded(list []string) []string {
	out := make([]string, 0, len(list))
	seen := make(map[string]bool, len(list))
	for _, w := range list {
		if w = cut(fold(w)); w != "" && !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	return out
}

// wordMost is how long a code, a name or a number is kept, bytes.
const wordMost = 200

func cut(s string) string {
	if len(s) <= wordMost {
		return s
	}
	return strings.ToValidUTF8(s[:wordMost], "")
}

// system is the scope in which the live flow looks things up.
func system(organisation uuid.UUID) access.Scope { return access.System(organisation, "traces") }

// null is a time that may be none.
func null(us int64) any {
	if us == 0 {
		return storage.NullMicros(time.Time{})
	}
	return us
}

func (s *Service) read(ctx context.Context, organisation uuid.UUID, fn func(*storage.Tx) error) error {
	return s.opt.DB.Read(ctx, system(organisation), fn)
}
