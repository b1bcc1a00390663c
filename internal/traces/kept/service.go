package kept

import (
	"context"
	"embed"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/vault"
)

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Options are what kept questions rest on.
type Options struct {
	DB    *storage.DB
	Guard *access.Guard
	Clock clock.Clock
	Log   *slog.Logger
	// Traces answers.
	Traces *traces.Service
	// Vault seals the documents.
	Vault vault.Sealer
	// People tells who may be sent answers; Watchman writes to them.
	People   People
	Watchman Watchman
	// Printer makes the documents of an answer.
	Printer Printer
	// Link is the address of a kept question, whole.
	Link func(id uuid.UUID) string
}

// Person is an account that may be sent answers.
type Person struct {
	ID   uuid.UUID
	Name string
}

// People tells who may do something in an establishment, at this moment.
type People interface {
	Entitled(ctx context.Context, scope access.Scope, action access.Action) ([]Person, error)
}

// Watchman writes to accounts of an establishment. It is called in the transaction
// that makes it true, and repeated with the same id it tells nobody twice.
type Watchman interface {
	Tell(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, accounts []uuid.UUID, say func(*i18n.Localizer) (subject, text string)) error
}

// Paper is an answer to print.
type Paper struct {
	Name, Why, By, Number string
	Inquiry               traces.Inquiry
	Reply                 traces.Reply
	At                    time.Time
	Zone                  *time.Location
}

// Printed is a document: Format is "pdf" or "csv".
type Printed struct {
	Format string
	Bytes  []byte
}

// Printer makes the documents of an answer.
type Printer interface {
	Print(ctx context.Context, scope access.Scope, p Paper) ([]Printed, error)
}

// Service is what can be done with kept questions.
type Service struct{ opt Options }

// New returns the operations.
func New(o Options) *Service { return &Service{opt: o} }

// Entitled lists who may be sent answers. Needs access.TracesAsk.
func (s *Service) Entitled(ctx context.Context, scope access.Scope) ([]Person, error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return nil, err
	}
	return s.entitled(ctx, scope)
}

func (s *Service) entitled(ctx context.Context, scope access.Scope) ([]Person, error) {
	if s.opt.People == nil {
		return nil, nil
	}
	return s.opt.People.Entitled(ctx, access.System(scope.Organisation(), "traces"), access.TracesAsk)
}
