package hooks

import (
	"context"
	"crypto/rand"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
	"tocsin/internal/vault"
)

// Reader is somebody outside who reads the alerts that are published, at a
// secret address of his own: it can be closed for him alone.
type Reader struct {
	ID        uuid.UUID
	Name      string
	CreatedBy string
	Created   time.Time
	// Read is when he last came; zero when he never did.
	Read time.Time
}

func noReader() error { return fault.New(fault.NotFound, "hooks.reader.unknown") }

// Readers lists those of the scope's establishment, by name. Needs access.ChannelRead.
func (s *Service) Readers(ctx context.Context, scope access.Scope) (out []Reader, err error) {
	if err := s.opt.Guard.Check(scope, access.ChannelRead); err != nil {
		return nil, err
	}
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		out, err = readReaders(ctx, tx, scope, `ORDER BY name, id`)
		return err
	})
	return out, err
}

func readReaders(ctx context.Context, tx *storage.Tx, scope access.Scope, tail string, args ...any) (out []Reader, err error) {
	err = tx.Query(ctx, `SELECT id, name, created_by, created_us, read_us FROM hooks_readers WHERE organisation_id = $1 AND deleted_us IS NULL `+tail,
		append([]any{scope.Organisation()}, args...), func(row func(...any) error) error {
			var r Reader
			var created int64
			var read sql.NullInt64
			err := row(&r.ID, &r.Name, &r.CreatedBy, &created, &read)
			r.Created, r.Read = storage.Time(created), null(read)
			out = append(out, r)
			return err
		})
	return out, err
}

// OpenReader makes a secret address, which nothing shows again. Needs
// access.ChannelWrite. Errors: Invalid at "name", Conflict when there are too many.
func (s *Service) OpenReader(ctx context.Context, scope access.Scope, now time.Time, name string) (Reader, string, error) {
	if err := s.opt.Guard.Check(scope, access.ChannelWrite); err != nil {
		return Reader{}, "", err
	}
	name, err := newName(name)
	if err != nil {
		return Reader{}, "", err
	}
	code := rand.Text() + rand.Text()
	r := Reader{ID: storage.NewID(now), Name: name, CreatedBy: scope.Actor().Name, Created: now}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readReaders(ctx, tx, scope, ``)
		if err != nil {
			return err
		}
		if len(list) >= most {
			return fault.New(fault.Conflict, "hooks.too_many", "most", most)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO hooks_readers (organisation_id, id, name, code, created_by, created_us) VALUES ($1, $2, $3, $4, $5, $6)`,
			scope.Organisation(), r.ID, r.Name, vault.Digest(code), r.CreatedBy, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, entry("hooks.reader.create", "reader", r.ID, r.Name, nil))
	})
	return r, code, err
}

// CloseReader takes an address away: it shows nothing any more. Needs
// access.ChannelWrite. Errors: NotFound.
func (s *Service) CloseReader(ctx context.Context, scope access.Scope, now time.Time, id uuid.UUID) error {
	if err := s.opt.Guard.Check(scope, access.ChannelWrite); err != nil {
		return err
	}
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		list, err := readReaders(ctx, tx, scope, `AND id = $2`, id)
		if err == nil && len(list) == 0 {
			err = noReader()
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE hooks_readers SET deleted_us = $3 WHERE organisation_id = $1 AND id = $2`, scope.Organisation(), id, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, entry("hooks.reader.delete", "reader", id, list[0].Name, nil))
	})
}

// reader finds whose address it is, by its digest: a copy of the data opens none.
func (s *Service) reader(ctx context.Context, code string) (scope access.Scope, id uuid.UUID, err error) {
	var here uuid.UUID
	found := false
	err = s.opt.DB.Read(ctx, access.Instance("hooks"), func(tx *storage.Tx) error {
		found, err = tx.Row(ctx, `SELECT organisation_id, id FROM hooks_readers WHERE code = $1 AND deleted_us IS NULL`, []any{vault.Digest(code)}, &here, &id)
		return err
	})
	if err == nil && !found {
		err = noReader()
	}
	return access.System(here, "hooks"), id, err
}
