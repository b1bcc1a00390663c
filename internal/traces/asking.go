package traces

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// OwnApplication names us in the traces of looks at the traces.
const OwnApplication = "Tocsin"

// OwnFormat is the format of what we write of ourselves.
const OwnFormat = "tocsin"

// Look says which question is asked, for the trace of it.
type Look struct {
	// Phrase is the key of a phrase, or empty for a free search.
	Phrase string
	// Why is what the person said of the reason.
	Why string
	// Takes is the format of the file that the answer leaves in; empty: it is shown.
	Takes string
	// For is on whose behalf the program asks by itself.
	For string
	// Request is the number of what was decided that the look serves: a request for
	// audit, an export; empty for none.
	Request string
	// within is the warrant that bounds what may be found.
	within *Warrant
}

// Ask puts questions that are one look: it is first written as a trace of its
// own, by the first of them; when that cannot be done nothing is asked. Needs
// access.TracesAsk. Errors: Invalid, Unavailable.
func (s *Service) Ask(ctx context.Context, scope access.Scope, l Look, questions ...Question) ([]Answer, error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return nil, err
	}
	return s.ask(ctx, scope, l, questions...)
}

// ask is Ask for who was admitted.
func (s *Service) ask(ctx context.Context, scope access.Scope, l Look, questions ...Question) ([]Answer, error) {
	for _, q := range questions {
		if err := q.Check(); err != nil {
			return nil, err
		}
	}
	if err := s.noteLook(ctx, scope, l, questions[0]); err != nil {
		return nil, err
	}
	_, base, err := s.connected()
	if err != nil {
		return nil, err
	}
	out := make([]Answer, len(questions))
	for i, q := range questions {
		if out[i], err = base.Ask(ctx, scope.Organisation(), q); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Find gives one event with its original. It is traced as a look. Needs
// access.TracesAsk. Errors: NotFound, Unavailable.
func (s *Service) Find(ctx context.Context, scope access.Scope, ref string) (Stored, error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return Stored{}, err
	}
	return s.find(ctx, scope, Look{}, ref)
}

// find is Find for who was admitted.
func (s *Service) find(ctx context.Context, scope access.Scope, l Look, ref string) (Stored, error) {
	_, base, err := s.connected()
	if err != nil {
		return Stored{}, err
	}
	e, err := base.Get(ctx, scope.Organisation(), ref)
	if err != nil {
		return Stored{}, err
	}
	if l.within != nil {
		covered, err := l.within.covers(ctx, base, e)
		if err != nil {
			return Stored{}, err
		}
		if !covered {
			return Stored{}, fault.New(fault.Denied, "traces.warrant.outside")
		}
	}
	now := s.opt.Clock.Now()
	own := ownTrace(scope, now)
	own.Action, own.Verb, own.Document, own.Parameter, own.IPP, own.INS, own.Purpose, own.Delegate = Read, "traces.find", ref, l.Request, e.IPP, e.INS, l.Why, l.For
	entry := journal.Entry{Action: "traces.find", ObjectKind: "trace", ObjectID: ref, ObjectName: ref}
	if l.Request != "" {
		entry.After = map[string]any{"request": l.Request}
	}
	if err := s.noteOwn(ctx, scope, now, own, entry); err != nil {
		return Stored{}, err
	}
	return e, nil
}

// noteLook writes who asks what: whole as a trace, which only those who may ask
// traces can read; without the values, which name patients, in the journal.
func (s *Service) noteLook(ctx context.Context, scope access.Scope, l Look, q Question) error {
	now := s.opt.Clock.Now()
	words, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("write question: %w", err)
	}
	own := ownTrace(scope, now)
	own.Action, own.Verb, own.Object, own.Purpose, own.Delegate, own.Message, own.Raw = Search, "traces.ask", l.Phrase, l.Why, l.For, string(words), words
	own.Document = l.Request
	if l.Takes != "" {
		own.Action, own.Parameter = Export, l.Takes
	}
	for _, c := range q.Where {
		if c.Field == FieldPatient && c.Op == Is && len(c.Values) == 1 {
			own.IPP = c.Values[0]
		}
	}
	after := map[string]any{}
	if l.Request != "" {
		after["request"] = l.Request
	}
	fields := []string{}
	for _, c := range q.Where {
		fields = append(fields, string(c.Field))
	}
	after["from"], after["to"] = storage.Time(q.From).Format(time.DateTime), storage.Time(q.To).Format(time.DateTime)
	after["fields"], after["free"], after["file"] = fields, q.Text != "", l.Takes
	return s.noteOwn(ctx, scope, now, own, journal.Entry{Action: "traces.ask", ObjectKind: "trace_question", ObjectID: l.Phrase, ObjectName: l.Phrase, After: after})
}

// Sealed notes the file that an answer left in: its number and its SHA-256, as
// hexadecimal, in the journal, where whoever holds the file can have it found.
// A file that cannot be noted is not given. Needs access.TracesAsk, or
// access.TracesAuditLook for what was asked under a request. Errors: Unavailable.
func (s *Service) Sealed(ctx context.Context, scope access.Scope, l Look, number, sum string) error {
	need := access.TracesAsk
	if l.Request != "" {
		need = access.TracesAuditLook
	}
	if err := s.opt.Guard.Check(scope, need); err != nil {
		return err
	}
	if !s.Ready() {
		return fault.New(fault.Unavailable, "traces.error.none")
	}
	now := s.opt.Clock.Now()
	own := ownTrace(scope, now)
	own.Action, own.Verb, own.Object, own.Purpose, own.Document, own.Parameter = Export, "traces.document", l.Phrase, l.Why, number, "sha256:"+sum
	return s.noteOwn(ctx, scope, now, own, journal.Entry{
		Action: "traces.document", ObjectKind: "trace_document", ObjectID: number, ObjectName: l.Phrase, After: map[string]any{"format": l.Takes, "sha256": sum, "request": l.Request},
	})
}

// NoteOpening writes that somebody opens a document that was kept: its number is
// that of the document. What cannot be noted is not opened. Needs
// access.TracesAsk. Errors: Unavailable.
func (s *Service) NoteOpening(ctx context.Context, scope access.Scope, l Look, number, sum string) error {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	own := ownTrace(scope, now)
	own.Action, own.Verb, own.Object, own.Purpose, own.Document, own.Parameter = Export, "traces.document.open", l.Phrase, l.Why, number, "sha256:"+sum
	return s.noteOwn(ctx, scope, now, own, journal.Entry{
		Action: "traces.document.open", ObjectKind: "trace_document", ObjectID: number, ObjectName: l.Phrase, After: map[string]any{"format": l.Takes, "sha256": sum},
	})
}

// ownTrace is an event of ours, about who acts.
func ownTrace(scope access.Scope, now time.Time) Event {
	a := scope.Actor()
	us := storage.Micros(now)
	return Event{
		Collector: OwnFormat, Key: storage.NewID(now).String(), At: us, Received: us, Account: a.ID.String(), Person: a.Name, Application: OwnApplication, Address: a.From,
		Outcome: Success, Severity: -1,
	}
}

func (s *Service) noteOwn(ctx context.Context, scope access.Scope, now time.Time, own Event, e journal.Entry) error {
	// It is about the traces of patients, whatever it names: it is kept with them.
	own.Organisation, own.Class, own.Source = scope.Organisation(), PatientAccess, uuid.Nil
	own.Bound(len(own.Raw))
	queue, _, err := s.connected()
	if err != nil {
		return err
	}
	if _, err := queue.Append(ctx, AppendRecord(nil, &own)); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error { return journal.Append(ctx, tx, scope, now, e) })
}
