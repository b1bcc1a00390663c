package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// line is a result that has something to write.
type line struct {
	seq    int64
	kind   string
	item   uuid.UUID
	name   string
	entry  entry
	before string
	// revision is what the import left behind.
	revision int64
}

const lineColumns = `seq, kind, item_id, name, entry, before_json, revision`

func readLines(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, which string, args ...any) (out []line, err error) {
	err = tx.Query(ctx, `SELECT `+lineColumns+` FROM inventory_import_results WHERE organisation_id = $1 AND import_id = $2`+which,
		append([]any{scope.Organisation(), id}, args...), func(row func(...any) error) error {
			var l line
			var item uuid.NullUUID
			var text string
			if err := row(&l.seq, &l.kind, &item, &l.name, &text, &l.before, &l.revision); err != nil {
				return err
			}
			l.item = item.UUID
			if text != "" {
				if err := json.Unmarshal([]byte(text), &l.entry); err != nil {
					return err
				}
			}
			out = append(out, l)
			return nil
		})
	return out, err
}

// Apply writes what an import changes, by portions, each with its mark: cut in
// the middle, calling again goes on and doubles nothing. retire asks that what
// the file does not hold any more be retired. Needs access.InventoryWrite.
// Errors: NotFound, Conflict.
func (s *Service) Apply(ctx context.Context, scope access.Scope, id uuid.UUID, retire bool) (Import, error) {
	i, err := s.inState(ctx, scope, id, Ready, Applying)
	if err != nil {
		return i, err
	}
	if i.State == Ready {
		i.State, i.Retire = Applying, retire
		if err := s.keep(ctx, scope, i); err != nil {
			return i, err
		}
	}
	passes := []int{passSuppliers, passRows}
	if i.Retire {
		passes = append(passes, passGone)
	}
	for _, pass := range passes {
		for more := true; more; {
			if err := s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) (err error) {
				more, err = s.applySome(ctx, tx, scope, &i, pass)
				return err
			}); err != nil {
				return i, fmt.Errorf("apply import %s: %w", id, err)
			}
		}
	}
	now := s.opt.Clock.Now()
	i.State, i.Applied = Applied, now
	return i, s.opt.DB.Write(ctx, scope, func(tx *storage.Tx) error {
		if err := writeImport(ctx, tx, scope, i, now); err != nil {
			return err
		}
		if err := remember(ctx, tx, scope, i, storage.Micros(now)); err != nil {
			return err
		}
		return journal.Append(ctx, tx, scope, now, journal.Entry{
			Action: "inventory.import.apply", ObjectKind: "import", ObjectID: i.ID.String(), ObjectName: i.FileName, After: i.counts(),
		})
	})
}

// counts is what the journal keeps of an import.
func (i Import) counts() map[string]any {
	out := map[string]any{"source": i.Source, "new": i.Summary.New, "changed": i.Summary.Changed, "refused": i.Summary.Refused, "suppliers": i.Summary.Suppliers}
	if i.Retire {
		out["retired"] = i.Summary.Gone
	}
	return out
}

// applySome writes some lines of a pass; more tells that there may be others.
func (s *Service) applySome(ctx context.Context, tx *storage.Tx, scope access.Scope, i *Import, pass int) (more bool, err error) {
	lines, err := readLines(ctx, tx, scope, i.ID, ` AND pass = $3 AND done = FALSE AND kind IN ('new', 'changed', 'gone') ORDER BY seq LIMIT $4`, pass, chunk)
	if err != nil {
		return false, err
	}
	now := s.opt.Clock.Now()
	left := slices.Clone(i.Summary.Kept)
	for _, l := range lines {
		// Two who confirm at once: the second finds the line done.
		n, err := tx.Exec(ctx, `UPDATE inventory_import_results SET done = TRUE WHERE organisation_id = $1 AND import_id = $2 AND seq = $3 AND done = FALSE`,
			scope.Organisation(), i.ID, l.seq)
		if err != nil {
			return false, err
		}
		if n == 0 {
			continue
		}
		written, err := s.applyLine(ctx, tx, scope, *i, l, now)
		if err != nil {
			return false, err
		}
		if !written && len(left) < keptShown {
			left = append(left, l.name)
		}
	}
	i.Summary.Kept = left
	return len(lines) == chunk, writeImport(ctx, tx, scope, *i, now)
}

// applyLine merges a line into the thing as it is now, which may have changed
// since the preview; written is false when another took its code or its name
// meanwhile.
func (s *Service) applyLine(ctx context.Context, tx *storage.Tx, scope access.Scope, i Import, l line, now time.Time) (written bool, err error) {
	before, found, err := s.target(ctx, tx, scope, l)
	if err != nil || l.kind == KindGone && (!found || !before.Retired.IsZero()) {
		return true, err
	}
	after := before
	after.Retired = now
	if l.kind != KindGone {
		supplier, err := s.supplierNamed(ctx, tx, scope, l.entry.Supplier)
		if err != nil {
			return false, err
		}
		after = l.entry.onto(before, supplier, i.Source)
	}
	if after, err = after.tidied(); err != nil {
		return false, err
	}
	if found && after.same(before) {
		return true, nil
	}
	text := ""
	if found {
		b, err := json.Marshal(before)
		if err != nil {
			return false, err
		}
		text = string(b)
	} else {
		after.ID, after.Created = storage.NewID(now), now
	}
	after.Updated, after.Revision = now, before.Revision+1
	if taken, err := isTaken(ctx, tx, scope, after); err != nil || taken {
		return false, err
	}
	if err := writeItem(ctx, tx, scope, after, !found); err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, `UPDATE inventory_import_results SET item_id = $4, before_json = $5, revision = $6 WHERE organisation_id = $1 AND import_id = $2 AND seq = $3`,
		scope.Organisation(), i.ID, l.seq, after.ID, text, after.Revision)
	return true, err
}

// target finds the thing of a line: the one compared with, or one of the same
// match that appeared since.
func (s *Service) target(ctx context.Context, tx *storage.Tx, scope access.Scope, l line) (Item, bool, error) {
	if l.item != uuid.Nil {
		i, err := readItem(ctx, tx, scope, l.item)
		if !fault.Is(err, fault.NotFound) || l.kind == KindGone {
			return i, err == nil, dropNotFound(err)
		}
	}
	list, err := readItems(ctx, tx, scope, ` AND kind = $2 AND match_key = $3`, string(l.entry.Kind), l.entry.match())
	if err != nil || len(list) == 0 {
		return Item{}, false, err
	}
	return list[0], true, nil
}

func dropNotFound(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// supplierNamed finds a supplier by name or code; Nil when there is none.
func (s *Service) supplierNamed(ctx context.Context, tx *storage.Tx, scope access.Scope, name string) (id uuid.UUID, err error) {
	if name == "" {
		return uuid.Nil, nil
	}
	_, err = tx.Row(ctx, `SELECT id FROM inventory_items WHERE organisation_id = $1 AND kind = 'supplier' AND (name_folded = $2 OR match_key = $3)
		ORDER BY CASE WHEN name_folded = $2 THEN 0 ELSE 1 END, id LIMIT 1`, []any{scope.Organisation(), storage.Fold(name), codeKey(name)}, &id)
	return id, err
}
