package exports

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/vault"
)

// Options are what the exports rest on.
type Options struct {
	DB     *storage.DB
	Guard  *access.Guard
	Clock  clock.Clock
	Log    *slog.Logger
	Traces *traces.Service
	Vault  *vault.Vault
	// Words says selections in the archive, in French.
	Words *i18n.Localizer
	// Dir is the folder of the archives, Version that of this program.
	Dir, Version string
	// House names an establishment.
	House func(ctx context.Context, scope access.Scope) (string, error)
}

// Service is what can be done with exports.
type Service struct{ opt Options }

// New returns the operations.
func New(o Options) *Service { return &Service{opt: o} }

// listed bounds the list.
const listed = 200

// List gives the requests, the latest first. Needs access.TracesExportApprove.
func (s *Service) List(ctx context.Context, scope access.Scope) (out []Request, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesExportApprove); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = read(ctx, tx, scope, ` ORDER BY id DESC LIMIT $2`, listed)
		return err
	})
	return out, err
}

// Get gives one. Needs access.TracesExportApprove. Errors: NotFound.
func (s *Service) Get(ctx context.Context, scope access.Scope, id uuid.UUID) (out Request, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesExportApprove); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = one(ctx, tx, scope, id)
		return err
	})
	return out, err
}

// Ask keeps a request; what it would hold is counted first, which is a look at the
// traces and is traced. Needs access.TracesExport. Errors: Invalid with its field,
// Unavailable.
func (s *Service) Ask(ctx context.Context, scope access.Scope, w Wanted) (out Request, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesExport); err != nil {
		return out, err
	}
	now := s.opt.Clock.Now()
	if err := w.check(now); err != nil {
		return out, err
	}
	out = Request{ID: storage.NewID(now), Wanted: w, State: Asked, Asker: scope.Actor().ID, AskedBy: scope.Actor().Name, Asked: now, Expires: now.Add(AnswerWithin)}
	answers, err := s.opt.Traces.Ask(ctx, scope, traces.Look{Why: w.Reason, Request: out.ID.String()}, w.Question(1, 0))
	if err != nil {
		return out, err
	}
	out.Found = answers[0].Total
	if err := bounded(out.Found); err != nil {
		return out, err
	}
	return out, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := out.insert(ctx, tx, scope); err != nil {
			return err
		}
		return s.note(ctx, tx, scope, out, "traces.export.ask", map[string]any{"kind": string(w.Kind), "masked": out.Masked(), "events": out.Found})
	})
}

// bounded refuses an archive of nothing, or of too much.
func bounded(n int64) error {
	switch {
	case n == 0:
		return fault.New(fault.Invalid, "traces.exports.none").At("de")
	case n > EventsMost:
		return fault.New(fault.Invalid, "traces.exports.many", "found", n, "most", EventsMost).At("de")
	}
	return nil
}

// note writes a step in the journal: the number of the request, and nobody's.
func (s *Service) note(ctx context.Context, tx *storage.Tx, scope access.Scope, r Request, action string, after map[string]any) error {
	return journal.Append(ctx, tx, scope, s.opt.Clock.Now(), journal.Entry{Action: action, ObjectKind: "trace_export", ObjectID: r.ID.String(), ObjectName: r.ID.String(), After: after})
}

// Approve has the archive made. Needs access.TracesExportApprove, of somebody else
// than who asked. Errors: Denied, Conflict, NotFound.
func (s *Service) Approve(ctx context.Context, scope access.Scope, id uuid.UUID) (Request, error) {
	return s.decide(ctx, scope, id, Approved, "")
}

// Refuse ends a request, with the reason. Who asked may end his own. Needs
// access.TracesExportApprove. Errors: Invalid at "raison", Conflict, NotFound.
func (s *Service) Refuse(ctx context.Context, scope access.Scope, id uuid.UUID, reason string) (Request, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" || utf8.RuneCountInString(reason) > wordsMost {
		return Request{}, fault.New(fault.Invalid, "traces.exports.refusal", "most", wordsMost).At("raison")
	}
	return s.decide(ctx, scope, id, Refused, reason)
}

func (s *Service) decide(ctx context.Context, scope access.Scope, id uuid.UUID, to State, words string) (out Request, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesExportApprove); err != nil {
		return out, err
	}
	now, actor := s.opt.Clock.Now(), scope.Actor()
	if actor.Kind != access.Person || actor.ID == uuid.Nil {
		return out, fault.New(fault.Denied, "traces.exports.person")
	}
	return out, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if out, err = one(ctx, tx, scope, id); err != nil {
			return err
		}
		if out.State != Asked || !now.Before(out.Expires) {
			return fault.New(fault.Conflict, "traces.exports.decided")
		}
		if to == Approved && out.Asker == actor.ID {
			return fault.New(fault.Denied, "traces.exports.own")
		}
		out.State, out.Decider, out.By, out.Decided, out.Decision = to, actor.ID, actor.Name, now, words
		if err := out.update(ctx, tx, scope); err != nil {
			return err
		}
		return s.note(ctx, tx, scope, out, "traces.export."+string(to), nil)
	})
}

// path is where the archive of a request lies.
func (s *Service) path(scope access.Scope, id uuid.UUID) string {
	return filepath.Join(s.opt.Dir, scope.Organisation().String(), id.String()+".scelle")
}

// sealName ties each piece of a file to its place.
func sealName(scope access.Scope, id uuid.UUID, file string) string {
	return "traces.exports:" + scope.Organisation().String() + ":" + id.String() + ":" + file
}

// Take opens an archive that is ready; the caller closes it. The taking is traced
// and in the journal, with the fingerprint, before a byte leaves. Needs
// access.TracesExport. Errors: NotFound, Conflict, Unavailable.
func (s *Service) Take(ctx context.Context, scope access.Scope, id uuid.UUID) (r Request, archive io.ReadCloser, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesExport); err != nil {
		return r, nil, err
	}
	if r, err = s.ready(ctx, scope, id); err != nil {
		return r, nil, err
	}
	file, err := os.Open(s.path(scope, id))
	if err != nil {
		return r, nil, fault.Wrap(err, fault.Unavailable, "traces.exports.elsewhere")
	}
	if err := s.noteTaking(ctx, scope, &r); err != nil {
		return r, nil, errors.Join(err, file.Close())
	}
	return r, &opened{reader: newOpener(file, s.opt.Vault, sealName(scope, id, "archive")), Closer: file}, nil
}

// ready gives a request whose archive may be taken now.
func (s *Service) ready(ctx context.Context, scope access.Scope, id uuid.UUID) (r Request, err error) {
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		r, err = one(ctx, tx, scope, id)
		return err
	})
	if err == nil && (r.State != Ready || !s.opt.Clock.Now().Before(r.Until)) {
		return r, fault.New(fault.Conflict, "traces.exports.not_ready")
	}
	return r, err
}

func (s *Service) noteTaking(ctx context.Context, scope access.Scope, r *Request) error {
	if err := s.opt.Traces.Sealed(ctx, scope, traces.Look{Why: r.Reason, Takes: "zip"}, r.ID.String(), r.SHA256); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		now, err := one(ctx, tx, scope, r.ID)
		if err != nil {
			return err
		}
		now.Taken, now.TakenAt = now.Taken+1, s.opt.Clock.Now()
		*r = now
		if err := now.update(ctx, tx, scope); err != nil {
			return err
		}
		return s.note(ctx, tx, scope, now, "traces.export.take", map[string]any{"sha256": r.SHA256})
	})
}

// opened is an archive being read.
type opened struct {
	reader io.Reader
	io.Closer
}

// Read implements io.Reader.
func (o *opened) Read(b []byte) (int, error) { return o.reader.Read(b) }
