package kept

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
)

// TickEvery is how often answers that are due are looked for.
const TickEvery = 30 * time.Second

const (
	triesMost = 5
	tryAgain  = 2 * time.Minute // times the tries so far
	portion   = 5
	// runsKept is how long it is told what became of an answer.
	runsKept = 400 * 24 * time.Hour
)

// State is what became of an answer that was due.
type State string

// The states.
const (
	Due    State = "due"
	Done   State = "done"
	Empty  State = "empty"  // nothing was found, and that was to be told to nobody
	Nobody State = "nobody" // nobody was entitled any more
	Failed State = "failed"
)

// Run is one answer that was due.
type Run struct {
	ID, SavedID uuid.UUID
	At          time.Time
	Missed      int
	State       State
	Tries       int
	Made        time.Time
	Events      int64
	Recipients  []uuid.UUID
	Expires     time.Time
	Documents   []Document

	organisation uuid.UUID
	tried        int64
}

// Tick plans what is due, makes it, and forgets what is over. An answer that was
// interrupted is asked again; it is kept and told once.
func (s *Service) Tick(ctx context.Context, now time.Time) (more bool, err error) {
	planned, err := s.plan(ctx, now)
	if err != nil || !s.opt.Traces.Ready() {
		return planned, err // another node may have the base
	}
	var list []Run
	err = s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) (err error) {
		list, err = readRuns(ctx, tx, `state = 'due' AND (tries = 0 OR tried_us <= $1) ORDER BY due_us, id LIMIT 50`, storage.Micros(now.Add(-tryAgain)))
		return err
	})
	if err != nil {
		return false, err
	}
	list = slices.DeleteFunc(list, func(r Run) bool {
		return r.Tries > 0 && now.Sub(storage.Time(r.tried)) < time.Duration(r.Tries)*tryAgain
	})
	var errs []error
	for i := range list[:min(len(list), portion)] {
		errs = append(errs, s.make(ctx, now, &list[i]))
	}
	return planned || len(list) > portion, errors.Join(errs...)
}

type planned struct {
	organisation, saved uuid.UUID
}

// plan writes down what is due, once: its id is made of the question and the
// instant. Of several that were missed the last is made, and the others counted.
func (s *Service) plan(ctx context.Context, now time.Time) (more bool, err error) {
	var list []planned
	err = s.opt.DB.Read(ctx, access.Instance("traces"), func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT organisation_id, saved_id FROM traces_schedules WHERE next_us <= $1 ORDER BY next_us LIMIT 100`, []any{storage.Micros(now)}, func(row func(...any) error) error {
			var p planned
			err := row(&p.organisation, &p.saved)
			list = append(list, p)
			return err
		})
	})
	if err != nil {
		return false, err
	}
	var errs []error
	for _, p := range list {
		errs = append(errs, s.planOne(ctx, access.System(p.organisation, "traces"), now, p.saved))
	}
	return len(list) == 100, errors.Join(errs...)
}

func (s *Service) planOne(ctx context.Context, scope access.Scope, now time.Time, saved uuid.UUID) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readSaved(ctx, tx, `s.organisation_id = $1 AND s.id = $2`, scope.Organisation(), saved)
		if err != nil || len(list) == 0 || list[0].Sent == nil {
			return err
		}
		c := list[0].Sent
		due, missed := c.Next, 0
		if due.After(now) {
			return nil
		}
		for next := c.After(due); !next.After(now); next = c.After(due) {
			due, missed = next, missed+1
		}
		recipients, err := json.Marshal(c.Recipients)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO traces_runs (organisation_id, id, saved_id, due_us, missed, state, tries, tried_us, events, recipients_json) VALUES ($1, $2, $3, $4, $5, 'due', 0, 0, 0, $6) ON CONFLICT (organisation_id, id) DO NOTHING`,
			scope.Organisation(), runID(saved, due), saved, storage.Micros(due), missed, string(recipients)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE traces_schedules SET next_us = $3 WHERE organisation_id = $1 AND saved_id = $2`, scope.Organisation(), saved, storage.Micros(c.After(now)))
		return err
	})
}

func runID(saved uuid.UUID, due time.Time) uuid.UUID {
	return uuid.NewSHA1(saved, fmt.Appendf(nil, "due %d", due.Unix()))
}

const runColumns = `organisation_id, id, saved_id, due_us, missed, state, tries, tried_us, made_us, events, recipients_json, expires_us`

func readRuns(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Run, err error) {
	err = tx.Query(ctx, `SELECT `+runColumns+` FROM traces_runs WHERE `+which, args, func(row func(...any) error) error {
		var r Run
		var due int64
		var made, expires sql.NullInt64
		var recipients string
		if err := row(&r.organisation, &r.ID, &r.SavedID, &due, &r.Missed, &r.State, &r.Tries, &r.tried, &made, &r.Events, &recipients, &expires); err != nil {
			return err
		}
		r.At = storage.Time(due)
		if made.Valid {
			r.Made = storage.Time(made.Int64)
		}
		if expires.Valid {
			r.Expires = storage.Time(expires.Int64)
		}
		out = append(out, r)
		return json.Unmarshal([]byte(recipients), &out[len(out)-1].Recipients)
	})
	return out, err
}

// make asks, prints, keeps and tells one answer.
func (s *Service) make(ctx context.Context, now time.Time, r *Run) error {
	scope := access.System(r.organisation, "traces")
	var q Saved
	found := false
	err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readSaved(ctx, tx, `s.organisation_id = $1 AND s.id = $2`, r.organisation, r.SavedID)
		if err != nil {
			return err
		}
		if found = len(list) > 0; found {
			q = list[0]
		}
		_, err = tx.Exec(ctx, `UPDATE traces_runs SET tries = tries + 1, tried_us = $3 WHERE organisation_id = $1 AND id = $2`, r.organisation, r.ID, storage.Micros(now))
		return err
	})
	if err != nil {
		return err
	}
	people, err := s.entitled(ctx, scope)
	if err != nil {
		return err
	}
	may := func(id uuid.UUID) bool { return slices.ContainsFunc(people, func(p Person) bool { return p.ID == id }) }
	to := slices.DeleteFunc(slices.Clone(r.Recipients), func(id uuid.UUID) bool { return !may(id) })
	if !found || q.Sent == nil || len(to) == 0 || (!q.Shared && !may(q.Sent.ByID)) {
		return s.end(ctx, now, scope, r, Nobody, nil, nil, nil)
	}
	reply, docs, err := s.answer(ctx, scope, r, q, now)
	switch {
	case err != nil && r.Tries+1 >= triesMost:
		return errors.Join(fmt.Errorf("answer %s: %w", r.ID, err), s.end(ctx, now, scope, r, Failed, nil, to, q.Sent))
	case err != nil:
		return fmt.Errorf("answer %s: %w", r.ID, err)
	}
	r.Events = reply.Events.Total
	if r.Events == 0 && q.Sent.OnlyFound {
		return s.end(ctx, now, scope, r, Empty, nil, nil, q.Sent)
	}
	return s.end(ctx, now, scope, r, Done, docs, to, q.Sent)
}

// answer asks as of the hour at which it was due, on behalf of whoever ordered it.
func (s *Service) answer(ctx context.Context, scope access.Scope, r *Run, q Saved, now time.Time) (traces.Reply, []Document, error) {
	zone, err := time.LoadLocation(q.Sent.Zone)
	if err != nil {
		return traces.Reply{}, nil, err
	}
	reply, err := s.opt.Traces.Inquire(ctx, scope, traces.Look{Why: q.Why, Takes: "pdf, csv", For: q.Sent.ByName}, q.Inquiry, q.Span.Period(r.At, zone))
	if err != nil || reply.Events.Total == 0 && q.Sent.OnlyFound {
		return reply, nil, err
	}
	number := r.ID.String()
	printed, err := s.opt.Printer.Print(ctx, scope, Paper{Name: q.Name, Why: q.Why, By: q.Sent.ByName, Number: number, Inquiry: q.Inquiry, Reply: reply, At: now, Zone: zone})
	if err != nil {
		return reply, nil, err
	}
	var docs []Document
	for _, p := range printed {
		sum := sha256.Sum256(p.Bytes)
		d := Document{Format: p.Format, Number: number, SHA256: hex.EncodeToString(sum[:]), Bytes: len(p.Bytes)}
		if d.sealed, err = s.opt.Vault.Seal(p.Bytes, sealContext(r.ID)); err != nil {
			return reply, nil, err
		}
		docs = append(docs, d)
	}
	return reply, docs, nil
}

// end says what became of an answer, keeps its documents and tells the recipients:
// all of it, or nothing.
func (s *Service) end(ctx context.Context, now time.Time, scope access.Scope, r *Run, state State, docs []Document, to []uuid.UUID, c *Schedule) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		expires := sql.NullInt64{}
		if len(docs) > 0 {
			expires = storage.NullMicros(now.AddDate(0, 0, c.KeepDays))
		}
		n, err := tx.Exec(ctx, `UPDATE traces_runs SET state = $3, made_us = $4, events = $5, expires_us = $6 WHERE organisation_id = $1 AND id = $2 AND state = 'due'`, r.organisation, r.ID, string(state), storage.Micros(now), r.Events, expires)
		if err != nil || n == 0 {
			return err
		}
		sums := map[string]any{"state": string(state), "missed": r.Missed, "due": r.At.UTC().Format(time.DateTime)}
		for _, d := range docs {
			sums["sha256."+d.Format] = d.SHA256
			if err := d.write(ctx, tx, r); err != nil {
				return err
			}
		}
		if err := journal.Append(ctx, tx, scope, now, journal.Entry{Action: "traces.kept.answer", ObjectKind: "trace_document", ObjectID: r.ID.String(), ObjectName: r.SavedID.String(), After: sums}); err != nil {
			return err
		}
		if len(to) == 0 || s.opt.Watchman == nil {
			return nil
		}
		return s.opt.Watchman.Tell(ctx, tx, scope, now, uuid.NewSHA1(r.ID, []byte("told")), to, s.notice(r, state))
	})
}

// notice says that an answer waits, and where. The name of the question, which may
// be a patient's, is not in it.
func (s *Service) notice(r *Run, state State) func(*i18n.Localizer) (string, string) {
	return func(loc *i18n.Localizer) (string, string) {
		link := s.opt.Link(r.SavedID)
		text := loc.T("traces.kept.notice."+string(state)+".text", "link", link)
		if r.Missed > 0 {
			text += " " + loc.N("traces.kept.notice.missed", r.Missed)
		}
		return loc.T("traces.kept.notice." + string(state) + ".subject"), text
	}
}
