package crash_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"tocsin/internal/storage/storagetest"
	"tocsin/test/peers"
)

// patience bounds what the program does in its own time; the machine may be busy.
const patience = 2 * time.Minute

// TestMain builds the program once.
func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "tocsin-crash-")
	if err != nil {
		fail(err)
	}
	if err := errors.Join(os.Chmod(folder, 0o755), os.Setenv("TOCSIN_CRASH_PROGRAM", filepath.Join(folder, "tocsin"))); err != nil {
		fail(err)
	}
	build := exec.Command("go", "build", "-o", program(), "tocsin/cmd/tocsin")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fail(fmt.Errorf("build the program: %w", err))
	}
	code := m.Run()
	if err := os.RemoveAll(folder); err != nil {
		fail(err)
	}
	os.Exit(code)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// program is where TestMain has built it.
func program() string { return os.Getenv("TOCSIN_CRASH_PROGRAM") }

// process is one that the test started.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	said  peers.Said
	ended chan error
}

// start runs the program. Whatever becomes of the test, the process ends with it.
func start(t *testing.T, change func(*exec.Cmd), args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(program(), args...), ended: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = &p.said, &p.said, t.TempDir()
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.cmd.Dir, "TMPDIR=" + os.TempDir(), "LANG=C"}
	if change != nil {
		change(p.cmd)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", args[0], err)
	}
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(p.kill)
	return p
}

// kill ends the process as a power cut would; once it has ended it does nothing.
func (p *process) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("kill: %v", err)
	}
	p.wait()
}

// wait returns how the process ended.
func (p *process) wait() error {
	p.t.Helper()
	select {
	case err := <-p.ended:
		p.ended <- err
		return err
	case <-time.After(patience):
		p.t.Fatalf("still running after %s:\n%s", patience, p.said.String())
		return nil
	}
}

// stop asks the process to end in good order.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatalf("stop: %v", err)
	}
	if err := p.wait(); err != nil {
		p.t.Fatalf("the stop in good order: %v\n%s", err, p.said.String())
	}
}

// done waits for a command that must succeed, and returns what it said.
func (p *process) done() string {
	p.t.Helper()
	if err := p.wait(); err != nil {
		p.t.Fatalf("%v: %v\n%s", p.cmd.Args[1:], err, p.said.String())
	}
	return p.said.String()
}

// freePort is an address of this machine that nobody listens on.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// listens waits until somebody answers at an address.
func listens(t *testing.T, address string, p *process) {
	t.Helper()
	storagetest.Eventually(t, patience, address+" listens", func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		if err := conn.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		return true
	})
}
