package care

import (
	"context"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Heard is how many messages of a kind a source sent.
type Heard struct {
	Source uuid.UUID
	What   string
	// Kept counts those that say something of care, Aside the others.
	Kept, Aside int64
	Last        time.Time
}

// Feeds lists what sources sent, by source, the last kind first. Needs
// access.TracesRead.
func (s *Service) Feeds(ctx context.Context, scope access.Scope) (out []Heard, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT source_id, what, kept, aside, last_us FROM traces_care_heard WHERE organisation_id = $1 ORDER BY source_id, last_us DESC, what LIMIT $2`, []any{scope.Organisation(), accountsMost},
			func(row func(...any) error) error {
				var h Heard
				var last int64
				err := row(&h.Source, &h.What, &h.Kept, &h.Aside, &last)
				h.Last = storage.Time(last)
				out = append(out, h)
				return err
			})
	})
	return out, err
}

// Census counts what is kept.
type Census struct {
	Patients, Relations, Members, Left, Accounts, Teams int64
	// First and Last bound the beginnings of relations; zero for none.
	First, Last time.Time
}

// Census counts. Needs access.TracesRead.
func (s *Service) Census(ctx context.Context, scope access.Scope) (c Census, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return c, err
	}
	var first, last int64
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Row(ctx, `SELECT (SELECT COUNT(*) FROM traces_care_patients WHERE organisation_id = $1), (SELECT COUNT(*) FROM traces_care_relations WHERE organisation_id = $1 AND kind <> ''),
			(SELECT COUNT(*) FROM traces_care_members WHERE organisation_id = $1), (SELECT COUNT(*) FROM traces_care_members WHERE organisation_id = $1 AND left_us IS NOT NULL),
			(SELECT COUNT(*) FROM traces_care_accounts WHERE organisation_id = $1), (SELECT COUNT(*) FROM traces_care_teams WHERE organisation_id = $1),
			(SELECT COALESCE(MIN(from_us), 0) FROM traces_care_relations WHERE organisation_id = $1 AND kind <> ''), (SELECT COALESCE(MAX(from_us), 0) FROM traces_care_relations WHERE organisation_id = $1 AND kind <> '')`,
			[]any{scope.Organisation()}, &c.Patients, &c.Relations, &c.Members, &c.Left, &c.Accounts, &c.Teams, &first, &last)
		return err
	})
	if c.Relations > 0 {
		c.First, c.Last = storage.Time(first), storage.Time(last)
	}
	return c, err
}
