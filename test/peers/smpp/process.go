package smpp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"tocsin/test/peers"
)

// startTimeout is how long a gateway may take to listen, on a busy machine.
const startTimeout = 30 * time.Second

// folder is where the scripts are: found from the working directory, since a
// program compiled with -trimpath does not know where its source was.
func folder(t testing.TB) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return filepath.Join(root, "test", "peers", "smpp")
		}
		up := filepath.Dir(root)
		if up == root {
			t.Fatal("the place of the peers' scripts is unknown")
		}
		root = up
	}
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
// heard receives each line the script prints after the first.
func launch(t testing.TB, heard func(line []byte), program string, arguments ...string) ports {
	t.Helper()
	command := exec.Command(program, arguments...)
	var complaints peers.Said
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
	first, silent := make(chan []byte, 1), make(chan struct{})
	go listenTo(stdout, first, silent, heard)
	t.Cleanup(func() { end(t, command, stdin, silent) })
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	var p ports
	select {
	case line := <-first:
		if err := json.Unmarshal(line, &p); err != nil {
			t.Fatalf("the gateway did not start: %v\n%s", err, complaints.String())
		}
	case <-silent:
		t.Fatalf("the gateway did not start\n%s", complaints.String())
	case <-timeout.C:
		t.Fatalf("the gateway does not listen after %s\n%s", startTimeout, complaints.String())
	}
	return p
}

// listenTo reads what the script prints until it ends.
func listenTo(stdout io.Reader, first chan<- []byte, silent chan<- struct{}, heard func([]byte)) {
	defer close(silent)
	lines := bufio.NewScanner(stdout)
	if lines.Scan() {
		first <- bytes.Clone(lines.Bytes())
	}
	for lines.Scan() {
		heard(lines.Bytes())
	}
}

// end closes the script's input and waits; it kills that very process when it
// stays. Wait comes after the last line was read, as StdoutPipe asks.
func end(t testing.TB, command *exec.Cmd, stdin io.Closer, silent <-chan struct{}) {
	t.Helper()
	if err := stdin.Close(); err != nil {
		t.Errorf("close the gateway's input: %v", err)
	}
	patience := time.NewTimer(2 * time.Second)
	defer patience.Stop()
	select {
	case <-silent:
	case <-patience.C:
		if err := command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("kill the gateway: %v", err)
		}
		<-silent
	}
	if err := command.Wait(); err != nil {
		t.Logf("the gateway ended: %v", err)
	}
}
