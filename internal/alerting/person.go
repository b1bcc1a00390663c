package alerting

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/channels"
	"tocsin/internal/storage"
)

// The marks of a recipient: things to remember that change no state.
const (
	markStoodDown = 1 << iota // was told he is not needed
	markStopped               // wrote STOP
	markUnread                // wrote something nobody could read
	markByHand                // was called by hand
	markHelped                // was told how to answer
	markKept                  // was told that he is kept back for a relief
)

// person is a recipient as the engine needs him.
type person struct {
	ID, Person, Launch     uuid.UUID
	Unit, Wave             int
	State                  State
	LeftOut                LeftOut
	Last, First            string
	Language, Skills, Code string
	Rungs                  []rung
	Rung, Sent             int
	Tried                  uint64
	Current                uuid.UUID
	Called, Reached        time.Time
	AnsweredAt             time.Time
	Meaning                Meaning
	Minutes                int
	ETA, Arrived, Due      time.Time
	Marks                  int
}

const personColumns = `id, person_id, launch_id, unit, wave, state, left_out, last_name, first_name, language, skills, COALESCE(code, ''), ladder,
	rung, tried, sent, current_id, called_us, reached_us, answered_us, meaning, minutes, eta_us, arrived_us, due_us, marks`

func scanPerson(row func(...any) error) (person, error) {
	var p person
	var text string
	var tried int64
	var current uuid.NullUUID
	var called, reached, answered, eta, arrived, due sql.NullInt64
	err := row(&p.ID, &p.Person, &p.Launch, &p.Unit, &p.Wave, &p.State, &p.LeftOut, &p.Last, &p.First, &p.Language, &p.Skills, &p.Code, &text,
		&p.Rung, &tried, &p.Sent, &current, &called, &reached, &answered, &p.Meaning, &p.Minutes, &eta, &arrived, &due, &p.Marks)
	p.Rungs, p.Tried, p.Current = readLadder(text), uint64(tried), current.UUID
	p.Called, p.Reached, p.AnsweredAt = storage.NullTime(called), storage.NullTime(reached), storage.NullTime(answered)
	p.ETA, p.Arrived, p.Due = storage.NullTime(eta), storage.NullTime(arrived), storage.NullTime(due)
	return p, err
}

// readPeople reads recipients by a condition that begins at $3 ($1 and $2 are
// the establishment and the alert).
func readPeople(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID, where string, args ...any) ([]person, error) {
	var out []person
	err := tx.Query(ctx, `SELECT `+personColumns+` FROM alerting_recipients WHERE organisation_id = $1 AND launch_id = $2 AND `+where,
		append([]any{scope.Organisation(), launch}, args...), func(row func(...any) error) error {
			p, err := scanPerson(row)
			out = append(out, p)
			return err
		})
	return out, err
}

// lockInOrder keeps two transactions that lock the same people from waiting for each other.
const lockInOrder = "ORDER BY id {{for_update}}"

// peopleByID reads recipients by id, wherever their alert is.
func peopleByID(ctx context.Context, tx *storage.Tx, scope access.Scope, list []uuid.UUID, tail string) (map[uuid.UUID]*person, error) {
	out := make(map[uuid.UUID]*person, len(list))
	if len(list) == 0 {
		return out, nil
	}
	err := tx.Query(ctx, `SELECT `+personColumns+` FROM alerting_recipients WHERE organisation_id = $1 AND id IN (`+storage.In(len(list), 2)+`) `+tail,
		storage.Args(list, scope.Organisation()), func(row func(...any) error) error {
			p, err := scanPerson(row)
			out[p.ID] = &p
			return err
		})
	return out, err
}

// savePeople writes what the engine changes of recipients.
func savePeople(ctx context.Context, tx *storage.Tx, scope access.Scope, people []*person) error {
	rows := make([][]any, len(people))
	for i, p := range people {
		rows[i] = []any{
			scope.Organisation(), p.ID, string(p.State), p.Rung, int64(p.Tried), p.Sent, storage.NullID(p.Current), storage.NullMicros(p.Called),
			storage.NullMicros(p.Reached), storage.NullMicros(p.AnsweredAt), string(p.Meaning), p.Minutes, storage.NullMicros(p.ETA),
			storage.NullMicros(p.Arrived), storage.NullMicros(p.Due), p.Marks,
		}
	}
	if len(rows) == 0 {
		return nil
	}
	n, err := tx.UpdateRows(ctx, "alerting_recipients", 2, []storage.Column{
		{Name: "organisation_id", Type: "uuid"},
		{Name: "id", Type: "uuid"},
		{Name: "state", Type: "text"},
		{Name: "rung", Type: "bigint"},
		{Name: "tried", Type: "bigint"},
		{Name: "sent", Type: "bigint"},
		{Name: "current_id", Type: "uuid"},
		{Name: "called_us", Type: "bigint"},
		{Name: "reached_us", Type: "bigint"},
		{Name: "answered_us", Type: "bigint"},
		{Name: "meaning", Type: "text"},
		{Name: "minutes", Type: "bigint"},
		{Name: "eta_us", Type: "bigint"},
		{Name: "arrived_us", Type: "bigint"},
		{Name: "due_us", Type: "bigint"},
		{Name: "marks", Type: "bigint"},
	}, rows)
	if err == nil && n != int64(len(rows)) {
		return fmt.Errorf("alerting: %d of %d recipients saved", n, len(rows))
	}
	return err
}

// sitesOf gives the site of each unit of an alert.
func sitesOf(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) (map[int]uuid.UUID, error) {
	out := map[int]uuid.UUID{}
	err := tx.Query(ctx, `SELECT number, site_id FROM alerting_units WHERE organisation_id = $1 AND launch_id = $2`,
		[]any{scope.Organisation(), launch}, func(row func(...any) error) error {
			var n int
			var id uuid.NullUUID
			err := row(&n, &id)
			out[n] = id.UUID
			return err
		})
	return out, err
}

// unitsOf reads the units of an alert by number.
func unitsOf(ctx context.Context, tx *storage.Tx, scope access.Scope, launch uuid.UUID) ([]unitKey, error) {
	var out []unitKey
	err := tx.Query(ctx, `SELECT site_id, service_id, site_name, service_name FROM alerting_units WHERE organisation_id = $1 AND launch_id = $2 ORDER BY number`,
		[]any{scope.Organisation(), launch}, func(row func(...any) error) error {
			var u unitKey
			var site, service uuid.NullUUID
			err := row(&site, &service, &u.siteName, &u.serviceName)
			u.site, u.service = site.UUID, service.UUID
			out = append(out, u)
			return err
		})
	return out, err
}

// silent tells who was called and said nothing that counts.
func (p *person) silent() bool { return !p.Called.IsZero() && p.Meaning == "" && p.Arrived.IsZero() }

// standing is the state that the facts of a person give, his answer first.
func (p *person) standing() State {
	switch {
	case p.LeftOut != "":
		return LeftAside
	case !p.Arrived.IsZero():
		return Arrived
	case p.Meaning != "":
		return Answered
	case !p.Reached.IsZero():
		return Reached
	case !p.Called.IsZero():
		return Called
	}
	return Waiting
}

// quiet is the address for words that need no answer: no telephone rings for them
// when the person has another one.
func (p *person) quiet(r rung) rung {
	if r.Medium != channels.Voice {
		return r
	}
	for _, other := range p.Rungs {
		if other.Medium != channels.Voice {
			return other
		}
	}
	return r
}
