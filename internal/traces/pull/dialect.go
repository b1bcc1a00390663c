package pull

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The drivers.
const (
	PostgreSQL = "postgresql"
	MySQL      = "mysql" // and MariaDB
	SQLServer  = "sqlserver"
	Oracle     = "oracle"
)

// Drivers lists them.
func Drivers() []string { return []string{PostgreSQL, MySQL, SQLServer, Oracle} }

// UsualPort is where such a database listens.
func UsualPort(driver string) int {
	return map[string]int{PostgreSQL: 5432, MySQL: 3306, SQLServer: 1433, Oracle: 1521}[driver]
}

// dialect is how a database writes what it is asked.
type dialect struct {
	name string
	// quote are the signs around a name; the second is doubled inside.
	quote [2]string
	// bind writes the n-th value, from 1.
	bind func(n int) string
	// limit bounds the rows of a query.
	limit func(query string, n int) string
	// tables and columns read the catalogue: schema and name; name and type of the
	// columns of a schema ($1) and a table ($2).
	tables, columns string
}

func numbered(mark string) func(int) string {
	return func(n int) string { return mark + strconv.Itoa(n) }
}

func fetchFirst(query string, n int) string {
	return query + " FETCH NEXT " + strconv.Itoa(n) + " ROWS ONLY"
}

var dialects = map[string]dialect{
	PostgreSQL: {
		name: PostgreSQL, quote: [2]string{`"`, `"`}, bind: numbered("$"),
		limit:   func(q string, n int) string { return q + " LIMIT " + strconv.Itoa(n) },
		tables:  `SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2 LIMIT 2000`,
		columns: `SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position`,
	},
	MySQL: {
		name: MySQL, quote: [2]string{"`", "`"}, bind: func(int) string { return "?" },
		limit:   func(q string, n int) string { return q + " LIMIT " + strconv.Itoa(n) },
		tables:  `SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys') ORDER BY 1, 2 LIMIT 2000`,
		columns: `SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`,
	},
	SQLServer: {
		name: SQLServer, quote: [2]string{"[", "]"}, bind: numbered("@p"),
		limit:   func(q string, n int) string { return fetchFirst(q+" OFFSET 0 ROWS", n) },
		tables:  `SELECT TOP 2000 table_schema, table_name FROM information_schema.tables ORDER BY 1, 2`,
		columns: `SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = @p1 AND table_name = @p2 ORDER BY ordinal_position`,
	},
	Oracle: {
		name: Oracle, quote: [2]string{`"`, `"`}, bind: numbered(":"),
		limit: fetchFirst,
		tables: `SELECT owner, name FROM (SELECT owner, table_name AS name FROM all_tables UNION SELECT owner, view_name FROM all_views)
			WHERE owner NOT IN ('SYS', 'SYSTEM', 'XDB', 'MDSYS', 'CTXSYS', 'WMSYS', 'OUTLN', 'DBSNMP') ORDER BY 1, 2 FETCH NEXT 2000 ROWS ONLY`,
		columns: `SELECT column_name, data_type FROM all_tab_columns WHERE owner = :1 AND table_name = :2 ORDER BY column_id`,
	},
}

// quoted writes a name of the catalogue.
func (d dialect) quoted(name string) string {
	return d.quote[0] + strings.ReplaceAll(name, d.quote[1], d.quote[1]+d.quote[1]) + d.quote[1]
}

// page writes the query of the rows after a key; n values of the key are bound
// in the order that args gives. An empty key: from the beginning. again takes the
// rows of the key itself too.
func (d dialect) page(s Settings, after []any, again bool, rows int) (query string, args []any) {
	var b strings.Builder
	b.WriteString("SELECT ")
	for i, c := range s.Columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(d.quoted(c.Name))
	}
	b.WriteString(" FROM ")
	if s.Schema != "" {
		b.WriteString(d.quoted(s.Schema) + ".")
	}
	b.WriteString(d.quoted(s.Table))
	var where string
	where, args = d.beyond(s.Key, after, again)
	if where != "" {
		b.WriteString(" WHERE " + where)
	}
	b.WriteString(" ORDER BY ")
	for i, k := range s.Key {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(d.quoted(k))
	}
	return d.limit(b.String(), rows), args
}

// beyond writes (a > 1) OR (a = 1 AND b > 2)…: every database of the four reads
// it, which a comparison of lists is not.
func (d dialect) beyond(key []string, after []any, again bool) (where string, args []any) {
	if len(after) == 0 { // a row without a key has no place
		var known []string
		for _, k := range key {
			known = append(known, d.quoted(k)+" IS NOT NULL")
		}
		return strings.Join(known, " AND "), nil
	}
	var ors []string
	for i := range after {
		var ands []string
		for j := range i {
			args = append(args, after[j])
			ands = append(ands, d.quoted(key[j])+" = "+d.bind(len(args)))
		}
		op := " > "
		if again && i == len(after)-1 {
			op = " >= "
		}
		args = append(args, after[i])
		ors = append(ors, "("+strings.Join(append(ands, d.quoted(key[i])+op+d.bind(len(args))), " AND ")+")")
	}
	return strings.Join(ors, " OR "), args
}

// kindOf tells what a key may do with a column of a type.
func kindOf(dataType string) string {
	t := strings.ToLower(dataType)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(t, w) })
	}
	switch {
	case has("timestamp", "datetime", "smalldatetime", "date"):
		return Time
	case has("int", "bigint", "smallint", "tinyint", "mediumint", "number", "numeric", "decimal"):
		return Number
	}
	return Text
}

// wall is a time without a zone as it is written.
const wall = "2006-01-02 15:04:05.999999999"

// cell writes a value as the text of a column. A time of a type without a zone is
// a wall clock: the mapping reads it in the zone of the source.
func cell(v any, dataType string) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case []byte:
		return string(x)
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case time.Time:
		if zoned(dataType) {
			return x.Format(time.RFC3339Nano)
		}
		return x.Format(wall)
	}
	return fmt.Sprint(v)
}

func zoned(dataType string) bool {
	t := strings.ToUpper(dataType)
	return strings.Contains(t, "TZ") || strings.Contains(t, "OFFSET")
}

// keyed writes a value of a key to be kept; bound gives it back as it is bound.
// A time without a zone is kept as the wall clock that the driver gave, another
// in UTC.
func keyed(v any, kind, dataType string) (string, bool) {
	switch x := v.(type) {
	case nil:
		return "", false
	case time.Time:
		if zoned(dataType) {
			x = x.UTC()
		}
		return x.Format(wall), true
	}
	text := cell(v, "")
	if kind == Number {
		text, _, _ = strings.Cut(text, ".")
		_, err := strconv.ParseInt(text, 10, 64)
		return text, err == nil
	}
	return text, text != ""
}

func bound(text, kind string) (any, bool) {
	switch kind {
	case Number:
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err == nil
	case Time:
		at, err := time.Parse(wall, text)
		return at, err == nil
	}
	return text, true
}

// earlier gives the first column of a key, so much before.
func earlier(measured int64, kind string) any {
	if kind == Time {
		return time.UnixMicro(measured).UTC()
	}
	return measured
}

// measure places a key among others, in the units of the overlap's base.
func measure(text, kind string) int64 {
	v, _ := bound(text, kind)
	switch x := v.(type) {
	case int64:
		return x
	case time.Time:
		return x.UnixMicro()
	}
	return 0
}

// reach is the overlap in the units of measure.
func reach(kind string, overlap int) int64 {
	if kind == Time {
		return int64(overlap) * int64(time.Minute/time.Microsecond)
	}
	return int64(overlap)
}
