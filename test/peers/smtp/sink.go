package smtp

import (
	"bytes"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// Sink is a running smtp-sink: it takes everything and keeps nothing.
type Sink struct {
	Host string
	Port int
}

// StartSink starts smtp-sink (Debian package postfix) and ends it with the
// test. Options are those of its manual: "-q", "data" drops the connection there.
func StartSink(t testing.TB, options ...string) *Sink {
	t.Helper()
	need(t, "smtp-sink")
	s := &Sink{Host: "127.0.0.1", Port: freePort(t)}
	address := net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	args := append(append([]string{"-u", "postfix"}, options...), address, "512")
	cmd := exec.Command("smtp-sink", args...)
	cmd.Dir = "/"
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := cmd.Wait(); err != nil {
			return // ended by the signal below
		}
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Logf("smtp-sink had already ended: %v\n%s", err, said.String())
		}
		<-done
	})
	waitForGreeting(t, address, func() string { return "smtp-sink " + address })
	return s
}
