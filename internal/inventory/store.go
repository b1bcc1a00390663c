package inventory

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

const columns = `id, kind, name, code, criticality, owner_person_id, owner_service_id, site_id, service_id, supplier_id, model, notes, source, retired_us, revision, created_us, updated_us`

func scanItem(row func(...any) error) (Item, error) {
	var i Item
	var person, owner, site, service, supplier uuid.NullUUID
	var retired sql.NullInt64
	var created, updated int64
	err := row(&i.ID, &i.Kind, &i.Name, &i.Code, &i.Criticality, &person, &owner, &site, &service, &supplier, &i.Model, &i.Notes, &i.Source,
		&retired, &i.Revision, &created, &updated)
	i.OwnerPerson, i.OwnerService, i.Site, i.Service, i.Supplier = person.UUID, owner.UUID, site.UUID, service.UUID, supplier.UUID
	i.Retired, i.Created, i.Updated = storage.NullTime(retired), storage.Time(created), storage.Time(updated)
	return i, err
}

// readItems gives items with their identifiers; which follows the establishment's condition, from $2 on.
func readItems(ctx context.Context, tx *storage.Tx, scope access.Scope, which string, args ...any) (out []Item, err error) {
	err = tx.Query(ctx, `SELECT `+columns+` FROM inventory_items WHERE organisation_id = $1`+which, append([]any{scope.Organisation()}, args...),
		func(row func(...any) error) error {
			i, err := scanItem(row)
			out = append(out, i)
			return err
		})
	if err != nil {
		return nil, err
	}
	return out, identify(ctx, tx, scope, out)
}

// identifyChunk is how many items are asked for their identifiers at once.
const identifyChunk = 500

func identify(ctx context.Context, tx *storage.Tx, scope access.Scope, items []Item) error {
	at := make(map[uuid.UUID]int, len(items))
	for n := range items {
		at[items[n].ID] = n
	}
	for first := 0; first < len(items); first += identifyChunk {
		some := items[first:min(first+identifyChunk, len(items))]
		ids := make([]uuid.UUID, len(some))
		for n := range some {
			ids[n] = some[n].ID
		}
		if err := tx.Query(ctx, `SELECT item_id, kind, value FROM inventory_identifiers WHERE organisation_id = $1 AND item_id IN (`+storage.In(len(ids), 2)+`) ORDER BY item_id, position`,
			storage.Args(ids, scope.Organisation()), func(row func(...any) error) error {
				var id uuid.UUID
				var d Identifier
				err := row(&id, &d.Kind, &d.Value)
				items[at[id]].Identifiers = append(items[at[id]].Identifiers, d)
				return err
			}); err != nil {
			return err
		}
	}
	return nil
}

// readItem gives one item of the establishment. Errors: NotFound.
func readItem(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (Item, error) {
	list, err := readItems(ctx, tx, scope, ` AND id = $2`, id)
	if err != nil {
		return Item{}, err
	}
	if len(list) == 0 {
		return Item{}, fault.New(fault.NotFound, "inventory.not_found")
	}
	return list[0], nil
}

// writeItem inserts or updates an item with its identifiers. A double of its
// match is a Conflict.
func writeItem(ctx context.Context, tx *storage.Tx, scope access.Scope, i Item, isNew bool) error {
	args := []any{
		scope.Organisation(), i.ID, string(i.Kind), i.Name, storage.Fold(i.Name), i.Code, i.match(), string(i.Criticality), storage.NullID(i.OwnerPerson),
		storage.NullID(i.OwnerService), storage.NullID(i.Site), storage.NullID(i.Service), storage.NullID(i.Supplier), i.Model, i.Notes, i.Source, i.search(),
		storage.NullMicros(i.Retired), i.Revision, storage.Micros(i.Created), storage.Micros(i.Updated),
	}
	query := `INSERT INTO inventory_items (organisation_id, id, kind, name, name_folded, code, match_key, criticality, owner_person_id, owner_service_id, site_id,
		service_id, supplier_id, model, notes, source, search_folded, retired_us, revision, created_us, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`
	if !isNew {
		query = `UPDATE inventory_items SET kind = $3, name = $4, name_folded = $5, code = $6, match_key = $7, criticality = $8, owner_person_id = $9,
			owner_service_id = $10, site_id = $11, service_id = $12, supplier_id = $13, model = $14, notes = $15, source = $16, search_folded = $17,
			retired_us = $18, revision = $19, created_us = $20, updated_us = $21 WHERE organisation_id = $1 AND id = $2`
	}
	if _, err := tx.Exec(ctx, query, args...); err != nil {
		if storage.IsDuplicate(err) {
			return twin(i)
		}
		return err
	}
	if !isNew {
		if _, err := tx.Exec(ctx, `DELETE FROM inventory_identifiers WHERE organisation_id = $1 AND item_id = $2`, scope.Organisation(), i.ID); err != nil {
			return err
		}
	}
	rows := make([][]any, len(i.Identifiers))
	for n, d := range i.Identifiers {
		rows[n] = []any{scope.Organisation(), i.ID, string(d.Kind), d.Value, n}
	}
	return tx.InsertRows(ctx, "inventory_identifiers", []string{"organisation_id", "item_id", "kind", "value", "position"}, rows)
}

// isTaken tells whether another item of its kind has its code, or its name.
func isTaken(ctx context.Context, tx *storage.Tx, scope access.Scope, i Item) (bool, error) {
	var n int
	_, err := tx.Row(ctx, `SELECT COUNT(*) FROM inventory_items WHERE organisation_id = $1 AND kind = $2 AND match_key = $3 AND id <> $4`,
		[]any{scope.Organisation(), string(i.Kind), i.match(), i.ID}, &n)
	return n > 0, err
}

// twin is the refusal of a second item with the same code or name.
func twin(i Item) error {
	if i.Code != "" {
		return fault.New(fault.Conflict, "inventory.code_taken", "code", i.Code).At("code")
	}
	return fault.New(fault.Conflict, "inventory.name_taken", "name", i.Name).At("code")
}

// deleteItem takes an item out as if it had never been: only the undoing of an import does.
func deleteItem(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) error {
	for _, query := range []string{
		`DELETE FROM inventory_identifiers WHERE organisation_id = $1 AND item_id = $2`,
		`DELETE FROM inventory_items WHERE organisation_id = $1 AND id = $2`,
	} {
		if _, err := tx.Exec(ctx, query, scope.Organisation(), id); err != nil {
			return err
		}
	}
	return nil
}

// leaned tells whether something names the item: a link, or what it supplies.
func leaned(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (bool, error) {
	var n int
	_, err := tx.Row(ctx, `SELECT (SELECT COUNT(*) FROM inventory_links WHERE organisation_id = $1 AND (from_id = $2 OR to_id = $2))
		+ (SELECT COUNT(*) FROM inventory_items WHERE organisation_id = $1 AND supplier_id = $2)`, []any{scope.Organisation(), id}, &n)
	return n > 0, err
}

// Filter selects items; zero fields select every item that serves.
type Filter struct {
	Text string
	Kind Kind
	// Criticality is a level; Unrated with ToRate set selects those never weighed.
	Criticality Criticality
	ToRate      bool
	// Service selects what a care service lives by, Site what stands on it.
	Service, Site uuid.UUID
	Supplier      uuid.UUID
	// Identifier selects what bears it, as ParseIdentifier gives it.
	Identifier Identifier
	// Retired selects what left the service instead.
	Retired bool
	// Offset and Limit cut a page; Limit 0 gives everything.
	Offset, Limit int
}

// where writes the conditions, from $2 on.
func (f Filter) where() (string, []any) {
	var b strings.Builder
	var args []any
	add := func(before string, value any, after string) {
		args = append(args, value)
		b.WriteString(" AND " + before + " $" + strconv.Itoa(len(args)+1) + after)
	}
	for _, word := range strings.Fields(storage.Fold(f.Text)) {
		add("search_folded LIKE", "%"+storage.Like(word)+"%", ` ESCAPE '\'`)
	}
	if f.Kind != "" {
		add("kind =", string(f.Kind), "")
	}
	if f.Criticality != Unrated || f.ToRate {
		add("criticality =", string(f.Criticality), "")
	}
	if f.Service != uuid.Nil {
		add("service_id =", f.Service, "")
	}
	if f.Site != uuid.Nil {
		add("site_id =", f.Site, "")
	}
	if f.Supplier != uuid.Nil {
		add("supplier_id =", f.Supplier, "")
	}
	if f.Identifier != (Identifier{}) {
		add("id IN (SELECT item_id FROM inventory_identifiers WHERE organisation_id = $1 AND kind =", string(f.Identifier.Kind), "")
		add("value =", f.Identifier.Value, ")")
	}
	if f.Retired {
		b.WriteString(" AND retired_us IS NOT NULL")
	} else {
		b.WriteString(" AND retired_us IS NULL")
	}
	return b.String(), args
}

func countItems(ctx context.Context, tx *storage.Tx, scope access.Scope, f Filter) (n int, err error) {
	which, args := f.where()
	_, err = tx.Row(ctx, `SELECT COUNT(*) FROM inventory_items WHERE organisation_id = $1`+which, append([]any{scope.Organisation()}, args...), &n)
	return n, err
}

func listItems(ctx context.Context, tx *storage.Tx, scope access.Scope, f Filter) ([]Item, error) {
	which, args := f.where()
	which += " ORDER BY name_folded, id"
	if f.Limit > 0 {
		which += " LIMIT $" + strconv.Itoa(len(args)+2) + " OFFSET $" + strconv.Itoa(len(args)+3)
		args = append(args, f.Limit, f.Offset)
	}
	return readItems(ctx, tx, scope, which, args...)
}

// linked gives what an item rests on, or what rests on it, by name.
func linked(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID, below bool) ([]Item, error) {
	which := ` AND id IN (SELECT to_id FROM inventory_links WHERE organisation_id = $1 AND from_id = $2) ORDER BY name_folded, id`
	if !below {
		which = ` AND id IN (SELECT from_id FROM inventory_links WHERE organisation_id = $1 AND to_id = $2) ORDER BY name_folded, id`
	}
	return readItems(ctx, tx, scope, which, id)
}

func insertLink(ctx context.Context, tx *storage.Tx, scope access.Scope, from, to uuid.UUID, now time.Time) (isNew bool, err error) {
	n, err := tx.Exec(ctx, `INSERT INTO inventory_links (organisation_id, from_id, to_id, created_us) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		scope.Organisation(), from, to, storage.Micros(now))
	return n > 0, err
}

func deleteLink(ctx context.Context, tx *storage.Tx, scope access.Scope, from, to uuid.UUID) (found bool, err error) {
	n, err := tx.Exec(ctx, `DELETE FROM inventory_links WHERE organisation_id = $1 AND from_id = $2 AND to_id = $3`, scope.Organisation(), from, to)
	return n > 0, err
}
