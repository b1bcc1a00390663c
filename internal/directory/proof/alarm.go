package proof

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/dispatch"
	"tocsin/internal/fault"
	"tocsin/internal/i18n"
	"tocsin/internal/journal"
	"tocsin/internal/organisation"
	"tocsin/internal/storage"
)

// Thresholds say from when the directory has decayed enough to tell somebody.
type Thresholds struct {
	// Share is the part of a service, in per cent, that must be proven.
	Share int `json:"share"`
	// Months is how long a service may go without anybody answering.
	Months int `json:"months"`
	// Failures in a row make a number one to mend.
	Failures int `json:"failures"`
	// Mail is told of new alarms; empty tells nobody.
	Mail string `json:"mail"`
}

// DefaultThresholds are those of an establishment that set none.
func DefaultThresholds() Thresholds { return Thresholds{Share: 50, Months: 6, Failures: 3} }

func (t Thresholds) tidied() (Thresholds, error) {
	switch {
	case t.Share < 1 || t.Share > 100:
		return t, fault.New(fault.Invalid, "directory.proof.alarm.share").At("share")
	case t.Months < 1 || t.Months > 24:
		return t, fault.New(fault.Invalid, "directory.proof.alarm.months").At("months")
	case t.Failures < 1 || t.Failures > 20:
		return t, fault.New(fault.Invalid, "directory.proof.alarm.failures").At("failures")
	}
	if t.Mail = strings.TrimSpace(t.Mail); t.Mail == "" {
		return t, nil
	}
	k, err := directory.ReadContact(directory.Email, t.Mail, "")
	if e := fault.As(err); e != nil {
		return t, e.At("mail")
	}
	t.Mail = k.Address
	return t, err
}

// AlarmKind is what decayed. The values are stored.
type AlarmKind string

// The kinds of alarms. None is about one person.
const (
	AlarmWeak     AlarmKind = "weak"     // too few of a service are proven
	AlarmUntested AlarmKind = "untested" // nobody of a service answered for months
	AlarmFailing  AlarmKind = "failing"  // numbers that failed too often
	AlarmUnproven AlarmKind = "unproven" // too many people without any proven contact point
)

// Alarm is one thing that decayed.
type Alarm struct {
	Kind    AlarmKind `json:"kind"`
	Service uuid.UUID `json:"service,omitzero"`
	Name    string    `json:"name,omitempty"`
	// Figure is what makes it one: per cent proven, months, or people.
	Figure int       `json:"figure"`
	Since  time.Time `json:"since"`
}

func (a Alarm) same(b Alarm) bool { return a.Kind == b.Kind && a.Service == b.Service }

const (
	// smallService has too few people for a share to mean anything.
	smallService = 5
	// watchEvery is how often the directory is looked at.
	watchEvery = 6 * time.Hour
)

type watch struct {
	Thresholds
	alarms  []Alarm
	checked time.Time
}

func readWatch(ctx context.Context, tx *storage.Tx, scope access.Scope) (watch, error) {
	w := watch{Thresholds: DefaultThresholds()}
	var thresholds, raised string
	var checked int64
	found, err := tx.Row(ctx, `SELECT thresholds, raised, checked_us FROM directory_watches WHERE organisation_id = $1`, []any{scope.Organisation()}, &thresholds, &raised, &checked)
	if err != nil || !found {
		return w, err
	}
	w.checked = storage.Time(checked)
	if err := json.Unmarshal([]byte(thresholds), &w.Thresholds); err != nil {
		return w, err
	}
	return w, json.Unmarshal([]byte(raised), &w.alarms)
}

func (w watch) write(ctx context.Context, tx *storage.Tx, scope access.Scope) error {
	thresholds, err := json.Marshal(w.Thresholds)
	if err != nil {
		return err
	}
	raised, err := json.Marshal(w.alarms)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO directory_watches (organisation_id, thresholds, raised, checked_us) VALUES ($1, $2, $3, $4)
		ON CONFLICT (organisation_id) DO UPDATE SET thresholds = excluded.thresholds, raised = excluded.raised, checked_us = excluded.checked_us`,
		scope.Organisation(), string(thresholds), string(raised), storage.Micros(w.checked))
	return err
}

// Alarms are those that ring, as last looked at, with the thresholds.
func (s *Service) Alarms(ctx context.Context, scope access.Scope) ([]Alarm, Thresholds, error) {
	if err := s.guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, Thresholds{}, err
	}
	var w watch
	err := s.db.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		w, err = readWatch(ctx, tx, scope)
		return err
	})
	return w.alarms, w.Thresholds, err
}

// SetThresholds changes them and looks again at once. Errors: Denied, Invalid with its field.
func (s *Service) SetThresholds(ctx context.Context, scope access.Scope, t Thresholds) error {
	if err := s.guard.Check(scope, access.DirectoryProve); err != nil {
		return err
	}
	t, err := t.tidied()
	if err != nil {
		return err
	}
	now := s.clock.Now()
	if err := s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		w, err := readWatch(ctx, tx, scope)
		if err != nil {
			return err
		}
		w.Thresholds = t
		if err := w.write(ctx, tx, scope); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: "directory.alarm.set", ObjectKind: "alarm", After: map[string]int{"share": t.Share, "months": t.Months, "failures": t.Failures}})
	}); err != nil {
		return err
	}
	return s.look(ctx, access.System(scope.Organisation(), "proof"), now)
}

// Watch looks at the establishments that were not for a while. It suits
// jobs.Task, with any pace, under a lease.
func (s *Service) Watch(ctx context.Context, now time.Time) (more bool, err error) {
	instance := access.Instance("proof")
	var due []uuid.UUID
	if err := s.db.Read(ctx, instance, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT s.organisation_id FROM directory_state s WHERE NOT EXISTS
			(SELECT 1 FROM directory_watches w WHERE w.organisation_id = s.organisation_id AND w.checked_us > $1)`, []any{storage.Micros(now.Add(-watchEvery))},
			func(row func(...any) error) error {
				var id uuid.UUID
				err := row(&id)
				due = append(due, id)
				return err
			})
	}); err != nil {
		return false, err
	}
	for _, id := range due {
		if err := s.look(ctx, instance.Within(id), now); err != nil {
			return false, err
		}
	}
	return false, nil
}

// look compares the directory with the thresholds, and tells what is new.
func (s *Service) look(ctx context.Context, scope access.Scope, now time.Time) error {
	q, err := s.people.Quality(ctx, scope)
	if err != nil {
		return err
	}
	e, err := s.houses.Get(ctx, scope)
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, scope, func(tx *storage.Tx) error {
		w, err := readWatch(ctx, tx, scope)
		if err != nil {
			return err
		}
		found, err := s.decayed(ctx, tx, scope, now, q, w.Thresholds)
		if err != nil {
			return err
		}
		before, fresh := w.alarms, 0
		w.alarms, w.checked = found, now
		for i := range w.alarms {
			if at := slices.IndexFunc(before, w.alarms[i].same); at >= 0 {
				w.alarms[i].Since = before[at].Since
				continue
			}
			w.alarms[i].Since = now
			fresh++
			if err := s.rings(ctx, tx, scope, now, "directory.alarm.raise", w.alarms[i]); err != nil {
				return err
			}
		}
		for _, a := range before {
			if !slices.ContainsFunc(w.alarms, a.same) {
				if err := s.rings(ctx, tx, scope, now, "directory.alarm.end", a); err != nil {
					return err
				}
			}
		}
		if fresh > 0 && w.Mail != "" {
			if err := s.tell(ctx, tx, scope, now, e, w, fresh); err != nil {
				return err
			}
		}
		return w.write(ctx, tx, scope)
	})
	s.dispatch.Wake()
	return err
}

func (s *Service) rings(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, action string, a Alarm) error {
	return journal.Append(ctx, tx, scope, now, journal.Entry{
		Action: action, ObjectKind: "alarm", ObjectID: a.Service.String(), ObjectName: a.Name, After: map[string]any{"kind": a.Kind, "figure": a.Figure},
	})
}

// decayed lists what is under the thresholds.
func (s *Service) decayed(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, q directory.Quality, t Thresholds) (out []Alarm, err error) {
	last, err := lastProven(ctx, tx, scope)
	if err != nil {
		return nil, err
	}
	limit := now.AddDate(0, -t.Months, 0)
	for _, service := range q.Services {
		if service.Service == uuid.Nil || service.People < smallService {
			continue
		}
		if share := int(service.Share() * 100); share < t.Share {
			out = append(out, Alarm{Kind: AlarmWeak, Service: service.Service, Name: service.ServiceName, Figure: share})
		}
		if last[service.Service].Before(limit) {
			out = append(out, Alarm{Kind: AlarmUntested, Service: service.Service, Name: service.ServiceName, Figure: t.Months})
		}
	}
	failing := 0
	if _, err := tx.Row(ctx, `SELECT COUNT(DISTINCT c.person_id) FROM directory_contacts c WHERE c.organisation_id = $1 AND c.state = 'failed' AND c.failures >= $2
		AND c.since_gen <= COALESCE((SELECT generation FROM directory_state WHERE organisation_id = $1), 0)
		AND c.until_gen > COALESCE((SELECT generation FROM directory_state WHERE organisation_id = $1), 0)`, []any{scope.Organisation(), t.Failures}, &failing); err != nil {
		return nil, err
	}
	if failing > 0 {
		out = append(out, Alarm{Kind: AlarmFailing, Figure: failing})
	}
	if q.People >= smallService && int(q.Share()*100) < t.Share {
		out = append(out, Alarm{Kind: AlarmUnproven, Figure: q.People - q.Proven})
	}
	return out, nil
}

// lastProven is when somebody of each service last answered.
func lastProven(ctx context.Context, tx *storage.Tx, scope access.Scope) (map[uuid.UUID]time.Time, error) {
	out := map[uuid.UUID]time.Time{}
	err := tx.Query(ctx, `SELECT p.service_id, MAX(p.proven_us) FROM directory_people p WHERE p.organisation_id = $1 AND p.departed_us IS NULL AND p.proven_us IS NOT NULL
		AND p.service_id IS NOT NULL AND p.since_gen <= COALESCE((SELECT generation FROM directory_state WHERE organisation_id = $1), 0)
		AND p.until_gen > COALESCE((SELECT generation FROM directory_state WHERE organisation_id = $1), 0) GROUP BY p.service_id`, []any{scope.Organisation()},
		func(row func(...any) error) error {
			var id uuid.UUID
			var at int64
			err := row(&id, &at)
			out[id] = storage.Time(at)
			return err
		})
	return out, err
}

// tell writes to the address that hears of alarms: what decayed, no name of anybody.
func (s *Service) tell(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, e organisation.Establishment, w watch, fresh int) error {
	loc := s.catalog.For(i18n.Language(e.Language))
	org := scope.Organisation()
	id := uuid.NewSHA1(org, []byte("directory alarms "+strconv.FormatInt(now.UnixMicro(), 10)))
	var lines []string
	for _, a := range w.alarms {
		lines = append(lines, "- "+a.Sentence(loc))
	}
	content := dispatch.Content{
		ID: uuid.NewSHA1(id, []byte("mail")), Medium: directory.Mail, Language: string(loc.Language()),
		Subject: loc.N("directory.proof.alarm.subject", fresh, "establishment", e.Name), Text: loc.T("directory.proof.alarm.mail") + "\n\n" + strings.Join(lines, "\n"),
	}
	if err := s.dispatch.OpenCampaign(ctx, tx, scope, now, dispatch.Campaign{ID: id, Mode: "test", MaxTotal: 1}); err != nil {
		return err
	}
	if err := s.dispatch.AddContents(ctx, tx, scope, now, id, []dispatch.Content{content}); err != nil {
		return err
	}
	_, err := s.dispatch.Enqueue(ctx, tx, scope, now, []dispatch.Order{{
		ID: uuid.NewSHA1(id, []byte("order")), Campaign: id, Subject: org, Content: content.ID, Medium: directory.Mail, Address: w.Mail, Purpose: "alarm",
		Priority: lowPriority, ExpiresAt: now.AddDate(0, 0, 1),
	}})
	return err
}

// Sentence says an alarm in the reader's language.
func (a Alarm) Sentence(loc *i18n.Localizer) string {
	return loc.N("directory.proof.alarm."+string(a.Kind), a.Figure, "service", a.Name)
}
