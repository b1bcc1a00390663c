package kannel

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"tocsin/test/peers"
)

// The account of the sendsms interface.
const (
	User     = "tocsin"
	Password = "mot-de-passe"
)

// startTimeout is how long a box may take to listen, on a busy machine.
const startTimeout = 60 * time.Second

// Kannel is a running bearerbox with its smsbox.
type Kannel struct {
	// URL is where messages are sent.
	URL string

	t testing.TB
}

// Start links Kannel to an SMSC that speaks SMPP on 127.0.0.1, as "hopital" with
// "secret". Replies are given to callback by GET.
func Start(t testing.TB, smsc int, callback string) *Kannel {
	t.Helper()
	for _, program := range []string{"bearerbox", "smsbox"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("the program %s is missing: run make test-deps", program)
		}
	}
	dir := t.TempDir()
	admin, boxes, send := freePort(t), freePort(t), freePort(t)
	conf := filepath.Join(dir, "kannel.conf")
	if err := os.WriteFile(conf, []byte(configuration(dir, admin, boxes, send, smsc, callback)), 0o600); err != nil {
		t.Fatal(err)
	}
	k := &Kannel{URL: fmt.Sprintf("http://127.0.0.1:%d/cgi-bin/sendsms", send), t: t}
	first := k.launch("bearerbox", conf)
	k.wait(boxes, first)
	second := k.launch("smsbox", conf)
	k.wait(send, second)
	return k
}

func configuration(dir string, admin, boxes, send, smsc int, callback string) string {
	return fmt.Sprintf(`group = core
admin-port = %[1]d
admin-interface = 127.0.0.1
admin-password = administration
smsbox-port = %[2]d
smsbox-interface = 127.0.0.1
box-allow-ip = "127.0.0.1"
log-file = "%[6]s/bearerbox.log"
log-level = 1
dlr-storage = internal

group = smsc
smsc = smpp
smsc-id = essai
host = 127.0.0.1
port = %[4]d
transceiver-mode = true
smsc-username = hopital
smsc-password = secret
system-type = ""
reconnect-delay = 1
msg-id-type = 0x03

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %[3]d
sendsms-interface = 127.0.0.1
http-request-retry = 20
http-queue-delay = 1
log-file = "%[6]s/smsbox.log"
log-level = 1

group = sendsms-user
username = %[7]s
password = %[8]s
concatenation = true
max-messages = 10

group = sms-service
keyword = default
catch-all = true
max-messages = 0
omit-empty = true
get-url = "%[5]s?from=%%p&to=%%P&text=%%a&peer=%%I"
`, admin, boxes, send, smsc, callback, dir, User, Password)
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// box is one of the two programs.
type box struct {
	name  string
	ended chan struct{}
	said  *peers.Said
}

// launch starts a program that ends with the test: that very process, by its pid.
func (k *Kannel) launch(name, conf string) *box {
	k.t.Helper()
	b := &box{name: name, ended: make(chan struct{}), said: &peers.Said{}}
	command := exec.Command(name, conf)
	command.Stdout, command.Stderr = b.said, b.said
	if err := command.Start(); err != nil {
		k.t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		defer close(b.ended)
		if err := command.Wait(); err != nil && command.ProcessState == nil {
			fmt.Fprintln(b.said, err)
		}
	}()
	k.t.Cleanup(func() {
		if err := command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			k.t.Errorf("end %s: %v", name, err)
		}
		<-b.ended
	})
	return b
}

// wait returns once a box listens.
func (k *Kannel) wait(port int, b *box) {
	k.t.Helper()
	limit := time.NewTimer(startTimeout)
	defer limit.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+strconv.Itoa(port), time.Second)
		if err == nil {
			if err := conn.Close(); err != nil {
				k.t.Error(err)
			}
			return
		}
		select {
		case <-tick.C:
		case <-b.ended:
			k.t.Fatalf("%s ended at once:\n%s", b.name, b.said)
		case <-limit.C:
			k.t.Fatalf("%s does not listen after %s:\n%s", b.name, startTimeout, b.said)
		}
	}
}
