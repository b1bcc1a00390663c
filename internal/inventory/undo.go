package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// keptShown bounds the names of what an undo leaves.
const keptShown = 200

// Undo gives things back as they were before an import; what it added goes. What
// somebody changed after, or what something new rests on, stays as it is and is
// named in Summary.Kept. Cut in the middle, calling again goes on. Needs
// access.InventoryWrite. Errors: NotFound, Conflict.
func (s *Service) Undo(ctx context.Context, scope access.Scope, id uuid.UUID) (Import, error) {
	i, err := s.inState(ctx, scope, id, Applied, Undoing)
	if err != nil {
		return i, err
	}
	if i.State == Applied {
		if s.opt.Clock.Now().Sub(i.Applied) >= UndoFor {
			return i, fault.New(fault.Conflict, "inventory.import.too_old", "days", int(UndoFor.Hours()/24))
		}
		i.State, i.Summary.Kept = Undoing, nil
		if err := s.keep(ctx, scope, i); err != nil {
			return i, err
		}
	}
	// What names a supplier goes before it.
	for _, pass := range []int{passGone, passRows, passSuppliers} {
		for more := true; more; {
			if err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) (err error) {
				more, err = s.undoSome(ctx, tx, scope, &i, pass)
				return err
			}); err != nil {
				return i, fmt.Errorf("undo import %s: %w", id, err)
			}
		}
	}
	i.State = Undone
	now := s.opt.Clock.Now()
	return i, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := writeImport(ctx, tx, scope, i, now); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "inventory.import.undo", ObjectKind: "import", ObjectID: i.ID.String(), ObjectName: i.FileName,
			Before: i.counts(), After: map[string]int{"kept": len(i.Summary.Kept)},
		})
	})
}

func (s *Service) undoSome(ctx context.Context, tx *storage.Tx, scope access.Scope, i *Import, pass int) (more bool, err error) {
	lines, err := readLines(ctx, tx, scope, i.ID, ` AND pass = $3 AND done = TRUE AND revision > 0 ORDER BY seq LIMIT $4`, pass, chunk)
	if err != nil {
		return false, err
	}
	kept := slices.Clone(i.Summary.Kept)
	for _, l := range lines {
		n, err := tx.Exec(ctx, `UPDATE inventory_import_results SET done = FALSE WHERE organisation_id = $1 AND import_id = $2 AND seq = $3 AND done = TRUE`,
			scope.Organisation(), i.ID, l.seq)
		if err != nil {
			return false, err
		}
		if n == 0 {
			continue
		}
		back, err := s.undoLine(ctx, tx, scope, l)
		if err != nil {
			return false, err
		}
		if !back && len(kept) < keptShown {
			kept = append(kept, l.name)
		}
	}
	// Written with the lines, so that what was kept is still known after a cut.
	i.Summary.Kept = kept
	return len(lines) == chunk, writeImport(ctx, tx, scope, *i, s.opt.Clock.Now())
}

// undoLine gives one thing back; back is false when it was touched since.
func (s *Service) undoLine(ctx context.Context, tx *storage.Tx, scope access.Scope, l line) (back bool, err error) {
	now, err := readItem(ctx, tx, scope, l.item)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	if err != nil || now.Revision != l.revision {
		return false, err
	}
	if l.before == "" {
		used, err := leaned(ctx, tx, scope, l.item)
		if err != nil || used {
			return false, err
		}
		return true, deleteItem(ctx, tx, scope, l.item)
	}
	var before Item
	if err := json.Unmarshal([]byte(l.before), &before); err != nil {
		return false, err
	}
	before.Updated, before.Revision = s.opt.Clock.Now(), now.Revision+1
	if before.Supplier != uuid.Nil && before.Supplier != now.Supplier {
		if _, err := readItem(ctx, tx, scope, before.Supplier); err != nil {
			return false, dropNotFound(err)
		}
	}
	if taken, err := isTaken(ctx, tx, scope, before); err != nil || taken {
		return false, err
	}
	return true, writeItem(ctx, tx, scope, before, false)
}
