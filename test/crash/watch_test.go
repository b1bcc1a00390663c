package crash_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tocsin/internal/storage/storagetest"
	"tocsin/test/peers/smpp"
)

// Tocsin is killed: the watcher on another machine tells the chosen person by a
// gateway of its own, once, and tells when it is back.
func TestTheWatcherTellsThatTocsinWasKilled(t *testing.T) {
	t.Parallel()
	i := install(t)
	gateway := smpp.StartNode(t, smpp.Options{})
	file := filepath.Join(t.TempDir(), "veille.yaml")
	text := "gateways:\n  - kind: smpp\n    settings: {host: 127.0.0.1, port: \"" + strconv.Itoa(gateway.Port) + "\", system_id: hopital, password: secret, source: \"+33639980000\"}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address := freePort(t)
	serve := func() *process {
		p := start(t, nil, append([]string{"serve", "--listen", address}, i.flags()...)...)
		listens(t, address, p)
		return p
	}
	tocsin := serve()
	watch := start(t, nil, "watch", "--url", "http://"+address+"/readyz", "--tell", "+33639980001", "--gateways", file, "--after", "2s", "--every", "100ms")
	storagetest.Eventually(t, patience, "the watcher has its gateway", func() bool { return gateway.State().Binds > 0 })

	tocsin.kill()
	told := func(n int) {
		t.Helper()
		storagetest.Eventually(t, patience, "the person is told", func() bool { return len(gateway.State().Received) >= n })
	}
	told(1)
	serve()
	told(2)
	watch.stop()
	got := gateway.State().Received
	if len(got) != 2 || got[0].To != "33639980001" || !strings.Contains(got[0].Text, "ne répond plus") || !strings.Contains(got[1].Text, "répond de nouveau") {
		t.Errorf("the person received %+v", got)
	}
}
