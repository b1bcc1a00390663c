package feed

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/directory"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// Locales holds the sentences of this package.
//
//go:embed locales/*.yaml
var Locales embed.FS

// Sealer keeps the secrets of servers; *vault.Vault is one.
type Sealer interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
	Stale(sealed []byte) bool
}

// Feed is a server that is read.
type Feed struct {
	ID   uuid.UUID
	Kind string
	// Name is also the source of the people it gives: "AD".
	Name string
	// Settings are the values of the kind's fields; secret ones are never read back.
	Settings Settings
	// EveryHours is the pace; 0 reads only when a person asks.
	EveryHours int
	// GoneMost is the share of its people, in per cent, that may leave without a person.
	GoneMost int
	Enabled  bool
	// Next is when it is read again; zero when a person must ask.
	Next, Last time.Time
	// LastImport is the comparison of the last reading; Nil when there is none.
	LastImport uuid.UUID
	// Trouble is the key of the sentence of the last failure; empty when it went well.
	Trouble string
	Updated time.Time

	organisation uuid.UUID
	sealed       []byte
}

// Options are what the servers rest on.
type Options struct {
	DB        *storage.DB
	Guard     *access.Guard
	Clock     clock.Clock
	Vault     Sealer
	Directory *directory.Directory
	Kinds     []Kind
	Log       *slog.Logger
	// Wake, if set, is called when an import waits for Directory.Work.
	Wake func()
}

// Service holds the servers.
type Service struct {
	Options
	kinds map[string]Kind
}

// New returns the servers of a house.
func New(o Options) *Service {
	s := &Service{Options: o, kinds: map[string]Kind{}}
	for _, k := range o.Kinds {
		s.kinds[k.Describe().Kind] = k
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Wake == nil {
		s.Wake = func() {}
	}
	return s
}

// Describe gives the fields of a kind. Errors: NotFound.
func (s *Service) Describe(kind string) (Description, error) {
	k, ok := s.kinds[kind]
	if !ok {
		return Description{}, fault.New(fault.NotFound, "directory.feed.kind")
	}
	return k.Describe(), nil
}

// The limits of a server.
const (
	hoursMost = 24 * 31
	nameMost  = 60
)

func (f Feed) check() error {
	switch {
	case f.Name == "" || len(f.Name) > nameMost:
		return fault.New(fault.Invalid, "directory.feed.name", "limit", nameMost).At("name")
	case f.EveryHours < 0 || f.EveryHours > hoursMost:
		return fault.New(fault.Invalid, "directory.feed.every", "most", hoursMost).At("every")
	case f.GoneMost < 0 || f.GoneMost > 100:
		return fault.New(fault.Invalid, "directory.feed.gone").At("gone")
	}
	return nil
}

// note is what the journal keeps: never a secret.
type note struct {
	Kind     string   `json:"kind"`
	Settings Settings `json:"settings"`
	Every    int      `json:"every_hours"`
	GoneMost int      `json:"gone_most"`
	Enabled  bool     `json:"enabled"`
}

// Save adds a server (ID Nil) or changes one; a secret left empty keeps its
// value as long as the server stays the same. Errors: Denied, NotFound, Invalid
// with its field.
func (s *Service) Save(ctx context.Context, scope access.Scope, f Feed) (Feed, error) {
	if err := s.Guard.Check(scope, access.ChannelWrite); err != nil {
		return f, err
	}
	kind, ok := s.kinds[f.Kind]
	if !ok {
		return f, fault.New(fault.NotFound, "directory.feed.kind")
	}
	f.Name = strings.Join(strings.Fields(f.Name), " ")
	if err := f.check(); err != nil {
		return f, err
	}
	now := s.Clock.Now()
	action := "directory.feed.update"
	if f.ID == uuid.Nil {
		f.ID, action = storage.NewID(now), "directory.feed.create"
	} else {
		before, err := s.one(ctx, scope, f.ID)
		if err != nil {
			return f, err
		}
		f.Last, f.LastImport, f.Trouble = before.Last, before.LastImport, before.Trouble
		if f.Settings, err = s.keepSecrets(before, kind.Describe(), f.Settings); err != nil {
			return f, err
		}
	}
	all, err := kind.Describe().Validate(f.Settings)
	if err != nil {
		return f, err
	}
	if err := s.seal(&f, kind.Describe(), all); err != nil {
		return f, err
	}
	f.Updated, f.Next = now, time.Time{}
	if f.Enabled && f.EveryHours > 0 {
		f.Next = now
	}
	return f, s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := write(ctx, tx, scope, f); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: action, ObjectKind: "feed", ObjectID: f.ID.String(), ObjectName: f.Name, After: note{f.Kind, f.Settings, f.EveryHours, f.GoneMost, f.Enabled},
		})
	})
}

// keepSecrets fills the secrets left empty with those of before, unless the
// server is another one: its password is not sent to a stranger.
func (s *Service) keepSecrets(before Feed, d Description, in Settings) (Settings, error) {
	old, err := s.whole(before)
	if err != nil {
		return nil, err
	}
	all := maps.Clone(in)
	if all == nil {
		all = Settings{}
	}
	for _, f := range d.Fields {
		if f.Type == Secret && all[f.Name] == "" && all["host"] == old["host"] {
			all[f.Name] = old[f.Name]
		}
	}
	return all, nil
}

func sealContext(id uuid.UUID) string { return "directory.feed:" + id.String() }

func (s *Service) seal(f *Feed, d Description, all Settings) error {
	open, secret := d.parted(all)
	plain, err := json.Marshal(secret)
	if err != nil {
		return fmt.Errorf("encode secrets: %w", err)
	}
	f.Settings = open
	f.sealed, err = s.Vault.Seal(plain, sealContext(f.ID))
	return err
}

// whole gives all settings of a server, secrets included.
func (s *Service) whole(f Feed) (Settings, error) {
	plain, err := s.Vault.Open(f.sealed, sealContext(f.ID))
	if err != nil {
		return nil, err
	}
	all := Settings{}
	if err := json.Unmarshal(plain, &all); err != nil {
		return nil, fmt.Errorf("decode secrets of feed %s: %w", f.ID, err)
	}
	maps.Copy(all, f.Settings)
	return all, nil
}

// Delete forgets a server and its secrets; the people it gave stay.
func (s *Service) Delete(ctx context.Context, scope access.Scope, id uuid.UUID) error {
	if err := s.Guard.Check(scope, access.ChannelWrite); err != nil {
		return err
	}
	f, err := s.one(ctx, scope, id)
	if err != nil {
		return err
	}
	return s.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM directory_feeds WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, s.Clock.Now(), journal.Entry{Action: "directory.feed.delete", ObjectKind: "feed", ObjectID: id.String(), ObjectName: f.Name})
	})
}

// Feeds lists the servers of the establishment.
func (s *Service) Feeds(ctx context.Context, scope access.Scope) (out []Feed, err error) {
	if err := s.Guard.Check(scope, access.DirectoryImport); err != nil {
		return nil, err
	}
	err = s.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = read(ctx, tx, `organisation_id = $1 ORDER BY name, id`, scope.Organisation())
		return err
	})
	return out, err
}

// Feed gives one server. Errors: NotFound.
func (s *Service) Feed(ctx context.Context, scope access.Scope, id uuid.UUID) (Feed, error) {
	if err := s.Guard.Check(scope, access.DirectoryImport); err != nil {
		return Feed{}, err
	}
	return s.one(ctx, scope, id)
}

func (s *Service) one(ctx context.Context, scope access.Scope, id uuid.UUID) (Feed, error) {
	var out []Feed
	if err := s.DB.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		out, err = read(ctx, tx, `organisation_id = $1 AND id = $2`, scope.Organisation(), id)
		return err
	}); err != nil {
		return Feed{}, err
	}
	if len(out) == 0 {
		return Feed{}, fault.New(fault.NotFound, "directory.feed.not_found")
	}
	return out[0], nil
}

const columns = `organisation_id, id, kind, name, settings, secrets, every_hours, gone_most, enabled, next_us, last_us, last_import, trouble, updated_us`

func read(ctx context.Context, tx *storage.Tx, which string, args ...any) (out []Feed, err error) {
	err = tx.Query(ctx, `SELECT `+columns+` FROM directory_feeds WHERE `+which, args, func(row func(...any) error) error {
		var f Feed
		var settings string
		var next, last sql.NullInt64
		var updated int64
		var done uuid.NullUUID
		if err := row(&f.organisation, &f.ID, &f.Kind, &f.Name, &settings, &f.sealed, &f.EveryHours, &f.GoneMost, &f.Enabled, &next, &last, &done, &f.Trouble, &updated); err != nil {
			return err
		}
		f.Next, f.Last, f.LastImport, f.Updated = storage.NullTime(next), storage.NullTime(last), done.UUID, storage.Time(updated)
		out = append(out, f)
		return json.Unmarshal([]byte(settings), &out[len(out)-1].Settings)
	})
	return out, err
}

func write(ctx context.Context, tx *storage.Tx, scope access.Scope, f Feed) error {
	settings, err := json.Marshal(f.Settings)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO directory_feeds (`+columns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (organisation_id, id) DO UPDATE SET name = excluded.name, settings = excluded.settings, secrets = excluded.secrets, every_hours = excluded.every_hours,
		gone_most = excluded.gone_most, enabled = excluded.enabled, next_us = excluded.next_us, updated_us = excluded.updated_us`,
		scope.Organisation(), f.ID, f.Kind, f.Name, string(settings), f.sealed, f.EveryHours, f.GoneMost, f.Enabled, storage.NullMicros(f.Next),
		storage.NullMicros(f.Last), storage.NullID(f.LastImport), f.Trouble, storage.Micros(f.Updated))
	return err
}
