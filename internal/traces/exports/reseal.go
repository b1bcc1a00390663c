package exports

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Reseal seals the archives again that an older key of the vault sealed, and
// returns how many. Only the program itself may ask. An archive that is damaged
// stays as it is, and the log tells: no key would open it. Errors: Denied, those of
// the disk.
func (s *Service) Reseal(ctx context.Context, scope access.Scope) (n int, err error) {
	if !scope.IsSystem() {
		return 0, fault.New(fault.Denied, "access.denied")
	}
	type lying struct{ organisation, id uuid.UUID }
	var list []lying
	err = s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		list = nil
		return tx.Query(ctx, `SELECT organisation_id, id FROM traces_exports WHERE state = 'ready' ORDER BY id`, nil, func(row func(...any) error) error {
			var l lying
			err := row(&l.organisation, &l.id)
			list = append(list, l)
			return err
		})
	})
	errs := []error{err}
	for _, l := range list {
		again, err := s.reseal(ctx, access.System(l.organisation, "traces"), l.id)
		switch {
		case errors.Is(err, errPiece):
			s.opt.Log.Error("an archive of traces does not open, and is not sealed again", "id", l.id, "err", err)
		case err != nil:
			errs = append(errs, fmt.Errorf("seal archive %s again: %w", l.id, err))
		case again:
			n++
		}
	}
	return n, errors.Join(errs...)
}

// reseal writes an archive a second time beside its place, and puts it there. A
// stop before that leaves the former, whole, and what was written is written over
// the next time. Another node may hold the file: then there is nothing to do here.
func (s *Service) reseal(ctx context.Context, scope access.Scope, id uuid.UUID) (again bool, err error) {
	place := s.path(scope, id)
	file, err := os.Open(place)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	in := bufio.NewReaderSize(file, pieceBytes)
	if stale, err := s.stale(in); err != nil || !stale {
		return false, err
	}
	name, fresh := sealName(scope, id, "archive"), place+".rescelle"
	if err := s.copyFresh(fresh, in, name); err != nil {
		return false, errors.Join(err, gone(os.Remove(fresh)))
	}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		// What was removed meanwhile does not come back.
		list, err := read(ctx, tx, scope, ` AND id = $2 AND state = 'ready' {{for_update}}`, id)
		if err != nil || len(list) == 0 {
			return errors.Join(err, gone(os.Remove(fresh)))
		}
		again = true
		return os.Rename(fresh, place)
	})
	return again && err == nil, err
}

// gone takes a file that is not there for one that was removed.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// stale tells whether an older key sealed the first piece: what follows is of the
// same key, or of one that came while it was made.
func (s *Service) stale(in *bufio.Reader) (bool, error) {
	head, err := in.Peek(4)
	if err != nil {
		return false, errors.Join(errPiece, err)
	}
	// The name of the key is at the start: the whole piece is not needed.
	piece, err := in.Peek(min(4+int(binary.BigEndian.Uint32(head)), pieceBytes))
	if err != nil {
		return false, errors.Join(errPiece, err)
	}
	return s.opt.Vault.Stale(piece[4:]), nil
}

func (s *Service) copyFresh(path string, in io.Reader, name string) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	sealing := newSealer(out, s.opt.Vault, name)
	_, err = io.Copy(sealing, newOpener(in, s.opt.Vault, name))
	if err == nil {
		err = errors.Join(sealing.Close(), out.Sync())
	}
	return errors.Join(err, out.Close())
}
