package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tocsin/internal/administration"
	"tocsin/internal/fault"
	"tocsin/internal/spool"
	"tocsin/internal/traces"
	"tocsin/internal/traces/child"
	"tocsin/internal/traces/clickhouse"
	"tocsin/internal/traces/watch"
)

const (
	// houseGather is how long records gather for ClickHouse, which likes few large
	// blocks.
	houseGather = time.Second
	// housePause is how long a server that does not answer is left alone.
	housePause = 5 * time.Second
)

// lateBase is a base on a server that may not answer yet: what comes in waits on
// the disk meanwhile, and who asks is told.
type lateBase struct {
	mu     sync.Mutex
	engine *clickhouse.Engine
}

func (b *lateBase) open() (*clickhouse.Engine, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.engine == nil {
		return nil, fault.New(fault.Unavailable, "traces.error.down")
	}
	return b.engine, nil
}

// Ask implements traces.Reader.
func (b *lateBase) Ask(ctx context.Context, organisation uuid.UUID, q traces.Question) (traces.Answer, error) {
	e, err := b.open()
	if err != nil {
		return traces.Answer{}, err
	}
	return e.Ask(ctx, organisation, q)
}

// Get implements traces.Reader.
func (b *lateBase) Get(ctx context.Context, organisation uuid.UUID, ref string) (traces.Stored, error) {
	e, err := b.open()
	if err != nil {
		return traces.Stored{}, err
	}
	return e.Get(ctx, organisation, ref)
}

// Purge implements traces.Keeper.
func (b *lateBase) Purge(ctx context.Context, organisation uuid.UUID, p traces.Purging) (traces.Purged, error) {
	e, err := b.open()
	if err != nil {
		return traces.Purged{}, err
	}
	return e.Purge(ctx, organisation, p)
}

// Blocks implements traces.Sealer.
func (b *lateBase) Blocks(ctx context.Context, organisation uuid.UUID, q traces.BlockQuery) ([]traces.BlockFile, error) {
	e, err := b.open()
	if err != nil {
		return nil, err
	}
	return e.Blocks(ctx, organisation, q)
}

// Block implements traces.Sealer.
func (b *lateBase) Block(ctx context.Context, organisation uuid.UUID, class traces.Class, month string, first int64) ([]traces.SealedEvent, error) {
	e, err := b.open()
	if err != nil {
		return nil, err
	}
	return e.Block(ctx, organisation, class, month, first)
}

// Witness implements traces.Sealer.
func (b *lateBase) Witness(ctx context.Context, organisation uuid.UUID, ref string) (traces.Witness, error) {
	e, err := b.open()
	if err != nil {
		return traces.Witness{}, err
	}
	return e.Witness(ctx, organisation, ref)
}

// Close closes the base, when it was ever there.
func (b *lateBase) Close() error {
	e, err := b.open()
	if err != nil {
		return nil
	}
	return e.Close()
}

// openHouse opens the queue of this node, which ClickHouse is fed from.
func (h *House) openHouse() (*tracing, error) {
	address, err := clickhouse.ParseAddress(h.Settings.TracesURL)
	if err != nil {
		return nil, err
	}
	root := filepath.Join(h.Settings.Data, "traces")
	id, err := nameBase(root)
	if err != nil {
		return nil, err
	}
	queue, err := spool.Open(filepath.Join(root, "spool"), spool.Options{MaxBytes: spoolMost, First: uint64(h.Clock.Now().Unix())})
	if err != nil {
		return nil, fmt.Errorf("queue of the traces: %w", err)
	}
	t := &tracing{spool: queue, id: id, house: &lateBase{}, done: make(chan struct{})}
	h.Traces.Connect(queue, t.house)
	// It outlives the pages: what they took last is stored before the end.
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	options := clickhouse.Options{Address: address, Spool: id, Log: h.Log, Now: h.Clock.Now, Pause: pause, Alone: h.onlyNode}
	go t.feedHouse(ctx, h, options)
	return t, nil
}

// onlyNode runs work while no other node does any of the same name.
func (h *House) onlyNode(ctx context.Context, name string, work func(context.Context) error) (ran bool, err error) {
	_, err = h.leases.While(ctx, h.Clock, name, leaseLife, func(ctx context.Context) (bool, error) {
		ran = true
		return false, errors.Join(work(ctx), h.leases.Release(context.WithoutCancel(ctx), name))
	})
	return ran, err
}

// feedHouse reaches the server, then feeds it until ctx ends.
func (t *tracing) feedHouse(ctx context.Context, h *House, o clickhouse.Options) {
	defer close(t.done)
	var group errgroup.Group
	looking := h.watch(t.spool)
	group.Go(func() error { return looking.Run(ctx) })
	group.Go(func() error {
		engine := reachHouse(ctx, h, o)
		if engine == nil {
			return nil
		}
		t.house.mu.Lock()
		t.house.engine = engine
		t.house.mu.Unlock()
		store := &child.Server{Engine: engine, Spool: filepath.Join(h.Settings.Data, "traces", "spool"), Log: h.Log, Now: h.Clock.Now}
		feeder := child.Feeder{Spool: t.spool, Base: store, Log: h.Log, Pause: pause, Hold: looking.Hold, Gather: houseGather}
		return feeder.Run(ctx)
	})
	if err := group.Wait(); err != nil {
		h.Log.Error("traces", "err", err)
	}
}

// reachHouse opens the base, again and again until the server answers; nil when
// ctx ended before.
func reachHouse(ctx context.Context, h *House, o clickhouse.Options) *clickhouse.Engine {
	for told := false; ctx.Err() == nil; {
		engine, err := clickhouse.Open(ctx, o)
		if err == nil {
			return engine
		}
		if !told && ctx.Err() == nil {
			h.Log.Error("the base of traces does not answer: what comes in waits on the disk", "err", err)
			told = true
		}
		pause(ctx, housePause)
	}
	return nil
}

// flow names what this node takes in by itself: all of it where one machine
// does for all, its own where every node feeds ClickHouse.
func (h *House) flow() string {
	if h.Settings.TracesURL == "" {
		return watch.Live
	}
	id, err := baseID(filepath.Join(h.Settings.Data, "traces"))
	if err != nil {
		h.Log.Error("traces", "err", err)
	}
	return watch.Live + " " + id.String()
}

// checkHouse asks ClickHouse a question that finds nothing.
func (h *House) checkHouse(ctx context.Context) administration.Finding {
	address, err := clickhouse.ParseAddress(h.Settings.TracesURL)
	if err == nil {
		err = clickhouse.Ping(ctx, address)
	}
	if err != nil {
		return broken(err, "app.check.traces.house", "app.check.traces.house.todo")
	}
	held := int64(0)
	if h.Traces.Ready() {
		var alive error
		if held, alive = h.Traces.Alive(ctx); alive != nil {
			return broken(errors.Join(alive), "app.check.traces.house", "app.check.traces.house.todo")
		}
	}
	return finding(administration.Well, "app.check.traces.well", "", "megabytes", held>>20)
}
