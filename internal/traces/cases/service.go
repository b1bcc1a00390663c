package cases

import (
	"context"
	"embed"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Options are what the cases rest on.
type Options struct {
	DB    *storage.DB
	Guard *access.Guard
	Clock clock.Clock
	Log   *slog.Logger
	// Looks writes down who looks at a case.
	Looks Looks
	// People tells who may be given a case.
	People People
	// Watchman tells those who answer for cases that some wait.
	Watchman Watchman
	// Alarm launches the alert of a grave case.
	Alarm Alarm
	// Watched tells the rules whose hits are looked at each time; nil is Watched.
	Watched func(rule string) bool
	// TitleKey gives the key of the title of a rule that is not Sigma; nil, or an
	// empty key, for a title that says no more than that access is unusual.
	TitleKey func(rule string) string
	// CaseLink is the address of a case, whole.
	CaseLink func(id uuid.UUID) string
}

// Looks writes a look at a case down, or refuses it.
type Looks interface {
	NoteCase(ctx context.Context, scope access.Scope, l traces.CaseLook) error
}

// Person is somebody who may be given a case.
type Person struct {
	ID   uuid.UUID
	Name string
}

// People tells who holds a role.
type People interface {
	Holders(ctx context.Context, scope access.Scope, role access.Role) ([]Person, error)
}

// Watchman writes to those who hold a role. It is called in the transaction that
// makes it true, and repeated with the same id it tells nobody twice.
type Watchman interface {
	Found(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, role access.Role, say func(*i18n.Localizer) (subject, text string)) error
}

// Service is what can be done with cases.
type Service struct{ opt Options }

// New returns the operations.
func New(o Options) *Service {
	if o.Watched == nil {
		o.Watched = Watched
	}
	return &Service{opt: o}
}

// may lists the kinds of cases that somebody sees.
func (s *Service) may(scope access.Scope) (out []Kind) {
	for _, k := range Kinds() {
		if s.opt.Guard.May(scope, k.need()) {
			out = append(out, k)
		}
	}
	return out
}

// Filter chooses cases; zero fields choose all that one may see.
type Filter struct {
	// State is "open" for those that wait, or one state.
	State string
	Kind  Kind
	Rule  string
	// Mine are those assigned to the person who asks.
	Mine bool
	Page int
}

// PageSize is how many cases are given at once.
const PageSize = 50

// List is a page of cases.
type List struct {
	Cases []Case
	Total int
	Page  int
}

// Find gives the cases that somebody may see: those that wait first, the heaviest
// first. Needs access.TracesCases.
func (s *Service) Find(ctx context.Context, scope access.Scope, f Filter) (out List, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return out, err
	}
	which, args := s.chosen(scope, f)
	out.Page = max(f.Page, 1)
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM traces_cases WHERE `+which, args, &out.Total); err != nil {
			return err
		}
		out.Cases, err = readCases(ctx, tx, which+fmt.Sprintf(` ORDER BY CASE WHEN state IN ('new', 'assigned') THEN 0 ELSE 1 END, weight DESC, last_us DESC, id DESC LIMIT %d OFFSET %d`, PageSize, (out.Page-1)*PageSize), args...)
		return err
	})
	return out, err
}

// chosen is a filter as a condition; what one may not see is never chosen.
func (s *Service) chosen(scope access.Scope, f Filter) (which string, args []any) {
	args = []any{scope.Organisation()}
	add := func(condition string, values ...any) {
		var names []any
		for _, v := range values {
			args = append(args, v)
			names = append(names, fmt.Sprintf("$%d", len(args)))
		}
		which += ` AND ` + fmt.Sprintf(condition, names...)
	}
	kinds := s.may(scope)
	if f.Kind != "" && slices.Contains(kinds, f.Kind) {
		kinds = []Kind{f.Kind}
	}
	var list []string
	for _, k := range kinds {
		list = append(list, `'`+string(k)+`'`)
	}
	which = `organisation_id = $1 AND kind IN (` + strings.Join(append(list, `''`), ", ") + `)`
	switch {
	case f.State == "open":
		which += ` AND state IN ('new', 'assigned')`
	case slices.Contains(States(), State(f.State)):
		add(`state = %s`, f.State)
	}
	if f.Rule != "" {
		add(`rule = %s`, f.Rule)
	}
	if f.Mine {
		add(`assigned_id = %s`, scope.Actor().ID)
	}
	return which, args
}

// Sheet is a case with why and what was done.
type Sheet struct {
	Case
	Reasons []Reason
	Steps   []Step
	// Others may be given the case; only while it is open.
	Others []Person
}

// Look gives one case. It is traced as a look. Needs access.TracesCases and the
// right to its kind. Errors: NotFound, for those one may not see too; Unavailable.
func (s *Service) Look(ctx context.Context, scope access.Scope, id uuid.UUID) (out Sheet, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		if out.Case, err = s.seen(ctx, tx, scope, id); err != nil {
			return err
		}
		if out.Reasons, err = readReasons(ctx, tx, scope, id); err != nil {
			return err
		}
		out.Steps, err = readSteps(ctx, tx, scope, id)
		return err
	})
	if err != nil {
		return Sheet{}, err
	}
	if err := s.opt.Looks.NoteCase(ctx, scope, traces.CaseLook{ID: id.String(), Account: out.Account, IPP: out.IPP, INS: out.INS}); err != nil {
		return Sheet{}, err
	}
	if out.State.Open() {
		out.Others, err = s.holders(ctx, scope, out.Kind)
	}
	return out, err
}

// seen reads a case that somebody may see. To others it is not there.
func (s *Service) seen(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Case, error) {
	c, err := readCase(ctx, tx, scope, id)
	if err == nil && !s.opt.Guard.May(scope, c.Kind.need()) {
		return Case{}, fault.New(fault.NotFound, "traces.cases.unknown")
	}
	return c, err
}

// holders are those who answer for cases of a kind.
func (s *Service) holders(ctx context.Context, scope access.Scope, k Kind) ([]Person, error) {
	if s.opt.People == nil {
		return nil, nil
	}
	return s.opt.People.Holders(ctx, access.System(scope.Organisation(), "traces"), k.Role())
}
