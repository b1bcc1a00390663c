package pull

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/clock"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/files"
	"tocsin/internal/vault"
)

// Options are what pulls rest on.
type Options struct {
	DB     *storage.DB
	Guard  *access.Guard
	Clock  clock.Clock
	Log    *slog.Logger
	Traces *traces.Service
	// Files keeps the mappings, the same for files and tables.
	Files *files.Service
	Vault vault.Sealer
}

// Service is what can be done with tables of audit.
type Service struct {
	opt Options
	// held are the connections kept between two pages; one task uses them.
	held map[uuid.UUID]held
}

type held struct {
	db  *sql.DB
	why string // settings and secret that it was opened with
}

// New returns the operations on tables of audit.
func New(o Options) *Service { return &Service{opt: o, held: map[uuid.UUID]held{}} }

// Get gives the table of audit of a source; a Pull without a driver when none was
// set. Needs access.TracesSource. Errors: NotFound.
func (s *Service) Get(ctx context.Context, scope access.Scope, source uuid.UUID) (out Pull, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesSource); err != nil {
		return out, err
	}
	if _, err := s.opt.Traces.Source(ctx, scope, source); err != nil {
		return out, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, _, err = onePull(ctx, tx, scope, source)
		return err
	})
	return out, err
}

// Connect sets where the database is, once it answered. An empty password keeps
// the one that is known for the same account there. Needs access.TracesSource.
// Errors: Invalid, with one sentence that says what is wrong.
func (s *Service) Connect(ctx context.Context, scope access.Scope, source uuid.UUID, w Settings, password string) (found []Table, err error) {
	p, err := s.Get(ctx, scope, source)
	if err != nil {
		return nil, err
	}
	if err := w.connection(); err != nil {
		return nil, err
	}
	sealed, password, err := s.secret(p, w, password)
	if err != nil {
		return nil, err
	}
	if found, err = s.listed(ctx, w, password); err != nil {
		return nil, err
	}
	before := p.Settings
	w.Schema, w.Table, w.Columns, w.Key = before.Schema, before.Table, before.Columns, before.Key
	w.Overlap, w.Rate, w.From, w.To, w.Every = before.Overlap, before.Rate, before.From, before.To, before.Every
	if p.State == "" || before.address() != w.address() || before.Database != w.Database {
		w = Settings{Driver: w.Driver, Host: w.Host, Port: w.Port, Database: w.Database, User: w.User, TLS: w.TLS, Rate: 500, Every: 60}
		p = Pull{Source: source, organisation: scope.Organisation(), State: Draft}
	}
	p.Settings, p.sealed = w, sealed
	return found, s.keep(ctx, scope, p)
}

// secret gives the password to use, sealed and open. One that is known goes to
// the account and the host it was given for, and to no other.
func (s *Service) secret(p Pull, w Settings, password string) ([]byte, string, error) {
	if password == "" && p.sealed != nil {
		if p.Settings.address() != w.address() || p.Settings.User != w.User {
			return nil, "", fault.New(fault.Invalid, "traces.pull.password").At("password")
		}
		plain, err := s.opt.Vault.Open(p.sealed, sealContext(p.Source))
		return p.sealed, string(plain), err
	}
	sealed, err := s.opt.Vault.Seal([]byte(password), sealContext(p.Source))
	return sealed, password, err
}

func (s *Service) listed(ctx context.Context, w Settings, password string) (found []Table, err error) {
	db, err := open(w, password)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return tables(ctx, db, w.Driver)
}

// Tables lists what may be read with the connection that was set. Needs
// access.TracesSource. Errors: as Connect.
func (s *Service) Tables(ctx context.Context, scope access.Scope, source uuid.UUID) (found []Table, err error) {
	err = s.with(ctx, scope, source, func(p Pull, db *sql.DB) error {
		found, err = tables(ctx, db, p.Settings.Driver)
		return err
	})
	return found, err
}

// with opens the database of a source for a person.
func (s *Service) with(ctx context.Context, scope access.Scope, source uuid.UUID, run func(Pull, *sql.DB) error) (err error) {
	p, err := s.Get(ctx, scope, source)
	if err != nil {
		return err
	}
	if p.State == "" {
		return fault.New(fault.NotFound, "traces.pull.none")
	}
	db, err := s.unlock(p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return run(p, db)
}

func (s *Service) unlock(p Pull) (*sql.DB, error) {
	plain, err := s.opt.Vault.Open(p.sealed, sealContext(p.Source))
	if err != nil {
		return nil, err
	}
	return open(p.Settings, string(plain))
}

// Choose sets the table that is read: it must be in the catalogue, and its
// columns are those that the catalogue gives. Needs access.TracesSource. Errors:
// Invalid with its field.
func (s *Service) Choose(ctx context.Context, scope access.Scope, source uuid.UUID, t Table) (out Pull, err error) {
	err = s.with(ctx, scope, source, func(p Pull, db *sql.DB) error {
		found, err := columnsOf(ctx, db, p.Settings.Driver, t)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fault.New(fault.Invalid, "traces.pull.table").At("table")
		}
		if len(found) > columnsMost {
			return fault.New(fault.Invalid, "traces.pull.columns", "most", columnsMost).At("table")
		}
		w := p.Settings
		w.Schema, w.Table, w.Columns = t.Schema, t.Name, found
		if !w.sameTable(p.Settings) {
			w.Key, p.place, p.recent, p.State = nil, place{}, nil, Draft
		}
		p.Settings = w
		out = p
		return nil
	})
	if err != nil {
		return out, err
	}
	return out, s.keep(ctx, scope, out)
}

// Pace is how a table is read.
type Pace struct {
	Key                            []string
	Overlap, Rate, From, To, Every int
}

// Set sets how the table is read, and begins. Another key begins at the
// beginning. Needs access.TracesSource. Errors: Invalid with its field.
func (s *Service) Set(ctx context.Context, scope access.Scope, source uuid.UUID, pace Pace) (Pull, error) {
	p, err := s.Get(ctx, scope, source)
	if err != nil {
		return p, err
	}
	w := p.Settings
	w.Key, w.Overlap, w.Rate, w.From, w.To, w.Every = pace.Key, pace.Overlap, pace.Rate, pace.From, pace.To, pace.Every
	if err := w.check(); err != nil {
		return p, err
	}
	if !w.sameTable(p.Settings) {
		p.place, p.recent = place{}, nil
	}
	p.Settings, p.State, p.Reason, p.Due = w, Active, nil, s.opt.Clock.Now()
	p.place.Cursor = nil
	return p, s.keep(ctx, scope, p)
}

func (s *Service) keep(ctx context.Context, scope access.Scope, p Pull) error {
	of, err := s.opt.Traces.Source(ctx, scope, p.Source)
	if err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := writePull(ctx, tx, p); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "traces.pull.set", ObjectKind: "trace_source", ObjectID: p.Source.String(), ObjectName: of.Name,
			After: map[string]any{"database": p.Settings.address(), "name": p.Settings.Database, "user": p.Settings.User, "table": p.Settings.Schema + "." + p.Settings.Table, "rate": p.Settings.Rate, "state": p.State},
		})
	})
}

// Pause stops the reading, or has it go on from where it was. Needs
// access.TracesSource. Errors: NotFound, Conflict when there is nothing to.
func (s *Service) Pause(ctx context.Context, scope access.Scope, source uuid.UUID, pause bool) error {
	p, err := s.Get(ctx, scope, source)
	if err != nil {
		return err
	}
	from, to, action := Paused, Active, "traces.pull.resume"
	if pause {
		from, to, action = Active, Paused, "traces.pull.pause"
	}
	now := s.opt.Clock.Now()
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		n, err := tx.Exec(ctx, `UPDATE traces_pulls SET state = $3, due_us = $4 WHERE organisation_id = $1 AND source_id = $2 AND state = $5`, scope.Organisation(), p.Source, to, storage.Micros(now), from)
		if err != nil {
			return err
		}
		if n == 0 {
			return fault.New(fault.Conflict, "traces.pull.turned")
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{Action: action, ObjectKind: "trace_source", ObjectID: p.Source.String()})
	})
}
