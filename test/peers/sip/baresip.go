package sip

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin/test/peers"
)

// Baresip is a telephone that picks up by itself, over TLS, and encrypts its sound.
type Baresip struct {
	// Port is where it listens over TLS.
	Port   int
	events net.Conn
	keys   net.Conn
	heard  *bufio.Reader
}

// BaresipOptions are how the telephone is set.
type BaresipOptions struct {
	// Number is the one it answers to.
	Number string
	// Certificate is the file of its certificate and key.
	Certificate string
	// Encryption is srtp-mand, or empty for sound in clear.
	Encryption string
	// Speaks is a WAV file of 8 kHz that it says when it picks up; empty says nothing.
	Speaks string
}

const baresipConfig = `module_path /usr/lib/baresip/modules
module g711.so
module aubridge.so
module aufile.so
module srtp.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
module cons.so
cons_listen 127.0.0.1:%d
ctrl_tcp_listen 127.0.0.1:%d
sip_listen 127.0.0.1:%d
sip_certificate %s
audio_player aubridge,nil
audio_source %s
audio_alert aubridge,nil
ausrc_srate 8000
auplay_srate 8000
call_max_calls 4
net_interface 127.0.0.1
`

// StartBaresip starts the telephone and waits until it takes orders. It ends with
// the test.
func StartBaresip(t testing.TB, o BaresipOptions) *Baresip {
	t.Helper()
	program, err := exec.LookPath("baresip")
	if err != nil {
		t.Fatal("the program baresip is missing: run make test-deps")
	}
	// One row, so that none of them is taken by another: signalling, TLS, control, keys.
	dir, port := t.TempDir(), freePorts(t, "127.0.0.1", 4)
	control, keys := port+2, port+3
	b := &Baresip{Port: port + 1} // TLS is beside UDP
	account := fmt.Sprintf("<sip:%s@127.0.0.1:%d;transport=tls>;regint=0;answermode=auto", o.Number, port)
	if o.Encryption != "" {
		account += ";mediaenc=" + o.Encryption
	}
	source := "aubridge,nil"
	if o.Speaks != "" {
		source = "aufile," + o.Speaks
	}
	for name, text := range map[string]string{"config": fmt.Sprintf(baresipConfig, keys, control, port, o.Certificate, source), "accounts": account + "\n", "contacts": "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(program, "-f", dir)
	out := &peers.Said{}
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, dir
	if err := cmd.Start(); err != nil {
		t.Fatalf("start baresip: %v", err)
	}
	t.Cleanup(func() {
		for _, c := range []net.Conn{b.events, b.keys} {
			if c != nil {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
		}
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("end baresip: %v", err)
		}
		if err := cmd.Wait(); err != nil && t.Failed() {
			t.Logf("baresip said:\n%s", tail(out.String()))
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		<-tick.C
		if b.events, err = net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(control))); err != nil {
			continue
		}
		b.heard = bufio.NewReader(b.events)
		if b.keys, err = net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(keys))); err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Fatalf("baresip takes no orders:\n%s", tail(out.String()))
	return nil
}

// Wait waits until the telephone tells an event: CALL_ESTABLISHED, CALL_CLOSED.
func (b *Baresip) Wait(t testing.TB, event string) {
	t.Helper()
	for {
		size, err := b.heard.ReadString(':')
		if err != nil {
			t.Fatalf("baresip: no %s: %v", event, err)
		}
		n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil || n > 1<<20 {
			t.Fatalf("baresip says %q", size)
		}
		text := make([]byte, n+1) // and a comma
		for at := 0; at < len(text); {
			k, err := b.heard.Read(text[at:])
			if err != nil {
				t.Fatal(err)
			}
			at += k
		}
		var said struct{ Type string }
		if err := json.Unmarshal(text[:n], &said); err != nil {
			t.Fatalf("baresip says %q", text)
		}
		if said.Type == event {
			return
		}
	}
}

// Press sends a key during the call.
func (b *Baresip) Press(t testing.TB, key string) {
	t.Helper()
	_, err := b.keys.Write([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
}
