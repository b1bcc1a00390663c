package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// Pauses between a death and the next start: doubled while it keeps dying.
const (
	shortestPause = 200 * time.Millisecond
	longestPause  = 30 * time.Second
	// wellFor is how long a process lives to have its past forgotten.
	wellFor = time.Minute
)

// Supervisor starts the process of the base and starts it again when it dies.
type Supervisor struct {
	// Command gives the program and its arguments, the socket last.
	Command []string
	// Env is added to ours.
	Env []string
	// Dir is where the folder of the socket is made: other programs of this machine
	// find it there even when each has a /tmp of its own, as systemd gives them. One
	// whose name is too long for a socket, or none, is the system's for short-lived files.
	Dir string
	// Err receives what the process writes in its log.
	Err io.Writer
	Log *slog.Logger
	// Now and Pause are the time: Pause waits, or returns early with ctx.
	Now   func() time.Time
	Pause func(ctx context.Context, d time.Duration)

	mu     sync.Mutex
	starts int
	dir    string
}

// Prepare makes the folder of the socket and gives its path.
func (s *Supervisor) Prepare() (string, error) {
	var err error
	if s.dir = filepath.Join(s.Dir, "run"); s.Dir == "" || len(s.socket()) > longestSocket {
		s.dir, err = os.MkdirTemp("", "tocsin-")
	} else if err = os.RemoveAll(s.dir); err == nil { // of a program that was killed
		err = os.Mkdir(s.dir, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("folder of the socket: %w", err)
	}
	return s.socket(), nil
}

// longestSocket is less than any system allows for the name of a socket, bytes.
const longestSocket = 100

func (s *Supervisor) socket() string { return filepath.Join(s.dir, "traces.sock") }

// Starts counts how often the process was started.
func (s *Supervisor) Starts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.starts
}

// Run keeps the process alive until ctx ends. Prepare was called before.
func (s *Supervisor) Run(ctx context.Context) error {
	defer func() {
		if err := os.RemoveAll(s.dir); err != nil {
			s.Log.Warn("traces", "err", err)
		}
	}()
	for pause := shortestPause; ctx.Err() == nil; {
		began := s.Now()
		err := s.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if s.Now().Sub(began) > wellFor {
			pause = shortestPause
		}
		s.Log.Error("the process of the traces ended: it is started again, and what comes in waits on the disk", "err", err, "in", pause)
		s.Pause(ctx, pause)
		pause = min(2*pause, longestPause)
	}
	return nil
}

// once runs the process to its end. Its standard input is held open as long as
// we live: it stops when it closes, even if we are killed.
func (s *Supervisor) once(ctx context.Context) error {
	if err := os.Remove(s.socket()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("old socket: %w", err)
	}
	cmd := exec.CommandContext(ctx, s.Command[0], append(s.Command[1:len(s.Command):len(s.Command)], s.socket())...)
	cmd.Env = append(os.Environ(), s.Env...)
	cmd.Stderr = s.Err
	alive, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start the traces: %w", err)
	}
	// Asked to stop, it finishes its commit first.
	cmd.Cancel = alive.Close
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the traces: %w", err)
	}
	s.mu.Lock()
	s.starts++
	s.mu.Unlock()
	return cmd.Wait()
}

// Listen is the process's own side: its socket, and a context that ends when
// the standard input closes.
func Listen(ctx context.Context, socket string, in io.Reader) (context.Context, net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", socket)
	if err != nil {
		return nil, nil, fmt.Errorf("listen for questions: %w", err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	go func() {
		_, err := io.Copy(io.Discard, in)
		stop(errors.Join(errors.New("whoever started us is gone"), err))
	}()
	return ctx, l, nil
}
