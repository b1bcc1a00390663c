package kept

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// The bounds of what an establishment keeps.
const (
	savedMost = 200
	NameMost  = 80  // letters
	WhyMost   = 300 // letters
)

// Saved is a question that somebody keeps.
type Saved struct {
	ID   uuid.UUID
	Name string
	// Shared shows it to those who hold Role; otherwise it is its owner's.
	Shared    bool
	Role      access.Role
	OwnerID   uuid.UUID
	OwnerName string
	Span      Span
	// Why is the reason that goes with each look.
	Why              string
	Inquiry          traces.Inquiry
	Created, Changed time.Time
	// Sent is when it is asked by itself; nil when it is not.
	Sent *Schedule
}

// Wanted is what a person says of a question to keep.
type Wanted struct {
	Name    string
	Shared  bool
	Span    Span
	Why     string
	Inquiry traces.Inquiry
}

func (w Wanted) check() (Wanted, error) {
	w.Name, w.Why = strings.Join(strings.Fields(w.Name), " "), strings.TrimSpace(w.Why)
	switch {
	case w.Name == "" || len([]rune(w.Name)) > NameMost:
		return w, fault.New(fault.Invalid, "traces.kept.name", "most", NameMost).At("nom")
	case !w.Span.Known():
		return w, fault.New(fault.Invalid, "traces.phrase.choice").At("duree")
	case w.Why == "" || len([]rune(w.Why)) > WhyMost:
		return w, fault.New(fault.Invalid, "traces.kept.why", "most", WhyMost).At("motif")
	}
	_, _, err := w.Inquiry.Check()
	return w, err
}

// role is the one under which somebody asks: what is shared is shared with it.
func (s *Service) role(scope access.Scope) access.Role {
	for _, r := range scope.Roles() {
		if s.opt.Guard.May(access.For(scope.Organisation(), scope.Actor(), true, r), access.TracesAsk) {
			return r
		}
	}
	return ""
}

// mine tells whether somebody may change it: its owner, and those it is shared with.
func (q Saved) mine(scope access.Scope) bool {
	return q.OwnerID == scope.Actor().ID || q.Shared && scope.Has(q.Role)
}

// seen tells whether somebody sees it: those above, and those its answers go to.
func (q Saved) seen(scope access.Scope) bool {
	return q.mine(scope) || q.Sent != nil && slices.Contains(q.Sent.Recipients, scope.Actor().ID)
}

// Mine tells whether somebody may change the question.
func (q Saved) Mine(scope access.Scope) bool { return q.mine(scope) }

const savedColumns = `s.id, s.name, s.role, s.shared, s.owner_id, s.owner_name, s.span, s.why, s.inquiry_json, s.created_us, s.changed_us,
	c.rhythm, c.day, c.hour, c.zone, c.only_found, c.recipients_json, c.keep_days, c.by_id, c.by_name, c.since_us, c.next_us`

func readSaved(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Saved, err error) {
	err = tx.Query(ctx, `SELECT `+savedColumns+` FROM traces_saved s LEFT JOIN traces_schedules c ON c.organisation_id = s.organisation_id AND c.saved_id = s.id WHERE `+which, args, func(row func(...any) error) error {
		var q Saved
		var sent nullSchedule
		var inquiry string
		var created, changed int64
		if err := row(append([]any{&q.ID, &q.Name, &q.Role, &q.Shared, &q.OwnerID, &q.OwnerName, &q.Span, &q.Why, &inquiry, &created, &changed}, sent.into()...)...); err != nil {
			return err
		}
		q.Created, q.Changed = storage.Time(created), storage.Time(changed)
		if err := json.Unmarshal([]byte(inquiry), &q.Inquiry); err != nil {
			return err
		}
		var err error
		q.Sent, err = sent.schedule()
		out = append(out, q)
		return err
	})
	return out, err
}

// one reads a question that somebody sees. To others it is not there.
func one(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Saved, error) {
	list, err := readSaved(ctx, tx, `s.organisation_id = $1 AND s.id = $2`, scope.Organisation(), id)
	if err != nil {
		return Saved{}, err
	}
	if len(list) == 0 || !list[0].seen(scope) {
		return Saved{}, fault.New(fault.NotFound, "traces.kept.unknown")
	}
	return list[0], nil
}

// List gives the questions that somebody sees, by name. Needs access.TracesAsk.
func (s *Service) List(ctx context.Context, scope access.Scope) (out []Saved, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		all, err := readSaved(ctx, tx, `s.organisation_id = $1`, scope.Organisation())
		out = slices.DeleteFunc(all, func(q Saved) bool { return !q.seen(scope) })
		return err
	})
	slices.SortFunc(out, func(a, b Saved) int { return strings.Compare(storage.Fold(a.Name), storage.Fold(b.Name)) })
	return out, err
}

// Find gives one. Needs access.TracesAsk. Errors: NotFound.
func (s *Service) Find(ctx context.Context, scope access.Scope, id uuid.UUID) (out Saved, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = one(ctx, tx, scope, id)
		return err
	})
	return out, err
}

// Keep saves a question. Needs access.TracesAsk. Errors: Invalid with its field,
// TooMany.
func (s *Service) Keep(ctx context.Context, scope access.Scope, w Wanted) (out Saved, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return out, err
	}
	if w, err = w.check(); err != nil {
		return out, err
	}
	words, err := json.Marshal(w.Inquiry)
	if err != nil {
		return out, err
	}
	now := s.opt.Clock.Now()
	out = Saved{ID: storage.NewID(now), Name: w.Name, Shared: w.Shared, Role: s.role(scope), OwnerID: scope.Actor().ID, OwnerName: scope.Actor().Name, Span: w.Span, Why: w.Why, Inquiry: w.Inquiry, Created: now, Changed: now}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		var n int
		if _, err := tx.Row(ctx, `SELECT COUNT(*) FROM traces_saved WHERE organisation_id = $1`, []any{scope.Organisation()}, &n); err != nil {
			return err
		}
		if n >= savedMost {
			return fault.New(fault.TooMany, "traces.kept.too_many", "most", savedMost)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_saved (organisation_id, id, name, role, shared, owner_id, owner_name, span, why, inquiry_json, created_us, changed_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)`,
			scope.Organisation(), out.ID, out.Name, string(out.Role), out.Shared, out.OwnerID, out.OwnerName, string(out.Span), out.Why, string(words), storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, out.entry("traces.kept.add", nil, out.noted()))
	})
	return out, err
}

// entry is a line of the journal about it. The name, which a person may have given
// a patient's, is not in it.
func (q Saved) entry(action string, before, after any) journal.Entry {
	return journal.Entry{Action: action, ObjectKind: "trace_saved", ObjectID: q.ID.String(), ObjectName: q.Inquiry.Key(), Before: before, After: after}
}

func (q Saved) noted() map[string]any {
	return map[string]any{"question": q.Inquiry.Key(), "span": string(q.Span), "shared": q.Shared}
}

// Change renames a question, or changes its span, reason and sharing. Needs
// access.TracesAsk. Errors: NotFound, Invalid with its field.
func (s *Service) Change(ctx context.Context, scope access.Scope, id uuid.UUID, w Wanted) error {
	return s.act(ctx, scope, id, func(tx *storage.Tx, now time.Time, q Saved) error {
		w.Inquiry = q.Inquiry
		w, err := w.check()
		if err != nil {
			return err
		}
		before := q.noted()
		q.Name, q.Shared, q.Span, q.Why = w.Name, w.Shared, w.Span, w.Why
		if _, err := tx.Exec(ctx, `UPDATE traces_saved SET name = $3, shared = $4, span = $5, why = $6, changed_us = $7 WHERE organisation_id = $1 AND id = $2`,
			scope.Organisation(), id, q.Name, q.Shared, string(q.Span), q.Why, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, q.entry("traces.kept.change", before, q.noted()))
	})
}

// act does one thing to a question that somebody may change.
func (s *Service) act(ctx context.Context, scope access.Scope, id uuid.UUID, do func(tx *storage.Tx, now time.Time, q Saved) error) error {
	if err := s.opt.Guard.Check(scope, access.TracesAsk); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		q, err := one(ctx, tx, scope, id)
		if err == nil && !q.mine(scope) {
			err = fault.New(fault.Denied, "traces.kept.others")
		}
		if err != nil {
			return err
		}
		return do(tx, s.opt.Clock.Now(), q)
	})
}

// Drop deletes a question, when it is asked by itself, and its tiles; what was
// answered stays as long as was said. Needs access.TracesAsk. Errors: NotFound.
func (s *Service) Drop(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	return s.act(ctx, scope, id, func(tx *storage.Tx, now time.Time, q Saved) error {
		for _, query := range []string{
			`DELETE FROM traces_saved WHERE organisation_id = $1 AND id = $2`,
			`DELETE FROM traces_schedules WHERE organisation_id = $1 AND saved_id = $2`,
			`DELETE FROM traces_tiles WHERE organisation_id = $1 AND saved_id = $2`,
		} {
			if _, err := tx.Exec(ctx, query, scope.Organisation(), id); err != nil {
				return err
			}
		}
		return journal.Append(ctx, tx, scope, now, q.entry("traces.kept.drop", q.noted(), nil))
	})
}

// Ask asks a kept question as of now, in a zone: it is a look, traced as any other.
// takes is the format of the file that the answer leaves in. Needs
// access.TracesAsk. Errors: NotFound, Unavailable.
func (s *Service) Ask(ctx context.Context, scope access.Scope, id uuid.UUID, zone *time.Location, takes string) (Saved, traces.Reply, error) {
	q, err := s.Find(ctx, scope, id)
	if err != nil {
		return q, traces.Reply{}, err
	}
	reply, err := s.opt.Traces.Inquire(ctx, scope, traces.Look{Why: q.Why, Takes: takes}, q.Inquiry, q.Span.Period(s.opt.Clock.Now(), zone))
	return q, reply, err
}
