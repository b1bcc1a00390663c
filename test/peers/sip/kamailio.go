package sip

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Kamailio is an exchange that asks everybody for a digest, registers, and leads
// every number to one telephone.
type Kamailio struct {
	Port int
	dir  string
}

// Realm is the domain of the exchange; User and Password open it.
const (
	Realm    = "hopital.test"
	User     = "tocsin"
	Password = "secret"
)

const kamailioConfig = `#!KAMAILIO
debug=1
log_stderror=yes
fork=no
children=2
disable_tcp=yes
auto_aliases=no
listen=udp:127.0.0.1:%d
alias="hopital.test"
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/:/usr/lib/aarch64-linux-gnu/kamailio/modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "xlog.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 60)
request_route {
	if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
	if (is_method("REGISTER")) {
		if (!pv_www_authenticate("hopital.test", "secret", "0")) { www_challenge("hopital.test", "1"); exit; }
		save("location");
		xlog("L_ALERT", "step register $tU\n");
		exit;
	}
	if (has_totag()) {
		if (loose_route()) { xlog("L_ALERT", "step dialogue $rm\n"); t_relay(); exit; }
		if (is_method("ACK") && t_check_trans()) { t_relay(); }
		exit;
	}
	if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
	if (!is_method("INVITE")) { sl_send_reply("405", "Method Not Allowed"); exit; }
	if (!pv_proxy_authenticate("hopital.test", "secret", "0")) { proxy_challenge("hopital.test", "1"); exit; }
	consume_credentials();
	xlog("L_ALERT", "step invite $fU\n");
	record_route();
	if (lookup("location")) { t_relay(); exit; }
	$du = "sip:127.0.0.1:%d";
	t_relay();
}
`

// StartKamailio starts the exchange before a telephone that listens on port phone.
func StartKamailio(t testing.TB, phone int) *Kamailio {
	t.Helper()
	program, err := exec.LookPath("kamailio")
	if err != nil {
		t.Fatal("the program kamailio is missing: run make test-deps")
	}
	k := &Kamailio{Port: freePort(t, "127.0.0.1"), dir: t.TempDir()}
	file := filepath.Join(k.dir, "kamailio.cfg")
	if err := os.WriteFile(file, fmt.Appendf(nil, kamailioConfig, k.Port, phone), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-f", file, "-DD", "-E", "-e", "-Y", k.dir, "-P", filepath.Join(k.dir, "pid"), "-m", "32", "-M", "4", "-w", k.dir)
	log, err := os.Create(k.log())
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start kamailio: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := cmd.Wait(); err != nil {
			return // killed at the end of the test
		}
	}()
	t.Cleanup(func() {
		// Asked to stop, it ends its own children.
		if err := cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("end kamailio: %v", err)
		}
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			if err := cmd.Process.Kill(); err != nil {
				t.Errorf("end kamailio: %v", err)
			}
			<-ended
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("kamailio said:\n%s", tail(k.said()))
		}
	})
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		select {
		case <-ended:
			t.Fatalf("kamailio ended at once:\n%s", tail(k.said()))
		case <-tick.C:
		}
		if listens(t, k.Port, false) {
			return k
		}
	}
	t.Fatal("kamailio does not listen on " + strconv.Itoa(k.Port))
	return nil
}

func (k *Kamailio) log() string { return filepath.Join(k.dir, "kamailio.log") }

func (k *Kamailio) said() string {
	text, err := os.ReadFile(k.log())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Saw tells how often the exchange noted a step: "register tocsin", "invite 0142000000", "dialogue BYE".
func (k *Kamailio) Saw(step string) int { return strings.Count(k.said(), "step "+step) }
