package storage

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/uuid"
)

// assignAll puts the values of a row where they are wanted, as sql.Rows.Scan does.
func assignAll(dest []any, values []driver.Value) error {
	if len(dest) != len(values) {
		return fmt.Errorf("%d columns for %d places", len(values), len(dest))
	}
	for i, d := range dest {
		if err := assign(d, values[i]); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

// assign converts one value of SQLite: nil, int64, float64, string or bytes.
// What our rooms read by the hundred thousand comes first.
func assign(dest any, v driver.Value) error {
	switch d := dest.(type) {
	case *string:
		if s, ok := v.(string); ok {
			*d = s
			return nil
		}
	case *int64:
		if n, ok := v.(int64); ok {
			*d = n
			return nil
		}
	case *int:
		if n, ok := v.(int64); ok {
			*d = int(n)
			return nil
		}
	case *bool:
		if n, ok := v.(int64); ok {
			*d = n != 0
			return nil
		}
	case *uuid.UUID:
		if b, ok := v.([]byte); ok && len(b) == len(d) {
			copy(d[:], b)
			return nil
		}
	case *uuid.NullUUID:
		if d.Valid = v != nil; !d.Valid {
			d.UUID = uuid.Nil
			return nil
		}
		return assign(&d.UUID, v)
	case *sql.NullInt64:
		n, ok := v.(int64)
		if d.Int64, d.Valid = n, ok; ok || v == nil {
			return nil
		}
	case *[]byte:
		if b, ok := v.([]byte); ok {
			*d = slices.Clone(b)
			return nil
		}
	}
	if s, ok := dest.(sql.Scanner); ok {
		return s.Scan(v)
	}
	return assignKind(reflect.ValueOf(dest), v)
}

// assignKind converts to types of our own, and by the rules of database/sql.
func assignKind(dest reflect.Value, v driver.Value) error {
	if dest.Kind() != reflect.Pointer || dest.IsNil() {
		return fmt.Errorf("a value cannot be put in a %T", dest)
	}
	d := dest.Elem()
	if d.Kind() == reflect.Pointer {
		if v == nil {
			d.SetZero()
			return nil
		}
		d.Set(reflect.New(d.Type().Elem()))
		return assign(d.Interface(), v)
	}
	if v == nil && d.Kind() != reflect.Slice && d.Kind() != reflect.Interface {
		return fmt.Errorf("NULL cannot be put in a %s", d.Type())
	}
	switch d.Kind() {
	case reflect.String:
		var s sql.NullString
		err := s.Scan(v)
		d.SetString(s.String)
		return err
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		var n sql.NullInt64
		err := n.Scan(v)
		if err == nil && d.OverflowInt(n.Int64) {
			return fmt.Errorf("%d is too large for a %s", n.Int64, d.Type())
		}
		d.SetInt(n.Int64)
		return err
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var n sql.Null[uint64]
		err := n.Scan(v)
		if err == nil && d.OverflowUint(n.V) {
			return fmt.Errorf("%d is too large for a %s", n.V, d.Type())
		}
		d.SetUint(n.V)
		return err
	case reflect.Float32, reflect.Float64:
		var f sql.NullFloat64
		err := f.Scan(v)
		d.SetFloat(f.Float64)
		return err
	case reflect.Bool:
		var b sql.NullBool
		err := b.Scan(v)
		d.SetBool(b.Bool)
		return err
	case reflect.Slice:
		var b sql.Null[[]byte]
		err := b.Scan(v)
		d.SetBytes(b.V)
		return err
	case reflect.Interface:
		if b, ok := v.([]byte); ok {
			v = slices.Clone(b)
		}
		if v == nil {
			d.SetZero()
			return nil
		}
		d.Set(reflect.ValueOf(v))
		return nil
	}
	return fmt.Errorf("a %T cannot be put in a %s", v, d.Type())
}
