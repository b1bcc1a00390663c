package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"tocsin/internal/access"
	"tocsin/internal/administration"
	"tocsin/internal/bench"
	"tocsin/internal/clock"
	"tocsin/internal/spool"
	"tocsin/internal/storage"
	"tocsin/internal/traces"
	"tocsin/internal/traces/child"
)

// OpenBase opens a base of traces in a folder. It is given by cmd: its C code is
// linked into the program, and into no test but its own.
type OpenBase func(ctx context.Context, dir string, log *slog.Logger) (traces.Engine, error)

// Part is something that a program may be built with or without.
type Part func(*session)

// WithTraces builds a base of traces in; measure is what the bench asks of it.
func WithTraces(open OpenBase, measure *bench.TraceBase) Part {
	return func(s *session) { s.openBase, s.measureBase = open, measure }
}

type tracesCommand struct {
	Verify  tracesVerify  `cmd:"" help:"Read sealed traces again and name what was altered; the status is 1 when something was."`
	Archive tracesArchive `cmd:"" help:"Verify an archive that was handed over to justice or to a patient; the status is 1 when it does not hold."`
	Serve   tracesServe   `cmd:"" hidden:"" help:"Hold the base of traces, for the program that started us."`
	Rules   rulesCommand  `cmd:"" help:"Try Sigma rules."`
}

// tracesServe is the process of the base: started by serve, never by hand.
type tracesServe struct {
	Dir    string `required:"" help:"Folder of the base."`
	Spool  string `required:"" help:"Folder in which traces wait."`
	Level  string `default:"info" help:"Least important lines of the log."`
	Socket string `arg:"" help:"Socket on which questions are answered."`
}

// Run answers until whoever started us stops, then finishes its commit.
func (c *tracesServe) Run(s *session) (err error) {
	if s.openBase == nil {
		return errors.New("this program was built without a base of traces")
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return fmt.Errorf("level of the log: %w", err)
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level})).With("process", "traces")
	ctx, l, err := child.Listen(s.ctx, c.Socket, s.in)
	if err != nil {
		return err
	}
	engine, err := s.openBase(ctx, c.Dir, log)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	server := &child.Server{Engine: engine, Spool: c.Spool, Log: log, Now: clock.Real().Now}
	return server.Serve(ctx, l)
}

// tracing is what serves traces while the house serves.
type tracing struct {
	spool *spool.Spool
	base  *child.Client
	stop  context.CancelFunc
	done  chan struct{}
}

// socketFile says, in the folder of the traces, where the base of the program
// that runs answers.
const socketFile = "socket"

// spoolMost is what may wait on the disk before sources are refused.
const spoolMost = 8 << 30

// openTraces opens the queue and connects the room. Where this program has no
// base, or shares its data with other nodes, nothing is opened: the room says so.
func (h *House) openTraces() (*tracing, error) {
	if !h.HasBase || h.DB.Engine() != storage.SQLite {
		return nil, nil
	}
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
	socket, err := keeper.Prepare()
	if err != nil {
		return nil, errors.Join(err, queue.Close())
	}
	if err := os.WriteFile(filepath.Join(root, socketFile), []byte(socket), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("say where the traces answer: %w", err), queue.Close())
	}
	t := &tracing{spool: queue, base: child.NewClient(socket), done: make(chan struct{})}
	h.Traces.Connect(queue, t.base)
	// It outlives the pages: what they took last is stored before the end.
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	go t.run(ctx, h, keeper)
	return t, nil
}

// run starts the base once there is something to keep: a house without sources
// has no process more than before.
func (t *tracing) run(ctx context.Context, h *House, keeper *child.Supervisor) {
	defer close(t.done)
	for !t.wanted(ctx, h) {
		pause(ctx, time.Second)
	}
	var group errgroup.Group
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
	if t == nil {
		return nil
	}
	t.stop()
	<-t.done
	t.base.Close()
	return t.spool.Close()
}

// pause waits, or returns early with ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// checkTraces looks whether the base answers, and what waits for it.
func (h *House) checkTraces(ctx context.Context, _ access.Scope) administration.Finding {
	if !h.Traces.Ready() {
		return finding(administration.Unused, "app.check.traces.none", "")
	}
	if spoken, err := h.Traces.Spoken(ctx); err == nil && !spoken {
		return finding(administration.Unused, "app.check.traces.idle", "")
	}
	held, err := h.Traces.Alive(ctx)
	args := []any{"megabytes", held >> 20}
	if err != nil {
		f := finding(administration.Broken, "app.check.traces.down", "app.check.traces.todo", args...)
		f.Err = err
		return f
	}
	return finding(administration.Well, "app.check.traces.well", "", args...)
}
