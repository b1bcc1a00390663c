package traces

import (
	"context"

	"tocsin/internal/access"
	"tocsin/internal/journal"
)

// CaseLook says which case of detection somebody looks at, and whom it is about.
type CaseLook struct {
	ID                string
	Account, IPP, INS string
}

// NoteCase writes that somebody looks at a case: whole as a trace, without the
// patient in the journal. When it cannot be written nothing is to be shown. Needs
// access.TracesCases. Errors: Unavailable.
func (s *Service) NoteCase(ctx context.Context, scope access.Scope, l CaseLook) error {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	own := ownTrace(scope, now)
	own.Action, own.Verb, own.Document, own.Parameter, own.IPP, own.INS = Read, "traces.case", l.ID, l.Account, l.IPP, l.INS
	return s.noteOwn(ctx, scope, now, own, journal.Entry{Action: "traces.case.look", ObjectKind: "trace_case", ObjectID: l.ID, ObjectName: l.ID})
}
