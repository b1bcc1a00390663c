package clickhouse

import (
	"context"
	"fmt"
)

// Weight is what a base weighs on the disks of its server, bytes.
type Weight struct {
	Events int64
	// All is every table, Raw the column of originals alone.
	All, Raw int64
}

// Weigh has what was stored last laid together, and weighs it. It is for
// measurements, of one server.
func (e *Engine) Weigh(ctx context.Context) (out Weight, err error) {
	if err := e.at.exec(ctx, "OPTIMIZE TABLE "+eventsTable); err != nil {
		return out, fmt.Errorf("weigh the base: %w", err)
	}
	mine := " WHERE active AND database = '" + e.opt.Address.Database + "'"
	r, err := e.at.query(ctx, "SELECT toInt64(sumIf(rows, table = '"+eventsTable+"')), toInt64(sum(bytes_on_disk)) FROM system.parts"+mine)
	if err != nil {
		return out, fmt.Errorf("weigh the base: %w", err)
	}
	out.Events, out.All = r.int64(), r.int64()
	if err := r.err(); err != nil {
		return out, err
	}
	if r, err = e.at.query(ctx, "SELECT toInt64(sum(column_bytes_on_disk)) FROM system.parts_columns"+mine+" AND table = '"+eventsTable+"' AND column = 'raw'"); err != nil {
		return out, fmt.Errorf("weigh the base: %w", err)
	}
	out.Raw = r.int64()
	return out, r.err()
}
