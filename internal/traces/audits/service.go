package audits

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Options are what requests rest on.
type Options struct {
	DB    *storage.DB
	Guard *access.Guard
	Clock clock.Clock
	// Traces answers the delegate.
	Traces *traces.Service
	// People tells who may be a delegate; Watchman writes to those a step is for.
	People   People
	Watchman Watchman
	// Link is the address of a request, whole.
	Link func(id uuid.UUID) string
}

// Person is an account that may be a delegate.
type Person struct {
	ID   uuid.UUID
	Name string
}

// People tells who has an account in an establishment.
type People interface {
	Delegates(ctx context.Context, scope access.Scope) ([]Person, error)
}

// To are those a message is for: the holders of roles, and named accounts.
type To struct {
	Roles    []access.Role
	Accounts []uuid.UUID
}

// Watchman writes to people of an establishment. It is called in the transaction
// that makes it true, and repeated with the same id it tells nobody twice.
type Watchman interface {
	Step(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, id uuid.UUID, to To, say func(*i18n.Localizer) (subject, text string)) error
}

// Service is what can be done with requests.
type Service struct{ opt Options }

// New returns the operations.
func New(o Options) *Service { return &Service{opt: o} }

// Draft is a request as it is asked.
type Draft struct {
	Kind            Kind
	Behalf, Checked string
	Subject, Reason string
	Extent          Extent
}

// text checks what a person wrote.
func text(v, field string, most int, must bool) (string, error) {
	v = strings.TrimSpace(v)
	if must && v == "" || len([]rune(v)) > most {
		return v, fault.New(fault.Invalid, "traces.audits.words", "most", most).At(field)
	}
	return v, nil
}

func (d Draft) check() (out Draft, err error) {
	out = d
	patient := d.Kind == OfPatient
	if !patient && d.Kind != OfService {
		return out, fault.New(fault.Invalid, "traces.phrase.choice").At("sorte")
	}
	if out.Subject, err = text(d.Subject, "objet", shortMost, true); err != nil {
		return out, err
	}
	if out.Reason, err = text(d.Reason, "motif", wordsMost, true); err != nil {
		return out, err
	}
	if out.Behalf, err = text(d.Behalf, "demandeur", shortMost, patient); err != nil {
		return out, err
	}
	if out.Checked, err = text(d.Checked, "identite", shortMost, patient); err != nil {
		return out, err
	}
	if !patient {
		out.Behalf, out.Checked = "", ""
	}
	out.Extent, err = d.Extent.check()
	out.Extent.Originals = false // it is decided, not asked
	if err == nil && patient && len(out.Extent.Patients) == 0 {
		err = fault.New(fault.Invalid, "traces.audits.patient").At("patients")
	}
	return out, err
}

// Ask makes a request. Needs access.TracesAuditAsk. Errors: Invalid with its field,
// TooMany.
func (s *Service) Ask(ctx context.Context, scope access.Scope, d Draft) (out Request, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAuditAsk); err != nil {
		return out, err
	}
	if d, err = d.check(); err != nil {
		return out, err
	}
	wanted, err := json.Marshal(d.Extent)
	if err != nil {
		return out, err
	}
	now := s.opt.Clock.Now()
	out = Request{ID: storage.NewID(now), Kind: d.Kind, State: Asked, AskedID: scope.Actor().ID, AskedName: scope.Actor().Name, Asked: now, Behalf: d.Behalf, Checked: d.Checked, Subject: d.Subject, Reason: d.Reason, Wanted: d.Extent, organisation: scope.Organisation()}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var n, waiting int
		if _, err := tx.Row(ctx, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN state = 'asked' THEN 1 ELSE 0 END), 0) FROM traces_requests WHERE organisation_id = $1`, []any{scope.Organisation()}, &n, &waiting); err != nil {
			return err
		}
		if waiting >= openMost {
			return fault.New(fault.TooMany, "traces.audits.too_many", "most", openMost)
		}
		out.Number = fmt.Sprintf("AUD-%d-%04d", now.Year(), n+1)
		if _, err := tx.Exec(ctx, `INSERT INTO traces_requests (organisation_id, id, number, kind, state, asked_id, asked_name, asked_us, behalf, checked, subject, reason, wanted_json, granted_json, decision, decided_name, delegate_name, unmasked, unmasked_by, conclusion)
			VALUES ($1, $2, $3, $4, 'asked', $5, $6, $7, $8, $9, $10, $11, $12, '{}', '', '', '', '', '', '')`,
			scope.Organisation(), out.ID, out.Number, string(out.Kind), out.AskedID, out.AskedName, storage.Micros(now), out.Behalf, out.Checked, out.Subject, out.Reason, string(wanted)); err != nil {
			return err
		}
		if err := s.tell(ctx, tx, now, out, "asked", To{Roles: []access.Role{access.DataProtection, access.MedicalInformation, access.Controller}}); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, out.entry("traces.audit.ask", d.Extent.noted()))
	})
	return out, err
}

// entry is a line of the journal: its number, never whom it is about.
func (r Request) entry(action string, after any) journal.Entry {
	return journal.Entry{Action: action, ObjectKind: "trace_request", ObjectID: r.ID.String(), ObjectName: r.Number, After: after}
}

// tell writes that a step was taken; the message has the number and a link.
func (s *Service) tell(ctx context.Context, tx *storage.Tx, now time.Time, r Request, step string, to To) error {
	if s.opt.Watchman == nil {
		return nil
	}
	id := uuid.NewSHA1(r.ID, []byte(step))
	return s.opt.Watchman.Step(ctx, tx, access.System(r.organisation, "traces"), now, id, to, func(loc *i18n.Localizer) (string, string) {
		return loc.T("traces.audits.notice."+step+".subject", "number", r.Number), loc.T("traces.audits.notice."+step+".text", "number", r.Number, "link", s.opt.Link(r.ID))
	})
}

// seen tells whether somebody sees a request: who asked, whom it was given to, and
// those who advise or decide.
func (s *Service) seen(scope access.Scope, r Request) bool {
	me := scope.Actor().ID
	return r.AskedID == me || r.DelegateID == me && me != uuid.Nil || s.opt.Guard.May(scope, access.TracesAuditAdvise)
}

// List gives the requests that somebody sees, the latest first. Needs
// access.TracesAuditAsk.
func (s *Service) List(ctx context.Context, scope access.Scope) (out []Request, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAuditAsk); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		which, args := `organisation_id = $1`, []any{scope.Organisation()}
		if !s.opt.Guard.May(scope, access.TracesAuditAdvise) {
			which, args = which+` AND (asked_id = $2 OR delegate_id = $2)`, append(args, scope.Actor().ID)
		}
		all, err := readRequests(ctx, tx, which+` ORDER BY asked_us DESC, id DESC LIMIT 300`, args...)
		out = slices.DeleteFunc(all, func(r Request) bool { return !s.seen(scope, r) })
		return err
	})
	return out, err
}

// Find gives one. Needs access.TracesAuditAsk. Errors: NotFound, for those one may
// not see too.
func (s *Service) Find(ctx context.Context, scope access.Scope, id uuid.UUID) (out Request, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAuditAsk); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = s.one(ctx, tx, scope, id)
		return err
	})
	return out, err
}

func (s *Service) one(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Request, error) {
	all, err := readRequests(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
	if err != nil {
		return Request{}, err
	}
	if len(all) == 0 || !s.seen(scope, all[0]) {
		return Request{}, fault.New(fault.NotFound, "traces.audits.unknown")
	}
	return all[0], nil
}

// Delegates lists who may be given a request. Needs access.TracesAuditDecide.
func (s *Service) Delegates(ctx context.Context, scope access.Scope) ([]Person, error) {
	if err := s.opt.Guard.Check(scope, access.TracesAuditDecide); err != nil {
		return nil, err
	}
	if s.opt.People == nil {
		return nil, nil
	}
	return s.opt.People.Delegates(ctx, access.System(scope.Organisation(), "traces"))
}
