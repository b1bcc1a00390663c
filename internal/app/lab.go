package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"tocsin/internal/lab"
)

type labCommand struct {
	Network labNetwork `cmd:"" default:"withargs" help:"Run the simulated telephone network."`
	Traces  labTraces  `cmd:"" help:"Invent the traces of a hospital, with misbehaviour planted under labels: write them, send them, or examine the detection on them."`
}

type labNetwork struct {
	lab.Options `embed:""`
}

// Run runs the simulated network until stopped.
func (c *labNetwork) Run(s *session) error { return lab.Run(s.ctx, c.Options) }

// labProcess is the simulated network in a process of its own, as a real
// operator would be.
type labProcess struct{ cmd *exec.Cmd }

// startLab starts the network and waits until it listens.
func startLab(ctx context.Context, s *session, p ports, intake string, speed float64) (*labProcess, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(self, "lab", "--smpp", loopback(p.smpp), "--smtp", loopback(p.smtp), "--sip", loopback(p.sip), "--control", loopback(p.control),
		"--intake", intake, "--people-speed", strconv.FormatFloat(speed, 'g', -1, 64))
	cmd.Stderr = s.err
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the simulated network: %w", err)
	}
	process := &labProcess{cmd}
	deadline, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	for _, port := range []int{p.smpp, p.smtp} {
		if err := waitFor(deadline, loopback(port)); err != nil {
			return nil, errors.Join(fmt.Errorf("the simulated network does not listen: %w", err), process.stop())
		}
	}
	return process, nil
}

// waitFor waits until something listens.
func waitFor(ctx context.Context, address string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// stop ends the process that was started, and only that one.
func (l *labProcess) stop() error {
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop the simulated network: %w", err)
	}
	var exit *exec.ExitError
	if err := l.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("stop the simulated network: %w", err)
	}
	return nil
}
