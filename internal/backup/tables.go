package backup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tocsin/internal/fault"
	"tocsin/internal/storage"
)

// Kind is the type of a column: one of the six that migrations may use.
type Kind string

// The kinds. The values are written in the files.
const (
	ID      Kind = "uuid"
	Text    Kind = "text"
	Integer Kind = "bigint"
	Boolean Kind = "boolean"
	Bytes   Kind = "bytea"
	Double  Kind = "double precision"
)

// Column is a column of a table.
type Column struct {
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
}

// Table is a table as the schema has it.
type Table struct {
	Name    string   `json:"name"`
	Columns []Column `json:"columns"`
}

func (t Table) names() []string {
	out := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Name
	}
	return out
}

// kind is that of a column; empty when the table has none of that name.
func (t Table) kind(column string) Kind {
	for _, c := range t.Columns {
		if c.Name == column {
			return c.Kind
		}
	}
	return ""
}

func (t Table) selection() string {
	return "SELECT " + strings.Join(t.names(), ", ") + " FROM " + t.Name
}

// tenants tells whether the rows of the table belong to establishments.
func (t Table) tenants() bool { return t.kind("organisation_id") != "" }

// steps is the migrations' own table: a restore makes it by migrating.
const steps = "goose_db_version"

// The two questions are in the only words that the engines do not share.
const (
	liteColumns = `SELECT m.name, p.name, lower(p.type) FROM sqlite_master m JOIN pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, p.cid`
	postgresColumns = `SELECT c.table_name::text, c.column_name::text, c.udt_name::text FROM information_schema.columns c
		JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'
		WHERE c.table_schema = current_schema() ORDER BY c.table_name, c.ordinal_position`
)

// kinds reads what each engine calls the six kinds.
func kinds() map[string]Kind {
	return map[string]Kind{
		"uuid": ID, "text": Text, "bigint": Integer, "int8": Integer, "integer": Integer, "boolean": Boolean, "bool": Boolean,
		"bytea": Bytes, "blob": Bytes, "double precision": Double, "float8": Double, "real": Double,
	}
}

// Tables lists every table of the schema but the migrations' own, by name.
// Errors: Internal for a column of a type that migrations may not use.
func Tables(ctx context.Context, tx *storage.Tx) ([]Table, error) {
	query := liteColumns
	if tx.Engine() == storage.PostgreSQL {
		query = postgresColumns
	}
	known := kinds()
	var out []Table
	err := tx.Query(ctx, query, nil, func(row func(...any) error) error {
		var table, column, named string
		if err := row(&table, &column, &named); err != nil || table == steps {
			return err
		}
		kind, ok := known[named]
		if !ok {
			return fault.New(fault.Internal, "backup.column", "table", table, "column", column, "kind", named)
		}
		if len(out) == 0 || out[len(out)-1].Name != table {
			out = append(out, Table{Name: table})
		}
		last := &out[len(out)-1]
		last.Columns = append(last.Columns, Column{column, kind})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	slices.SortFunc(out, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
