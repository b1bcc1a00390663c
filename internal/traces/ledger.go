package traces

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// ledger is the log of an establishment within a transaction: entries that are
// only ever added, and the hashes of the tree over them.
type ledger struct {
	ctx   context.Context //nolint:containedctx // tlog asks for hashes without one
	tx    *storage.Tx
	scope access.Scope
	size  int64
	// near are the hashes of entries added here, by number.
	near map[int64][]byte
}

func openLedger(ctx context.Context, tx *storage.Tx, scope access.Scope) (*ledger, error) {
	l := &ledger{ctx: ctx, tx: tx, scope: scope, near: map[int64][]byte{}}
	_, err := tx.Row(ctx, `SELECT COALESCE(MAX(number) + 1, 0) FROM traces_log WHERE organisation_id = $1`, []any{scope.Organisation()}, &l.size)
	return l, err
}

// ReadHashes implements tlog.HashReader. A hash lies with the entry that made it
// complete.
func (l *ledger) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		number := (n+1)<<level - 1
		hashes, ok := l.near[number]
		if !ok {
			if _, err := l.tx.Row(l.ctx, `SELECT hashes FROM traces_log WHERE organisation_id = $1 AND number = $2`, []any{l.scope.Organisation(), number}, &hashes); err != nil {
				return nil, err
			}
			l.near[number] = hashes
		}
		if len(hashes) < (level+1)*tlog.HashSize {
			return nil, fmt.Errorf("entry %d of the log has no hash of level %d", number, level)
		}
		copy(out[i][:], hashes[level*tlog.HashSize:])
	}
	return out, nil
}

// add writes an entry at the end.
func (l *ledger) add(e Entry) error {
	text := e.text(l.scope.Organisation())
	list, err := tlog.StoredHashes(l.size, []byte(text), l)
	if err != nil {
		return fmt.Errorf("hash entry %d of the log: %w", l.size, err)
	}
	hashes := make([]byte, 0, len(list)*tlog.HashSize)
	for _, h := range list {
		hashes = append(hashes, h[:]...)
	}
	_, err = l.tx.Exec(l.ctx, `INSERT INTO traces_log (organisation_id, number, kind, class, month, first_seq, lo_us, hi_us, gone, entry, hashes)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, FALSE, $9, $10)`,
		l.scope.Organisation(), l.size, e.Kind, e.Class.String(), e.Month, e.Block.First, e.Block.Lo, e.Block.Hi, text, hashes)
	l.near[l.size] = hashes
	l.size++
	return err
}

// root is that of the tree over the first entries.
func (l *ledger) root(size int64) (tlog.Hash, error) {
	h, err := tlog.TreeHash(size, l)
	if err != nil {
		return h, fmt.Errorf("root of the log: %w", err)
	}
	return h, nil
}

// forest is the roots of the whole trees over what was read so far: enough to
// know the root at each size while a log is read from its beginning.
type forest struct {
	size  int64
	roots []tlog.Hash // from the largest tree to the smallest
}

func (f *forest) add(entry string) tlog.Hash {
	h := tlog.RecordHash([]byte(entry))
	leaf := h
	for n := f.size; n&1 == 1; n >>= 1 {
		last := len(f.roots) - 1
		h, f.roots = tlog.NodeHash(f.roots[last], h), f.roots[:last]
	}
	f.roots = append(f.roots, h)
	f.size++
	return leaf
}

func (f *forest) root() tlog.Hash {
	if len(f.roots) == 0 {
		return tlog.Hash{}
	}
	h := f.roots[len(f.roots)-1]
	for i := len(f.roots) - 2; i >= 0; i-- {
		h = tlog.NodeHash(f.roots[i], h)
	}
	return h
}

// readLog gives the entries of an establishment in order, as written, with the
// hashes kept beside each.
func readLog(ctx context.Context, tx *storage.Tx, organisation uuid.UUID, do func(number int64, text string, hashes []byte) error) error {
	return tx.Query(ctx, `SELECT number, entry, hashes FROM traces_log WHERE organisation_id = $1 ORDER BY number`, []any{organisation}, func(row func(...any) error) error {
		var number int64
		var text string
		var hashes []byte
		if err := row(&number, &text, &hashes); err != nil {
			return err
		}
		return do(number, text, hashes)
	})
}
