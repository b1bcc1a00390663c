package stories_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin/internal/hooks"
	"tocsin/internal/storage/storagetest"
)

// TestAlertmanagerItself is the real one, of Debian: what it sends when a group
// fires starts one alert, whatever it repeats, and what it sends when the group
// is resolved is understood.
func TestAlertmanagerItself(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Fatal("no prometheus-alertmanager: run test/deps.sh")
	}
	h := build(t, night(), "")
	h.agent("Zéphyrin", "iade")
	c := h.door(func(in *hooks.DoorInput) { in.Form = hooks.Alertmanager })
	here := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.router.ServeHTTP(w, r) }))
	t.Cleanup(here.Close)
	folder := t.TempDir()
	config := fmt.Sprintf(`route: {receiver: tocsin, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1s}
receivers:
- name: tocsin
  webhook_configs:
  - url: %s/api/v1/hooks/%s
    send_resolved: true
    http_config: {authorization: {credentials: %q}}
`, here.URL, c.door.ID, c.secret)
	file := filepath.Join(folder, "am.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	am := exec.CommandContext(t.Context(), program, "--config.file="+file, "--storage.path="+folder, "--web.listen-address="+address, "--cluster.listen-address=")
	var log strings.Builder
	am.Stderr = &log
	if err := am.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = am.Process.Kill()
		_ = am.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	post := func(ends string) bool {
		body := fmt.Sprintf(`[{"labels":{"alertname":"Onduleur","salle":"B12"},"annotations":{"summary":"sur batterie"}%s}]`, ends)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/api/v2/alerts", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return false
		}
		return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	}
	storagetest.Eventually(t, patience, "Alertmanager takes an alert", func() bool { return post("") })
	storagetest.Eventually(t, patience, "it was heard twice", func() bool { return h.number(`SELECT COALESCE(SUM(heard), 0) FROM hooks_calls`) >= 2 })
	if n := h.number(`SELECT COUNT(*) FROM alerting_launches`); n != 1 {
		t.Errorf("%d alerts", n)
	}
	if !post(fmt.Sprintf(`,"endsAt":%q`, time.Now().Add(-time.Second).Format(time.RFC3339))) {
		t.Error("Alertmanager did not take the end")
	}
	storagetest.Eventually(t, patience, "the end is understood", func() bool { return h.number(`SELECT COUNT(*) FROM hooks_calls WHERE outcome = 'resolved'`) == 1 })
}
