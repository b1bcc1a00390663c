package oncall

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Subject is whose calendar one is. The values are stored.
type Subject string

// The subjects of calendars.
const (
	OfFunction Subject = "function"
	OfPerson   Subject = "person"
)

// Link is a calendar that programs subscribe to by a secret address.
type Link struct {
	ID      uuid.UUID
	Subject Subject
	Of      uuid.UUID
	By      string
	Created time.Time
}

// How far a calendar looks back and ahead.
const (
	calendarBack  = 7 * 24 * time.Hour
	calendarAhead = 120 * 24 * time.Hour
)

// linksMost bounds the open calendars of one subject.
const linksMost = 20

// OpenCalendar makes an address of a function or of a person; code is its
// secret, which is not kept and cannot be shown again. Errors: Denied, NotFound, Conflict.
func (s *Service) OpenCalendar(ctx context.Context, scope access.Scope, subject Subject, of uuid.UUID) (l Link, code string, err error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return l, "", err
	}
	now := s.Clock.Now()
	code = strings.Join(vault.NewLinkCodes(2), "")
	l = Link{ID: storage.NewID(now), Subject: subject, Of: of, By: scope.Actor().Name, Created: now}
	err = s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := s.subject(ctx, tx, scope, subject, of); err != nil {
			return err
		}
		open, err := links(ctx, tx, scope, subject, of)
		if err != nil {
			return err
		}
		if len(open) >= linksMost {
			return fault.New(fault.Conflict, "directory.oncall.calendar.many", "limit", linksMost)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO directory_oncall_calendars (organisation_id, id, subject_kind, subject_id, code_digest, actor_name, created_us)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, scope.Organisation(), l.ID, string(subject), of, digest(code), l.By, storage.Micros(now)); err != nil {
			return err
		}
		return s.noteCalendar(ctx, tx, scope, "directory.oncall.calendar.open", l)
	})
	return l, code, err
}

// subject refuses whom this establishment does not know.
func (s *Service) subject(ctx context.Context, tx *storage.Tx, scope access.Scope, subject Subject, of uuid.UUID) error {
	if subject == OfFunction {
		_, err := function(ctx, tx, scope, of)
		return err
	}
	found, err := agents(ctx, tx, scope, []uuid.UUID{of})
	if err == nil && len(found) == 0 {
		err = fault.New(fault.NotFound, "directory.person_not_found")
	}
	return err
}

func digest(code string) string {
	sum := sha256.Sum256([]byte(code))
	return hex.EncodeToString(sum[:])
}

// CloseCalendar revokes an address: who still asks for it is told that there is
// none. Errors: Denied, NotFound.
func (s *Service) CloseCalendar(ctx context.Context, scope access.Scope, id uuid.UUID) (l Link, err error) {
	if err := s.Guard.Check(scope, access.OnCallWrite); err != nil {
		return l, err
	}
	return l, s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		found, err := readLinks(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.New(fault.NotFound, "directory.oncall.calendar.not_found")
		}
		l = found[0].Link
		if _, err := tx.Exec(ctx, `DELETE FROM directory_oncall_calendars WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id); err != nil {
			return err
		}
		return s.noteCalendar(ctx, tx, scope, "directory.oncall.calendar.close", l)
	})
}

// Calendars lists the open addresses of a function or of a person.
func (s *Service) Calendars(ctx context.Context, scope access.Scope, subject Subject, of uuid.UUID) (out []Link, err error) {
	if err := s.Guard.Check(scope, access.DirectoryRead); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = links(ctx, tx, scope, subject, of)
		return err
	})
	return out, err
}

func links(ctx context.Context, tx *storage.Tx, scope access.Scope, subject Subject, of uuid.UUID) (out []Link, err error) {
	found, err := readLinks(ctx, tx, `organisation_id = $1 AND subject_kind = $2 AND subject_id = $3 ORDER BY id`, scope.Organisation(), string(subject), of)
	for _, l := range found {
		out = append(out, l.Link)
	}
	return out, err
}

type housedLink struct {
	Link
	organisation uuid.UUID
}

func readLinks(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []housedLink, err error) {
	err = tx.Query(ctx, `SELECT organisation_id, id, subject_kind, subject_id, actor_name, created_us FROM directory_oncall_calendars WHERE `+which, args,
		func(row func(...any) error) error {
			var l housedLink
			var created int64
			err := row(&l.organisation, &l.ID, &l.Subject, &l.Of, &l.By, &created)
			l.Created = storage.Time(created)
			out = append(out, l)
			return err
		})
	return out, err
}

// ICS is the calendar behind a secret: who holds what, by name, and no number.
// Errors: NotFound when there is none, or no longer.
func (s *Service) ICS(ctx context.Context, code string, now time.Time) ([]byte, error) {
	none := fault.New(fault.NotFound, "directory.oncall.calendar.not_found")
	if len(code) != 2*vault.LinkCodeLength {
		return nil, none
	}
	everywhere := access.Instance("calendars")
	var found []housedLink
	if err := s.DB.Read(ctx, everywhere, func(tx *storage.Tx) (err error) {
		found, err = readLinks(ctx, tx, `code_digest = $1`, digest(code))
		return err
	}); err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, none
	}
	var out []byte
	scope := everywhere.Within(found[0].organisation)
	err := s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		r, err := s.open(ctx, tx, scope, now.Add(-calendarBack))
		if err != nil {
			return err
		}
		out, err = r.ics(found[0].Link, now)
		return err
	})
	return out, err
}

// ics writes the turns of a subject as RFC 5545 wants them, in universal time.
func (r *Reading) ics(l Link, now time.Time) ([]byte, error) {
	cal := ics.NewCalendarFor("Tocsin")
	cal.SetMethod(ics.MethodPublish)
	cal.SetRefreshInterval("PT1H")
	for _, f := range r.Functions {
		if l.Subject == OfFunction && f.ID != l.Of {
			continue
		}
		for _, s := range r.Book.Spans(f.ID, now.Add(-calendarBack).Truncate(24*time.Hour), now.Add(calendarAhead).Truncate(24*time.Hour)) {
			if !s.Held() || l.Subject == OfPerson && s.Person != l.Of {
				continue
			}
			e := cal.AddEvent(uid(f.ID, s))
			e.SetDtStampTime(now.UTC())
			e.SetStartAt(s.From)
			e.SetEndAt(s.To)
			e.SetSummary(f.Name + summaryMark + r.People[s.Person].Name)
			e.SetTimeTransparency(ics.TransparencyTransparent)
		}
	}
	var b bytes.Buffer
	err := cal.SerializeTo(&b)
	return b.Bytes(), err
}

// summaryMark stands between the function and its holder.
const summaryMark = " – "

// uid is the same as long as the same person holds the same turn.
func uid(function uuid.UUID, s Span) string {
	sum := sha256.Sum256([]byte(function.String() + s.Person.String() + s.From.UTC().Format(time.RFC3339)))
	return hex.EncodeToString(sum[:12]) + "@tocsin"
}
