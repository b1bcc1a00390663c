package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// StepCommand is the name under which the program runs one step of a
// measurement; app gives it to Step.
const StepCommand = "bench-child"

// patience bounds every wait for a process: a measurement that hangs is an error.
const patience = 10 * time.Minute

// event is one line a step says to the bench.
type event struct {
	Name string          `json:"name"`
	Data json.RawMessage `json:"data,omitempty"`
}

// process is one that the bench started, and that it alone ends.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	events chan event
	ended  chan error
}

// start runs this program with other arguments. Its error output is ours.
func (b *bench) start(args ...string) (*process, error) { return b.startBy(nil, b.Program, args...) }

// startProgram runs a program with nothing of our environment.
func (b *bench) startProgram(program string, args ...string) (*process, error) {
	return b.startBy(nil, program, args...)
}

// startBy runs a program elsewhere, when that is not nil.
func (b *bench) startBy(elsewhere func(*exec.Cmd) error, program string, args ...string) (*process, error) {
	cmd := exec.Command(program, args...)
	cmd.Stderr = b.Log
	// Settings of the person who measures must not reach the house measured.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + b.folder, "HOME=" + b.folder, "GODEBUG=" + os.Getenv("GODEBUG")}
	cmd.Dir = b.folder
	if elsewhere != nil {
		if err := elsewhere(cmd); err != nil {
			return nil, err
		}
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	p := &process{cmd: cmd, in: in, events: make(chan event, 64), ended: make(chan error, 1)}
	go p.follow(out)
	return p, nil
}

// follow reads what the process says until it ends.
func (p *process) follow(out io.Reader) {
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Name != "" {
			p.events <- e
		}
	}
	close(p.events)
	p.ended <- errors.Join(lines.Err(), p.cmd.Wait())
}

// step starts one of the steps with its request.
func (b *bench) step(name string, request any) (*process, error) { return b.stepBy(nil, name, request) }

func (b *bench) stepBy(elsewhere func(*exec.Cmd) error, name string, request any) (*process, error) {
	p, err := b.startBy(elsewhere, b.Program, StepCommand, name)
	if err != nil {
		return nil, err
	}
	if err := p.say(request); err != nil {
		return nil, errors.Join(err, p.kill())
	}
	return p, nil
}

// do runs a step from its beginning to its end, and reads its one answer.
func (b *bench) do(ctx context.Context, name string, request, answer any) error {
	p, err := b.step(name, request)
	if err != nil {
		return err
	}
	if err := p.wait(ctx, "done", answer); err != nil {
		return errors.Join(fmt.Errorf("%s: %w", name, err), p.kill())
	}
	if err := p.finish(ctx); err != nil {
		return err
	}
	b.note("%s: %.1f s of processor", name, p.worked().Seconds())
	return nil
}

// say writes one line to the process.
func (p *process) say(v any) error { return json.NewEncoder(p.in).Encode(v) }

// wait reads events until the one of that name.
func (p *process) wait(ctx context.Context, name string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		select {
		case e, ok := <-p.events:
			if !ok {
				return fmt.Errorf("the process ended before it said %q", name)
			}
			if e.Name != name {
				continue
			}
			if into == nil || len(e.Data) == 0 {
				return nil
			}
			return json.Unmarshal(e.Data, into)
		case <-ctx.Done():
			return fmt.Errorf("wait for %q: %w", name, ctx.Err())
		}
	}
}

// finish closes the input, which asks a step to end, and waits for it.
func (p *process) finish(ctx context.Context) error {
	if err := p.in.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return p.await(ctx)
}

// stop asks the process to end in good order.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.await(context.Background())
}

// kill ends the process as a power cut would.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.await(context.Background())
}

// await waits for the end. A process ended by a signal has not failed.
func (p *process) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		select {
		case _, more := <-p.events:
			if more {
				continue
			}
			err := <-p.ended
			p.ended <- err // whoever waits again learns the same
			var exit *exec.ExitError
			if errors.As(err, &exit) && !exit.Exited() {
				return nil
			}
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// worked is the processor time of a process that has ended: unlike the clock on
// the wall, it does not depend on what else the machine does.
func (p *process) worked() time.Duration {
	if p.cmd.ProcessState == nil {
		return 0
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// freeAddress finds a free port of this machine.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// errEnded says that a process is no more: what is waited for of it will not come.
var errEnded = errors.New("the process ended")

// until polls ok every pause, as long as the process lives.
func (p *process) until(ctx context.Context, what string, pause time.Duration, ok func() (bool, error)) error {
	return until(ctx, what, pause, func() (bool, error) {
		select {
		case err := <-p.ended:
			p.ended <- err // whoever waits again learns the same
			return false, fmt.Errorf("wait for %s: %w", what, errors.Join(errEnded, err))
		default:
			return ok()
		}
	})
}

// until polls ok every pause.
func until(ctx context.Context, what string, pause time.Duration, ok func() (bool, error)) error {
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		done, err := ok()
		if err != nil || done {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s for %s", patience, what)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
