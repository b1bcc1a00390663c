package traces

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// announce has the log say that a class will be purged before it is: a death in
// between leaves a purge that was announced, and never a hole that nobody ordered.
// What is purged was sealed: it is known what it was.
func (s *Service) announce(ctx context.Context, now time.Time, scope access.Scope, p Purging) error {
	if _, _, err := s.sealer(); err != nil {
		return nil // a base without a seal
	}
	if _, err := s.sealFiles(ctx, scope, now); err != nil {
		return err
	}
	return s.extend(ctx, scope, now, []Entry{{Kind: kindPurge, Class: p.Class, Before: p.Before, At: storage.Micros(now)}})
}

// sealedUpTo is how long the log is; zero for a base without a seal.
func (s *Service) sealedUpTo(ctx context.Context, scope access.Scope) (int64, error) {
	if _, _, err := s.sealer(); err != nil {
		return 0, nil
	}
	return s.logSize(ctx, scope)
}

// settle notes in the log what a purge left in blocks that it cut, what is left of
// those that are held, and which are gone. It looks at the entries before one: what
// was sealed while the purge went on, it may not have seen.
func (s *Service) settle(ctx context.Context, now time.Time, scope access.Scope, p Purging, upTo int64, done Purged) error {
	base, _, err := s.sealer()
	if err != nil {
		return nil
	}
	// Of blocks that are all too old some may be there.
	left := done.Held > 0 || done.Problem != ""
	var old []Entry
	last := map[string]Entry{}
	err = s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if !left {
			if _, err := tx.Exec(ctx, `UPDATE traces_log SET gone = TRUE WHERE organisation_id = $1 AND kind = 'block' AND NOT gone AND class = $2 AND hi_us < $3 AND number < $4`, scope.Organisation(), p.Class.String(), p.Before, upTo); err != nil {
				return err
			}
		}
		if old, err = entriesWhere(ctx, tx, scope, `kind = 'block' AND NOT gone AND class = $2 AND lo_us < $3 AND number < $4`, p.Class.String(), p.Before, upTo); err != nil {
			return err
		}
		marks, err := entriesWhere(ctx, tx, scope, `kind = 'cut' AND class = $2`, p.Class.String())
		for _, m := range marks {
			last[m.place()] = m
		}
		if err != nil {
			return err
		}
		held, err := heldMarks(ctx, tx, scope, p.Class)
		for place, m := range held {
			last[place] = m
		}
		return err
	})
	if err != nil {
		return err
	}
	gone, fresh, err := remains(ctx, base, scope, p, old, last)
	if done.Problem != "" { // what the purge did not reach is not held for all that
		fresh = slices.DeleteFunc(fresh, func(e Entry) bool { return e.Kind == kindHeld })
	}
	if err != nil {
		return err
	}
	if err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		for _, e := range gone {
			if err := markGone(ctx, tx, scope, e.Number); err != nil {
				return err
			}
		}
		return nil
	}); err != nil || len(fresh) == 0 {
		return err
	}
	return s.extend(ctx, scope, now, fresh)
}

// remains holds old blocks against the base: which are gone, and which are cut or
// held otherwise than the log last said.
func remains(ctx context.Context, base Sealer, scope access.Scope, p Purging, old []Entry, last map[string]Entry) (gone, fresh []Entry, err error) {
	months := map[string]map[int64]Block{}
	for _, e := range old {
		here, ok := months[e.Month]
		if !ok {
			files, err := base.Blocks(ctx, scope.Organisation(), BlockQuery{Only: FileName(e.Class, e.Month)})
			if err != nil {
				return nil, nil, err
			}
			here = map[int64]Block{}
			for _, f := range files {
				for _, b := range f.Blocks {
					here[b.First] = b
				}
			}
			months[e.Month] = here
		}
		b, there := here[e.Block.First]
		there = there && bytes.Equal(b.Root, e.Block.Root)
		was, tooOld := last[e.place()], e.Block.Hi < p.Before
		switch {
		case !there && tooOld && was.Kind != kindHeld:
			gone = append(gone, e)
		case !there:
		case tooOld && (was.Kind != kindHeld || !bytes.Equal(b.Cut, was.Block.Cut)):
			fresh = append(fresh, Entry{Kind: kindHeld, Class: e.Class, Month: e.Month, Block: b})
		case !tooOld && b.Cut != nil && !bytes.Equal(b.Cut, was.Block.Cut):
			fresh = append(fresh, Entry{Kind: kindCut, Class: e.Class, Month: e.Month, Block: b})
		}
	}
	return gone, fresh, nil
}

// heldMarks gives, by place, the blocks of a class of which the log says that they
// are held and that no hold was lifted since.
func heldMarks(ctx context.Context, tx *storage.Tx, scope access.Scope, class Class) (map[string]Entry, error) {
	list, err := entriesWhere(ctx, tx, scope, `kind = 'held' AND class = $2 AND number > (SELECT COALESCE(MAX(f.number), -1) FROM traces_log f
		WHERE f.organisation_id = l.organisation_id AND f.class = l.class AND f.kind = 'free')`, class.String())
	out := map[string]Entry{}
	for _, e := range list {
		out[e.place()] = e
	}
	return out, err
}

// release has the log say that a hold was lifted, for each class of which something
// is held: purges take of it again.
func (s *Service) release(ctx context.Context, tx *storage.Tx, scope access.Scope, now time.Time, hold uuid.UUID) error {
	if s.opt.Vault == nil {
		return nil
	}
	var fresh []Entry
	for _, class := range Classes() {
		held, err := heldMarks(ctx, tx, scope, class)
		if err != nil {
			return err
		}
		if len(held) > 0 {
			fresh = append(fresh, Entry{Kind: kindFree, Class: class, Hold: hold, At: storage.Micros(now)})
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	return s.addTo(ctx, tx, scope, now, fresh)
}
