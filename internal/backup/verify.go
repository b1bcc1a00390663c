package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Verify reads every record of the file and writes nothing: the passphrase opens
// it, no piece is damaged, and no row is missing. Unlock comes before.
// Errors: Invalid for a file that is damaged.
func (f *File) Verify(ctx context.Context) (s Summary, err error) {
	r, err := f.records()
	if err != nil {
		return s, err
	}
	var table Table
	var held uint64
	for {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		kind, n, err := r.next()
		if err != nil {
			return s, damaged(err)
		}
		switch kind {
		case 'K':
			_, err = r.bytes(n)
		case 'T':
			table, held = Table{}, 0
			if err = r.table(n, &table); err == nil {
				s.Tables++
			}
		case 'R':
			if err = r.skip(table, n); err == nil {
				held += n
				s.Rows += int64(n)
			}
		case 'E':
			if held != n {
				err = errors.New("a table has another number of rows")
			}
		case 'Z':
			if _, rerr := r.from.ReadByte(); !errors.Is(rerr, io.EOF) || uint64(s.Rows) != n {
				return s, damaged(errors.New("the backup does not end where it says"))
			}
			s.Bytes = f.size
			return s, nil
		default:
			err = fmt.Errorf("a record of kind %q", kind)
		}
		if err != nil {
			return s, damaged(err)
		}
	}
}

func (r *records) table(n uint64, into *Table) error {
	text, err := r.bytes(n)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// skip reads n rows of a table.
func (r *records) skip(t Table, n uint64) error {
	if len(t.Columns) == 0 || n > lot {
		return errors.New("rows without a table")
	}
	for range n {
		for _, c := range t.Columns {
			if _, err := readValue(r.from, c.Kind); err != nil {
				return err
			}
		}
	}
	return nil
}
