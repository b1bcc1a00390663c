package smpp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// startTimeout is how long a gateway may take to listen, on a busy machine.
const startTimeout = 30 * time.Second

// folder is where the scripts are.
func folder(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the place of the peers' scripts is unknown")
	}
	return filepath.Dir(file)
}

// need fails the test when a program is missing.
func need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("the program %s is missing: run make test-deps", program)
	}
}

// ports are what a script prints once it listens.
type ports struct {
	SMPP    int `json:"smpp"`
	Control int `json:"control"`
}

// launch starts a script, waits until it listens, and ends it with the test.
func launch(t testing.TB, program string, arguments ...string) ports {
	t.Helper()
	command := exec.Command(program, arguments...)
	var complaints lockedBuffer
	command.Stderr = &complaints
	// The script ends when its input closes, even if the test is killed.
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	t.Cleanup(func() { end(t, command, stdin) })
	return greeting(t, stdout, &complaints)
}

// greeting reads the first line of the script.
func greeting(t testing.TB, stdout io.Reader, complaints *lockedBuffer) ports {
	t.Helper()
	lines := make(chan []byte, 1)
	go func() {
		line, err := bufio.NewReader(stdout).ReadBytes('\n')
		if err != nil {
			line = nil
		}
		lines <- line
	}()
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	var p ports
	select {
	case line := <-lines:
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatalf("the gateway did not start: %v\n%s", err, complaints.String())
		}
	case <-timeout.C:
		t.Fatalf("the gateway does not listen after %s\n%s", startTimeout, complaints.String())
	}
	return p
}

// end closes the script's input and waits; it kills that very process when it stays.
func end(t testing.TB, command *exec.Cmd, stdin io.Closer) {
	t.Helper()
	if err := stdin.Close(); err != nil {
		t.Errorf("close the gateway's input: %v", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	patience := time.NewTimer(2 * time.Second)
	defer patience.Stop()
	select {
	case <-ended:
		return
	case <-patience.C:
	}
	if err := command.Process.Kill(); err != nil && !os.IsNotExist(err) {
		t.Errorf("kill the gateway: %v", err)
	}
	<-ended
}

// lockedBuffer keeps what a process complains of.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
