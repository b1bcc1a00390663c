package alerting

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// doorAfter is how long after the end of an alert its door still notes who
// leaves: the people who came go home hours after the alert is over.
const doorAfter = 3 * 24 * time.Hour

// Stay is one coming and going of a person; LeftAt is zero while he is there.
type Stay struct {
	ID                uuid.UUID
	ArrivedAt, LeftAt time.Time
	ArrivedBy, LeftBy string
}

// Lasted is how long the stay has lasted, or lasted.
func (s Stay) Lasted(now time.Time) time.Duration {
	if !s.LeftAt.IsZero() {
		now = s.LeftAt
	}
	return max(0, now.Sub(s.ArrivedAt))
}

// Inside tells who is there now, as far as the door knows.
func (r Recipient) Inside() bool { return len(r.Stays) > 0 && r.Stays[len(r.Stays)-1].LeftAt.IsZero() }

// OnSite is how long the person was there in all.
func (r Recipient) OnSite(now time.Time) (d time.Duration) {
	for _, s := range r.Stays {
		d += s.Lasted(now)
	}
	return d
}

// staysOf reads the stays of recipients of an alert that were not taken back.
func staysOf(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) (map[uuid.UUID][]Stay, error) {
	out := map[uuid.UUID][]Stay{}
	err := tx.Query(ctx, `SELECT recipient_id, id, arrived_us, arrived_by, left_us, left_by FROM alerting_stays
		WHERE organisation_id = $1 AND launch_id = $2 AND undone_us IS NULL ORDER BY recipient_id, arrived_us, id`,
		[]any{scope.Organisation(), launch}, func(row func(...any) error) error {
			id, s, err := scanStay(row)
			out[id] = append(out[id], s)
			return err
		})
	return out, err
}

// stays reads those of one person. One whose arrival was ticked without a stay
// (by the version before) has one since that tick.
func (p *person) stays(ctx context.Context, tx *storage.Tx, scope access.Scope) (out []Stay, err error) {
	err = tx.Query(ctx, `SELECT recipient_id, id, arrived_us, arrived_by, left_us, left_by FROM alerting_stays
		WHERE organisation_id = $1 AND launch_id = $2 AND recipient_id = $3 AND undone_us IS NULL ORDER BY arrived_us, id`,
		[]any{scope.Organisation(), p.Launch, p.ID}, func(row func(...any) error) error {
			_, s, err := scanStay(row)
			out = append(out, s)
			return err
		})
	return p.whole(out), err
}

// whole adds the stay that only the tick tells.
func (p *person) whole(stays []Stay) []Stay {
	if len(stays) == 0 && !p.Arrived.IsZero() {
		return []Stay{{ArrivedAt: p.Arrived}}
	}
	return stays
}

func scanStay(row func(...any) error) (recipient uuid.UUID, s Stay, err error) {
	var arrived int64
	var left sql.NullInt64
	err = row(&recipient, &s.ID, &arrived, &s.ArrivedBy, &left, &s.LeftBy)
	s.ArrivedAt, s.LeftAt = storage.Time(arrived), storage.NullTime(left)
	return recipient, s, err
}

// goneSince is when a person left; zero while he is there or has not come.
func goneSince(ctx context.Context, tx *storage.Tx, scope access.Scope, p *person) (time.Time, error) {
	stays, err := p.stays(ctx, tx, scope)
	if err != nil || len(stays) == 0 {
		return time.Time{}, err
	}
	return stays[len(stays)-1].LeftAt, nil
}

func insertStay(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, p *person, s Stay) error {
	_, err := tx.Exec(ctx, `INSERT INTO alerting_stays (organisation_id, id, launch_id, recipient_id, arrived_us, arrived_by, left_us, left_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, scope.Organisation(), storage.NewID(now), p.Launch, p.ID, storage.Micros(s.ArrivedAt), s.ArrivedBy,
		storage.NullMicros(s.LeftAt), s.LeftBy)
	return err
}

// openStay notes that a person came; undoStay takes a coming back.
func openStay(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, p *person) error {
	return insertStay(ctx, tx, scope, now, p, Stay{ArrivedAt: now, ArrivedBy: scope.Actor().Name})
}

func undoStay(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, s Stay) error {
	if s.ID == uuid.Nil {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE alerting_stays SET undone_us = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), s.ID, storage.Micros(now))
	return err
}

// Leave notes that a person leaves, or takes that back (left false: he is still
// there). It can be noted until three days after the end of the alert; the
// quotas count who came, so that they do not change. Ticked twice changes
// nothing. Needs access.AlertConduct. Errors: NotFound, Conflict for who is not there.
func (s *Service) Leave(ctx context.Context, scope access.Scope, now time.Time, launch, recipient uuid.UUID, left bool) error {
	door := func(l Launch) bool { return l.State == Running || now.Before(l.EndedAt.Add(doorAfter)) }
	return s.conducted(ctx, scope, now, access.AlertConduct, launch, door, func(tx *storage.Tx, l Launch, _ *plan) (journal.Entry, error) {
		p, err := recipientOf(ctx, tx, scope, l.ID, recipient, lockInOrder)
		if err != nil {
			return journal.Entry{}, err
		}
		stays, err := p.stays(ctx, tx, scope)
		if err != nil {
			return journal.Entry{}, err
		}
		if len(stays) == 0 {
			return journal.Entry{}, fault.New(fault.Conflict, "alerting.stay.absent")
		}
		last := stays[len(stays)-1]
		if last.LeftAt.IsZero() != left {
			return journal.Entry{}, nil // ticked twice
		}
		n := 1
		if last.LeftAt, last.LeftBy = now, scope.Actor().Name; !left {
			last.LeftAt, last.LeftBy, n = time.Time{}, "", -1
		}
		if err := saveStay(ctx, tx, scope, now, p, last); err != nil {
			return journal.Entry{}, err
		}
		if err := (tally{figure{"left", 0}: n}).write(ctx, tx, scope, l.ID); err != nil {
			return journal.Entry{}, err
		}
		return journal.Entry{Action: "alert.departure", After: map[string]any{"recipient": recipient, "left": left}},
			s.event(ctx, tx, scope, now, l.ID, Event{Kind: EventDeparture, By: scope.Actor().Name, People: n, Text: p.First + " " + p.Last})
	})
}

// saveStay writes the end of a stay; one that only the tick told becomes a row.
func saveStay(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, p *person, s Stay) error {
	if s.ID == uuid.Nil {
		return insertStay(ctx, tx, scope, now, p, s)
	}
	_, err := tx.Exec(ctx, `UPDATE alerting_stays SET left_us = $3, left_by = $4 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), s.ID, storage.NullMicros(s.LeftAt), s.LeftBy)
	return err
}

// DoorList chooses whom the door shows.
type DoorList string

// The lists of the door.
const (
	DoorExpected DoorList = "expected" // said they come, or are there already, and were not ticked
	DoorInside   DoorList = "inside"
	DoorLeft     DoorList = "left"
)

// condition chooses the people of a list, in SQL over alerting_recipients.
func (d DoorList) condition() string {
	const stay = ` (SELECT 1 FROM alerting_stays s WHERE s.organisation_id = alerting_recipients.organisation_id AND s.launch_id = alerting_recipients.launch_id
		AND s.recipient_id = alerting_recipients.id AND s.undone_us IS NULL`
	switch d {
	case DoorInside:
		return `arrived_us IS NOT NULL AND (NOT EXISTS` + stay + `) OR EXISTS` + stay + ` AND s.left_us IS NULL))`
	case DoorLeft:
		return `arrived_us IS NOT NULL AND EXISTS` + stay + `) AND NOT EXISTS` + stay + ` AND s.left_us IS NULL)`
	}
	return `arrived_us IS NULL AND meaning IN ('coming', 'on_site')`
}

// Door lists people for the door, in the order of their names: those of a list,
// or those found by what was typed, a part of a name or the code of a recall
// order. Needs access.AlertRead.
func (s *Service) Door(ctx context.Context, scope access.Scope, launch uuid.UUID, which DoorList, typed string, page Page) (out []Recipient, err error) {
	if err := s.guard.Check(scope, access.AlertRead); err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, scope, func(tx *storage.Tx) error {
		where, args := which.condition(), []any{page.After, page.limit()}
		if typed != "" {
			id, err := byRecall(ctx, tx, scope, launch, typed)
			if err != nil {
				return err
			}
			if where, args = `left_out = '' AND name_folded LIKE $5 ESCAPE '\'`, append(args, "%"+storage.Like(storage.Fold(typed))+"%"); id != uuid.Nil {
				where, args[2] = `id = $5`, id
			}
		}
		people, err := readPeople(ctx, tx, scope, launch, `id > $3 AND `+where+` ORDER BY id LIMIT $4`, args...)
		if err != nil {
			return err
		}
		units, err := unitsOf(ctx, tx, scope, launch)
		if err != nil {
			return err
		}
		for i := range people {
			stays, err := people[i].stays(ctx, tx, scope)
			if err != nil {
				return err
			}
			r := people[i].view(units)
			r.Stays = stays
			out = append(out, r)
		}
		return nil
	})
	return out, err
}
