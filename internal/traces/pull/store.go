package pull

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
	"tocsin/internal/traces/files"
	"tocsin/internal/vault"
)

// The states of a pull.
const (
	Draft  = "draft" // its table is not chosen yet
	Active = "active"
	Paused = "paused"
)

// Pull is the table of audit of a source.
type Pull struct {
	Source   uuid.UUID
	Settings Settings
	State    string
	// Reason is what was wrong at the last try.
	Reason                *fault.Error
	Rows, Fresh, Failures int64
	Due, Done             time.Time
	// Last is the key up to which every row was acknowledged.
	Last []string

	organisation uuid.UUID
	sealed       []byte
	place        place
	recent       []byte
}

// place is how far a table was read.
type place struct {
	Last []string `json:"last,omitempty"`
	// Cursor is where the page under way begins, empty between two readings.
	Cursor []string `json:"cursor,omitempty"`
}

func sealContext(source uuid.UUID) string { return "traces.pull " + source.String() }

const pullColumns = `organisation_id, source_id, settings, secret, state, reason, last_key, recent, rows_read, rows_fresh, failures, due_us, done_us`

func readPulls(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Pull, err error) {
	err = tx.Query(ctx, `SELECT `+pullColumns+` FROM traces_pulls WHERE `+which, args, func(row func(...any) error) error {
		var p Pull
		var settings, reason, last string
		var due int64
		var done sql.NullInt64
		if err := row(&p.organisation, &p.Source, &settings, &p.sealed, &p.State, &reason, &last, &p.recent, &p.Rows, &p.Fresh, &p.Failures, &due, &done); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(settings), &p.Settings); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(last), &p.place); err != nil {
			return err
		}
		p.Last, p.Reason = p.place.Last, files.ReadReason(reason)
		p.Due, p.Done = storage.Time(due), storage.NullTime(done)
		out = append(out, p)
		return nil
	})
	return out, err
}

func onePull(ctx context.Context, tx *storage.Tx, scope access.Scope, source uuid.UUID) (Pull, bool, error) {
	list, err := readPulls(ctx, tx, `organisation_id = $1 AND source_id = $2`, scope.Organisation(), source)
	if err != nil || len(list) == 0 {
		return Pull{Source: source, organisation: scope.Organisation()}, false, err
	}
	return list[0], true, nil
}

// writePull keeps all that is known of a pull.
func writePull(ctx context.Context, tx *storage.Tx, p Pull) error {
	settings, err := json.Marshal(p.Settings)
	if err != nil {
		return err
	}
	last, err := json.Marshal(p.place)
	if err != nil {
		return err
	}
	reason := ""
	if p.Reason != nil {
		reason = files.WriteReason(p.Reason)
	}
	if p.recent == nil {
		p.recent = []byte{}
	}
	_, err = tx.Exec(ctx, `INSERT INTO traces_pulls (`+pullColumns+`, driver) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (organisation_id, source_id) DO UPDATE SET settings = excluded.settings, secret = excluded.secret, state = excluded.state, reason = excluded.reason, last_key = excluded.last_key,
		recent = excluded.recent, rows_read = excluded.rows_read, rows_fresh = excluded.rows_fresh, failures = excluded.failures, due_us = excluded.due_us, done_us = excluded.done_us, driver = excluded.driver`,
		p.organisation, p.Source, string(settings), p.sealed, p.State, reason, string(last), p.recent, p.Rows, p.Fresh, p.Failures, storage.Micros(p.Due), storage.NullMicros(p.Done), p.Settings.Driver)
	return err
}

// advance keeps what a page brought: not when somebody changed the pull meanwhile.
func advance(ctx context.Context, tx *storage.Tx, p Pull) error {
	last, err := json.Marshal(p.place)
	if err != nil {
		return err
	}
	reason := ""
	if p.Reason != nil {
		reason = files.WriteReason(p.Reason)
	}
	settings, err := json.Marshal(p.Settings)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE traces_pulls SET reason = $3, last_key = $4, recent = $5, rows_read = $6, rows_fresh = $7, failures = $8, due_us = $9, done_us = $10
		WHERE organisation_id = $1 AND source_id = $2 AND settings = $11`,
		p.organisation, p.Source, reason, string(last), append([]byte{}, p.recent...), p.Rows, p.Fresh, p.Failures, storage.Micros(p.Due), storage.NullMicros(p.Done), string(settings))
	return err
}

// Reseal seals the passwords again that an older key of the vault sealed, and
// returns how many. Only the program itself may ask.
func (s *Service) Reseal(ctx context.Context, scope access.Scope) (n int, err error) {
	return vault.Reseal(ctx, s.opt.DB, scope, s.opt.Vault, vault.Column{Table: "traces_pulls", Name: "secret", Key: []string{"organisation_id", "source_id"}, Context: sealContext})
}
