package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/traces/child"
	"tocsin/internal/traces/nodes"
)

// tracing is what serves traces while the house serves: a queue and a base of
// this machine, or the node that has them.
type tracing struct {
	spool *spool.Spool
	base  *child.Client
	id    uuid.UUID
	away  *nodes.Node
	house *lateBase // ClickHouse
	stop  context.CancelFunc
	done  chan struct{}
}

// socketFile says, in the folder of the traces, where the base of the program
// that runs answers.
const socketFile = "socket"

// spoolMost is what may wait on the disk before sources are refused.
const spoolMost = 8 << 30

// openTraces connects the room with its base: that of this machine, or that of
// the node that holds it for all. Where the settings name none, or this program
// was built without one, nothing is opened: the room says so.
func (h *House) openTraces() (*tracing, error) {
	alone := h.DB.Engine() == storage.SQLite
	switch {
	case h.Settings.TracesURL != "":
		return h.openHouse()
	case !alone && h.Settings.TracesOwner != "":
		t := &tracing{away: nodes.NewNode(h.Settings.TracesOwner, h.Vault)}
		h.Traces.Connect(t.away, t.away)
		return t, nil
	case !h.HasBase || !alone && h.Settings.TracesNodes == "":
		return nil, nil
	}
	return h.openBase(alone)
}

// openBase opens the queue of this machine and the process of its base.
func (h *House) openBase(alone bool) (*tracing, error) {
	root := filepath.Join(h.Settings.Data, "traces")
	queue, err := spool.Open(filepath.Join(root, "spool"), spool.Options{MaxBytes: spoolMost, First: uint64(h.Clock.Now().Unix())})
	if err != nil {
		return nil, fmt.Errorf("queue of the traces: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("find this program: %w", err), queue.Close())
	}
	keeper := &child.Supervisor{
		Command: []string{self, "traces", "serve", "--dir", filepath.Join(root, "base"), "--spool", filepath.Join(root, "spool"), "--level", h.Settings.LogLevel},
		Err:     os.Stderr, Log: h.Log, Now: h.Clock.Now, Pause: pause,
	}
	id, err := nameBase(root)
	if err != nil {
		return nil, errors.Join(err, queue.Close())
	}
	if keeper.Dir, err = filepath.Abs(root); err != nil {
		return nil, errors.Join(fmt.Errorf("folder of the socket: %w", err), queue.Close())
	}
	socket, err := keeper.Prepare()
	if err != nil {
		return nil, errors.Join(err, queue.Close())
	}
	if err := os.WriteFile(filepath.Join(root, socketFile), []byte(socket), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("say where the traces answer: %w", err), queue.Close())
	}
	t := &tracing{spool: queue, base: child.NewClient(socket), id: id, done: make(chan struct{})}
	if alone {
		h.Traces.Connect(queue, t.base)
	}
	// It outlives the pages: what they took last is stored before the end.
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	go t.run(ctx, h, keeper, alone)
	return t, nil
}

// run starts the base once there is something to keep: a house without sources
// has no process more than before.
func (t *tracing) run(ctx context.Context, h *House, keeper *child.Supervisor, alone bool) {
	defer close(t.done)
	var group errgroup.Group
	if !alone {
		group.Go(func() error { t.hold(ctx, h); return nil })
	}
	for !t.wanted(ctx, h) {
		pause(ctx, time.Second)
	}
	group.Go(func() error { return keeper.Run(ctx) })
	looking := h.watch(t.spool)
	group.Go(func() error { return looking.Run(ctx) })
	feeder := child.Feeder{Spool: t.spool, Base: t.base, Log: h.Log, Pause: pause, Hold: looking.Hold}
	group.Go(func() error { return feeder.Run(ctx) })
	if err := group.Wait(); err != nil {
		h.Log.Error("traces", "err", err)
	}
}

// wanted tells whether the base has anything to do, or nothing is to be waited for.
func (t *tracing) wanted(ctx context.Context, h *House) bool {
	if ctx.Err() != nil || t.spool.Held() > 0 {
		return true
	}
	spoken, err := h.Traces.Spoken(ctx)
	return err == nil && spoken
}

// Close stops the base and closes the queue; what waits there is stored at the
// next start.
func (t *tracing) Close() error {
	switch {
	case t == nil:
		return nil
	case t.away != nil:
		t.away.Close()
		return nil
	}
	t.stop()
	<-t.done
	if t.house != nil {
		return errors.Join(t.house.Close(), t.spool.Close())
	}
	t.base.Close()
	return t.spool.Close()
}
