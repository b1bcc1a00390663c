//go:build cgo

package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	duck "github.com/duckdb/duckdb-go/v2"
	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
)

// filled puts the usual values in what was not said.
func (o Options) filled() Options {
	for _, d := range []struct {
		value *int
		usual int
	}{{&o.MemoryMB, 320}, {&o.TempMB, 4096}, {&o.Files, 48}, {&o.Keys, 16 << 20}, {&o.Threads, max(2, runtime.GOMAXPROCS(0)-1)}} {
		if *d.value == 0 {
			*d.value = d.usual
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Engine is a base of traces in a folder.
type Engine struct {
	dir  string
	opt  Options
	lock *os.File
	db   *sql.DB

	// still holds one value while files are copied, or purged: never both.
	still chan struct{}
	// writing is held by whoever changes files: Take and Purge. The pen writes;
	// others write beside it what a batch brings to further files.
	writing sync.Mutex
	pen
	others  []*pen
	applied spool.Position
	keys    *keySet
	pack    *zstd.Encoder
	unpack  *zstd.Decoder

	mu     sync.Mutex
	idle   sync.Cond // a file has one user less
	files  map[fileKey]*file
	people map[uuid.UUID]*patients
	aside  []Aside
	clock  uint64 // counts uses, to know the file that was used least recently
	closed bool

	// staged is told each stage of a copy of what is held; nil but in tests.
	staged func(stage string) error
}

var _ traces.Engine = (*Engine)(nil)

// Open opens the base of a folder, making it, and looks at every file. What
// cannot be read is put aside and told: the others serve. Errors: Unavailable
// when another process holds the folder.
func Open(ctx context.Context, dir string, opt Options) (*Engine, []Aside, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("open base of traces: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open base of traces: %w", err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, nil, err
	}
	e := &Engine{dir: dir, opt: opt.filled(), lock: lock, still: make(chan struct{}, 1), files: map[fileKey]*file{}, people: map[uuid.UUID]*patients{}}
	e.idle.L = &e.mu
	if err := e.start(ctx); err != nil {
		return nil, nil, errors.Join(err, e.Close())
	}
	return e, e.aside, nil
}

func (e *Engine) start(ctx context.Context) error {
	var err error
	if e.pack, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(false)); err != nil {
		return fmt.Errorf("open base of traces: %w", err)
	}
	if e.unpack, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(64<<20)); err != nil {
		return fmt.Errorf("open base of traces: %w", err)
	}
	e.keys = newKeySet(e.opt.Keys)
	if err := e.begin(ctx); err != nil {
		return err
	}
	if err := e.discover(ctx); err != nil {
		return err
	}
	e.applied = e.readApplied()
	return e.rememberKeys(ctx)
}

// begin starts DuckDB: in memory, allowed to touch our folder and nothing else,
// with no extension to be looked for, and settings that no statement changes.
func (e *Engine) begin(ctx context.Context) error {
	spill := filepath.Join(e.dir, "tmp")
	if err := os.RemoveAll(spill); err != nil {
		return fmt.Errorf("open base of traces: %w", err)
	}
	connector, err := duck.NewConnector("", nil)
	if err != nil {
		return fmt.Errorf("start DuckDB: %w", err)
	}
	e.db = sql.OpenDB(connector)
	if e.conn, err = e.db.Conn(ctx); err != nil {
		return fmt.Errorf("start DuckDB: %w", err)
	}
	settings := []string{
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		fmt.Sprintf("SET memory_limit = '%dMB'", e.opt.MemoryMB),
		"SET temp_directory = " + literal(spill),
		fmt.Sprintf("SET max_temp_directory_size = '%dMB'", e.opt.TempMB),
		// Half a minute of a busy day in the journal of a file before it is
		// rewritten as columns: each time costs a sync and the compression of
		// whole groups of rows.
		"SET checkpoint_threshold = '64MB'",
		"SET preserve_insertion_order = false",
		"SET allowed_directories = [" + literal(e.dir) + "]",
		"SET enable_external_access = false",
	}
	settings = append(settings, fmt.Sprintf("SET threads = %d", e.opt.Threads))
	for _, s := range append(settings, "SET lock_configuration = true") {
		if _, err := e.conn.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("start DuckDB: %w", err)
		}
	}
	return nil
}

// literal writes a path of our own as SQL: ATTACH takes no bound values.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Close writes what waits in journals and lets the folder go.
func (e *Engine) Close() error {
	e.writing.Lock()
	defer e.writing.Unlock()
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()
	var err error
	for _, p := range append(e.others, &e.pen) {
		if p.conn != nil {
			err = errors.Join(err, p.conn.Close())
		}
	}
	if e.db != nil {
		err = errors.Join(err, e.db.Close())
	}
	if e.unpack != nil {
		e.unpack.Close()
	}
	return errors.Join(err, e.lock.Close())
}

// told turns an error of the base into what is said to a person.
func told(ctx context.Context, err error) error {
	if err == nil || fault.As(err) != nil {
		return err
	}
	if ctx.Err() != nil {
		return fmt.Errorf("traces base: %w", context.Cause(ctx))
	}
	if d, ok := errors.AsType[*duck.Error](err); ok && d.Type == duck.ErrorTypeOutOfMemory {
		return fault.Wrap(err, fault.Unavailable, "traces.base.memory")
	}
	return fault.Wrap(err, fault.Unavailable, "traces.base.failed")
}
