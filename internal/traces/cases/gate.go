package cases

import (
	"context"
	"database/sql"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Record is a step of the law that somebody put on record, and when.
type Record struct {
	By string
	At time.Time
}

// Done tells that it is on record.
func (r Record) Done() bool { return !r.At.IsZero() }

// Assessment is the impact assessment (AIPD, art. 35 of the GDPR; it is on the
// CNIL's list for the systematic watch of staff).
type Assessment struct {
	// Day is its date, AAAA-MM-JJ; Document where it is kept.
	Day, Author, Advice, Document string
	Record
}

// Consultation is that of the staff body (CSE, art. L. 2312-38 of the code du
// travail; CST in the public hospital).
type Consultation struct {
	Body, Day, Opinion string
	Record
}

// Notice is how the staff was informed (art. L. 1222-4 of the code du travail,
// art. 13 of the GDPR).
type Notice struct {
	Day, How string
	Record
}

// Gate says whether the behaviour of staff is looked at, and by which right.
type Gate struct {
	Assessment   Assessment
	Consultation Consultation
	Notice       Notice
	// InService is since Switched when it holds, by SwitchedBy.
	InService  bool
	SwitchedBy string
	Switched   time.Time
	Why        string
}

// Ready tells that the three steps are on record.
func (g Gate) Ready() bool {
	return g.Assessment.Done() && g.Consultation.Done() && g.Notice.Done()
}

// InService implements watch.Keeper.
func (s *Service) InService(ctx context.Context, tx *storage.Tx) (map[uuid.UUID]bool, error) {
	out := map[uuid.UUID]bool{}
	err := tx.Query(ctx, `SELECT organisation_id FROM traces_gates WHERE in_service = TRUE`, nil, func(row func(...any) error) error {
		var id uuid.UUID
		err := row(&id)
		out[id] = true
		return err
	})
	return out, err
}

// Gate gives what is on record. Needs access.TracesCases.
func (s *Service) Gate(ctx context.Context, scope access.Scope) (out Gate, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesCases); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readGate(ctx, tx, scope)
		return err
	})
	return out, err
}

func readGate(ctx context.Context, tx *storage.Tx, scope access.Scope) (g Gate, err error) {
	var assessed, consulted, noticed, switched sql.NullInt64
	a, c, n := &g.Assessment, &g.Consultation, &g.Notice
	_, err = tx.Row(ctx, `SELECT assessment_day, assessment_author, assessment_advice, assessment_document, assessment_by, assessment_us, staff_body, staff_day, staff_opinion, staff_by, staff_us,
		notice_day, notice_how, notice_by, notice_us, in_service, switched_by, switched_us, switched_why FROM traces_gates WHERE organisation_id = $1`, []any{scope.Organisation()},
		&a.Day, &a.Author, &a.Advice, &a.Document, &a.By, &assessed, &c.Body, &c.Day, &c.Opinion, &c.By, &consulted, &n.Day, &n.How, &n.By, &noticed, &g.InService, &g.SwitchedBy, &switched, &g.Why)
	a.At, c.At, n.At, g.Switched = storage.NullTime(assessed), storage.NullTime(consulted), storage.NullTime(noticed), storage.NullTime(switched)
	return g, err
}

func (g Gate) write(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	a, c, n := g.Assessment, g.Consultation, g.Notice
	_, err := tx.Exec(ctx, `INSERT INTO traces_gates (organisation_id, assessment_day, assessment_author, assessment_advice, assessment_document, assessment_by, assessment_us, staff_body, staff_day, staff_opinion, staff_by, staff_us,
		notice_day, notice_how, notice_by, notice_us, in_service, switched_by, switched_us, switched_why) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (organisation_id) DO UPDATE SET assessment_day = excluded.assessment_day, assessment_author = excluded.assessment_author, assessment_advice = excluded.assessment_advice,
		assessment_document = excluded.assessment_document, assessment_by = excluded.assessment_by, assessment_us = excluded.assessment_us, staff_body = excluded.staff_body, staff_day = excluded.staff_day,
		staff_opinion = excluded.staff_opinion, staff_by = excluded.staff_by, staff_us = excluded.staff_us, notice_day = excluded.notice_day, notice_how = excluded.notice_how, notice_by = excluded.notice_by,
		notice_us = excluded.notice_us, in_service = excluded.in_service, switched_by = excluded.switched_by, switched_us = excluded.switched_us, switched_why = excluded.switched_why`,
		scope.Organisation(), a.Day, a.Author, a.Advice, a.Document, a.By, storage.NullMicros(a.At), c.Body, c.Day, c.Opinion, c.By, storage.NullMicros(c.At),
		n.Day, n.How, n.By, storage.NullMicros(n.At), g.InService, g.SwitchedBy, storage.NullMicros(g.Switched), g.Why)
	return err
}

// govern changes the gate and notes it.
func (s *Service) govern(ctx context.Context, scope access.Scope, act string, noted map[string]any, change func(g *Gate, now time.Time) error) error {
	if err := s.opt.Guard.Check(scope, access.TracesGovern); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		g, err := readGate(ctx, tx, scope)
		if err != nil {
			return err
		}
		before := map[string]any{"in_service": g.InService}
		if err := change(&g, now); err != nil {
			return err
		}
		if err := g.write(ctx, tx, scope); err != nil {
			return err
		}
		if noted == nil {
			noted = map[string]any{}
		}
		noted["in_service"] = g.InService
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.detection." + act, ObjectKind: "trace_detection", ObjectID: scope.Organisation().String(), ObjectName: act, Before: before, After: noted})
	})
}

// day reads a date that is past. Errors: Invalid at the field.
func day(text, field string, now time.Time) (string, error) {
	d, err := time.Parse(time.DateOnly, strings.TrimSpace(text))
	// A day begins up to fourteen hours before ours, overseas.
	if err != nil || d.After(now.Add(14*time.Hour)) || d.Year() < 2000 {
		return "", fault.New(fault.Invalid, "traces.gate.day").At(field)
	}
	return d.Format(time.DateOnly), nil
}

const gateMost = 500

func said(text, field string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" || utf8.RuneCountInString(text) > gateMost {
		return "", fault.New(fault.Invalid, "traces.cases.words", "most", gateMost).At(field)
	}
	return text, nil
}

// blanks checks texts of a form, by field; they are cut of their spaces.
func blanks(fields map[string]*string, order ...string) error {
	for _, f := range order {
		text, err := said(*fields[f], f)
		if err != nil {
			return err
		}
		*fields[f] = text
	}
	return nil
}

// Assess puts the impact assessment on record. Needs access.TracesGovern. Errors:
// Invalid with its field.
func (s *Service) Assess(ctx context.Context, scope access.Scope, a Assessment) (err error) {
	now := s.opt.Clock.Now()
	if a.Day, err = day(a.Day, "day", now); err != nil {
		return err
	}
	if err := blanks(map[string]*string{"author": &a.Author, "advice": &a.Advice, "document": &a.Document}, "author", "advice", "document"); err != nil {
		return err
	}
	noted := map[string]any{"day": a.Day, "author": a.Author, "advice": a.Advice, "document": a.Document}
	return s.govern(ctx, scope, "assessment", noted, func(g *Gate, now time.Time) error {
		a.Record = Record{scope.Actor().Name, now}
		g.Assessment = a
		return nil
	})
}

// Consult puts the consultation of the staff body on record. Needs
// access.TracesGovern. Errors: Invalid with its field.
func (s *Service) Consult(ctx context.Context, scope access.Scope, c Consultation) (err error) {
	now := s.opt.Clock.Now()
	if c.Body, err = said(c.Body, "body"); err != nil {
		return err
	}
	if c.Day, err = day(c.Day, "day", now); err != nil {
		return err
	}
	if c.Opinion, err = said(c.Opinion, "opinion"); err != nil {
		return err
	}
	noted := map[string]any{"body": c.Body, "day": c.Day, "opinion": c.Opinion}
	return s.govern(ctx, scope, "consultation", noted, func(g *Gate, now time.Time) error {
		c.Record = Record{scope.Actor().Name, now}
		g.Consultation = c
		return nil
	})
}

// Inform puts the notice to the staff on record. Needs access.TracesGovern.
// Errors: Invalid with its field.
func (s *Service) Inform(ctx context.Context, scope access.Scope, n Notice) (err error) {
	now := s.opt.Clock.Now()
	if n.Day, err = day(n.Day, "day", now); err != nil {
		return err
	}
	if n.How, err = said(n.How, "how"); err != nil {
		return err
	}
	noted := map[string]any{"day": n.Day, "how": n.How}
	return s.govern(ctx, scope, "notice", noted, func(g *Gate, now time.Time) error {
		n.Record = Record{scope.Actor().Name, now}
		g.Notice = n
		return nil
	})
}

// Switch puts the detection of behaviour into service, or stops it, with a reason.
// Needs access.TracesGovern. Errors: Conflict while a step is missing, Invalid at
// "why".
func (s *Service) Switch(ctx context.Context, scope access.Scope, on bool, why string) error {
	why, err := said(why, "why")
	if err != nil {
		return err
	}
	act := "stop"
	if on {
		act = "start"
	}
	return s.govern(ctx, scope, act, map[string]any{"why": why}, func(g *Gate, now time.Time) error {
		if on && !g.Ready() {
			return fault.New(fault.Conflict, "traces.gate.missing")
		}
		g.InService, g.SwitchedBy, g.Switched, g.Why = on, scope.Actor().Name, now, why
		return nil
	})
}
