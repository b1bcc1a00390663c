package directory

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/storage"
)

// rollBack takes away what an import had written of a generation nobody has seen.
func (d *Directory) rollBack(ctx context.Context, scope access.Scope, i Import) error {
	for _, which := range []string{"since_gen", "until_gen"} {
		for n := applyChunk; n == applyChunk; {
			if err := d.db.Write(ctx, scope, func(tx *storage.Tx) (err error) {
				n, err = unwrite(ctx, tx, scope, which, i.generation)
				return err
			}); err != nil {
				return err
			}
		}
	}
	return d.db.Write(ctx, scope, func(tx *storage.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE directory_state SET applying = NULL WHERE organisation_id = $1 AND applying = $2`, scope.Organisation(), i.ID)
		return err
	})
}

// unwrite takes back some versions that a generation began (since_gen) or ended (until_gen).
func unwrite(ctx context.Context, tx *storage.Tx, scope access.Scope, which string, generation int64) (int, error) {
	var ids []uuid.UUID
	if err := tx.Query(ctx, `SELECT id FROM directory_people WHERE organisation_id = $1 AND `+which+` = $2 ORDER BY id LIMIT $3`,
		[]any{scope.Organisation(), generation, applyChunk}, func(row func(...any) error) error {
			var id uuid.UUID
			err := row(&id)
			ids = append(ids, id)
			return err
		}); err != nil || len(ids) == 0 {
		return 0, err
	}
	for table, column := range map[string]string{"directory_people": "id", "directory_contacts": "person_id"} {
		change := `DELETE FROM ` + table
		if which == "until_gen" {
			change = `UPDATE ` + table + ` SET until_gen = ` + fmt.Sprint(int64(forever))
		}
		if _, err := tx.Exec(ctx, change+` WHERE organisation_id = $1 AND `+which+` = $2 AND `+column+` IN (`+storage.In(len(ids), 3)+`)`,
			storage.Args(ids, scope.Organisation(), generation)...); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}
