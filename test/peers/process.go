package peers

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
)

// StartTimeout is how long a peer may take to listen, on a busy machine.
const StartTimeout = 30 * time.Second

// Folder is where the scripts of the peers are: found from the working directory,
// since a program compiled with -trimpath does not know where its source was.
func Folder(t testing.TB) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			return filepath.Join(root, "test", "peers")
		}
		up := filepath.Dir(root)
		if up == root {
			t.Fatal("the place of the peers' scripts is unknown")
		}
		root = up
	}
}

// Need fails the test when a program is missing.
func Need(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("the program %s is missing: run make test-deps", program)
	}
}

// NeedNode fails the test when node, or a package of package.json, is missing.
func NeedNode(t testing.TB, library string) {
	t.Helper()
	Need(t, "node")
	if _, err := os.Stat(filepath.Join(Folder(t), "node_modules", library)); err != nil {
		t.Fatalf("the npm package %s is missing: run make test-deps", library)
	}
}

// Launch starts a script, waits until it listens, and ends it with the test. The
// first line it prints, JSON, is read into ports; heard receives each line after.
func Launch(t testing.TB, ports any, heard func(line []byte), program string, arguments ...string) {
	t.Helper()
	command := exec.Command(program, arguments...)
	var complaints Said
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
	timeout := time.NewTimer(StartTimeout)
	defer timeout.Stop()
	select {
	case line := <-first:
		if err := json.Unmarshal(line, ports); err != nil {
			t.Fatalf("the peer did not start: %v\n%s", err, complaints.String())
		}
	case <-silent:
		t.Fatalf("the peer did not start\n%s", complaints.String())
	case <-timeout.C:
		t.Fatalf("the peer does not listen after %s\n%s", StartTimeout, complaints.String())
	}
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
		t.Errorf("close the input of the peer: %v", err)
	}
	patience := time.NewTimer(2 * time.Second)
	defer patience.Stop()
	select {
	case <-silent:
	case <-patience.C:
		if err := command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("kill the peer: %v", err)
		}
		<-silent
	}
	if err := command.Wait(); err != nil {
		t.Logf("the peer ended: %v", err)
	}
}
