package directory

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/journal"
	"tocsin/internal/storage"
)

// forgetDeparted erases how to reach the people who left: their numbers served
// alerts only. It waits as long as an import may be undone: a file that forgot a
// service must not cost the numbers of its people.
func (d *Directory) forgetDeparted(ctx context.Context, scope access.Scope) error {
	now := d.clock.Now()
	limit := storage.Micros(now.Add(-UndoFor))
	for n := applyChunk; n == applyChunk; {
		if err := d.db.Write(ctx, scope, func(tx *storage.Tx) error {
			var ids []uuid.UUID
			if err := tx.Query(ctx, `SELECT DISTINCT p.id FROM directory_people p WHERE p.organisation_id = $1 AND p.until_gen = 9223372036854775807
				AND (p.departed_us <= $2 OR p.contract_end_us <= $2)
				AND (p.human_keys <> '' OR EXISTS (SELECT 1 FROM directory_contacts c WHERE c.organisation_id = p.organisation_id AND c.person_id = p.id)) LIMIT $3`,
				[]any{scope.Organisation(), limit, applyChunk}, func(row func(...any) error) error {
					var id uuid.UUID
					err := row(&id)
					ids = append(ids, id)
					return err
				}); err != nil {
				return err
			}
			if n = len(ids); n == 0 {
				return nil
			}
			in := storage.In(n, 2)
			erased, err := tx.Exec(ctx, `DELETE FROM directory_contacts WHERE organisation_id = $1 AND person_id IN (`+in+`)`, storage.Args(ids, scope.Organisation())...)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `DELETE FROM directory_preferences WHERE organisation_id = $1 AND person_id IN (`+in+`)`, storage.Args(ids, scope.Organisation())...); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE directory_people SET points = 0, mobiles = 0, tried = FALSE, proven_us = NULL, human_keys = ''
				WHERE organisation_id = $1 AND id IN (`+in+`)`, storage.Args(ids, scope.Organisation())...); err != nil {
				return err
			}
			return journal.Append(ctx, tx, scope, now, journal.Entry{
				Action: "directory.forget", ObjectKind: "establishment", ObjectID: scope.Organisation().String(),
				After: map[string]any{"people": n, "contacts": erased},
			})
		}); err != nil {
			return err
		}
	}
	return nil
}
