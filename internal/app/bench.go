package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"tocsin/internal/backup"
	"tocsin/internal/bench"
	"tocsin/internal/clock"
	"tocsin/internal/config"
	"tocsin/internal/organisation"
)

type benchCommand struct {
	Alert  benchAlert  `cmd:"" help:"Measure alerts, imports and pages, beside the raw limit of this machine."`
	Media  benchMedia  `cmd:"" help:"Measure the other media, such as calls, against peers of Debian."`
	Traces benchTraces `cmd:"" help:"Measure the traces: intake, disk, questions, crashes, beside the bare engine."`
	Peers  benchPeers  `cmd:"" help:"Measure Tocsin beside programs of others that do one thing and keep no state."`
}

// benchMedia takes what benchAlert takes.
type benchMedia struct {
	benchAlert `embed:""`
}

// Run measures and prints, as benchAlert does.
func (c *benchMedia) Run(s *session) error { return c.measure(s, bench.RunMedia) }

// benchPeers takes what benchAlert takes.
type benchPeers struct {
	benchAlert `embed:""`
}

// Run measures and prints, as benchAlert does.
func (c *benchPeers) Run(s *session) error { return c.measure(s, bench.RunPeers) }

// benchTraces takes what benchAlert takes.
type benchTraces struct {
	benchAlert `embed:""`
	ClickHouse bool `name:"clickhouse" help:"Measure a base on ClickHouse instead, started for the occasion (Debian: clickhouse-server)."`
}

// Run measures and prints, as benchAlert does.
func (c *benchTraces) Run(s *session) error {
	if c.ClickHouse {
		return c.measure(s, bench.RunClickHouse)
	}
	if s.openBase == nil {
		return errors.New("this program was built without a base of traces (it needs a C++ compiler): nothing to measure")
	}
	return c.measure(s, bench.RunTraces)
}

type benchAlert struct {
	JSON    bool    `name:"json" help:"Print one JSON object instead of a table."`
	Only    string  `help:"Only this figure or group, such as sms4300 or crash.lost; several by commas." placeholder:"ID"`
	Runs    int     `default:"3" help:"How many times a short measurement is repeated." placeholder:"N"`
	Folder  string  `help:"Where the data of the measurements are written; by default the system's temporary folder." type:"existingdir" placeholder:"FOLDER"`
	Scale   float64 `default:"1" hidden:"" help:"Part of the people and rows of the bars, to try the bench itself."`
	Profile string  `help:"Write CPU and memory profiles of the product here." type:"existingdir" placeholder:"FOLDER"`
}

// Run measures and prints. What was measured is printed even when a part failed.
func (c *benchAlert) Run(s *session) error { return c.measure(s, bench.Run) }

func (c *benchAlert) measure(s *session, run func(context.Context, bench.Options) ([]bench.Result, error)) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	results, err := run(s.ctx, bench.Options{
		Only: c.Only, Runs: c.Runs, Folder: c.Folder, Profile: c.Profile, Program: self, Log: s.err,
		Sizes: bench.Bars().Scaled(c.Scale),
	})
	if len(results) == 0 && err != nil {
		return err
	}
	write := bench.WriteTable
	if c.JSON {
		write = bench.WriteJSON
	}
	return errors.Join(err, write(s.out, results))
}

// benchChild is one step of a measurement, in a process of its own.
type benchChild struct {
	Step string `arg:""`
}

// Run runs the step.
func (c *benchChild) Run(s *session) error {
	return bench.Step(s.ctx, c.Step, s.in, s.out, bench.Program{
		Build: func(ctx context.Context, settings *config.Server) (bench.House, error) {
			return benchHouse(ctx, Plan{Settings: settings, Log: logger(s.err, settings)})
		},
		Traces: func(ctx context.Context, settings *config.Server) (bench.House, error) {
			moved := &movedClock{Clock: clock.Real()}
			h, err := benchHouse(ctx, Plan{Settings: settings, Log: logger(s.err, settings), Clock: moved, HasBase: s.openBase != nil})
			h.Jump = func(d time.Duration) { moved.by.Add(int64(d)) }
			return h, err
		},
		Base: s.measureBase,
		Restore: func(ctx context.Context, settings *config.Server, path string) error {
			quiet := &session{ctx: ctx, out: io.Discard, err: io.Discard}
			return withBackup(ctx, path, settings.BackupPassphrase, func(f *backup.File, _ backup.Summary) error {
				r := restoring{session: quiet, settings: settings, from: f}
				return r.data()
			})
		},
	})
}

// movedClock is a clock that jumps when told, as one does that a wrong server of
// time corrects.
type movedClock struct {
	clock.Clock
	by atomic.Int64
}

// Now implements clock.Clock.
func (c *movedClock) Now() time.Time { return c.Clock.Now().Add(time.Duration(c.by.Load())) }

// benchHouse is the house as the bench sees it.
func benchHouse(ctx context.Context, plan Plan) (bench.House, error) {
	settings := plan.Settings
	h, err := Build(ctx, plan)
	if err != nil {
		return bench.House{}, err
	}
	return bench.House{
		Organisations: h.Houses, Directory: h.Directory, Dispatch: h.Dispatch, Alerting: h.Alerting, Traces: h.Traces,
		Serve: h.Serve, Close: h.Close, Unwatched: h.unwatched,
		Backup: func(ctx context.Context, w io.Writer) error {
			keyring, err := os.ReadFile(settings.KeyFile)
			if err == nil {
				_, err = backup.Make(ctx, h.DB, Migrations(), w, backup.Order{Now: h.Clock.Now(), Program: Version, Passphrase: settings.BackupPassphrase, Keyring: keyring})
			}
			return err
		},
		BackUp: func(ctx context.Context, path string) (backup.Summary, error) {
			return h.backUp(ctx, path, h.Clock.Now(), nil)
		},
		Doors: func(ctx context.Context, e organisation.Establishment) ([]string, error) {
			d, err := h.demoDoors(ctx, e)
			if err != nil {
				return nil, err
			}
			h.demo = d
			paths := make([]string, len(d.order))
			for i, key := range d.order {
				paths[i] = demoPath + key
			}
			return paths, nil
		},
	}, nil
}
