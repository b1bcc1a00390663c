package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"tocsin/internal/clock"
)

// Task is work done again and again.
type Task struct {
	Name string
	// Every is the wait between two runs that found nothing to do.
	Every time.Duration
	// Wake, when not nil, starts a run before Every has passed.
	Wake <-chan struct{}
	// Run does one portion; more is true when another portion waits already.
	Run func(ctx context.Context, now time.Time) (more bool, err error)
}

// Runner runs tasks, each in a goroutine of its own, between Start and Stop.
type Runner struct {
	clock clock.Clock
	log   *slog.Logger
	tasks []Task

	mu     sync.Mutex
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// NewRunner returns a runner of these tasks, not yet started.
func NewRunner(c clock.Clock, log *slog.Logger, tasks ...Task) *Runner {
	return &Runner{clock: c, log: log, tasks: tasks}
}

// Start begins every task. Starting twice is an error.
func (r *Runner) Start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cancel != nil {
		return errors.New("jobs: already started")
	}
	ctx, r.cancel = context.WithCancel(ctx)
	for _, t := range r.tasks {
		r.done.Go(func() { r.loop(ctx, t) })
	}
	return nil
}

// Stop asks every task to end and waits for them. Stopping twice, or before
// Start, does nothing.
func (r *Runner) Stop() {
	r.mu.Lock()
	cancel := r.cancel
	r.cancel = nil
	r.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	r.done.Wait()
}

// failureWait is the shortest wait after a failure: a broken task must not fill the log.
const failureWait = time.Second

func (r *Runner) loop(ctx context.Context, t Task) {
	for ctx.Err() == nil {
		more, err := r.once(ctx, t)
		wait := t.Every
		switch {
		case err != nil && ctx.Err() == nil:
			r.log.Error("task failed", "task", t.Name, "error", err)
			wait = max(wait, failureWait)
		case more && err == nil:
			continue
		}
		select {
		case <-ctx.Done():
		case <-t.Wake:
		case <-r.clock.After(wait):
		}
	}
}

func (r *Runner) once(ctx context.Context, t Task) (more bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return t.Run(ctx, r.clock.Now())
}
