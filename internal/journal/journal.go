package journal

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// Migrations holds the tables of this package.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Locales holds the sentences of the journal's faults.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Entry is one change. Action is a verb such as "directory.person.update";
// Before and After are small structs or maps, nil when there is nothing.
type Entry struct {
	Action     string
	ObjectKind string
	ObjectID   string
	// ObjectName is what a person recognises: a scenario's title, a person's name.
	ObjectName    string
	Before, After any
}

// Append writes the entry in the transaction of the change.
func Append(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, e Entry) error {
	before, err := encode(e.Before)
	if err != nil {
		return fmt.Errorf("journal %s: %w", e.Action, err)
	}
	after, err := encode(e.After)
	if err != nil {
		return fmt.Errorf("journal %s: %w", e.Action, err)
	}
	a := scope.Actor()
	_, err = tx.Exec(ctx, `INSERT INTO journal_entries (organisation_id, id, at_us, actor_kind, actor_id, actor_name, actor_from,
		action, object_kind, object_id, object_name, before_json, after_json, search_folded)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		scope.Organisation(), storage.NewID(now), storage.Micros(now), string(a.Kind), storage.NullID(a.ID), a.Name, a.From,
		e.Action, e.ObjectKind, e.ObjectID, e.ObjectName, before, after,
		storage.Fold(strings.Join([]string{a.Name, e.Action, e.ObjectName, before, after}, " ")))
	if err != nil {
		return fmt.Errorf("journal %s: %w", e.Action, err)
	}
	return nil
}

func encode(v any) (string, error) {
	if v == nil {
		return "", nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return string(b), nil
}

// Record is an entry as it was written.
type Record struct {
	ID         uuid.UUID
	At         time.Time
	Actor      access.Actor
	Action     string
	ObjectKind string
	ObjectID   string
	ObjectName string
	Before     string
	After      string
}

// Filter selects records; zero fields select everything.
type Filter struct {
	// Text is looked for in names, actions, before and after.
	Text       string
	Action     string // prefix: "directory."
	Actor      uuid.UUID
	ObjectKind string
	ObjectID   string
	From, To   time.Time
	// Before continues a page: the id of the last record seen.
	Before uuid.UUID
	// Limit is 1 to 500; 0 means 50.
	Limit int
}

// Reader answers questions about the journal.
type Reader struct {
	db    *storage.DB
	guard *access.Guard
}

// NewReader returns a reader.
func NewReader(db *storage.DB, guard *access.Guard) *Reader { return &Reader{db, guard} }

// Search returns the newest records first. Errors: Denied.
func (r *Reader) Search(ctx context.Context, scope access.Scope, f Filter) ([]Record, error) {
	if err := r.guard.Check(scope, access.JournalRead); err != nil {
		return nil, err
	}
	query, args := f.sql(scope)
	var out []Record
	err := r.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, query, args, func(row func(...any) error) error {
			rec, err := scan(row)
			out = append(out, rec)
			return err
		})
	})
	return out, err
}

func (f Filter) sql(scope access.Scope) (string, []any) {
	args := []any{scope.Organisation()}
	where := []string{"organisation_id = $1"}
	add := func(condition string, v any) {
		args = append(args, v)
		where = append(where, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(args))))
	}
	if f.Text != "" {
		add(`search_folded LIKE ? ESCAPE '\'`, "%"+storage.Like(storage.Fold(f.Text))+"%")
	}
	if f.Action != "" {
		add(`action LIKE ? ESCAPE '\'`, storage.Like(f.Action)+"%")
	}
	if f.Actor != uuid.Nil {
		add("actor_id = ?", f.Actor)
	}
	if f.ObjectKind != "" {
		add("object_kind = ?", f.ObjectKind)
	}
	if f.ObjectID != "" {
		add("object_id = ?", f.ObjectID)
	}
	if !f.From.IsZero() {
		add("at_us >= ?", storage.Micros(f.From))
	}
	if !f.To.IsZero() {
		add("at_us < ?", storage.Micros(f.To))
	}
	if f.Before != uuid.Nil {
		add("id < ?", f.Before)
	}
	limit := f.Limit
	if limit <= 0 || limit > 500 {
		limit = 50
	}
	args = append(args, limit)
	return `SELECT id, at_us, actor_kind, actor_id, actor_name, actor_from, action, object_kind, object_id, object_name, before_json, after_json
		FROM journal_entries WHERE ` + strings.Join(where, " AND ") + fmt.Sprintf(" ORDER BY id DESC LIMIT $%d", len(args)), args
}

func scan(row func(...any) error) (Record, error) {
	var rec Record
	var at int64
	var actor uuid.NullUUID
	var kind string
	err := row(&rec.ID, &at, &kind, &actor, &rec.Actor.Name, &rec.Actor.From, &rec.Action, &rec.ObjectKind, &rec.ObjectID, &rec.ObjectName, &rec.Before, &rec.After)
	rec.At, rec.Actor.Kind, rec.Actor.ID = storage.Time(at), access.ActorKind(kind), actor.UUID
	return rec, err
}
