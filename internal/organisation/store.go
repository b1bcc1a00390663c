package organisation

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/fault"
	"tocsin/internal/organisation/finess"
	"tocsin/internal/storage"
)

const establishmentColumns = `organisation_id, name, colour, zone, finess_ej, language, word, created_us`

func scanEstablishment(row func(...any) error) (Establishment, error) {
	var e Establishment
	var number string
	var created int64
	if err := row(&e.ID, &e.Name, &e.Colour, &e.Zone, &number, &e.Language, &e.Word, &created); err != nil {
		return e, err
	}
	e.Created = storage.Time(created)
	return e, readFINESS(number, &e.FINESS)
}

func readFINESS(text string, into *finess.Number) error {
	if text == "" {
		return nil
	}
	n, err := finess.Parse(text)
	*into = n
	return err
}

func insertEstablishment(ctx context.Context, tx *storage.Tx, e Establishment) error {
	_, err := tx.Exec(ctx, `INSERT INTO organisation_establishments
		(organisation_id, name, name_folded, colour, zone, finess_ej, language, word, created_us, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
		e.ID, e.Name, storage.Fold(e.Name), e.Colour, e.Zone, e.FINESS.String(), e.Language, e.Word, storage.Micros(e.Created))
	return err
}

func updateEstablishment(ctx context.Context, tx *storage.Tx, e Establishment, now time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE organisation_establishments SET name = $2, name_folded = $3, colour = $4, zone = $5,
		finess_ej = $6, language = $7, word = $8, updated_us = $9 WHERE organisation_id = $1`,
		e.ID, e.Name, storage.Fold(e.Name), e.Colour, e.Zone, e.FINESS.String(), e.Language, e.Word, storage.Micros(now))
	return err
}

func establishment(ctx context.Context, tx *storage.Tx, scope access.Scope) (e Establishment, err error) {
	found := false
	err = tx.Query(ctx, `SELECT `+establishmentColumns+` FROM organisation_establishments WHERE organisation_id = $1`,
		[]any{scope.Organisation()}, func(row func(...any) error) error {
			found = true
			e, err = scanEstablishment(row)
			return err
		})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "organisation.not_found")
	}
	return e, err
}

func listEstablishments(ctx context.Context, tx *storage.Tx, scope access.Scope) (out []Establishment, err error) {
	query, args := `SELECT `+establishmentColumns+` FROM organisation_establishments WHERE organisation_id = $1`, []any{scope.Organisation()}
	if scope.Everywhere() {
		query, args = `SELECT `+establishmentColumns+` FROM organisation_establishments ORDER BY name_folded, organisation_id`, nil
	}
	err = tx.Query(ctx, query, args, func(row func(...any) error) error {
		e, err := scanEstablishment(row)
		out = append(out, e)
		return err
	})
	return out, err
}

const nodeColumns = `id, kind, name, code, finess, address, zone, created_us, closed_us`

func nodes(ctx context.Context, tx *storage.Tx, scope access.Scope) (out []Node, err error) {
	err = tx.Query(ctx, `SELECT `+nodeColumns+` FROM organisation_nodes WHERE organisation_id = $1 ORDER BY id`,
		[]any{scope.Organisation()}, func(row func(...any) error) error {
			n, err := scanNode(row)
			out = append(out, n)
			return err
		})
	return out, err
}

func node(ctx context.Context, tx *storage.Tx, scope access.Scope, id uuid.UUID) (n Node, err error) {
	found := false
	err = tx.Query(ctx, `SELECT `+nodeColumns+` FROM organisation_nodes WHERE organisation_id = $1 AND id = $2`,
		[]any{scope.Organisation(), id}, func(row func(...any) error) error {
			found = true
			n, err = scanNode(row)
			return err
		})
	if err == nil && !found {
		err = fault.New(fault.NotFound, "organisation.node_not_found")
	}
	return n, err
}

func scanNode(row func(...any) error) (Node, error) {
	var n Node
	var number string
	var created int64
	var closed sql.NullInt64
	if err := row(&n.ID, &n.Kind, &n.Name, &n.Code, &number, &n.Address, &n.Zone, &created, &closed); err != nil {
		return n, err
	}
	n.Created, n.Closed = storage.Time(created), storage.NullTime(closed)
	return n, readFINESS(number, &n.FINESS)
}

func insertNodes(ctx context.Context, tx *storage.Tx, scope access.Scope, list ...Node) error {
	rows := make([][]any, 0, len(list))
	for _, n := range list {
		rows = append(rows, []any{
			scope.Organisation(), n.ID, string(n.Kind), n.Name, storage.Fold(n.Name), n.Code, storage.Fold(n.Code),
			n.FINESS.String(), n.Address, n.Zone, storage.Micros(n.Created), storage.NullMicros(n.Closed),
		})
	}
	return tx.InsertRows(ctx, "organisation_nodes", []string{
		"organisation_id", "id", "kind", "name", "name_folded", "code", "code_folded",
		"finess", "address", "zone", "created_us", "closed_us",
	}, rows)
}

func updateNode(ctx context.Context, tx *storage.Tx, scope access.Scope, n Node) error {
	_, err := tx.Exec(ctx, `UPDATE organisation_nodes SET name = $3, name_folded = $4, code = $5, code_folded = $6, finess = $7,
		address = $8, zone = $9, closed_us = $10 WHERE organisation_id = $1 AND id = $2`,
		scope.Organisation(), n.ID, n.Name, storage.Fold(n.Name), n.Code, storage.Fold(n.Code), n.FINESS.String(), n.Address, n.Zone,
		storage.NullMicros(n.Closed))
	return err
}

func links(ctx context.Context, tx *storage.Tx, scope access.Scope) (out []Link, err error) {
	err = tx.Query(ctx, `SELECT id, parent_id, child_id, relation, from_us, to_us FROM organisation_links WHERE organisation_id = $1 ORDER BY id`,
		[]any{scope.Organisation()}, func(row func(...any) error) error {
			var l Link
			var from int64
			var to sql.NullInt64
			if err := row(&l.ID, &l.Parent, &l.Child, &l.Relation, &from, &to); err != nil {
				return err
			}
			l.From, l.To = storage.Time(from), storage.NullTime(to)
			out = append(out, l)
			return nil
		})
	return out, err
}

func insertLinks(ctx context.Context, tx *storage.Tx, scope access.Scope, list ...Link) error {
	rows := make([][]any, 0, len(list))
	for _, l := range list {
		rows = append(rows, []any{scope.Organisation(), l.ID, l.Parent, l.Child, string(l.Relation), storage.Micros(l.From), storage.NullMicros(l.To)})
	}
	return tx.InsertRows(ctx, "organisation_links", []string{"organisation_id", "id", "parent_id", "child_id", "relation", "from_us", "to_us"}, rows)
}
