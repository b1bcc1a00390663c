package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"tocsin/internal/fault"
	"tocsin/internal/spool"
)

// Options are what the base rests on.
type Options struct {
	Address Address
	// Spool names the spool that this program feeds from: every node has one.
	Spool uuid.UUID
	Log   *slog.Logger
	// Now is the time, for how old a memory may be.
	Now func() time.Time
	// Pause waits, or returns early with ctx.
	Pause func(ctx context.Context, d time.Duration)
	// Alone runs work while no other node does any of the same name, and tells
	// whether it ran; nil where one node feeds the base.
	Alone func(ctx context.Context, name string, work func(context.Context) error) (ran bool, err error)
}

// Engine is a base of traces on ClickHouse. Questions may be asked by many;
// events of one spool are taken by one.
type Engine struct {
	opt Options
	at  *server

	writing sync.Mutex
	// places are up to where each partition holds our spool, since applied; nil
	// when a failure made them unknown.
	places map[partition]spool.Position
	// runs number our events in each partition.
	runs    map[partition]*run
	applied spool.Position // all before it is stored
	told    spool.Position // what traces_applied says of it
	toldAt  time.Time
	known   map[[16]byte]struct{} // identities that are stored
	newest  uint32                // day of traces_seen

	looking sync.Mutex
	people  map[uuid.UUID]*people

	sealing sync.Mutex // blocks are closed by one at a time
}

// partition is what is stored whole.
type partition struct {
	organisation uuid.UUID
	class        byte
	month        int32
}

// tellEvery is how often what was applied is written down: an older place is only
// slower.
const tellEvery = 5 * time.Second

// Consult gives a base that was prepared, to be read and not fed.
func Consult(opt Options) *Engine {
	return &Engine{opt: opt, at: newServer(opt.Address), known: map[[16]byte]struct{}{}, people: map[uuid.UUID]*people{}}
}

// Open prepares the base. Errors: Unavailable when the server does not answer.
func Open(ctx context.Context, opt Options) (*Engine, error) {
	e := Consult(opt)
	syncs, err := e.at.prepare(ctx)
	if err != nil {
		return nil, told(ctx, err)
	}
	if !syncs {
		opt.Log.Warn("this version of ClickHouse does not sync what it stores: a power cut may take back the last seconds; have replicas, or version 21 or newer")
	}
	if err := e.recall(ctx); err != nil {
		return nil, told(ctx, err)
	}
	return e, nil
}

// Ping tells whether the database of an address answers.
func Ping(ctx context.Context, a Address) error {
	s := newServer(a)
	defer s.http.CloseIdleConnections()
	r, err := s.query(ctx, "SELECT toInt64(1)")
	if err != nil {
		return told(ctx, err)
	}
	r.int64()
	return r.err()
}

// Close writes down how far the spool was read.
func (e *Engine) Close() error {
	e.writing.Lock()
	defer e.writing.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), killMost)
	defer cancel()
	err := e.tell(ctx)
	e.at.http.CloseIdleConnections()
	return err
}

// told gives the end of a context as what it is, and what is no fault with the
// words of the room.
func told(ctx context.Context, err error) error {
	switch {
	case err == nil || fault.As(err) != nil && ctx.Err() == nil:
		return err
	case ctx.Err() != nil:
		return fmt.Errorf("ask the base of traces: %w", errors.Join(context.Cause(ctx), ctx.Err()))
	}
	return err
}
