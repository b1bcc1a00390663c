package directory

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/directory/phone"
	"tocsin/internal/storage"
)

// Sample gives the first rows of a staged file, so that a person recognises
// its columns. Numbers and addresses are masked unless the scope may see them.
func (d *Directory) Sample(ctx context.Context, scope access.Scope, id uuid.UUID, limit int) (out [][]string, err error) {
	if err := d.guard.Check(scope, access.DirectoryImport); err != nil {
		return nil, err
	}
	whole := d.guard.May(scope, access.DirectoryNumbers)
	err = d.db.Read(ctx, scope, func(tx *storage.Tx) error {
		return tx.Query(ctx, `SELECT cells FROM directory_import_rows WHERE organisation_id = $1 AND import_id = $2 AND problem = '' ORDER BY seq LIMIT $3`,
			[]any{scope.Organisation(), id, limit}, func(row func(...any) error) error {
				var text string
				if err := row(&text); err != nil {
					return err
				}
				var cells []string
				if err := json.Unmarshal([]byte(text), &cells); err != nil {
					return err
				}
				for i := range cells {
					if !whole {
						cells[i] = maskCell(cells[i])
					}
				}
				out = append(out, cells)
				return nil
			})
	})
	return out, err
}

// maskCell hides the number or the address that a cell holds.
func maskCell(cell string) string {
	if strings.Contains(cell, "@") {
		return mask(Contact{Kind: Email, Address: strings.TrimSpace(cell)})
	}
	numbers := phone.Parse(cell, phone.Options{}).Numbers
	if len(numbers) == 0 || len(onlyDigits(cell)) < 8 {
		return cell
	}
	shown := make([]string, len(numbers))
	for i, n := range numbers {
		shown[i] = phone.Mask(n.E164)
	}
	return strings.Join(shown, " / ")
}
