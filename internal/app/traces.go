package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tocsin/internal/bench"
	"tocsin/internal/clock"
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
	Copy    tracesCopy    `cmd:"" help:"Copy the embedded base of traces into a folder, sealed by the passphrase of the backups, while Tocsin works."`
	Restore tracesRestore `cmd:"" help:"Put a copy of the base of traces back, or only read it whole."`
	Serve   tracesServe   `cmd:"" hidden:"" help:"Hold the base of traces, for the program that started us."`
	Rules   rulesCommand  `cmd:"" help:"Try Sigma rules."`
	Own     tracesOwn     `cmd:"" help:"Have the base in the data folder of this machine hold the traces of all nodes from now on, when the one before is lost or given up."`
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

// pause waits, or returns early with ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
