package traces

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

const (
	// carriedMost is how many checkpoints that wait are copied at once.
	carriedMost = 100
	// stampAgain is how long an authority that failed is left alone.
	stampAgain = 10 * time.Minute
)

// carry stamps the last checkpoint, which holds for all before it, and writes
// outside those that are not there. What fails is kept beside the checkpoint,
// which stands without, and tried again.
func (s *Service) carry(ctx context.Context, scope access.Scope, now time.Time) error {
	var list []Checkpoint
	if err := s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) (err error) {
		list, err = checkpoints(ctx, tx, scope, carriedMost)
		return err
	}); err != nil || len(list) == 0 {
		return err
	}
	problem := s.stamp(ctx, scope, now, &list[0])
	for i := len(list) - 1; i >= 0 && problem == nil; i-- {
		if s.opt.Copies != "" && list[i].Copied.IsZero() {
			problem = s.copyOut(ctx, scope, now, &list[i])
		}
	}
	said := ""
	if f := fault.As(problem); f != nil {
		said = f.Key
		s.opt.Log.Warn("traces", "err", problem)
		problem = nil
	}
	if said != list[0].Problem {
		problem = errors.Join(problem, s.set(ctx, scope, list[0].ID, `problem = $3`, said))
	}
	return problem
}

// stamp asks for the time of a checkpoint that has none.
func (s *Service) stamp(ctx context.Context, scope access.Scope, now time.Time, c *Checkpoint) error {
	if s.opt.Stamper == nil || len(c.Stamp) > 0 || !s.stampDue(scope.Organisation(), now) {
		return nil
	}
	token, at, err := s.opt.Stamper.Stamp(ctx, []byte(c.Note))
	if err != nil {
		s.stampFailed(scope.Organisation(), now)
		return fault.Wrap(err, fault.Unavailable, "traces.seal.unstamped")
	}
	c.Stamp, c.Stamped = token, at
	// A copy without the stamp is written again with it.
	c.Copied = time.Time{}
	return s.set(ctx, scope, c.ID, `stamp = $3, stamped_us = $4, copied_us = NULL`, token, storage.Micros(at))
}

func (s *Service) stampDue(organisation uuid.UUID, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Sub(s.unstamped[organisation]) >= stampAgain
}

func (s *Service) stampFailed(organisation uuid.UUID, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unstamped == nil {
		s.unstamped = map[uuid.UUID]time.Time{}
	}
	s.unstamped[organisation] = now
}

// copyOut writes a checkpoint, and its stamp, in the folder of copies.
func (s *Service) copyOut(ctx context.Context, scope access.Scope, now time.Time, c *Checkpoint) error {
	dir := filepath.Join(s.opt.Copies, scope.Organisation().String())
	if err := writeCheckpoint(dir, *c); err != nil {
		return fault.Wrap(err, fault.Unavailable, "traces.seal.uncopied")
	}
	return s.set(ctx, scope, c.ID, `copied_us = $3`, storage.Micros(now))
}

// writeCheckpoint writes the note of a checkpoint and the token of its stamp.
func writeCheckpoint(dir string, c Checkpoint) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("folder of checkpoints: %w", err)
	}
	name := filepath.Join(dir, fmt.Sprintf("%010d-%s", c.Size, c.At.UTC().Format("20060102T150405.000000Z")))
	if err := writeWhole(name+".checkpoint", []byte(c.Note)); err != nil || len(c.Stamp) == 0 {
		return err
	}
	return writeWhole(name+".tsr", c.Stamp)
}

// writeWhole writes a file that is there whole or not at all.
func writeWhole(name string, text []byte) (err error) {
	file, err := os.CreateTemp(filepath.Dir(name), ".copie-*")
	if err != nil {
		return fmt.Errorf("copy a checkpoint: %w", err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Chmod(0o644), file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("copy a checkpoint: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

func (s *Service) set(ctx context.Context, scope access.Scope, id uuid.UUID, what string, values ...any) error {
	return s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE traces_checkpoints SET `+what+` WHERE organisation_id = $1 AND id = $2`, append([]any{scope.Organisation(), id}, values...)...)
		return err
	})
}

// Sealing is how the seal of an establishment stands.
type Sealing struct {
	// Able tells whether the base can be sealed; Checkpoints counts the heads, the
	// last of which is Last.
	Able        bool
	Checkpoints int64
	Last        Checkpoint
	// Stamps tells whether an authority is configured, Copies whether a folder is;
	// Uncopied counts what is not there yet.
	Stamps, Copies bool
	Uncopied       int64
	// Lost counts the times the base was found without what was sealed.
	Lost int64
	// Keys are the public keys, the current one first.
	Keys []PublicKey
}

// Late tells that no checkpoint was signed when one should have been.
func (s Sealing) Late(now time.Time) bool {
	return s.Checkpoints > 0 && now.Sub(s.Last.At) > sealAfter+sealAfter/2
}

// Sealing tells how the seal stands. Needs access.TracesRead.
func (s *Service) Sealing(ctx context.Context, scope access.Scope) (out Sealing, err error) {
	if err := s.opt.Guard.Check(scope, access.TracesRead); err != nil {
		return out, err
	}
	_, _, none := s.sealer()
	out.Able, out.Stamps, out.Copies = none == nil, s.opt.Stamper != nil, s.opt.Copies != ""
	if out.Keys, err = s.publicKeys(scope.Organisation()); err != nil {
		return out, err
	}
	return out, s.opt.DB.Read(ctx, scope, func(tx *storage.Tx) error {
		last, err := checkpoints(ctx, tx, scope, 1)
		if err != nil || len(last) == 0 {
			return err
		}
		out.Last = last[0]
		if _, err := tx.Row(ctx, `SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN copied_us IS NULL THEN 1 ELSE 0 END), 0) AS BIGINT) FROM traces_checkpoints WHERE organisation_id = $1`,
			[]any{scope.Organisation()}, &out.Checkpoints, &out.Uncopied); err != nil {
			return err
		}
		_, err = tx.Row(ctx, `SELECT COUNT(*) FROM traces_log WHERE organisation_id = $1 AND kind = 'back'`, []any{scope.Organisation()}, &out.Lost)
		return err
	})
}
