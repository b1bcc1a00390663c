package traces

import (
	"bytes"
	"context"
	"slices"
	"time"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// announce has the log say that a class will be purged before it is: a death in
// between leaves a purge that was announced, and never a hole that nobody ordered.
// It tells whether there is anything to purge.
func (s *Service) announce(ctx context.Context, now time.Time, scope access.Scope, class Class, before time.Time) (bool, error) {
	if _, _, err := s.sealer(); err != nil {
		return true, nil // a base without a seal: the engine looks by itself
	}
	// What is purged was sealed: it is known what it was.
	files, err := s.sealFiles(ctx, scope, now)
	if err != nil {
		return false, err
	}
	if !slices.ContainsFunc(files, func(f BlockFile) bool { return f.Class == class && f.Held > 0 && f.Oldest < storage.Micros(before) }) {
		return false, nil
	}
	return true, s.extend(ctx, scope, now, []Entry{{Kind: kindPurge, Class: class, Before: storage.Micros(before), At: storage.Micros(now)}})
}

// settle notes in the log what a purge left in blocks that it cut, and which are
// gone.
func (s *Service) settle(ctx context.Context, now time.Time, scope access.Scope, class Class, before int64) error {
	base, _, err := s.sealer()
	if err != nil {
		return nil
	}
	var across, cuts []Entry
	if err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if across, err = entriesWhere(ctx, tx, scope, `kind = 'block' AND NOT gone AND class = $2 AND lo_us < $3 AND hi_us >= $3`, class.String(), before); err != nil {
			return err
		}
		if cuts, err = entriesWhere(ctx, tx, scope, `kind = 'cut' AND class = $2`, class.String()); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE traces_log SET gone = TRUE WHERE organisation_id = $1 AND kind = 'block' AND NOT gone AND class = $2 AND hi_us < $3`, scope.Organisation(), class.String(), before)
		return err
	}); err != nil {
		return err
	}
	fresh, err := freshCuts(ctx, base, scope, across, cuts)
	if err != nil || len(fresh) == 0 {
		return err
	}
	return s.extend(ctx, scope, now, fresh)
}

// freshCuts lists the blocks that are cut otherwise than the log says.
func freshCuts(ctx context.Context, base Sealer, scope access.Scope, across, cuts []Entry) (out []Entry, err error) {
	last := map[string][]byte{}
	for _, c := range cuts {
		last[c.place()] = c.Block.Cut
	}
	months := map[string]BlockFile{}
	for _, e := range across {
		f, ok := months[e.Month]
		if !ok {
			files, err := base.Blocks(ctx, scope.Organisation(), BlockQuery{Only: FileName(e.Class, e.Month)})
			if err != nil {
				return nil, err
			}
			if len(files) == 1 {
				f = files[0]
			}
			months[e.Month] = f
		}
		for _, b := range f.Blocks {
			if b.First == e.Block.First && bytes.Equal(b.Root, e.Block.Root) && b.Cut != nil && !bytes.Equal(b.Cut, last[e.place()]) {
				out = append(out, Entry{Kind: kindCut, Class: e.Class, Month: e.Month, Block: b})
			}
		}
	}
	return out, nil
}
